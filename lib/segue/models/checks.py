"""What is refused before a model is fitted, or asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.errors import SegueError, UsageError
from segue.models.data import TrainingData
from segue.models.kinds import Capability, Need

if TYPE_CHECKING:
    from segue.models.base import Recommender


def check_data(name: str, needs: frozenset[Need], data: TrainingData) -> None:
    """Raise `SegueError` where the catalogue is empty or lacks what the model of this name needs."""
    if not data.size:
        raise SegueError(f"{name} cannot be fitted on an empty catalogue: run the ETL first")
    if Need.FEATURES in needs and (data.features is None or not data.features.shape[1]):
        raise SegueError(f"{name} learns from features and there are none: run the ETL first")
    if Need.INTERACTIONS in needs and not data.matrix.nnz:
        raise SegueError(
            f"{name} learns from plays and there are none in this catalogue: import or simulate some"
        )
    if Need.GENRES in needs and len(data.genre_names) < 2:
        raise SegueError(f"{name} learns from genres and the tracks name fewer than two")


def check_question(model: Recommender, capability: Capability, k: int) -> None:
    """Raise an error where the model cannot do this, nothing is asked for, or nothing was learned."""
    if capability not in model.can:
        others = " and ".join(sorted(model.can)) or "neither"
        raise SegueError(f"the model {model.name} cannot {capability}: it can {others}; choose another model")
    if k < 1:
        raise UsageError(f"k = {k}: ask for at least one track")
    check_fitted(model)


def check_fitted(model: Recommender) -> None:
    """Raise `SegueError` where the model has neither been fitted nor loaded."""
    if not model.is_fitted:
        raise SegueError(f"the model {model.name} has learned nothing yet: fit or load it first")
