"""The hidden taste of a simulated listener, which no model is told."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from segue.dataset.tastes import World, born, skip_chance

SURE = 0.8
"""Chance of being heard to the end from which on a track fits a listener: four times in five."""

ALL = slice(None)

_KEPT_BYTES = 64 << 20
_LEAST_KEPT = 64


@dataclass(frozen=True, slots=True)
class Taste:
    """What one listener likes of a world of n tracks; kept by genre and artist, to be small.

    Attributes
    ----------
    by_genre, by_artist
        float32[genres] and float32[artists]: log preference.
    level
        Log of the mean preference over the catalogue.
    """

    world: World
    by_genre: np.ndarray
    by_artist: np.ndarray
    level: float

    def affinity(self, tracks: np.ndarray | slice = ALL) -> np.ndarray:
        """Return float32[m]: log preference for tracks by their positions, popularity left out."""
        return self.by_genre[self.world.genre[tracks]] + self.by_artist[self.world.artist[tracks]]

    def fit(self, tracks: np.ndarray | slice = ALL) -> np.ndarray:
        """Return float32[m]: how much more each track is liked than the catalogue's mean, in logarithms."""
        return self.affinity(tracks) - np.float32(self.level)

    def fits(self, tracks: np.ndarray | slice = ALL) -> np.ndarray:
        """Return bool[m]: whether a track is heard to the end with a chance of at least `SURE`."""
        return fitting(self.fit(tracks))


def fitting(fit: np.ndarray) -> np.ndarray:
    """Return bool[m]: whether tracks with float[m] fit are heard to the end often enough to be hits."""
    return np.asarray(1 - skip_chance(fit) >= SURE)


class Tastes:
    """The tastes of all simulated listeners of a world, each made when it is asked for.

    At most some 64 MiB of them are kept; one that is asked for again is made again, and the same.

    Parameters
    ----------
    world, seed
        Those of `segue.dataset.listening.simulate`: listener ``number``, from 0, has the taste there.
    """

    def __init__(self, world: World, seed: int) -> None:
        self.world, self._seed = world, seed
        pairs = world.genre.astype(np.int64) * world.artists + world.artist
        kinds, count = np.unique(pairs, return_counts=True)
        self._genre, self._artist = np.divmod(kinds, world.artists)
        self._part = (count / count.sum()).astype(np.float32)
        self._known: dict[int, tuple[float, float]] = {}
        kept = max(_LEAST_KEPT, _KEPT_BYTES // (4 * (world.genres + world.artists)))
        self.of = lru_cache(kept)(self._make)

    def share(self, number: int) -> float:
        """Return the share of the catalogue that fits a listener, 0 to 1: what a random list would hit."""
        if number not in self._known:
            self.of(number)
        return self._known[number][1]

    def _make(self, number: int) -> Taste:
        by_genre, by_artist = (each.astype(np.float32) for each in self.world.taste(born(self._seed, number)))
        if number not in self._known:
            affinity = by_genre[self._genre] + by_artist[self._artist]
            level = float(np.log(self._part @ np.exp(affinity)))
            self._known[number] = level, float(self._part @ fitting(affinity - np.float32(level)))
        return Taste(self.world, by_genre, by_artist, self._known[number][0])
