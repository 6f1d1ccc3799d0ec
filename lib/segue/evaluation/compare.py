"""Models side by side, always beside random and popularity, always with intervals."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from segue.errors import SegueError
from segue.evaluation import lists
from segue.evaluation.intervals import Difference, bootstrap_means, paired_difference
from segue.evaluation.listeners import (
    LIST_METRICS,
    LISTENER_METRICS,
    Questions,
    listener_values,
    questions,
)
from segue.evaluation.splits import per_listener_fifth
from segue.models.base import Recommender, TrainingData
from segue.models.data import UNKNOWN_ARTIST
from segue.models.popularity import Popularity
from segue.models.random_ import Random

__all__ = [
    "LISTENER_METRICS",
    "LIST_METRICS",
    "Comparison",
    "compare_all",
    "compare_on",
    "evaluate_listeners",
    "evaluate_similar",
    "listener_values",
    "means",
    "paired",
    "query_values",
    "with_baselines",
]

Models = Mapping[str, Recommender[Any]]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Models side by side on one test.

    Parameters
    ----------
    table
        One row a model, as `evaluate_listeners` says.
    values
        One row a model and listener: ``model``, ``listener_id``, ``history`` (tracks in training) and each
        metric, for `paired`, `segue.evaluation.significance` and `segue.evaluation.breakdown`.
    places
        One row a model and test pair: ``model``, ``listener_id``, ``popularity`` of the track (listeners in
        training), and its ``place`` in the listener's list, 0 beyond the 20th.
    """

    table: pd.DataFrame
    values: pd.DataFrame
    places: pd.DataFrame


def evaluate_listeners(models: Models, data: TrainingData, seed: int = 0) -> pd.DataFrame:
    """Return one row a model: how well it finds a fifth of each listener's tracks that it has not seen.

    The split is `per_listener_fifth`; each model is fitted on the rest and ranks the whole catalogue without
    the listener's training tracks. Where parameters were chosen for these data, use
    `segue.evaluation.held_out.HeldOut` instead: it sees to it that the test did not choose them.

    Parameters
    ----------
    models
        By the label each has in the table. Random and popularity are added unless they are there.
    data
        Catalogue with interactions, and features for the models that need them.

    Returns
    -------
    pandas.DataFrame
        ``model``; each of `LISTENER_METRICS` and `LIST_METRICS` (diversity only where there are features) as
        its mean over listeners, with ``_low`` and ``_high`` of the 95 % bootstrap interval;
        ``coverage_at_10`` and ``gini_at_10`` of all lists; ``listeners``; ``fit_s`` (seconds, NaN where the
        model came fitted) and ``ms_per_listener``.
    """
    if data.interactions is None:
        raise SegueError("listeners cannot be asked without plays: import or simulate some")
    train, test = per_listener_fifth(data.interactions, seed)
    return compare_on(models, replace(data, interactions=train), test, seed)[0]


def compare_on(
    models: Models, train: TrainingData, test: pd.DataFrame, seed: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Fit each model on ``train`` and ask it for ``test``, a split of your own.

    Parameters
    ----------
    test
        Columns ``listener_id`` and ``track_id``. Listeners without a play in ``train`` are left out; a
        test track outside the catalogue counts as one that no model found.

    Returns
    -------
    tuple of pandas.DataFrame
        ``table`` and ``values`` of a `Comparison`.
    """
    found = compare_all(with_baselines(models, seed), questions(train, test), seed)
    return found.table, found.values


def compare_all(models: Models, asked: Questions, seed: int = 0) -> Comparison:
    """Ask the models as they are, fitting those that have not learned from these training data yet."""
    rows, values, places = [], [], []
    for label, model in models.items():
        start = time.perf_counter()
        fitted = model.is_fitted and model.fingerprint == asked.train.fingerprint
        if not fitted:
            model.fit(asked.train)
        ready = time.perf_counter()
        ranked = asked.ask(model)
        ended = time.perf_counter()
        own = asked.values(ranked)
        values.append(own.assign(model=label))
        places.append(asked.places(ranked).assign(model=label))
        rows.append(
            {
                "model": label,
                **means(own, [name for name in (*LISTENER_METRICS, *LIST_METRICS) if name in own], seed),
                "coverage_at_10": lists.coverage(ranked[:, :10], asked.train.size),
                "gini_at_10": lists.gini(ranked[:, :10], asked.train.size),
                "listeners": len(own),
                "fit_s": np.nan if fitted else ready - start,
                "ms_per_listener": 1000 * (ended - ready) / len(own),
            }
        )
    together = (pd.concat(parts, ignore_index=True) for parts in (values, places))
    return Comparison(pd.DataFrame(rows), *together)


def evaluate_similar(
    models: Models, data: TrainingData, genres: Sequence[str | None], *, k: int = 10, seed: int = 0
) -> pd.DataFrame:
    """Return one row a model: how many of the k tracks most like a track are of its genre.

    Every track with a genre is asked for once. Candidates are the tracks that have a genre, without those
    of the query's own artist: artists are never shared. A query of unknown artist leaves out only itself,
    and ``artists`` then says for which part of the queries sharing cannot be ruled out.

    Parameters
    ----------
    models
        Fitted on ``data``. Random and, if there are plays, popularity (the most played tracks whatever the
        query) are added.
    genres
        n names in the order of ``data.track_ids``, None or empty where there is none.

    Returns
    -------
    pandas.DataFrame
        ``model``; ``genre_precision_at_k`` with ``_low`` and ``_high``, the mean over queries and its
        95 % bootstrap interval over artists (whole artists are drawn, as an artist's tracks are alike);
        ``queries``; ``artists`` (``never shared``, or what is not known); ``ms_per_query``.

    Raises
    ------
    SegueError
        If a model was fitted on other data, or fewer than two tracks have a genre.
    """
    queries = query_values(models, data, genres, k=k, seed=seed)
    metric = f"genre_precision_at_{k}"
    artist = dict(zip(data.track_ids.tolist(), _owners(data).tolist(), strict=True))
    rows = []
    for label, own in queries.groupby("model", sort=False):
        unknown = float((~own["artist_known"]).mean())
        owner = own["track_id"].map(artist).to_numpy()
        rows.append(
            {
                "model": label,
                **means(own, (metric,), seed, groups=owner),
                "queries": len(own),
                "artists": "never shared" if not unknown else f"not known for {unknown:.0%} of queries",
                "ms_per_query": own["ms"].mean(),
            }
        )
    return pd.DataFrame(rows)


def query_values(
    models: Models, data: TrainingData, genres: Sequence[str | None], *, k: int = 10, seed: int = 0
) -> pd.DataFrame:
    """Return the values behind `evaluate_similar`, one row a model and query.

    Columns ``model``, ``track_id``, ``genre``, ``artist_known``, ``genre_precision_at_k`` (of min(k,
    candidates) places), ``ms``. Queries without a candidate are left out.
    """
    if len(genres) != data.size:
        raise SegueError(
            f"{len(genres)} genres for {data.size} tracks: give one each, None where there is none"
        )
    names = np.array([name or "" for name in genres], dtype=object)
    has_genre = names != ""
    if has_genre.sum() < 2:
        raise SegueError("fewer than two tracks have a genre: genre precision cannot be computed")
    for label, model in models.items():
        if model.fingerprint != data.fingerprint:
            raise SegueError(f"the model {label} was fitted on other data: fit it on this catalogue first")
    asked = with_baselines(models, seed, popularity=bool(data.matrix.nnz))
    owners = _owners(data)
    genre_of = dict(zip(data.track_ids.tolist(), names.tolist(), strict=True))
    rows = []
    for label, model in asked.items():
        if not model.is_fitted:
            model.fit(data)
        for i in np.flatnonzero(has_genre):
            barred = (owners == owners[i]) | ~has_genre
            candidates = data.size - int(barred.sum())
            if not candidates:
                continue
            query = int(data.track_ids[i])
            start = time.perf_counter()
            found = model.similar([query], k, exclude=data.track_ids[barred])
            ms = 1000 * (time.perf_counter() - start)
            alike = sum(genre_of[item.track_id] == names[i] for item in found)
            known = bool(data.artist_ids[i] != UNKNOWN_ARTIST)  # type: ignore[index]
            rows.append((label, query, names[i], known, alike / min(k, candidates), ms))
    columns = ["model", "track_id", "genre", "artist_known", f"genre_precision_at_{k}", "ms"]
    return pd.DataFrame(rows, columns=columns)


def paired(
    values: pd.DataFrame, metric: str, a: str, b: str, *, by: str = "listener_id", seed: int = 0
) -> Difference:
    """Return how much better model a is than b, from the values of `compare_on` or `query_values`."""
    wide = values.pivot(index=by, columns="model", values=metric)
    return paired_difference(wide[a].to_numpy(), wide[b].to_numpy(), seed=seed)


def with_baselines(models: Models, seed: int = 0, *, popularity: bool = True) -> dict[str, Recommender[Any]]:
    """Return ``models`` with random and popularity in front, unless models of these names are among them."""
    baselines: dict[str, Recommender[Any]] = {"random": Random(Random.config_type(seed=seed))}
    if popularity:
        baselines["popularity"] = Popularity()
    return baselines | dict(models)


def _owners(data: TrainingData) -> np.ndarray:
    """Return int64[n]: the artist of each track; a track of unknown artist is alone with its own number."""
    artists = np.asarray(data.artist_ids)
    return np.unique(
        np.where(artists == UNKNOWN_ARTIST, np.arange(artists.size) * 2 + 1, artists * 2), return_inverse=True
    )[1]


def means(
    values: pd.DataFrame, names: Sequence[str], seed: int = 0, groups: np.ndarray | None = None
) -> dict[str, float]:
    """Return the mean of each named column, and with ``_low`` and ``_high`` its 95 % bootstrap interval."""
    row: dict[str, float] = {}
    found = bootstrap_means(values[list(names)].to_numpy(), groups=groups, seed=seed)
    for name, interval in zip(names, found, strict=True):
        row |= {name: interval.mean, f"{name}_low": interval.low, f"{name}_high": interval.high}
    return row
