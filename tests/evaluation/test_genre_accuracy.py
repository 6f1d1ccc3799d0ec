"""Genre accuracy: no artist on both sides, nothing learned from the test part, known answers."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from segue.audio.columns import COLUMNS
from segue.errors import SegueError, UsageError
from segue.evaluation.genre_accuracy import cross_validate
from segue.evaluation.genre_classifiers import Classifier, classifiers
from segue.evaluation.official_split import official_accuracy, read_official
from segue.evaluation.shapes import with_shapes
from segue.models.data import UNKNOWN_ARTIST

ROOT = Path(__file__).parents[2]


def table(values) -> pd.DataFrame:
    values = np.asarray(values, dtype=float)
    return pd.DataFrame(values, index=pd.Index(np.arange(len(values)) + 10, name="track_id"))


def remembering(seen):
    def decide(rows, codes, genres, asked):
        seen.append((rows, codes, asked))
        return np.eye(genres)[np.full(len(asked), np.bincount(codes).argmax())]

    return Classifier("remembers", "", decide)


def test_always_the_most_frequent_is_right_as_often_as_it_is_frequent():
    genres = ["a"] * 30 + ["b"] * 20
    found = cross_validate(table(np.arange(50)[:, None]), genres, classifiers(["majority"]), repeats=2)
    row = found.table.iloc[0]
    assert row["accuracy"] == pytest.approx(0.6)
    assert row["macro_f1"] == pytest.approx((2 * 0.6 / 1.6) / 2)
    assert row["low"] < 0.6 < row["high"]
    assert found.confusion("majority").loc["b", "a"] == 2 * 20
    with pytest.raises(UsageError, match="it has majority"):
        found.confusion("svm")


def test_no_artist_is_on_both_sides_and_the_scale_is_the_training_parts():
    artists = np.repeat(np.arange(10), 4)
    genres = ["a" if artist % 2 else "b" for artist in artists]
    seen = []
    values = np.column_stack([artists, np.zeros(40)])
    found = cross_validate(table(values), genres, [remembering(seen)], artist_ids=artists, folds=5, repeats=1)
    assert found.table["artists"].iloc[0] == "never shared"
    assert len(seen) == 5
    for rows, _, asked in seen:
        assert not set(rows[:, 0]) & set(asked[:, 0])
        assert rows[:, 0].mean() == pytest.approx(0, abs=1e-6)
    assert sorted(found.told["track"]) == list(range(10, 50))


def test_what_depends_on_the_artist_alone_is_not_told_to_be_genre():
    generator = np.random.default_rng(0)
    artists = np.repeat(np.arange(30), 6)
    genres = np.array(["a", "b"])[generator.permutation(np.arange(30) % 2)[artists]]
    values = generator.normal(size=(30, 8))[artists] + generator.normal(scale=0.02, size=(180, 8))
    svm = classifiers(["svm"])
    apart = cross_validate(table(values), genres, svm, artist_ids=artists, repeats=1).table.iloc[0]
    mixed = cross_validate(table(values), genres, svm, repeats=1).table.iloc[0]
    assert mixed["accuracy"] == 1.0
    assert mixed["artists"] == "not known"
    assert apart["accuracy"] < 0.7


def test_rows_without_values_and_wrong_lengths_are_refused():
    values = np.ones((10, 2))
    values[3, 1] = np.nan
    with pytest.raises(
        SegueError, match="1 of 10 rows have a value that is missing or not finite, the first is track 13"
    ):
        cross_validate(table(values), ["a", "b"] * 5, classifiers(["majority"]))
    with pytest.raises(SegueError, match="3 genres for 10 tracks"):
        cross_validate(table(np.ones((10, 2))), ["a"] * 3, classifiers(["majority"]))
    with pytest.raises(SegueError, match="at least two are named"):
        cross_validate(table(np.ones((10, 2))), ["a"] * 10, classifiers(["majority"]))
    with pytest.raises(UsageError, match="at least once"):
        cross_validate(table(np.ones((10, 2))), ["a", "b"] * 5, classifiers(["majority"]), repeats=0)
    with pytest.raises(UsageError, match="did you mean 'svm'"):
        classifiers(["svmm"])


def test_the_shape_of_a_series_is_its_extremes_and_median_in_deviations():
    columns = [f"zcr.{name}.01" for name in ("max", "mean", "median", "min", "std")]
    features = pd.DataFrame([[9.0, 3.0, 2.0, 1.0, 2.0], [5.0, 5.0, 5.0, 5.0, 0.0]], columns=columns)
    shaped = with_shapes(features)
    assert list(shaped.columns[5:]) == ["zcr.above.01", "zcr.below.01", "zcr.lean.01"]
    np.testing.assert_array_equal(shaped.iloc[:, 5:], [[3.0, 1.0, 0.5], [0.0, 0.0, 0.0]])
    assert with_shapes(features.iloc[:, 1:]) is None
    assert with_shapes(table(np.ones((2, 2)))) is None


@pytest.mark.slow
def test_rock_and_hip_hop_are_told_by_their_mfcc(shared_data):
    folder = shared_data / "fma_metadata"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.genres", folder / "features_mfcc.csv.gz",
         folder / "fma_small_genres.csv", "--only", "majority,svm_shapes", "--repeats", "2"],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    assert "7 rows without values left out" in done.stdout
    figures = json.loads(done.stdout.splitlines()[-1])
    assert (figures["tracks"], figures["left_out"], figures["features"]) == (1583, 7, 140)
    assert figures["artists"] == "not known"
    assert figures["best_accuracy"] >= 0.91
    assert figures["classifiers"]["majority"]["accuracy"] == pytest.approx(799 / 1583, abs=1e-4)


def write_fma(folder: Path, seed: int = 0) -> None:
    """Write features.csv and tracks.csv as FMA has them: 90 tracks of 3 genres in the three parts."""
    generator = np.random.default_rng(seed)
    code = np.arange(90) % 3
    values = generator.normal(size=(90, len(COLUMNS))) * 0.5
    mfcc = [i for i, column in enumerate(COLUMNS) if column[0] == "mfcc"]
    values[:, mfcc] += generator.normal(size=(3, len(mfcc)))[code]
    index = pd.Index(np.arange(90) + 2, name="track_id")
    columns = pd.MultiIndex.from_tuples(COLUMNS, names=["feature", "statistics", "number"])
    features = pd.DataFrame(values, index, columns)
    features.iloc[5] = np.nan
    features.to_csv(folder / "features.csv")
    rows = [
        ("", *["artist"] * 3, "album", *["set"] * 2, *["track"] * 5),
        ("", "id", "name", "website", "title", "split", "subset",
         "duration", "genre_top", "genres", "license", "title"),
        ("track_id", *[""] * 11),
    ]  # fmt: skip
    part = ["training"] * 60 + ["validation"] * 12 + ["test"] * 18
    for i in range(90):
        genre = "" if i == 7 else f"Genre {code[i]}"
        subset = "large" if i == 8 else "medium" if i % 2 else "small"
        rows.append((i + 2, i // 3, f"A{i // 3}", "", "", part[i], subset, 100, genre, "[1]", "", f"T{i}"))
    pd.DataFrame(rows).to_csv(folder / "tracks.csv", header=False, index=False)


def test_the_official_split_learns_from_training_and_asks_the_test_part(tmp_path):
    write_fma(tmp_path)
    tracks = read_official(tmp_path)
    assert len(tracks.genres) == 90 - 3
    assert tracks.left_out == "1 without a top genre, 1 without features"
    seen = []
    contenders = [remembering(seen), *classifiers(["majority", "svm", "svm_shapes"])]
    found = official_accuracy(tracks, contenders, feature_sets=["mfcc", "zcr", "mfcc/contrast"])
    assert list(found["dim"].unique()) == [140, 7, 189]
    assert set(found["learned"]) == {60 - 3}
    assert set(found["tested"]) == {18}
    assert set(found["genres"]) == {3}
    assert set(found["artists"]) == {"never shared"}
    assert [len(asked) for _, _, asked in seen] == [18, 18, 18]
    by_set = found.set_index(["feature_set", "classifier"])["accuracy"]
    assert by_set["mfcc", "majority"] == pytest.approx(1 / 3)
    assert by_set["mfcc", "svm"] > 0.9
    assert by_set["zcr", "svm"] < 0.8
    both = official_accuracy(
        tracks, contenders[:1], feature_sets=["zcr"], learn_from=("training", "validation")
    )
    assert set(both["learned"]) == {72 - 3}
    with pytest.raises(UsageError, match="no feature set 'x'"):
        official_accuracy(tracks, contenders, feature_sets=["x"])
    with pytest.raises(UsageError, match="no part 'test' to learn from"):
        official_accuracy(tracks, contenders, learn_from=("test",))


def test_official_tables_that_are_not_there(tmp_path):
    with pytest.raises(SegueError, match=r"features\.csv is not there"):
        read_official(tmp_path)
    with pytest.raises(UsageError, match="no subset"):
        read_official(tmp_path, "tiny")


def test_an_unknown_artist_is_left_out_where_others_are_known():
    artists = np.repeat(np.arange(10), 2)
    artists[:2] = UNKNOWN_ARTIST
    found = cross_validate(
        table(np.arange(20)[:, None]),
        ["a", "b"] * 10,
        classifiers(["majority"]),
        artist_ids=artists,
        repeats=1,
    )
    assert found.table["tracks"].iloc[0] == 18
