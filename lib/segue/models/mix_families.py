"""The models that `best` chooses among, and the values of their parameters that it climbs along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from segue.models.base import Recommender, TrainingData
from segue.models.ease import EASE
from segue.models.item_knn import ItemKNN
from segue.models.mix_search import Value
from segue.models.popularity import Popularity
from segue.models.ridge import Ridge
from segue.models.wals import WALS


class Family(NamedTuple):
    """A model, the ladder of each parameter's values, where to begin, and its share of the trials."""

    model: type[Recommender[Any]]
    ladders: Mapping[str, Sequence[Value]]
    start: Mapping[str, Value]
    share: float


_WEIGHTINGS = ("percentile", "binary", "log")
_RANKS = (16, 32, 64, 96)
_CLOSED_FORM: dict[str, Sequence[Value]] = {
    "reg": (2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0),
    "reg_power": (0.0, 0.2, 0.4, 0.6, 0.8, 1.0),
    "weighting": _WEIGHTINGS,
}
_CLOSED_START: dict[str, Value] = {"reg": 40.0, "reg_power": 0.4, "weighting": "percentile"}
FAMILIES = (
    Family(
        WALS,
        {
            "reg": (0.05, 0.1, 0.15, 0.22, 0.32, 0.45, 0.65, 0.9, 1.3, 1.9),
            "alpha": (1.0, 2.0, 3.0, 4.5, 7.0, 10.0, 15.0, 25.0, 40.0),
            "weighting": _WEIGHTINGS,
            "track_exponent": (0.25, 0.5, 0.75, 1.0, 1.25),
            "listener_exponent": (0.0, 0.5, 1.0),
            "rank": _RANKS,
            "starts": (1,),
        },
        {
            "reg": 0.65,
            "alpha": 3.0,
            "weighting": "percentile",
            "track_exponent": 0.75,
            "listener_exponent": 0.5,
            "rank": 64,
            "starts": 1,
        },
        0.5,
    ),
    Family(Ridge, _CLOSED_FORM, _CLOSED_START, 0.2),
    Family(EASE, _CLOSED_FORM, _CLOSED_START, 0.15),
    Family(
        ItemKNN,
        {
            "power": (0.5, 0.75, 1.0, 1.25, 1.5),
            "shrink": (1.0, 3.0, 10.0, 30.0, 100.0),
            "neighbours": (50, 200),
        },
        {"power": 1.0, "shrink": 10.0, "neighbours": 200},
        0.15,
    ),
)
_ALL: tuple[type[Recommender[Any]], ...] = (Popularity, *(family.model for family in FAMILIES))
MODELS = {model.name: model for model in _ALL}


def create(name: str, parameters: Mapping[str, Any]) -> Recommender[Any]:
    """Return an unfitted model of a family, or popularity."""
    model = MODELS[name]
    return model(model.config_type(**parameters))


def feasible(data: TrainingData, most_equations: int) -> list[Family]:
    """Return the families whose equations are few enough, their ladders cut to what matters for the data.

    Where all likes have one weight, no weighting differs from another; more factors than equations are more
    than can be told apart.
    """
    equations = min(data.matrix.shape[0], int(np.count_nonzero(data.popularity)))
    liked = data.matrix.data[data.matrix.data > 0]
    one_weight = not liked.size or liked.min() == liked.max()
    found = []
    for family in FAMILIES:
        if family.model in (Ridge, EASE) and equations > most_equations:
            continue
        ladders = {k: v for k, v in family.ladders.items() if not (one_weight and k == "weighting")}
        start = {k: v for k, v in family.start.items() if k in ladders}
        if "rank" in ladders:
            ladders["rank"] = tuple(r for r in _RANKS if r <= max(equations, _RANKS[0]))
            start["rank"] = min(int(start["rank"]), ladders["rank"][-1])
        found.append(family._replace(ladders=ladders, start=start))
    return found
