"""Fit every model that the collection allows, and save what was learned."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from segue.errors import SegueError, UsageError
from segue.evaluation.splits import per_listener_fifth
from segue.evaluation.unseen_artists import Factory, UnseenArtists, factories
from segue.models import MODELS, create
from segue.models.base import Need, Recommender, TrainingData
from segue.models.genre_model import GenreModel
from segue.models.kmeans import KMeans
from segue.notebook.attempt import NotShown
from segue.notebook.catalogue import Catalogue
from segue.pipeline.run import Run

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MEASURED = ("exact", "hnsw", "lsh", "kmeans", "als", "wals", "item_knn")
"""Models whose costs are measured over the size of the catalogue."""


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
        ``model``; ``can`` (similar, recommend); ``seconds``; ``MiB`` learned; ``why not`` for a model that
        these data do not allow.
    """
    rows = []
    for name, kind in MODELS.items():
        started = time.perf_counter()
        why, mib = "", float("nan")
        try:
            model = create(name, spark=spark, **parameters.get(name, {})).fit(data)
            model.save(run.new_model(name))
            mib = model.state_bytes / 2**20
        except UsageError:
            raise
        except SegueError as error:
            why = str(error)
        can = "" if why else ", ".join(sorted(kind.can))
        rows.append((name, can, time.perf_counter() - started, mib, why))
    return pd.DataFrame(rows, columns=["model", "can", "seconds", "MiB", "why not"]).round(2)


def load_fitted(run: Run, fitted: pd.DataFrame, name: str) -> Recommender[Any]:
    """Return a model that `fit_all` has saved.

    Raises
    ------
    SegueError
        If it was not fitted; the text is the table's ``why not``.
    """
    why = fitted.set_index("model")["why not"].get(name, "")
    if why:
        raise SegueError(str(why))
    return run.load_model(name)


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


def some(models: Mapping[str, Recommender[Any]], names: Sequence[str]) -> dict[str, Recommender[Any]]:
    """Return those of the models that are named and are there."""
    return {name: models[name] for name in names if name in models}


def by_sound(models: Mapping[str, Recommender[Any]], spark: SparkSession) -> dict[str, Factory]:
    """Return what makes each model anew, with its parameters, that needs no plays."""
    own = {
        name: model.config.model_dump()
        for name, model in models.items()
        if Need.INTERACTIONS not in model.needs
    }
    return factories(own, spark)


def genre_models(models: Mapping[str, Recommender[Any]]) -> dict[str, GenreModel[Any]]:
    """Return those of the models that tell genres."""
    return {name: model for name, model in models.items() if isinstance(model, GenreModel)}


def against(found: UnseenArtists, one: str) -> list[tuple[str, str]]:
    """Return the pairs of every other model with ``one``, for `segue.evaluation.significance.differences`."""
    return [(name, one) for name in found.table["model"] if name != one]


def chosen_parameters(clusters: int, trade_off: Any, tunings: Any, seed: int) -> dict[str, dict[str, Any]]:
    """Return by model the parameters that a notebook's tables speak for, as far as they are shown.

    LSH: the fewest comparisons among settings that find 90 % of the neighbours, else the most found. Models
    of listening: what their trials chose.
    """
    chosen: dict[str, dict[str, Any]] = {
        name: {"seed": seed} for name, model in MODELS.items() if "seed" in model.config_type.model_fields
    }
    for name in ("kmeans", "bisecting"):
        chosen[name]["clusters"] = clusters
    if not isinstance(trade_off, NotShown):
        recall = next(name for name in trade_off.columns if name.startswith("recall"))
        good = trade_off[trade_off[recall] >= 0.9]
        best = good.loc[good["compared"].idxmin()] if len(good) else trade_off.loc[trade_off[recall].idxmax()]
        chosen["lsh"] |= {"bucket_length": float(best["bucket_length"]), "tables": int(best["tables"])}
    for name, parameters in {} if isinstance(tunings, NotShown) else tunings.parameters.items():
        chosen[name] = chosen.get(name, {}) | parameters
    return chosen


def cluster_names(kmeans: KMeans, catalogue: Catalogue, each: int = 3) -> pd.DataFrame:
    """Return one row a cluster: how many tracks it has, and the ``each`` that are nearest to its centre."""
    table = kmeans.tracks_by_cluster()
    typical = table[table["place"] <= each].copy()
    typical["track"] = [catalogue.name_of(track) for track in typical["track_id"]]
    rows = typical.pivot(index="cluster", columns="place", values="track").fillna("")
    rows.insert(0, "tracks", table.groupby("cluster").size())
    return rows.rename(columns=str)


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
