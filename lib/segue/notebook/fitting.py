"""Fit every model that the collection allows, and save what was learned."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pandas as pd
from IPython.display import Markdown

from segue.errors import SegueError, UsageError
from segue.evaluation.splits import per_listener_fifth
from segue.models import MODELS, create
from segue.models.base import Recommender, TrainingData
from segue.notebook.attempt import NotShown
from segue.pipeline.run import Run

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def fit_all(
    run: Run, data: TrainingData, spark: SparkSession, parameters: Mapping[str, Mapping[str, Any]]
) -> pd.DataFrame:
    """Fit each model on everything and save it under ``models/<name>``.

    Parameters
    ----------
    parameters
        By model name, its parameters where they are not the defaults.

    Returns
    -------
    pandas.DataFrame
        ``model``; ``can`` (similar, recommend); ``seconds``; ``why not`` for a model that these data do not
        allow.
    """
    rows = []
    for name, kind in MODELS.items():
        started = time.perf_counter()
        why = ""
        try:
            create(name, spark=spark, **parameters.get(name, {})).fit(data).save(run.new_model(name))
        except UsageError:
            raise
        except SegueError as error:
            why = str(error)
        can = "" if why else ", ".join(sorted(kind.can))
        rows.append((name, can, time.perf_counter() - started, why))
    return pd.DataFrame(rows, columns=["model", "can", "seconds", "why not"]).round(2)


def load_all(run: Run, data: TrainingData, spark: SparkSession | None = None) -> dict[str, Recommender[Any]]:
    """Return the run's models by name, all but the yardsticks, ready to be fitted again on a part.

    Raises
    ------
    SegueError
        If a model was fitted on other data than ``data``.
    """
    from segue import models

    loaded = {name: models.load(run.model(name)) for name in run.models()}
    for name, model in loaded.items():
        if model.fingerprint != data.fingerprint:
            raise SegueError(f"the model {name} was fitted on other tracks or plays: run notebook 03 again")
    return {name: model for name, model in loaded.items() if name not in ("random", "popularity")}


def unfitted(models: Mapping[str, Recommender[Any]], spark: SparkSession) -> dict[str, Recommender[Any]]:
    """Return models with the same parameters that have learned nothing yet."""
    return {name: type(model)(model.config, spark=spark) for name, model in models.items()}


def chosen_parameters(clusters: int, trade_off: Any, grid: Any, seed: int) -> dict[str, dict[str, Any]]:
    """Return by model the parameters that a notebook's tables speak for, as far as they are shown.

    LSH: the fewest comparisons among settings that find 90 % of the neighbours, else the most found. ALS: the
    best of its grid.
    """
    chosen: dict[str, dict[str, Any]] = {
        "kmeans": {"clusters": clusters, "seed": seed},
        "random": {"seed": seed},
    }
    if not isinstance(trade_off, NotShown):
        recall = next(name for name in trade_off.columns if name.startswith("recall"))
        good = trade_off[trade_off[recall] >= 0.9]
        best = good.loc[good["compared"].idxmin()] if len(good) else trade_off.loc[trade_off[recall].idxmax()]
        chosen["lsh"] = {
            "bucket_length": float(best["bucket_length"]),
            "tables": int(best["tables"]),
            "seed": seed,
        }
    if not isinstance(grid, NotShown):
        chosen["als"] = {"rank": int(grid["rank"].iloc[0]), "reg": float(grid["reg"].iloc[0]), "seed": seed}
    return chosen


def training_part(data: TrainingData, seed: int) -> TrainingData:
    """Return the data without the plays that notebook 04 tests on with the same seed.

    Raises
    ------
    SegueError
        If there are no plays.
    """
    if data.interactions is None:
        raise SegueError("nobody has played anything in this collection yet: import or simulate listeners")
    return replace(data, interactions=per_listener_fifth(data.interactions, seed)[0])


def torch_note() -> Markdown:
    """Say truthfully what PyTorch would add to this version, and whether it is here."""
    here = "is installed" if find_spec("torch") else "is not installed"
    return Markdown(
        f"PyTorch {here}. This version of Segue has no model that uses it: a learned embedding of the sound "
        "is planned, and this is where it will be trained."
    )
