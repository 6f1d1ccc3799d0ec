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


def by_parts(
    model: Recommender[Any],
    history: np.ndarray,
    parts: np.ndarray,
    factors: np.ndarray,
    top: Callable[[np.ndarray, int], np.ndarray],
    k: int,
    most: int = 3,
) -> Ranked | None:
    """Return the ranking by factors: what each track of the history adds to the listener's is known.

    Parameters
    ----------
    history
        int64[h] positions.
    parts
        float64[r, h]: the listener's factors are the sum over h.
    factors
        float[n, r] of the tracks.
    top
        As `LargestProducts.top`.
    """
    taste = parts.sum(axis=1).astype(np.float32)
    places = model._lists.open_places(lambda count: top(taste, count), history, k)

    def added(items: np.ndarray) -> np.ndarray:
        own: np.ndarray = factors[items] @ parts
        return own

    if not places.size or not (added(places[:1]) > 0).any():
        return None
    ids = model.track_ids[history]
    return Ranked(places, lambda items: explaining.because(added(items), model.basis, ids, most))
