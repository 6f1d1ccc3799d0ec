"""The hidden taste of a simulated listener, which no model is told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segue.dataset.tastes import World, born, skip_chance

SURE = 0.8
"""Chance of being heard to the end from which on a track fits a listener: four times in five."""

ALL = slice(None)


@dataclass(frozen=True, slots=True)
class Taste:
    """What one listener likes of a world of n tracks; kept by genre and artist, to be small.

    Attributes
    ----------
    by_genre, by_artist
        float32[genres] and float32[artists]: log preference.
    level
        Log of the mean preference over the catalogue.
    share
        Share of the catalogue that fits, 0 to 1: what a random list would hit.
    """

    world: World
    by_genre: np.ndarray
    by_artist: np.ndarray
    level: float
    share: float

    def affinity(self, tracks: np.ndarray | slice = ALL) -> np.ndarray:
        """Return float32[m]: log preference for tracks by their positions, popularity left out."""
        return self.by_genre[self.world.genre[tracks]] + self.by_artist[self.world.artist[tracks]]

    def fit(self, tracks: np.ndarray | slice = ALL) -> np.ndarray:
        """Return float32[m]: how much more each track is liked than the catalogue's mean, in logarithms."""
        return self.affinity(tracks) - np.float32(self.level)

    def fits(self, tracks: np.ndarray | slice = ALL) -> np.ndarray:
        """Return bool[m]: whether a track is heard to the end with a chance of at least `SURE`."""
        return np.asarray(1 - skip_chance(self.fit(tracks)) >= SURE)


def taste_of(world: World, seed: int, number: int) -> Taste:
    """Return the taste that listener ``number``, from 0, has in `segue.dataset.listening.simulate`."""
    by_genre, by_artist = (each.astype(np.float32) for each in world.taste(born(seed, number)))
    preference = np.exp(by_genre[world.genre] + by_artist[world.artist])
    level = float(np.log(preference.mean(dtype=np.float64)))
    known = Taste(world, by_genre, by_artist, level, 0.0)
    return Taste(world, by_genre, by_artist, level, float(known.fits().mean()))
