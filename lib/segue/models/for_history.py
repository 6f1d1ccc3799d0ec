"""What a model ranks first for a history, with what each place rests on, from one and the same solution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

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


@dataclass(frozen=True, slots=True)
class Solved:
    """A listener's factors, and what they are made of.

    Attributes
    ----------
    history
        int64[h] positions.
    left, right
        The normal equations of s models of r factors: float64[s, r, r], and what each track of the history
        adds to the right side, float64[s, r, h].
    apart
        float64[s, r, h], what each track adds to the factors; None for histories longer than r, for which
        it is not solved.
    taste
        float32[s * r].
    """

    history: np.ndarray
    left: np.ndarray
    right: np.ndarray
    apart: np.ndarray | None
    taste: np.ndarray

    @classmethod
    def of(cls, history: np.ndarray, left: np.ndarray, right: np.ndarray) -> Self:
        """Solve the equations."""
        # Up to as many right sides as unknowns, solving for each costs little more than for their sum.
        apart = np.linalg.solve(left, right) if history.size <= left.shape[1] else None
        whole = (
            np.linalg.solve(left, right.sum(axis=2, keepdims=True)) if apart is None else apart.sum(axis=2)
        )
        return cls(history, left, right, apart, whole.reshape(-1).astype(np.float32))

    def added(self, factors: np.ndarray) -> np.ndarray:
        """Return float64[m, h]: what each track adds to the scores of tracks with float[m, s * r] factors."""
        own = factors.astype(np.float64)
        if self.apart is not None:
            parts: np.ndarray = own @ self.apart.reshape(-1, self.history.size)
            return parts
        turned = own.reshape(len(own), *self.left.shape[:2]).transpose(1, 2, 0)
        parts = (np.linalg.solve(self.left, turned).swapaxes(1, 2) @ self.right).sum(axis=0)
        return parts


def by_factors(
    model: Recommender[Any],
    factors: np.ndarray,
    search: LargestProducts,
    solved: Sequence[Solved | None],
    k: int,
    most: int = 3,
) -> list[Ranked | None]:
    """Return the rankings by the factors of some listeners, float[n, s * r] those of the tracks.

    Step by step for all of them: code and data that are used again at once are still in the caches.
    """
    firsts = [None if each is None else search.top(each.taste, k + each.history.size) for each in solved]

    def ranked(own: Solved, first: np.ndarray) -> Ranked | None:
        def top(count: int) -> np.ndarray:
            return first if count == first.size else search.top(own.taste, count)

        places = model._lists.open_places(top, own.history, k)
        if not places.size or not (own.added(factors[places[:1]]) > 0).any():
            return None
        ids = model.track_ids[own.history]
        return Ranked(
            places, lambda items: explaining.because(own.added(factors[items]), model.basis, ids, most)
        )

    return [
        None if own is None or first is None else ranked(own, first)
        for own, first in zip(solved, firsts, strict=True)
    ]
