"""Latencies of any number of things in a few kilobytes."""

from __future__ import annotations

import math

import numpy as np

_LEAST_S, _MOST_S, _STEP = 1e-5, 1e4, 1.01


class Latencies:
    """A histogram of seconds from 10 µs to some hours, each bucket 1 % wide: so exact are its quantiles."""

    def __init__(self) -> None:
        self._counts = np.zeros(math.ceil(math.log(_MOST_S / _LEAST_S) / math.log(_STEP)) + 1, dtype=np.int64)

    def add(self, seconds: float) -> None:
        """Count one; what lies outside the range counts at its end."""
        place = math.log(max(seconds, _LEAST_S) / _LEAST_S) / math.log(_STEP)
        self._counts[min(int(place), self._counts.size - 1)] += 1

    @property
    def count(self) -> int:
        """Return how many were counted."""
        return int(self._counts.sum())

    def quantile(self, share: float) -> float | None:
        """Return in seconds what a share of all, 0 to 1, does not exceed; None without any."""
        if not self.count:
            return None
        below = np.cumsum(self._counts)
        bucket = int(np.searchsorted(below, max(1, math.ceil(share * self.count))))
        return _LEAST_S * _STEP ** (bucket + 0.5)

    def to_json(self) -> dict[str, float | None]:
        """Return median, p95 and p99 in milliseconds."""
        quantiles = {"median": 0.5, "p95": 0.95, "p99": 0.99}
        found = {name: self.quantile(share) for name, share in quantiles.items()}
        return {name: None if each is None else round(1000 * each, 2) for name, each in found.items()}
