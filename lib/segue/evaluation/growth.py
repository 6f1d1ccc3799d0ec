"""How fitting, answering and memory grow with the catalogue, by resampling it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from segue.errors import SegueError
from segue.evaluation.timing import median_ms
from segue.models import MODELS, Need, TrainingData, create

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

FMA_FULL = 106_574
"""The tracks of fma_full, the largest catalogue that Segue is measured on."""
_JITTER = 0.3
_MIB = 2**20


def resample(data: TrainingData, size: int, *, plays: int | None = None, seed: int = 0) -> TrainingData:
    """Return a simulated catalogue of ``size`` tracks that is spread as ``data`` is.

    Each track is one of the catalogue's, drawn at random, with its genre and artist; its features are moved
    by 0.3 standard deviations of each at random, so that no two are equal. A listener's plays are drawn from
    those of one of the catalogue's listeners, each of them moved to one of that track's copies. What is
    measured on it says how costs grow, and nothing about how good recommendations are.

    Parameters
    ----------
    plays
        How many; by default as many a track as ``data`` has.

    Raises
    ------
    SegueError
        If ``data`` has neither features nor plays.
    """
    if not data.size or (data.features is None and not data.matrix.nnz):
        raise SegueError("a catalogue can be resampled where it has features or plays: run the ETL first")
    generator = np.random.default_rng(seed)
    drawn = np.sort(np.concatenate([np.arange(data.size), generator.integers(data.size, size=size)])[:size])
    features = None
    if data.features is not None:
        deviation = _JITTER * data.features.std(axis=0)
        features = data.features[drawn]
        features += deviation * generator.standard_normal(features.shape, dtype=np.float32)
    frame = _plays(data, drawn, plays, generator) if data.matrix.nnz else None
    assert data.artist_ids is not None
    return TrainingData(
        np.arange(1, size + 1),
        features,
        data.artist_ids[drawn],
        interactions=frame,
        genres=data.genres[drawn],
    )


def _plays(
    data: TrainingData, drawn: np.ndarray, wanted: int | None, generator: np.random.Generator
) -> pd.DataFrame:
    matrix = data.matrix
    mean = max(1, matrix.nnz // max(1, matrix.shape[0]))
    wanted = wanted or max(1, round(matrix.nnz * drawn.size / data.size))
    listeners = max(1, wanted // mean)
    like = generator.integers(matrix.shape[0], size=listeners)
    counts = np.diff(matrix.indptr)[like]
    begin = np.repeat(matrix.indptr[like], counts)
    within = np.arange(counts.sum()) - np.repeat(counts.cumsum() - counts, counts)
    entry = begin + within
    track = matrix.indices[entry]
    first = np.searchsorted(drawn, track)
    copies = np.searchsorted(drawn, track, side="right") - first
    kept = copies > 0
    place = first[kept] + (generator.random(int(kept.sum())) * copies[kept]).astype(np.int64)
    return pd.DataFrame(
        {
            "listener_id": np.repeat(np.arange(listeners), counts)[kept].astype(str),
            "track_id": place + 1,
            "weight": matrix.data[entry][kept],
        }
    )


def growth(
    data: TrainingData,
    models: Mapping[str, Mapping[str, Any]],
    sizes: Sequence[int] = (1_000, 10_000),
    *,
    spark: SparkSession | None = None,
    queries: int = 20,
    seed: int = 0,
) -> pd.DataFrame:
    """Return what each model takes at each size of a catalogue resampled from ``data``.

    Parameters
    ----------
    models
        Parameters by model name; a model whose needs ``data`` does not meet is left out.
    sizes
        Tracks; `FMA_FULL` takes minutes and some 3 GiB.
    queries
        How many tracks `similar` is asked for one by one.

    Returns
    -------
    pandas.DataFrame
        ``model``, ``tracks``, ``plays`` (listeners and tracks that belong together), ``fit_s`` (by the
        clock), ``query_ms`` (median of one core, for ten tracks), ``model_mib`` (what the model
        holds, which is what it saves).

    Raises
    ------
    SegueError
        If ``data`` cannot be resampled (`resample`), or none of the models can be fitted on it.
    """
    rows = []
    for size in sorted(set(sizes)):
        larger = resample(data, size, seed=seed)
        for name, parameters in models.items():
            if _meets(larger, MODELS[name].needs):
                rows.append(_measured(name, parameters, larger, spark, queries, seed))
    if not rows:
        raise SegueError(f"the catalogue lacks what {', '.join(models)} learn from: run the ETL first")
    columns = ["model", "tracks", "plays", "fit_s", "query_ms", "model_mib"]
    return pd.DataFrame(rows, columns=columns).sort_values(["model", "tracks"], ignore_index=True)


def _meets(data: TrainingData, needs: frozenset[Need]) -> bool:
    has = {
        Need.FEATURES: data.features is not None and data.features.shape[1] > 0,
        Need.INTERACTIONS: data.matrix.nnz > 0,
        Need.GENRES: len(data.genre_names) > 1,
    }
    return all(has[need] for need in needs)


def _measured(
    name: str,
    parameters: Mapping[str, Any],
    data: TrainingData,
    spark: SparkSession | None,
    queries: int,
    seed: int,
) -> tuple[str, int, int, float, float, float]:
    start = time.perf_counter()
    model = create(name, spark=spark, **parameters).fit(data)
    fit_s = time.perf_counter() - start
    asked = np.random.default_rng(seed).permutation(data.track_ids)[:queries].tolist()
    query_ms = median_ms([partial(model.similar, [track], 10) for track in asked])
    return name, data.size, data.matrix.nnz, fit_s, query_ms, model.state_bytes / _MIB
