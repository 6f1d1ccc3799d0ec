"""Genre accuracy on FMA's official split, over the 18 published feature sets: what its table compares."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from segue.dataset.fma import SUBSETS, published_features
from segue.dataset.fma_tables import read_tracks
from segue.errors import SegueError, UsageError
from segue.evaluation import classification
from segue.evaluation.genre_accuracy import decided
from segue.evaluation.genre_classifiers import Classifier
from segue.evaluation.intervals import bootstrap_mean
from segue.evaluation.published import FEATURE_SETS
from segue.evaluation.shapes import with_shapes
from segue.evaluation.splits import official, shared_artists
from segue.models.data import UNKNOWN_ARTIST


@dataclass(frozen=True, eq=False)
class OfficialTracks:
    """FMA's tracks with a top genre and features, by ascending track id.

    ``features`` has the levels feature, statistics and number; ``genres``, ``splits`` and ``artist_ids`` are
    of the same rows. ``left_out`` says how many tracks of the subset are not there, and why.
    """

    features: pd.DataFrame
    genres: np.ndarray
    splits: np.ndarray
    artist_ids: np.ndarray
    left_out: str


def read_official(folder: str | os.PathLike[str], subset: str = "medium") -> OfficialTracks:
    """Return the tracks of ``features.csv`` and ``tracks.csv`` in a folder (or its ``fma_metadata``).

    Parameters
    ----------
    subset
        ``small``, ``medium`` (that of the published table), ``large`` or ``full``; each holds those before.

    Raises
    ------
    UsageError
        If there is no such subset.
    SegueError
        If a table is missing or damaged, or no track is in both.
    """
    if subset not in SUBSETS:
        raise UsageError(f"FMA has no subset {subset!r}: choose one of {', '.join(SUBSETS)}")
    table = published_features(folder)
    own = os.path.join(os.fspath(folder), "tracks.csv")
    name = own if os.path.isfile(own) else os.path.join(os.fspath(folder), "fma_metadata", "tracks.csv")
    wanted = SUBSETS[: SUBSETS.index(subset) + 1]
    rows = [row for row in read_tracks(name) if row.subset in wanted]
    empty = set(table.index[~np.isfinite(table.to_numpy()).all(axis=1)])
    unnamed = sum(row.genre_top is None for row in rows)
    named = [row for row in rows if row.genre_top is not None and row.split is not None]
    present = sorted(
        (row for row in named if row.track_id in table.index and row.track_id not in empty),
        key=lambda row: row.track_id,
    )
    if not present:
        raise SegueError(
            f"no track of FMA {subset} in {name} has a top genre and features: take both tables whole"
        )
    left_out = f"{unnamed} without a top genre, {len(named) - len(present)} without features"
    return OfficialTracks(
        table.loc[[row.track_id for row in present]],
        np.array([row.genre_top for row in present], dtype=str),
        np.array([row.split for row in present], dtype=str),
        np.array([UNKNOWN_ARTIST if row.artist_id is None else row.artist_id for row in present]),
        left_out,
    )


def official_accuracy(
    tracks: OfficialTracks,
    contenders: Sequence[Classifier],
    *,
    feature_sets: Sequence[str] = tuple(FEATURE_SETS),
    learn_from: Sequence[str] = ("training",),
) -> pd.DataFrame:
    """Return one row a feature set and classifier: test accuracy as FMA's baselines measure it.

    They learn from the training part alone (the validation part stays unused), standardise by it, and count
    how many tracks of the test part are told right. A feature set whose columns are not there is left out.

    Parameters
    ----------
    feature_sets
        Names of `segue.evaluation.published.FEATURE_SETS`.
    learn_from
        ``("training", "validation")`` learns from both, which the published figures do not.

    Returns
    -------
    pandas.DataFrame
        ``feature_set``, ``dim``, ``classifier``, ``accuracy`` with the 95 % bootstrap interval over artists
        ``low`` and ``high``, ``macro_f1``, ``genres``, ``learned`` and ``tested`` tracks, ``learn_from``,
        ``artists`` (whether any is on both sides), ``seconds`` of processor time (NaN
        for Spark's, which compute in another process).

    Raises
    ------
    UsageError
        If a feature set or part has no such name.
    SegueError
        If a part that is needed is empty.
    """
    masks = official(tracks.splits)
    for name in learn_from:
        if name not in ("training", "validation"):
            raise UsageError(f"there is no part {name!r} to learn from: choose training or validation")
    known, test = np.any([masks[name] for name in learn_from], axis=0), masks["test"]
    if not known.any() or not test.any():
        raise SegueError(
            f"{known.sum()} tracks to learn from and {test.sum()} to test: take tracks.csv whole"
        )
    classes, codes = np.unique(tracks.genres, return_inverse=True)
    groups = np.where(
        tracks.artist_ids == UNKNOWN_ARTIST, np.arange(codes.size) * 2 + 1, tracks.artist_ids * 2
    )
    rows = []
    for name in feature_sets:
        if name not in FEATURE_SETS:
            raise UsageError(f"there is no feature set {name!r}: known are {', '.join(FEATURE_SETS)}")
        plain = tracks.features.loc[:, tracks.features.columns.get_level_values(0).isin(FEATURE_SETS[name])]
        if set(plain.columns.get_level_values(0)) != set(FEATURE_SETS[name]):
            continue
        for each in contenders:
            table = with_shapes(plain) if each.shapes else plain
            if table is None:
                continue
            values = table.to_numpy(np.float64)
            started = time.process_time()
            said = decided(each, values[known], codes[known], classes.size, values[test])
            spent = np.nan if each.spark else time.process_time() - started
            right = bootstrap_mean((said == codes[test]).astype(float), groups=groups[test])
            f1 = classification.macro_f1(classes[codes[test]], classes[said])
            rows.append((name, plain.shape[1], each.name, *right, f1, spent))
    columns = ["feature_set", "dim", "classifier", "accuracy", "low", "high", "macro_f1", "seconds"]
    return pd.DataFrame(rows, columns=columns).assign(
        genres=classes.size,
        learned=int(known.sum()),
        tested=int(test.sum()),
        learn_from="+".join(learn_from),
        artists=shared_artists(known, test, tracks.artist_ids),
    )
