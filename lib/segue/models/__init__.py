"""The recommenders: one file each, one contract in `segue.models.base`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue.errors import UsageError
from segue.models import persist
from segue.models.als import ALS
from segue.models.base import Basis, Because, Capability, Need, Recommender, Scored, TrainingData
from segue.models.best import Best
from segue.models.bisecting import Bisecting
from segue.models.config import nearest
from segue.models.ease import EASE
from segue.models.embedding import Embedding
from segue.models.exact import Exact
from segue.models.forest import Forest
from segue.models.hnsw import HNSW
from segue.models.hybrid import Hybrid
from segue.models.item_knn import ItemKNN
from segue.models.kmeans import KMeans
from segue.models.lsh import LSH
from segue.models.mlp import MLP
from segue.models.popularity import Popularity
from segue.models.random_ import Random
from segue.models.ridge import Ridge
from segue.models.svm import SVM
from segue.models.wals import WALS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = [
    "MODELS",
    "Basis",
    "Because",
    "Capability",
    "Need",
    "Recommender",
    "Scored",
    "TrainingData",
    "create",
    "load",
]

MODELS: dict[str, type[Recommender[Any]]] = {
    model.name: model
    for model in (
        Random,
        Popularity,
        Exact,
        HNSW,
        Embedding,
        LSH,
        KMeans,
        Bisecting,
        ItemKNN,
        ALS,
        WALS,
        Ridge,
        EASE,
        Best,
        Hybrid,
        MLP,
        Forest,
        SVM,
    )
}
"""Every model by its name; a new one is its file and its line here."""


def create(name: str, *, spark: SparkSession | None = None, **parameters: Any) -> Recommender[Any]:
    """Return a model that has learned nothing yet.

    Raises
    ------
    UsageError
        If no model has this name, or a parameter is unknown or out of its limits.
    """
    model = _model(name)
    return model(model.config_type(**parameters), spark=spark)


def load(folder: str | Path) -> Recommender[Any]:
    """Return the model saved in ``folder``, whichever it is.

    Raises
    ------
    SegueError
        If the folder holds no model of ours, or damaged files.
    """
    return _model(persist.read_manifest(Path(folder))["model"]).load(folder)


def _model(name: str) -> type[Recommender[Any]]:
    if name not in MODELS:
        raise UsageError(f"there is no model {name!r}{nearest(name, MODELS)}")
    return MODELS[name]
