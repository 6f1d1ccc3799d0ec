"""How often each classifier tells the genre, in repeated five-fold cross-validation.

`python -m benchmarks.genres FEATURES.csv GENRES.csv [--quick] [--artists ARTISTS.csv]`, or without files on
a seeded synthetic table. FEATURES.csv is in the layout of FMA's features.csv (it may be compressed, and have
only some of the columns); rows with a missing value are left out and counted. GENRES.csv has a header, then
the track in the first column (its id, or a clip's path such as 000/000002.mp3) and its genre in the second;
ARTISTS.csv likewise with numbers of artists. `--quick` takes two repeats in place of ten and leaves out Spark
and what is tuned inside the folds. A figure is the share of tracks told right, mean over the repeats, with
the 95 % bootstrap interval over artists (over tracks where artists are not named). The last line is one JSON
object.

`--official FOLDER` measures FMA's official split over its 18 feature sets instead, with features.csv and
tracks.csv in that folder.
"""

# ruff: noqa: E402 (numpy reads the variables when it is imported)
import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from segue.audio.features import COLUMNS
from segue.dataset.fma import published_features
from segue.errors import SegueError
from segue.evaluation.genre_accuracy import cross_validate
from segue.evaluation.genre_classifiers import Classifier, classifiers
from segue.evaluation.official_split import official_accuracy, read_official
from segue.evaluation.published import PUBLISHED, beside
from segue.models.data import UNKNOWN_ARTIST

QUICK = ("majority", "neighbours", "logistic", "boosting", "svm_linear", "svm", "svm_shapes")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("features", nargs="?", help="in the layout of FMA's features.csv")
    parser.add_argument("genres", nargs="?", help="track (id or path) and genre")
    parser.add_argument("--artists", help="track (id or path) and number of its artist")
    parser.add_argument("--official", type=Path, help="folder of FMA's features.csv and tracks.csv")
    parser.add_argument("--subset", default="medium", help="of FMA, for --official")
    parser.add_argument("--quick", action="store_true", help="two repeats, nothing by Spark or tuned")
    parser.add_argument("--only", help="names of classifiers, joined by commas")
    parser.add_argument("--repeats", type=int, help="how often the folds are dealt (default 10)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if bool(options.features) != bool(options.genres):
        parser.error("give FEATURES.csv and GENRES.csv, or neither")
    try:
        measure_official(options) if options.official else measure(options)
    except SegueError as error:
        parser.exit(1, f"{error}\n")


def measure(options: argparse.Namespace) -> None:
    """Print what each classifier reaches in folds."""
    if options.features:
        features = published_features(options.features)
        genres = by_track(options.genres, "genre")
    else:
        features, genres = synthetic(options.seed)
    complete = np.isfinite(features.to_numpy()).all(axis=1)
    empty = int((~complete).sum())
    features = features[complete]
    named = [genres.get(track) for track in features.index]
    artists = None
    if options.artists:
        known = by_track(options.artists, "artist")
        artists = np.array([int(known.get(track, UNKNOWN_ARTIST)) for track in features.index])
    print(f"{len(features)} tracks x {features.shape[1]} features; {empty} rows without values left out")
    repeats = options.repeats or (2 if options.quick else 10)
    found = cross_validate(
        features, named, contenders(options), artist_ids=artists, repeats=repeats, seed=options.seed
    )
    table = found.table
    show(table)
    best = table.loc[table["accuracy"].idxmax()]
    figures = {
        "tracks": int(best["tracks"]), "left_out": empty, "features": features.shape[1], "folds": 5,
        "repeats": repeats, "artists": best["artists"], "best": best["classifier"],
        "best_accuracy": round(float(best["accuracy"]), 4),
        "classifiers": {
            row["classifier"]: {
                key: None if np.isnan(row[key]) else round(row[key], 4)
                for key in ("accuracy", "low", "high", "macro_f1", "seconds")
            }
            for row in table.to_dict("records")
        },
    }  # fmt: skip
    print(json.dumps(figures))


def measure_official(options: argparse.Namespace) -> None:
    """Print what each classifier reaches on FMA's test part, beside the published figures."""
    tracks = read_official(options.official, options.subset)
    print(f"{len(tracks.genres)} tracks; left out: {tracks.left_out}", flush=True)
    ours = official_accuracy(tracks, contenders(options))
    show(ours[["feature_set", "classifier", "accuracy", "low", "high", "macro_f1", "seconds"]])
    both = beside(ours)
    published = both[both["where"] == PUBLISHED]
    figures = {
        "subset": options.subset, "genres": int(ours["genres"].iloc[0]),
        "tested": int(ours["tested"].iloc[0]),
        "artists": ours["artists"].iloc[0], "best": round(100 * float(ours["accuracy"].max()), 2),
        "best_published": float(published["accuracy"].max()),
        "accuracy": {
            f"{row['feature_set']} {row['classifier']}": round(100 * row["accuracy"], 2)
            for row in ours.to_dict("records")
        },
    }  # fmt: skip
    print(json.dumps(figures))


def contenders(options: argparse.Namespace) -> list[Classifier]:
    """Return the classifiers that are asked for; Spark starts only for its own."""
    names = options.only.split(",") if options.only else QUICK if options.quick else None
    if names is not None and not {"mlp", "forest"} & set(names):
        return classifiers(names, seed=options.seed)
    from segue.settings import Settings
    from segue.spark import session

    return classifiers(names, spark=session(Settings()), seed=options.seed)


def by_track(path: str, what: str) -> dict[int, str]:
    """Return the second column of a table by the track of its first one."""
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise SegueError(f"{path} cannot be read as a table: {error}") from None
    if table.shape[1] < 2:
        raise SegueError(f"{path} has {table.shape[1]} columns: give the track, then its {what}")
    ids = table.iloc[:, 0].str.extract(r"(\d+)(?:\.[^./]*)?$")[0]
    if ids.isna().any():
        raise SegueError(f"{path}: {table.iloc[int(ids.isna().argmax()), 0]!r} is no track id or clip's path")
    return dict(zip(ids.astype(int), table.iloc[:, 1], strict=True))


def synthetic(seed: int) -> tuple[pd.DataFrame, dict[int, str]]:
    """Return 400 tracks of four genres whose MFCCs differ a little."""
    generator = np.random.default_rng(seed)
    columns = [column for column in COLUMNS if column[0] == "mfcc"]
    code = np.arange(400) % 4
    centres = generator.normal(scale=0.25, size=(4, len(columns)))
    values = (centres[code] + generator.normal(size=(400, len(columns)))).astype("float32")
    index = pd.Index(np.arange(1, 401), name="track_id")
    features = pd.DataFrame(values, index, pd.MultiIndex.from_tuples(columns))
    return features, {int(track): f"genre {own}" for track, own in zip(index, code, strict=True)}


def show(table: pd.DataFrame) -> None:
    """Print a table of accuracies in percent."""
    shares: dict[str | int, Callable[..., str]] = {
        name: lambda share: f"{100 * share:.1f} %" for name in ("accuracy", "low", "high", "macro_f1")
    }
    print(table.to_string(index=False, formatters=shares, float_format="{:.3f}".format), flush=True)


if __name__ == "__main__":
    main()
