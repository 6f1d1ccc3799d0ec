"""The pictures: a palette everybody can read, titles that say what the data say."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from segue import plots
from segue.audio.features import COLUMNS
from segue.errors import SegueError
from segue.palette import COLOURS
from segue.plots.style import colour_of, figure, ink_of, percent, title

NAMES = [".".join(column) for column in COLUMNS]
# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
SIGHTS = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def linear(colour: str) -> np.ndarray:
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def oklab(rgb: np.ndarray) -> np.ndarray:
    return np.cbrt(np.clip(rgb, 0, 1) @ _LMS.T) @ _LAB.T


def luminance(rgb: np.ndarray) -> float:
    return float(rgb @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("sight", SIGHTS)
def test_any_two_colours_differ_for_every_sight(sight: str):
    seen = [oklab(linear(colour) @ SIGHTS[sight].T) for colour in COLOURS]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 0.09


def test_every_colour_stands_out_from_both_grounds():
    dark = oklch_grey(0.16)
    for colour in COLOURS:
        own = luminance(linear(colour))
        assert 1.05 / (own + 0.05) > 2.2
        assert (own + 0.05) / (dark + 0.05) > 3


def oklch_grey(lightness: float) -> float:
    return lightness**3


def test_words_in_a_colour_can_be_read_on_white():
    for colour in COLOURS:
        assert 1.05 / (luminance(linear(plt.matplotlib.colors.to_hex(ink_of(colour)))) + 0.05) > 4.45


def test_a_category_looks_alike_whatever_is_beside_it_in_the_same_catalogue():
    names = [f"genre {i:02d}" for i in range(20)]
    looks = colour_of(names)
    assert colour_of(names[::-1]) == looks
    assert len(set(looks.values())) == 20


def test_a_share_is_never_rounded_to_all_or_nothing():
    assert [percent(share) for share in (0, 0.0004, 0.5, 0.996, 1)] == [
        "0 %",
        "0.0 %",
        "50 %",
        "99.6 %",
        "100 %",
    ]


@pytest.fixture
def features() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(40, 518)) * np.linspace(0.1, 5, 518)
    frame = pd.DataFrame(values, index=pd.RangeIndex(100, 140), columns=NAMES)
    frame["spectral_rolloff.mean.01"] = rng.uniform(1000, 9000, 40)
    return frame


def heading(figure: Figure) -> str:
    figure.canvas.draw()
    return figure.get_suptitle().replace("\n", " ")


def texts(figure: Figure) -> str:
    figure.canvas.draw()
    return " ".join(text.get_text() for axes in figure.axes for text in axes.texts)


def test_a_title_parts_no_number_from_its_percent_sign():
    for before in range(50, 70):
        drawn = title(figure()[0], "x" * before + " y 63 % of all")
        assert "63 %" in drawn.get_suptitle()


def test_the_lines_of_a_title_are_of_like_length():
    words = "hybrid is best, clearly ahead of popularity; others are not told apart from it"
    lines = title(figure()[0], words).get_suptitle().split("\n")
    assert len(lines) == 2
    assert abs(len(lines[0]) - len(lines[1])) < 12
    assert title(figure()[0], "").get_suptitle() == ""
    assert title(figure()[0], "w" * 90 + " it").get_suptitle().split("\n")[0] == "w" * 66


def test_outcomes_count_what_is_usable():
    found = heading(plots.outcomes({"ok": 427, "not_audio": 2, "empty": 1}, "composed"))
    assert found == "427 of 430 rows are usable (99.3 %); the others: 2 not_audio, 1 empty"
    assert heading(plots.outcomes({"ok": 3})) == "All 3 rows are usable"


def test_scaling_names_the_family_that_decides(features: pd.DataFrame):
    scaled = (features - features.mean()) / features.std(ddof=0)
    found = heading(plots.scaling({"raw": features, "standardised": scaled}))
    assert found.startswith("Raw, spectral_rolloff alone makes 99.9 %") or found.startswith(
        "Raw, spectral_rolloff alone makes 100 %"
    )
    assert "no family makes more than 27 %" in found  # mfcc holds 140 of the 518 features


def test_correlations_count_the_features_that_repeat_others(features: pd.DataFrame):
    features["zcr.std.01"] = 2 * features["zcr.mean.01"] + 1
    assert heading(plots.correlations(features)).startswith("2 of 518 features are nearly repeated")
    assert "at least three tracks" in texts(plots.correlations(features.head(2)))


def test_explained_variance_says_how_many_directions():
    shares = np.array([0.5, 0.2, 0.15, 0.1, 0.05])
    assert heading(plots.explained_variance(shares, 518)).startswith("4 of 518 directions carry 90 %")
    assert "do not differ" in texts(plots.explained_variance(np.zeros(3), 518))


def test_the_map_names_the_genre_that_keeps_to_itself():
    rng = np.random.default_rng(0)
    far = rng.normal(loc=(100, 0), size=(20, 2))
    mixed = rng.normal(size=(40, 2))
    genres = ["Folk"] * 20 + ["House", "Techno"] * 20
    found = heading(plots.genre_map(np.vstack([far, mixed]), genres))
    assert (
        found == "Folk keeps to itself most (100 % of its neighbours are its own); House and Techno overlap"
    )
    assert heading(plots.genre_map(mixed, [None] * 40)) == "40 tracks by sound; no genres are known here"
    assert heading(plots.genre_map(mixed[:1], ["Folk"])) == "1 track by sound"


def test_a_silhouette_is_best_where_it_is_highest():
    table = pd.DataFrame({"clusters": [2, 4, 8], "silhouette": [0.1, 0.4, 0.2]})
    assert heading(plots.silhouette(table)).startswith(
        "4 clusters are best, silhouette 0.40: the clusters stand apart"
    )
    assert "at least three" in texts(plots.silhouette(table.head(0)))


def test_lsh_is_judged_by_the_cheapest_setting_that_finds_enough():
    table = pd.DataFrame(
        {
            "bucket_length": [0.1, 0.2, 0.4],
            "tables": [1, 2, 2],
            "recall_at_10": [0.5, 0.93, 1.0],
            "compared": [0.1, 0.3, 0.9],
            "spark_ms": [100.0, 120.0, 130.0],
            "bucket_ms": [0.1, 0.2, 0.3],
            "exact_ms": [0.5, 0.5, 0.5],
        }
    )
    found = heading(plots.lsh_trade_off(table))
    assert found.startswith("LSH finds 93 % comparing 30 % of the catalogue; Spark takes 240 times as long")


def test_the_mix_names_its_parts_and_their_weights():
    tried = pd.DataFrame(
        {
            "model": ["popularity", "wals", "ridge", "wals"],
            "parameters": ["{}"] * 4,
            "ndcg_at_10": [0.1, 0.3, 0.28, 0.31],
            "weight": [0.0, 0.0, 0.25, 0.75],
        }
    )
    found = heading(plots.mix(tried))
    assert found == "2 settings were tried; the mix is 75 % weighted ALS and 25 % ridge"


def test_a_sound_is_described_by_its_features(features: pd.DataFrame):
    features.loc[100, [f"chroma_stft.mean.{i:02d}" for i in range(1, 13)]] = [0.1] * 9 + [0.9] + [0.1] * 2
    features.loc[100, ["rmse.mean.01", "spectral_centroid.mean.01"]] = [1e6, -1e6]
    seconds = np.arange(22_050) / 22_050
    samples = 0.5 * np.sin(2 * np.pi * 440 * seconds).astype(np.float32)
    found = heading(plots.sound(samples, 22_050, features, 100, "composed"))
    assert found == "Strongest pitch class A; louder than 100 % and darker than 100 % of the catalogue"


def test_a_session_shows_what_came_and_what_was_sent_away():
    lists = [[1, 2, 3], [4, 1, 2], [4, 5, 1]]
    names = {1: "One", 2: "Two", 3: "Three", 4: "A $ong of {4}", 5: "x" * 60}
    labels = ["before", "like “$\\frac{1”", "dislike “Two”"]
    drawn = plots.session(lists, labels, names, "1 like of $oul", "simulated listener", {1: 2})
    assert heading(drawn) == "1 like of $oul"
    assert texts(drawn) == "A $ong of {4} … One"
    (axes,) = drawn.axes
    assert [label.get_text().replace("\n", " ") for label in axes.get_xticklabels()] == labels
    rings = [tuple(c.get_offsets()[0]) for c in axes.collections if c.get_sizes()[0] == 90]
    assert rings == [(1.0, 1.0), (2.0, 2.0)]
    crosses = [tuple(c.get_offsets()[0]) for c in axes.collections if c.get_sizes()[0] == 130]
    assert crosses == [(1.0, 3.0)]
    plots.session([[], []], ["before", "play"], {}, "nothing")


def test_a_note_stands_under_the_picture():
    assert (
        plots.outcomes({"ok": 1}, "24 tracks composed by Segue").get_supxlabel()
        == "24 tracks composed by Segue"
    )


PHASES = {"list": 0.01, "plan": 0.2, "start workers": 3.8, "analyse": 5.0, "read back": 0.02}


def test_the_dearest_stage_of_a_file_is_named():
    spent = {"decode": 3.0, "features": 6.5, "hash": 0.5, "new stage": 0.0}
    drawn = plots.stages(spent, PHASES, 100, 2, "composed")
    assert heading(drawn) == "A file takes 100 ms of one core; 65 % of it: 518 features"
    left, right = drawn.axes
    assert [label.get_text() for label in left.get_yticklabels()] == [
        "read and hash", "decode to samples", "518 features",
    ]  # fmt: skip
    assert "below 0.1" in [text.get_text() for text in right.texts]


def test_files_a_second_are_counted_from_when_the_workers_were_ready():
    timeline = [(0.0, 0), (4.0, 0), *((4.0 + i, 10 * i) for i in range(1, 6))]
    found = heading(plots.throughput(timeline, PHASES, 123.4, 2))
    assert found.startswith(
        "10.0 files a second on 2 cores once the workers were ready; the whole job was 123"
    )
    few = plots.throughput([(0.0, 0), (3.0, 6)], PHASES, 0.0, 2)
    assert heading(few) == "2.0 files a second on 2 cores once the workers were ready"


def test_where_nothing_was_analysed_there_is_no_time_to_show():
    for empty in ([], [(0.0, 0)], [(0.0, 0), (1.0, 0)]):
        with pytest.raises(SegueError, match="nothing had to be analysed"):
            plots.throughput(empty, PHASES, 0.0, 2)
    for spent, files in (({}, 0), ({"decode": 1.0}, 0), ({}, 3)):
        with pytest.raises(SegueError, match="nothing had to be analysed"):
            plots.stages(spent, {}, files, 2)


def test_genres_are_told_apart_only_beyond_chance():
    table = pd.DataFrame(
        {
            "title": ["Timbre", "Width"],
            "explained": [0.4, 0.1],
            "chance": [0.05, 0.06],
            "chance_high": [0.2, 0.2],
        }
    )
    assert heading(plots.genre_explains(table)) == (
        "Genre says most about timbre: 40 % of its variance, shuffled genres 5 %; 1 of 2 are beyond chance"
    )
    assert heading(plots.genre_explains(table.tail(1).reset_index(drop=True))).startswith(
        "No measure differs"
    )


def test_the_boxes_say_which_genre_is_low_and_which_composed():
    table = pd.DataFrame(
        {"zcr": [1.0, 2, 3, 7, 8, 9], "mfcc": range(6), "genre": ["Folk"] * 3 + ["A genre of a longname"] * 3,
         "composed": [True, True, True, True, False, False]}
    )  # fmt: skip
    drawn = plots.measures_by_genre(table, {"zcr": "Noisiness (a second)", "mfcc": "Timbre"}, "note")
    assert heading(drawn) == "Noisiness, by the median: lowest in Folk, highest in A genre of a longname"
    assert [label.get_text() for label in drawn.axes[0].get_yticklabels()] == [
        "Folk, 3*",
        "A genre of a lo…, 3 (1*)",
    ]
    assert drawn.get_supxlabel() == "note; *, hollow: composed"


@pytest.mark.parametrize(("behind", "words"), [(True, ""), (False, "; no clear difference")])
def test_scalings_differ_only_where_pairs_do(behind: bool, words: str):
    shares = pd.DataFrame(
        {"scaling": ["raw", "standardised"], "measure": "same genre", "share": [0.2, 0.4], "low": [0.1, 0.3],
         "high": [0.35, 0.5], "chance": 0.1, "behind": [behind, False]}
    )  # fmt: skip
    overlaps = pd.DataFrame(
        {
            "one": ["raw"],
            "other": ["standardised"],
            "share": [0.36],
            "low": [0.3],
            "high": [0.4],
            "chance": [0.01],
        }
    )
    assert heading(plots.neighbours_by_scaling(shares, overlaps, 10)) == (
        f"Of the 10 nearest, 40 % are of the same genre (standardised; raw 20 %, chance 10 %{words}); "
        "raw and standardised share 3.6 (chance 0.1)"
    )
    assert heading(plots.neighbours_by_scaling(shares.head(0), overlaps, 10)) == (
        "Of the 10 nearest tracks, raw and standardised share 3.6 (chance 0.1)"
    )
