"""Models side by side, always beside random and popularity, always with intervals."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from segue.evaluation import lists
from segue.evaluation.intervals import bootstrap_means
from segue.evaluation.listeners import (
    LIST_METRICS,
    LISTENER_METRICS,
    Questions,
    listener_values,
    questions,
)
from segue.models.base import Recommender, TrainingData
from segue.models.popularity import Popularity
from segue.models.random_ import Random

__all__ = [
    "LISTENER_METRICS",
    "LIST_METRICS",
    "Comparison",
    "compare_all",
    "compare_on",
    "listener_values",
    "means",
    "with_baselines",
]

Models = Mapping[str, Recommender[Any]]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Models side by side on one test.

    Parameters
    ----------
    table
        One row a model: ``model``; each of `LISTENER_METRICS` and `LIST_METRICS` (diversity only where there
        are features) as its mean over listeners, with ``_low`` and ``_high`` of the 95 % bootstrap interval;
        ``coverage_at_10`` and ``gini_at_10`` of all lists; ``listeners``; ``fit_s`` (seconds, NaN where the
        model came fitted) and ``ms_per_listener``.
    values
        One row a model and listener: ``model``, ``listener_id``, ``history`` (tracks in training) and each
        metric, for `segue.evaluation.significance` and `segue.evaluation.breakdown`.
    places
        One row a model and test pair: ``model``, ``listener_id``, ``popularity`` of the track (listeners in
        training), and its ``place`` in the listener's list, 0 beyond the 20th.
    """

    table: pd.DataFrame
    values: pd.DataFrame
    places: pd.DataFrame


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


def with_baselines(models: Models, seed: int = 0) -> dict[str, Recommender[Any]]:
    """Return ``models`` with random and popularity in front, unless models of these names are among them."""
    baselines: dict[str, Recommender[Any]] = {
        "random": Random(Random.config_type(seed=seed)),
        "popularity": Popularity(),
    }
    return baselines | dict(models)


def means(
    values: pd.DataFrame, names: Sequence[str], seed: int = 0, groups: np.ndarray | None = None
) -> dict[str, float]:
    """Return the mean of each named column, and with ``_low`` and ``_high`` its 95 % bootstrap interval."""
    row: dict[str, float] = {}
    found = bootstrap_means(values[list(names)].to_numpy(), groups=groups, seed=seed)
    for name, interval in zip(names, found, strict=True):
        row |= {name: interval.mean, f"{name}_low": interval.low, f"{name}_high": interval.high}
    return row
