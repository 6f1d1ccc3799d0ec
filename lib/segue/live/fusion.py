"""Several rankings made one, and which of them brought a track how far up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

TOP = 4.0
"""The constant of reciprocal rank fusion: the smaller, the more the first places of each ranking count."""

NOW, TASTE = 1.0, 10.0
"""Half-lives of a listener's tracks in the two rankings by sound, in tracks touched since."""

LEAST = 1 / (TOP + 800)
"""A ranking by sound ends where a place would add less: a fortieth of what makes the first ten of a list."""


class Near(Protocol):
    """Tells what is near each of a listener's tracks: see `segue.live.nearby.Nearby`."""

    @property
    def depth(self) -> int:
        """Return how many neighbours each has at most."""

    def at(self, seeds: np.ndarray, ranks: np.ndarray) -> np.ndarray:
        """Return int[c]: what stands at int64[c] ranks, 0 the nearest, among the neighbours of each seed."""

    def besides(self, seeds: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what stands among the neighbours of int64[s] seeds too, without taking a rank from others.

        int64[c] each: which of the seeds, the rank, and what.
        """


@dataclass(frozen=True, slots=True)
class Fused:
    """What the rankings say of the c tracks that they name.

    Attributes
    ----------
    places
        int64[c]: their catalogue positions, distinct.
    sound, others
        float64[c]: what the rankings by sound and by others add to each one's score, 0 outside them.
    seed
        int64[c]: position of the listener's track that ``sound`` rests on, -1 where it is 0.
    """

    places: np.ndarray
    sound: np.ndarray
    others: np.ndarray
    seed: np.ndarray

    @property
    def scores(self) -> np.ndarray:
        """Return float64[c]: the fused score."""
        return self.sound + self.others


class Fusion:
    """Reciprocal rank fusion (Cormack, Clarke and Buettcher 2009) over a catalogue of n tracks.

    Three rankings weigh the same: near in sound to what the listener did just now, near in sound to what they
    did over time, and what others with their taste play. In a ranking by sound a track's place is that among
    the neighbours of the listener's track which brings it furthest up, each with a share that halves with
    every `NOW` or `TASTE` tracks touched since. So one like always shows, and a taste is not forgotten.

    On the demo catalogue (290 simulated listeners of 17 tracks each, a fifth of their tracks held out) a like
    of an arbitrary further track changes 3.3 of the first ten and is named in 97 % of the lists; nDCG@10 is
    .267, that of ALS alone .263. With ``NOW`` as long as ``TASTE`` nDCG@10 is .279, and 38 % of the lists
    name the like nowhere: that is the price of being heard at once.

    Only the tracks that are named are worked on, on arrays of the catalogue's size that are kept and left
    zero, so one list at a time.
    """

    def __init__(self, n: int) -> None:
        self._best = np.zeros((2, n))
        self._owner = np.zeros((2, n), dtype=np.int64)
        self._others = np.zeros(n)
        self._index = np.zeros(n, dtype=np.int64)

    def fuse(self, seeds: np.ndarray, weights: np.ndarray, near: Near | None, others: np.ndarray) -> Fused:
        """Return the fused ranking.

        Parameters
        ----------
        seeds
            int64[s]: positions of the listener's tracks, distinct, the one touched last at the end.
        weights
            float[s], above 0: how much each is liked.
        near
            Knows what is near each seed; without it there is no ranking by sound.
        others
            int64[r]: the ranking by what others play, best first.
        """
        places, sound, seed = self._by_sound(seeds, weights, near)
        if not others.size:
            return Fused(places, sound, np.zeros(places.size), seed)
        self._others[others] = _reciprocal(np.arange(others.size))
        self._index[places] = 1
        further = others[self._index[others] == 0]
        self._index[places] = 0
        places = np.concatenate([places, further])
        by_others = self._others[places]
        self._others[others] = 0
        return Fused(
            places,
            np.concatenate([sound, np.zeros(further.size)]),
            by_others,
            np.concatenate([seed, np.full(further.size, -1)]),
        )

    def _by_sound(
        self, seeds: np.ndarray, weights: np.ndarray, near: Near | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the places of both rankings by sound, what they add to each, and the seed that does."""
        nothing = np.empty(0, dtype=np.int64)
        if near is None or not seeds.size:
            return nothing, np.empty(0), nothing
        named = []
        besides = near.besides(seeds)
        for best, owner, share in zip(self._best, self._owner, shares(weights), strict=True):
            row, rank = within_reach(share, near.depth)
            places = near.at(seeds[row], rank)
            if besides[0].size:
                reached = share[besides[0]] * _reciprocal(besides[1]) >= LEAST
                row, rank, places = (
                    np.concatenate([own, more[reached]])
                    for own, more in zip((row, rank, places), besides, strict=True)
                )
            value = share[row] * _reciprocal(rank)
            np.maximum.at(best, places, value)
            # Of seeds that add the same the oldest is named: what is written last stays.
            won = np.flatnonzero(value == best[places])[::-1]
            owner[places[won]] = seeds[row[won]]
            named.append(places)
        every = np.concatenate(named)
        self._index[every] = np.arange(every.size)
        places = every[self._index[every] == np.arange(every.size)].astype(np.int64)
        self._index[every] = 0
        now, taste = self._best[:, places]
        seed = np.where(now >= taste, *self._owner[:, places])
        self._best[:, places] = 0
        return places, now + taste, seed


def shares(weights: np.ndarray) -> np.ndarray:
    """Return float64[2, s]: the share of each seed in the ranking of `NOW` and in that of `TASTE`."""
    age = np.arange(weights.size)[::-1]
    found = weights * 2.0 ** (-age / np.array([[NOW], [TASTE]]))
    return found / found.sum(axis=1, keepdims=True)


def within_reach(share: np.ndarray, depth: int) -> tuple[np.ndarray, np.ndarray]:
    """Return int64[c] seeds by number and int64[c] ranks of their neighbours that add `LEAST` or more."""
    count = np.clip(np.floor(share / LEAST - TOP), 0, depth).astype(np.int64)
    row = np.repeat(np.arange(share.size), count)
    return row, np.arange(row.size) - np.repeat(np.cumsum(count) - count, count)


def _reciprocal(rank: np.ndarray) -> np.ndarray:
    return 1 / (TOP + 1 + rank)
