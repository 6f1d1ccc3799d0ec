"""Models side by side, always beside random and popularity, always with intervals."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from segue.errors import SegueError
from segue.evaluation import metrics
from segue.evaluation.intervals import Difference, bootstrap_mean, paired_difference
from segue.evaluation.splits import per_listener_fifth
from segue.models.base import Recommender, TrainingData
from segue.models.data import UNKNOWN_ARTIST
from segue.models.popularity import Popularity
from segue.models.random_ import Random
from segue.models.ranking import tie_order

Models = Mapping[str, Recommender[Any]]

LISTENER_METRICS = (
    "ndcg_at_10",
    "recall_at_20",
    "precision_at_10",
    "hit_rate_at_10",
    "mrr_at_10",
    "map_at_10",
)
_DEEPEST = 20
_AT_ONCE = 256


def evaluate_listeners(models: Models, data: TrainingData, seed: int = 0) -> pd.DataFrame:
    """Return one row a model: how well it finds a fifth of each listener's tracks that it has not seen.

    The split is `per_listener_fifth`; each model is fitted (again) on the rest and ranks the whole
    catalogue without the listener's training tracks.

    Parameters
    ----------
    models
        By the label each has in the table. Random and popularity are added unless they are there.
    data
        Catalogue with interactions, and features for the models that need them.

    Returns
    -------
    pandas.DataFrame
        ``model``; each of `LISTENER_METRICS` as its mean over listeners, with ``_low`` and ``_high`` of the
        95 % bootstrap interval; ``coverage_at_10`` and ``gini_at_10`` of all lists; ``listeners``;
        ``fit_s`` (seconds) and ``ms_per_listener``.
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
        The table of `evaluate_listeners`, and the values behind it: ``model``, ``listener_id`` and each
        metric, for `paired`.
    """
    rows, values = [], []
    for label, model in with_baselines(models, seed).items():
        start = time.perf_counter()
        model.fit(train)
        fitted = time.perf_counter()
        own, ranked = listener_values(model, train, test)
        ended = time.perf_counter()
        values.append(own.assign(model=label))
        rows.append(
            {
                "model": label,
                **_means(own, LISTENER_METRICS, seed),
                "coverage_at_10": metrics.coverage(ranked[:, :10], train.size),
                "gini_at_10": metrics.gini(ranked[:, :10], train.size),
                "listeners": len(own),
                "fit_s": fitted - start,
                "ms_per_listener": 1000 * (ended - fitted) / len(own),
            }
        )
    return pd.DataFrame(rows), pd.concat(values, ignore_index=True)


def listener_values(
    model: Recommender[Any], train: TrainingData, test: pd.DataFrame
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return each listener's metrics for a model fitted on ``train``, and the lists behind them.

    Equal scores are ordered anew for each listener, so that the luck of one order does not decide.

    Returns
    -------
    tuple
        Columns ``listener_id`` and `LISTENER_METRICS`; int64[m, 20] catalogue positions, -1 where a list
        is shorter.

    Raises
    ------
    SegueError
        If no test listener has a play in ``train``.
    """
    wanted = test.drop_duplicates(["listener_id", "track_id"]).groupby("listener_id", sort=True)["track_id"]
    relevant = {str(listener): train.positions(tracks.to_numpy()) for listener, tracks in wanted}
    rows = np.flatnonzero([listener in relevant for listener in train.listeners])
    if not rows.size:
        raise SegueError("no listener of the test has a play in training: there is nobody to ask")
    ranked = np.full((rows.size, _DEEPEST), -1, dtype=np.int64)
    salts = tie_order(np.arange(rows.size))
    for start in range(0, rows.size, _AT_ONCE):
        histories = train.matrix[rows[start : start + _AT_ONCE]]
        scores = model.score_histories(histories)
        for i in range(histories.shape[0]):
            scores[i, histories.indices[histories.indptr[i] : histories.indptr[i + 1]]] = -np.inf
            best = model.top(scores[i], _DEEPEST, int(salts[start + i]))
            ranked[start + i, : best.size] = best
    listeners = train.listeners[rows]
    hits = metrics.hit_matrix(ranked, [relevant[listener] for listener in listeners])
    sizes = np.array([relevant[listener].size for listener in listeners])
    values = {
        "ndcg_at_10": metrics.ndcg_at_k(hits, sizes, 10),
        "recall_at_20": metrics.recall_at_k(hits, sizes, 20),
        "precision_at_10": metrics.precision_at_k(hits, sizes, 10),
        "hit_rate_at_10": metrics.hit_rate_at_k(hits, sizes, 10),
        "mrr_at_10": metrics.mrr_at_k(hits, sizes, 10),
        "map_at_10": metrics.map_at_k(hits, sizes, 10),
    }
    return pd.DataFrame({"listener_id": listeners, **values}), ranked


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
                **_means(own, (metric,), seed, groups=owner),
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


def _means(
    values: pd.DataFrame, names: Sequence[str], seed: int, groups: np.ndarray | None = None
) -> dict[str, float]:
    row: dict[str, float] = {}
    for name in names:
        interval = bootstrap_mean(values[name].to_numpy(), groups=groups, seed=seed)
        row |= {name: interval.mean, f"{name}_low": interval.low, f"{name}_high": interval.high}
    return row
