"""The choice that `best` makes: parameters for each family, then the weights of a mix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from segue.models.mix_families import Family, create
from segue.models.mix_search import Parameters, climb, mix, moved
from segue.models.mix_validation import Board, Fold
from segue.models.popularity import Popularity
from segue.models.wals import WALS


class Trial(NamedTuple):
    """A setting, its nDCG@10 on the held-out plays, and its weight in the mix (0: not in it)."""

    model: str
    parameters: Mapping[str, Any]
    ndcg_at_10: float
    weight: float


def choose(
    folds: Sequence[Fold],
    families: Sequence[Family],
    executor: Executor,
    *,
    trials: int,
    starts: int,
    parts: int,
) -> list[Trial]:
    """Return every setting tried, in order, and last the mix of at most ``parts`` of them.

    Each family is climbed with its share of ``trials``. All that was tried may be mixed; what is picked is
    fitted as it will be served, weighted ALS averaged over ``starts``, and the weights moved once more.
    """
    factories = [partial(create, family.model.name, family.start) for family in families]
    board = Board(folds, [*factories, Popularity])
    tried: list[tuple[str, Parameters, np.ndarray]] = [(Popularity.name, {}, board.scores(Popularity))]
    shares = sum(family.share for family in families)
    for family in families:
        name = family.model.name
        found: dict[tuple[Any, ...], np.ndarray] = {}

        def judge(parameters: Parameters, name: str = name, found: Any = found) -> float:
            scores = board.scores(partial(create, name, parameters))
            found[tuple(parameters.values())] = scores
            return float(board.values(scores).mean())

        most = max(1, round(trials * family.share / shares))
        climbed = climb(family.ladders, family.start, judge, most, executor)
        tried += [(name, point, found[tuple(point.values())]) for point, _ in climbed]
    weights = mix([scores for *_, scores in tried], board.values, most=parts, executor=executor)
    picked = [_served(*tried[i][:2], starts, int(i)) for i in np.flatnonzero(weights)]
    served = [board.scores(partial(create, *one)) for one in picked]
    weights = moved(weights[weights > 0], served, board.values)
    return [Trial(*one[:2], float(board.values(one[2]).mean()), 0.0) for one in tried] + [
        Trial(*one, float(board.values(scores).mean()), float(weight))
        for one, scores, weight in zip(picked, served, weights, strict=True)
    ]


def _served(name: str, parameters: Parameters, starts: int, seed: int) -> tuple[str, dict[str, Any]]:
    """Return a setting as it is served; other starts for each, as what starts alike errs alike."""
    return name, dict(parameters) | ({"starts": starts, "seed": seed} if name == WALS.name else {})
