"""A listener's taste as the models take it: positions and weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from segue.live.catalogue import Catalogue
from segue.live.fusion import Seeds
from segue.live.listener import taste
from segue.live.state import ListenerState


@dataclass(frozen=True, slots=True)
class Taste:
    """A taste within the catalogue.

    int64[h] positions, the newest last; float32[h] weights; bool[h], which are of the session.
    """

    place: np.ndarray
    weight: np.ndarray
    in_session: np.ndarray

    @classmethod
    def of(cls, state: ListenerState, catalogue: Catalogue) -> Self:
        """Return what `segue.live.listener.taste` says of a state, as far as the catalogue has the tracks."""
        weights, session = taste(state), set(state.session)
        places = catalogue.positions(weights)
        here = places >= 0
        return cls(
            places[here],
            np.fromiter(weights.values(), np.float32, len(weights))[here],
            np.fromiter((track in session for track in weights), bool, len(weights))[here],
        )

    def seeds(self, sign: int, most: int) -> Seeds:
        """Return the tracks whose weight has a sign (1 or -1), at most so many, those touched last."""
        own = np.flatnonzero(sign * self.weight > 0)[-most:]
        return Seeds(self.place[own], np.abs(self.weight[own]).astype(np.float64), self.in_session[own])

    def inside(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the positions and weights of the tracks among the first n, those that the models know."""
        inside = self.place < n
        return self.place[inside], self.weight[inside]
