"""Which features matter: planted answers, what is drawn of them, and what is said of too little."""

import numpy as np
import pandas as pd
import pytest

from segue.audio.columns import COLUMNS, SIZES
from segue.errors import SegueError
from segue.models.data import TrainingData
from segue.models.scaling import standardise
from segue.notebook import ablation, attempt
from segue.notebook.ablation import nearest_of_others
from segue.notebook.features import scalings
from segue.plots.ablation import beside_published, families_needed, scaling_and_components
from segue.plots.confusion import confusion

ARTISTS, EACH = 18, 3


def planted(seed: int = 0) -> tuple[pd.DataFrame, TrainingData]:
    """Three genres told by mfcc, artists told by zcr, and nothing else; raw values of large hertz."""
    generator = np.random.default_rng(seed)
    artist = np.repeat(np.arange(ARTISTS), EACH)
    genre = artist % 3
    values = generator.normal(size=(artist.size, len(COLUMNS)))
    family = np.array([column[0] for column in COLUMNS])
    values[:, family == "mfcc"] += 1.2 * generator.normal(size=(3, 140))[genre]
    values[:, family == "zcr"] = 5 * generator.normal(size=(ARTISTS, 7))[artist]
    values[:, family == "spectral_rolloff"] *= 4_000
    names = [".".join(column) for column in COLUMNS]
    features = pd.DataFrame(values, index=np.arange(artist.size), columns=names)
    data = TrainingData(
        np.arange(artist.size), standardise(values)[0], artist, genres=[f"genre {i}" for i in genre]
    )
    return features, data


@pytest.fixture(scope="module")
def tried() -> ablation.Ablation:
    return ablation.ablate(planted()[1])


@pytest.fixture(scope="module")
def grid() -> pd.DataFrame:
    features, data = planted()
    return ablation.scaling_and_components(scalings(features), data, components=(5, 20))


def test_the_family_that_tells_genres_is_found(tried):
    rows = tried.table.set_index(["kind", "name"])
    assert (tried.tracks, tried.genres, tried.artists) == (54, 3, "never shared")
    assert tried.majority == pytest.approx(1 / 3)
    # Of 51 tracks by others 15 are of its genre.
    assert tried.chance == pytest.approx(15 / 51)
    assert rows.loc[("alone", "mfcc"), "accuracy"] == 1.0
    assert rows.loc[("alone", "zcr"), "accuracy"] < 0.6
    assert rows.loc[("without", "mfcc"), "change_high"] < -0.2
    assert rows.loc[("without", "zcr"), "change_low"] >= -0.1
    assert rows.loc[("classic", "mfcc+centroid+zcr"), "dim"] == 154
    assert rows.loc[("all", "all"), ["dim", "published", "change"]].tolist() == [518, 62.88, 0]
    assert (tried.table["published"].notna()).sum() == 18
    assert len(tried.table) == 2 * len(SIZES) + 6 + 2


def test_hertz_decide_raw_neighbours_and_scaling_mends_it(grid):
    rows = grid.set_index(["scaling", "components"])
    assert len(grid) == 9
    assert rows.loc[("raw", "all"), "precision"] < rows.loc[("standardised", "all"), "precision"] - 0.2
    assert rows.loc[("raw", "all"), "moved_high"] < 0
    assert rows.loc[("standardised", "all"), "overlap"] == 1.0
    assert rows.loc[("raw", "all"), "overlap"] < 0.5
    assert 0.5 < rows.loc[("standardised", "20"), "overlap"] < 1.0


def test_nearest_of_others_are_those_by_hand():
    rows = np.array([[0.0], [1.0], [3.0], [3.5]])
    found = nearest_of_others(rows, np.array([0, 0, 1, 2]), euclidean=True)
    np.testing.assert_array_equal(found, [[2, 3, -1], [2, 3, -1], [3, 1, 0], [2, 1, 0]])
    by_product = nearest_of_others(rows, np.array([0, 0, 1, 2]))
    np.testing.assert_array_equal(by_product[1], [3, 2, -1])


def test_what_is_drawn_and_said_names_the_findings(tried, grid):
    said = ablation.told(tried, grid).data
    assert "Alone, `mfcc` tells genres best: 100 %" in said
    assert "only without mfcc does the accuracy fall beyond chance" in said
    drawn = families_needed(tried, "a note")
    assert drawn.get_suptitle().startswith("mfcc alone tells 100 % of genres")
    assert "FMA's table (rank correlation" in beside_published(tried).get_suptitle().replace("\n", " ")
    assert scaling_and_components(grid).get_suptitle().startswith("Lists change")
    drawn.canvas.draw()


def test_one_genre_or_few_artists_are_too_little():
    data = TrainingData(np.arange(9), np.eye(9, 518), np.arange(9), genres=["a"] * 5 + ["b"] * 4)
    with pytest.raises(SegueError, match="at least two genres need 5 artists each"):
        ablation.ablate(data)
    assert (
        "Features are not compared"
        in ablation.told(attempt(ablation.ablate, data), attempt(ablation.ablate, data)).data
    )


def test_a_confusion_is_drawn_with_its_most_frequent_mistake():
    names = ["rock", "folk", "pop"]
    counts = pd.DataFrame([[8, 2, 0], [3, 7, 0], [1, 0, 0]], index=names, columns=names)
    title = confusion(counts, "svm").get_suptitle().replace("\n", " ")
    assert title == "svm tells 71 % of genres right; most often folk is taken for rock (30 % of its tracks)"
    assert "nothing to confuse" in confusion(counts * 0).axes[0].texts[0].get_text()
