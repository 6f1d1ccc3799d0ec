"""A fused ranking, put in order only as far as it is read."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from segue.live.fusion import Fused

FIRST = 64
"""So many are put in order first: mostly no list reads further."""


class Order:
    """The fused ranking, put in order only as far as it is read."""

    def __init__(self, fused: Fused, tie: np.ndarray) -> None:
        self._places, self._scores, self._tie = fused.places, fused.scores, tie
        self._read: dict[int, int] = {}
        self._parts: list[np.ndarray] = []

    def parts(self) -> Iterator[np.ndarray]:
        """Yield positions, best first, equal ones by the tie."""
        for number in range(2):
            if len(self._parts) == number:
                part = self._first() if number == 0 else self._rest()
                self._parts.append(self._places[part])
                self._read.update(zip(self._parts[-1].tolist(), part.tolist(), strict=True))
            yield self._parts[number]

    def _first(self) -> np.ndarray:
        first = np.arange(self._scores.size)
        if first.size > FIRST:
            first = np.flatnonzero(self._scores >= np.partition(self._scores, -FIRST)[-FIRST])
        return first[np.lexsort((self._tie[self._places[first]], -self._scores[first]))]

    def _rest(self) -> np.ndarray:
        return np.lexsort((self._tie[self._places], -self._scores))[self._parts[0].size :]

    def slots(self, places: np.ndarray) -> np.ndarray:
        """Return int64[m]: where in the fused ranking int64[m] positions are, -1 for those not read of it."""
        read = self._read
        return np.array([read.get(place, -1) for place in places.tolist()], dtype=np.int64)
