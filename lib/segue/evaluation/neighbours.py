"""Approximate search against exact: how much of the truth is found, and in what time."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from segue.errors import SegueError
from segue.evaluation.timing import median_ms
from segue.models import Recommender, TrainingData, create
from segue.models.hnsw import HNSW
from segue.models.lsh import LSH, LSHConfig, buckets, fit_spark_lsh, share_a_bucket
from segue.models.spark_frames import vectors

if TYPE_CHECKING:
    from pyspark.ml.feature import BucketedRandomProjectionLSHModel
    from pyspark.sql import DataFrame, SparkSession


def lsh_grid(
    rows: np.ndarray,
    bucket_lengths: Sequence[float],
    tables: Sequence[int],
    *,
    spark: SparkSession,
    k: int = 10,
    queries: int = 500,
    timed: int = 3,
    seed: int = 0,
) -> pd.DataFrame:
    """Return one row for each bucket width and number of tables of Spark's LSH.

    Parameters
    ----------
    rows
        float[n, d] with n above 1; `segue.models.content.unit_rows` of the features is what `LSH` uses by
        default.
    queries
        How many tracks, drawn at random, recall is measured on, at most all.
    timed
        How many of them Spark is asked for one by one; a query of Spark's takes a tenth of a second and
        more whatever the size of the catalogue.

    Returns
    -------
    pandas.DataFrame
        ``bucket_length``; ``tables``; ``recall_at_k`` (share of the k exact nearest neighbours, the query
        itself left out, that share a bucket with it and so are found); ``compared`` (share of the catalogue
        whose distance is computed); ``spark_ms`` (median of ``approxNearestNeighbors``); ``bucket_ms``
        (median of the same search over the stored buckets in numpy); ``exact_ms`` (median of comparing with
        every track in numpy, in the same run).
    """
    n = len(rows)
    if n < 2:
        raise SegueError("neighbours need at least two tracks: use a larger catalogue")
    rows = np.asarray(rows, dtype=np.float32)
    recall, k = f"recall_at_{k}", min(k, n - 1)
    asked = np.random.default_rng(seed).permutation(n)[: min(queries, n)]
    true, exact_ms = _exact(rows, asked, k)
    frame = vectors(spark, rows)
    results = []
    try:
        for length, count in itertools.product(bucket_lengths, tables):
            model = fit_spark_lsh(frame, LSHConfig(bucket_length=length, tables=count, seed=seed))
            hashes = buckets(model, frame, n)
            found, compared, bucket_ms = _by_buckets(rows, hashes, asked, true, k)
            hashed = model.transform(frame).cache()
            spark_ms = [_spark_query_ms(model, hashed, rows[i], k) for i in (asked[0], *asked[:timed])][1:]
            hashed.unpersist()
            results.append((length, count, found, compared, np.median(spark_ms), bucket_ms, exact_ms))
    finally:
        frame.unpersist()
    columns = ["bucket_length", "tables", recall, "compared", "spark_ms", "bucket_ms", "exact_ms"]
    return pd.DataFrame(results, columns=columns)


def recall_for_comparisons(model: LSH, k: int = 10, queries: int = 500) -> float:
    """Return the share of true neighbours found less the share of the catalogue compared, -1 to 1.

    An objective for `segue.evaluation.tuning.tune`: chance gives 0 for any buckets, as does comparing all.
    """
    n = len(model.rows)
    asked = np.random.default_rng(0).permutation(n)[: min(queries, n)]
    true, _ = _exact(model.rows, asked, min(k, n - 1))
    shared = share_a_bucket(model.hashes[asked], model.hashes)
    return float(np.take_along_axis(shared, true, axis=1).mean() - shared.mean())


def recall_and_latency(
    model: Recommender[Any], asked: Sequence[int], true: Sequence[Sequence[int]]
) -> tuple[float, float]:
    """Return the share of the true neighbours in a model's lists, and the median ms of a list.

    Parameters
    ----------
    asked
        Track ids that `similar` is asked for one by one.
    true
        For each the ids of its k exact nearest; lists are as long.
    """
    found = []

    def ask(track: int, nearest: Sequence[int]) -> None:
        own = model.similar([int(track)], len(nearest))
        found.append(len({item.track_id for item in own} & set(nearest)) / len(nearest))

    ms = median_ms([partial(ask, track, nearest) for track, nearest in zip(asked, true, strict=True)])
    return float(np.mean(found[1:])), ms


def recall_against_latency(
    data: TrainingData,
    *,
    views: Sequence[int] = (16, 32, 64, 128, 256),
    bucket_lengths: Sequence[float] = (),
    spark: SparkSession | None = None,
    k: int = 10,
    queries: int = 200,
    seed: int = 0,
) -> pd.DataFrame:
    """Return how much of the truth exact search, HNSW and LSH find, and in what time.

    Parameters
    ----------
    views
        How many tracks HNSW keeps in view; one graph serves all. Values below k are left out.
    bucket_lengths
        Of LSH with its default number of tables; none, and Spark is not needed.

    Returns
    -------
    pandas.DataFrame
        ``model``, ``parameter`` (as words), ``recall_at_k``, ``ms`` (median of `similar` for one track, on
        one core).

    Raises
    ------
    SegueError
        If there are no features or fewer than two tracks.
    """
    if data.size < 2:
        raise SegueError("neighbours need at least two tracks: use a larger catalogue")
    asked = np.random.default_rng(seed).permutation(data.track_ids)[:queries].tolist()
    exact = create("exact").fit(data)
    column, k = f"recall_at_{k}", min(k, data.size - 1)
    true = [[item.track_id for item in own] for own in exact.similar_to_each(asked, k)]
    rows = [("exact", "", *recall_and_latency(exact, asked, true))]
    hnsw = HNSW().fit(data)
    for view in views:
        if view > k:
            hnsw.look(view)
            rows.append(("hnsw", f"{view} in view", *recall_and_latency(hnsw, asked, true)))
    for length in bucket_lengths:
        lsh = create("lsh", spark=spark, bucket_length=length).fit(data)
        rows.append(("lsh", f"buckets of {length:g}", *recall_and_latency(lsh, asked, true)))
    return pd.DataFrame(rows, columns=["model", "parameter", column, "ms"])


def _exact(rows: np.ndarray, asked: np.ndarray, k: int) -> tuple[np.ndarray, float]:
    """Return the exact neighbours int64[q, k] of the asked positions, and the median ms of one query."""
    squares = np.einsum("ij,ij->i", rows, rows)
    nearest = np.empty((asked.size, k), dtype=np.int64)
    ms = []
    for i, query in enumerate(asked):
        start = time.perf_counter()
        distances = squares - 2 * (rows @ rows[query])
        distances[query] = np.inf
        nearest[i] = np.argpartition(distances, k - 1)[:k]
        ms.append(1000 * (time.perf_counter() - start))
    return nearest, float(np.median(ms))


def _by_buckets(
    rows: np.ndarray, hashes: np.ndarray, asked: np.ndarray, true: np.ndarray, k: int
) -> tuple[float, float, float]:
    """Return recall, share compared and median ms of searching only where a bucket is shared."""
    found, compared, ms = [], [], []
    for query, nearest in zip(asked, true, strict=True):
        start = time.perf_counter()
        shared = share_a_bucket(hashes[query : query + 1], hashes)[0]
        candidates = np.flatnonzero(shared)
        distances = ((rows[candidates] - rows[query]) ** 2).sum(axis=1)
        if candidates.size > k:
            np.argpartition(distances, k)
        ms.append(1000 * (time.perf_counter() - start))
        found.append(shared[nearest].mean())
        compared.append(shared.mean())
    return float(np.mean(found)), float(np.mean(compared)), float(np.median(ms))


def _spark_query_ms(
    model: BucketedRandomProjectionLSHModel, hashed: DataFrame, row: np.ndarray, k: int
) -> float:
    from pyspark.ml.linalg import Vectors

    start = time.perf_counter()
    model.approxNearestNeighbors(hashed, Vectors.dense(row.astype(float)), k + 1).select("position").collect()
    return 1000 * (time.perf_counter() - start)
