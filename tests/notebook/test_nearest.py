"""Who is beside whom, on features whose neighbours can be told by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from segue.errors import SegueError
from segue.notebook import Catalogue, nearest
from segue.notebook.features import scalings
from segue.notebook.genres import by_genre, explained_by_genre, told_by_genre


def neighbourhoods(catalogue: Catalogue, scaled: dict[str, pd.DataFrame] | None = None, **values):
    data = replace(catalogue.training_data(), **values)
    return nearest.neighbourhoods(scaled or scalings(catalogue.features), data, catalogue)


def row(table: pd.DataFrame, **values) -> pd.Series:
    found = table[(table[list(values)] == pd.Series(values)).all(axis=1)]
    assert len(found) == 1
    return found.iloc[0]


def test_a_large_unit_decides_raw_neighbours_and_no_others(catalogue: Catalogue):
    features = catalogue.features * 0
    n = np.arange(24)
    features["zcr.mean.01"] = n % 2  # the genre
    features["mfcc.mean.01"] = n % 2
    features["spectral_rolloff.mean.01"] = 1000.0 * (n // 2)
    found = neighbourhoods(replace(catalogue, features=features.astype("float32")))
    assert found.k == 10
    raw, standardised = (
        row(found.shares, scaling=name, measure="same genre") for name in ("raw", "standardised")
    )
    # Raw, the ten nearest are the five pairs around; of those by other artists of the genre there are six.
    assert standardised["share"] > raw["high"]
    assert raw["behind"]
    assert not row(found.shares, scaling="min-max", measure="same genre")["behind"]
    # Of the 18 tracks of other artists six have the genre.
    assert raw["chance"] == standardised["chance"] == pytest.approx(1 / 3)


def test_a_recording_and_its_copies_are_never_neighbours(catalogue: Catalogue):
    found = neighbourhoods(catalogue)
    recordings = catalogue.training_data().recording_ids
    for lists in found.nearest.values():
        assert (recordings[lists] != recordings[found.queries][:, None]).all()


def test_scalings_that_are_alike_agree_and_others_do_not_beyond_chance(catalogue: Catalogue):
    rng = np.random.default_rng(1)
    frame = catalogue.features
    noise = pd.DataFrame(rng.normal(size=frame.shape), index=frame.index, columns=frame.columns)
    found = neighbourhoods(catalogue, {"one": frame, "twice": 2 * frame + 5, "noise": noise})
    assert row(found.overlaps, one="one", other="twice")["share"] == 1
    apart = row(found.overlaps, one="one", other="noise")
    assert abs(apart["share"] - apart["chance"]) < 0.1
    # Ten of 23 others, of 22 for the two copies.
    assert apart["chance"] == pytest.approx((22 * 10 / 23 + 2 * 10 / 22) / 24)


def test_artists_are_counted_with_their_chance(catalogue: Catalogue):
    frame = catalogue.features * 0
    frame["zcr.mean.01"] = catalogue.tracks["artist_id"].to_numpy()
    own = frame.astype("float32")
    found = neighbourhoods(catalogue, {"artist": own}, recording_ids=np.arange(24))
    artist = row(found.shares, measure="same artist")
    assert (artist["share"], artist["chance"]) == (pytest.approx(0.5), pytest.approx(5 / 23))


def test_what_there_is_none_of_is_left_out(catalogue: Catalogue):
    bare = replace(catalogue, tracks=catalogue.tracks.assign(genre_top=None))
    assert neighbourhoods(bare, artist_ids=np.arange(24)).shares.empty
    alone = replace(catalogue, tracks=catalogue.tracks.assign(genre_top=[f"g{i}" for i in range(24)]))
    assert set(neighbourhoods(alone).shares["measure"]) == {"same artist"}


@pytest.mark.parametrize("n", [1, 2])
def test_two_tracks_have_no_nearest(catalogue: Catalogue, n: int):
    few = replace(catalogue, tracks=catalogue.tracks.head(n), features=catalogue.features.head(n))
    with pytest.raises(SegueError, match="at least three"):
        neighbourhoods(few)


def test_three_tracks_have_two(catalogue: Catalogue):
    few = replace(catalogue, tracks=catalogue.tracks.head(3), features=catalogue.features.head(3))
    found = neighbourhoods(few)
    assert found.k == 2
    assert (found.overlaps["share"] == 1).all()
    assert len(nearest.neighbour_examples(found, few)) == 4  # two genres, two neighbours each


def test_examples_are_the_tracks_that_change_most(catalogue: Catalogue):
    found = neighbourhoods(catalogue)
    shown = nearest.neighbour_examples(found, catalogue, count=2, k=3)
    assert list(shown.columns) == ["raw", "min-max", "standardised"]
    assert len(shown) == 6
    position = next(i for i in range(24) if shown.index[0][0].startswith(catalogue.name_of(100 + i)))
    first = catalogue.name_of(100 + int(found.nearest["raw"][position, 0]))
    assert shown.iloc[0]["raw"].startswith(first)


def test_the_one_that_stands_apart_is_found_with_what_it_stands_out_by(catalogue: Catalogue):
    features = catalogue.features.copy()
    features.loc[107, features.columns.str.startswith("zcr.")] += 500
    apart = replace(catalogue, features=features)
    shown = nearest.outliers(apart.training_data(), apart)
    assert shown["track"][0] == "Song 7 — Artist 3"
    assert shown["stands out by"][0].startswith("noisiness: ")
    assert shown["times the median"][0] > 1
    few = replace(catalogue, tracks=catalogue.tracks.head(5), features=catalogue.features.head(5))
    with pytest.raises(SegueError, match="at least six"):
        nearest.outliers(few.training_data(), few)


def test_a_large_collection_is_sampled(catalogue: Catalogue, monkeypatch):
    monkeypatch.setattr(nearest, "QUERIES", 4)
    found = neighbourhoods(catalogue)
    assert len(found.queries) == 4
    assert found.nearest["raw"].shape == (4, 10)


def with_genres(catalogue: Catalogue, genres: list[str | None], **columns: np.ndarray) -> Catalogue:
    features = catalogue.features.assign(**columns)
    return replace(catalogue, tracks=catalogue.tracks.assign(genre_top=genres), features=features)


def test_genre_explains_what_it_decides_and_noise_is_chance(catalogue: Catalogue):
    i = np.arange(24)
    own = with_genres(
        catalogue,
        [["Folk", "House", "Jazz"][k % 3] for k in i],
        **{"zcr.mean.01": i % 3, "mfcc.mean.02": (i // 3) % 2},
    )
    own = replace(own, tracks=own.tracks.assign(artist_id=i))
    table = explained_by_genre(own).set_index("family")
    assert table.loc["zcr", "explained"] == pytest.approx(1)
    assert table.index[0] == "zcr"
    assert table.loc["mfcc", "explained"] == pytest.approx(0, abs=1e-12)  # as many of each in every genre
    # Two degrees of freedom of 23.
    assert table.loc["mfcc", "chance"] == pytest.approx(2 / 23, abs=0.02)
    assert table.loc["zcr", "chance_high"] < 0.5


def test_whole_artists_are_shuffled(catalogue: Catalogue):
    """Four artists of two genres: half of the orders give each genre the artists it had or the other's."""
    i = np.arange(24)
    own = with_genres(catalogue, [["Folk", "House"][k % 2] for k in i], **{"zcr.mean.01": i % 2})
    table = explained_by_genre(own).set_index("family")
    assert table.loc["zcr", "chance"] == pytest.approx(1 / 3, abs=0.08)
    assert table.loc["zcr", "chance_high"] == pytest.approx(1)


def test_rare_genres_and_unnamed_ones_are_left_out(catalogue: Catalogue):
    genres = ["Folk"] * 10 + ["House"] * 10 + ["Jazz"] * 2 + [None] * 2
    shown = by_genre(with_genres(catalogue, genres))
    assert shown["genre"].value_counts().to_dict() == {"Folk": 10, "House": 10}
    assert shown["composed"].sum() == 1
    assert set(by_genre(with_genres(catalogue, genres), most=1)["genre"]) == {"Folk"}
    with pytest.raises(SegueError, match="at least two genres"):
        by_genre(with_genres(catalogue, ["Folk"] * 22 + ["Jazz"] * 2))
    with pytest.raises(SegueError, match="at least two genres"):
        explained_by_genre(with_genres(catalogue, [None] * 24))


def test_the_most_telling_are_named_with_units(catalogue: Catalogue):
    table = pd.DataFrame({"family": ["spectral_centroid", "mfcc", "zcr"]})
    assert told_by_genre(table, 2) == {"spectral_centroid": "Brightness (Hz)", "mfcc": "Timbre"}
