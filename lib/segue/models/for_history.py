"""What a model ranks first for a history, with what each place rests on, from one and the same solution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from segue.models import explaining
from segue.models.data import positions_in
from segue.models.kinds import Because

if TYPE_CHECKING:
    from segue.models.base import Recommender
    from segue.models.inner_product import LargestProducts


@dataclass(frozen=True, slots=True)
class Ranked:
    """The first places of a model's ranking for one listener.

    Attributes
    ----------
    places
        int64[c] catalogue positions, best first, as `Recommender.recommend` lists them.
    explain
        Takes int64[m] positions and returns why each is recommended, as `Recommender.explain` does.
    """

    places: np.ndarray
    explain: Callable[[np.ndarray], list[Because]]


def by_scores(model: Recommender[Any], history: np.ndarray, weights: np.ndarray, k: int) -> Ranked | None:
    """Return the ranking of any model by its public methods; None where it does not rest on the history."""
    known = dict(zip(model.track_ids[history].tolist(), weights.tolist(), strict=True))
    found = [item.track_id for item in model.recommend(known, k)]
    # A model that knows nothing of a history ranks by popularity, which is no taste.
    if not found or not model.explain(known, found[:1], most=1)[0].track_ids:
        return None
    return Ranked(
        positions_in(model.track_ids, found),
        lambda places: model.explain(known, model.track_ids[places].tolist()),
    )


def by_factors(
    model: Recommender[Any],
    factors: np.ndarray,
    search: LargestProducts,
    history: np.ndarray,
    equations: tuple[np.ndarray, np.ndarray],
    k: int,
    most: int = 3,
) -> Ranked | None:
    """Return the ranking by the factors that solve a listener's normal equations.

    Parameters
    ----------
    factors
        float32[n, s * r] of the tracks, s models of r factors side by side.
    search
        Of them.
    history
        int64[h] positions.
    equations
        The left side, float64[s, r, r], and what each track of the history adds to the right one,
        float64[s, r, h].
    """
    left, right = equations
    # Up to as many right sides as unknowns, solving for each costs little more than for their sum.
    apart = np.linalg.solve(left, right) if history.size <= left.shape[1] else None
    whole = np.linalg.solve(left, right.sum(axis=2, keepdims=True)) if apart is None else apart.sum(axis=2)

    def added(items: np.ndarray) -> np.ndarray:
        """Return float64[m, h]: what each track of the history adds to the scores of int64[m] positions."""
        own = factors[items].astype(np.float64)
        if apart is not None:
            parts: np.ndarray = own @ apart.reshape(-1, history.size)
            return parts
        turned = own.reshape(items.size, *left.shape[:2]).transpose(1, 2, 0)
        parts = (np.linalg.solve(left, turned).swapaxes(1, 2) @ right).sum(axis=0)
        return parts

    taste = whole.reshape(-1).astype(np.float32)
    places = model._lists.open_places(lambda count: search.top(taste, count), history, k)
    if not places.size or not (added(places[:1]) > 0).any():
        return None
    ids = model.track_ids[history]
    return Ranked(places, lambda items: explaining.because(added(items), model.basis, ids, most))
