"""Similar tracks for artists whom no model has met: is what is put beside them of their genre?"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from segue.errors import SegueError, UsageError
from segue.evaluation.compare import means
from segue.evaluation.splits import TrackSplit, artist_folds
from segue.models import create
from segue.models.base import Recommender, TrainingData
from segue.models.data import UNKNOWN_ARTIST

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Factory = Callable[[], Recommender[Any]]


@dataclass(frozen=True, eq=False)
class UnseenArtists:
    """Models side by side on artists that they have not learned from.

    Parameters
    ----------
    table
        One row a model, as `evaluate_unseen_artists` says.
    values
        One row a model and query: ``model``, ``track_id``, ``artist`` (an arbitrary number), ``genre``,
        ``fold``, the precisions and the most that each could be, ``ms``; for `marks` and `differences` with
        ``by="track_id", groups="artist"``.
    artists
        What can truthfully be said of artists on both sides.
    """

    table: pd.DataFrame
    values: pd.DataFrame
    artists: str


def factories(
    parameters: Mapping[str, Mapping[str, Any]], spark: SparkSession | None = None
) -> dict[str, Factory]:
    """Return by name what makes each registered model anew with its parameters."""
    return {name: partial(create, name, spark=spark, **own) for name, own in parameters.items()}


def evaluate_unseen_artists(
    models: Mapping[str, Factory],
    data: TrainingData,
    *,
    k: int = 10,
    parts: int = 5,
    folds: int = 1,
    queries: int = 1_000,
    seed: int = 0,
) -> UnseenArtists:
    """Return how many of the k tracks most like an unseen artist's track are of its genre.

    Artists are dealt into ``parts`` (`artist_folds`). For each of ``folds`` of them, models are fitted on
    data in which its tracks have no genre, no artist and no plays, and are then asked for each of these
    tracks. Its sound is in the catalogue, as it is for any track that is new there. The query's own artist
    is never a candidate, nor is a track without a genre.

    Parameters
    ----------
    models
        By label, what makes each model (`factories`). Random and, if there are plays, popularity are added.
    data
        With genres, and artists where they are known.
    folds
        How many parts are asked: with all of them each artist is asked once. Every one fits all models anew.
    queries
        At most so many tracks of each fold are asked for, drawn at random.

    Returns
    -------
    UnseenArtists
        Its table has ``model``; ``genre_precision_at_k`` among the whole catalogue and
        ``unseen_precision_at_k`` among the tracks of the fold's own artists only, whose genres nobody was
        told, each with ``_low`` and ``_high`` of the 95 % bootstrap interval over artists;
        ``genre_most_at_k`` and ``unseen_most_at_k``, the most that could be reached where a genre has fewer
        than k candidates; ``queries`` and ``asked_artists``; ``fit_s`` (mean of the folds) and
        ``ms_per_query``.

    Raises
    ------
    SegueError
        If there are fewer than two genres, too few artists, or no query has a candidate.
    UsageError
        If ``folds`` is not between 1 and ``parts``.
    """
    if not 1 <= folds <= parts:
        raise UsageError(f"folds = {folds}: give between 1 and the number of parts, {parts}")
    if len(data.genre_names) < 2:
        raise SegueError("genre precision needs tracks of at least two genres: this collection names fewer")
    splits = artist_folds(np.asarray(data.artist_ids), parts, seed, genres=data.genres)
    found, seconds = [], []
    for number, split in enumerate(splits[:folds]):
        train = _without(data, split)
        asked = _queries(data, split, queries, seed + number)
        for label, make in _beside_yardsticks(models, train, seed).items():
            start = time.perf_counter()
            model = make().fit(train)
            seconds.append((label, time.perf_counter() - start))
            found.append(_ask(model, data, split, asked, k).assign(model=label, fold=number))
    values = pd.concat(found, ignore_index=True)
    if values.empty:
        raise SegueError("no unseen artist's track has a candidate with a genre: use a larger catalogue")
    return UnseenArtists(_table(values, seconds, k, seed), values, splits[0].artists)


def _without(data: TrainingData, split: TrackSplit) -> TrainingData:
    """Return the data without genre, artist and plays of all tracks but the split's training ones."""
    plays = data.interactions
    if plays is not None:
        seen = data.track_ids[split.train]
        plays = plays[np.isin(plays["track_id"].to_numpy(), seen)]
    return replace(
        data,
        genres=np.where(split.train, data.genres, ""),
        artist_ids=np.where(split.train, np.asarray(data.artist_ids), UNKNOWN_ARTIST),
        interactions=plays,
    )


def _queries(data: TrainingData, split: TrackSplit, most: int, seed: int) -> np.ndarray:
    """Return int64[q]: positions of tracks of the test that have a genre, a sample where there are many."""
    asked = np.flatnonzero(split.test & (data.genre_codes >= 0))
    return np.sort(np.random.default_rng(seed).permutation(asked)[:most])


def _beside_yardsticks(models: Mapping[str, Factory], train: TrainingData, seed: int) -> dict[str, Factory]:
    beside: dict[str, Factory] = {"random": partial(create, "random", seed=seed)}
    if train.matrix.nnz:
        beside["popularity"] = partial(create, "popularity")
    return beside | dict(models)


def _ask(
    model: Recommender[Any], data: TrainingData, split: TrackSplit, asked: np.ndarray, k: int
) -> pd.DataFrame:
    """Return the values of one fitted model; queries without a candidate among the unseen are left out."""
    owners, recordings = _owners(data), np.asarray(data.recording_ids)
    rows = []
    for i in asked:
        barred = (owners == owners[i]) | (data.genre_codes < 0) | (recordings == recordings[i])
        everywhere = _precision(model, data, i, barred, k)
        unseen = _precision(model, data, i, barred | ~split.test, k)
        if everywhere is not None and unseen is not None:
            rows.append((data.track_ids[i], owners[i], data.genres[i], *everywhere, *unseen[:2]))
    columns = [f"genre_precision_at_{k}", f"genre_most_at_{k}", "ms"]
    columns += [f"unseen_precision_at_{k}", f"unseen_most_at_{k}"]
    return pd.DataFrame(rows, columns=["track_id", "artist", "genre", *columns])


def _precision(
    model: Recommender[Any], data: TrainingData, query: int, barred: np.ndarray, k: int
) -> tuple[float, float, float] | None:
    """Return the share of the query's genre among its k most similar, the most it could be, and the ms.

    None without a candidate. Of copies of a recording only one can be in a list.
    """
    recordings, codes = np.asarray(data.recording_ids)[~barred], data.genre_codes[~barred]
    candidates = np.unique(recordings).size
    if not candidates:
        return None
    alike = np.unique(recordings[codes == data.genre_codes[query]]).size
    exclude = data.track_ids[barred]
    start = time.perf_counter()
    found = model.similar([int(data.track_ids[query])], k, exclude=exclude)
    ms = 1000 * (time.perf_counter() - start)
    places = data.positions([item.track_id for item in found])
    hits = (data.genre_codes[places] == data.genre_codes[query]).sum()
    wanted = min(k, candidates)
    return float(hits / wanted), min(wanted, alike) / wanted, ms


def _owners(data: TrainingData) -> np.ndarray:
    """Return int64[n]: the artist of each track; a track of unknown artist is alone with its own number."""
    artists = np.asarray(data.artist_ids)
    alone = np.arange(artists.size) * 2 + 1
    return np.unique(np.where(artists == UNKNOWN_ARTIST, alone, artists * 2), return_inverse=True)[1]


def _table(values: pd.DataFrame, seconds: list[tuple[str, float]], k: int, seed: int) -> pd.DataFrame:
    fit_s = pd.DataFrame(seconds, columns=["model", "s"]).groupby("model")["s"].mean()
    metrics = (f"genre_precision_at_{k}", f"unseen_precision_at_{k}")
    rows = []
    for label, own in values.groupby("model", sort=False):
        rows.append(
            {
                "model": label,
                **means(own, metrics, seed, groups=own["artist"].to_numpy()),
                **{name: own[name].mean() for name in (f"genre_most_at_{k}", f"unseen_most_at_{k}")},
                "queries": len(own),
                "asked_artists": own["artist"].nunique(),
                "fit_s": fit_s[label],
                "ms_per_query": own["ms"].mean(),
            }
        )
    return pd.DataFrame(rows)
