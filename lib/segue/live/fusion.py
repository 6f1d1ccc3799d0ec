"""Several rankings made one, and which of them brought a track how far up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

TOP = 4.0
"""The constant of reciprocal rank fusion: the smaller, the more the first places of each ranking count."""

NOW, TASTE = 1.0, 10.0
"""Half-lives of a listener's tracks in the two rankings by sound, in tracks touched since."""

AVERSION = 0.5
"""A disliked track takes from its neighbours this share of what the only track of a taste adds to them."""

LEAST = 1 / (TOP + 250)
"""The rankings by sound end where a place adds less than this to either."""


class Near(Protocol):
    """Tells what is near each of a listener's tracks: see `segue.live.nearby.Nearby`."""

    @property
    def depth(self) -> int:
        """Return how many neighbours each has at most."""

    def first(self, seeds: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Return int64[sum(counts)]: the ``counts`` nearest of each of int64[s] seeds, best first."""

    def besides(self, seeds: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what stands among the same neighbours too, without taking a rank from others.

        int64[c] each: which of the seeds, the rank, and what.
        """


_NONE = np.empty(0, dtype=np.int64)


class Seeds(NamedTuple):
    """Some of a listener's tracks, distinct, the one touched last at the end.

    Attributes
    ----------
    places
        int64[s] catalogue positions.
    weights
        float[s], above 0: how strongly each is liked, or avoided.
    in_session
        bool[s]: which were touched in the present session.
    """

    places: np.ndarray
    weights: np.ndarray
    in_session: np.ndarray


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
    less
        float64[c]: what is taken from it for being near what the listener avoids.
    """

    places: np.ndarray
    sound: np.ndarray
    others: np.ndarray
    seed: np.ndarray
    less: np.ndarray

    @property
    def scores(self) -> np.ndarray:
        """Return float64[c]: the fused score, above 0."""
        found: np.ndarray = self.sound + self.others - self.less
        return found


class Fusion:
    """Reciprocal rank fusion (Cormack, Clarke and Buettcher 2009) over a catalogue of n tracks.

    Three rankings weigh the same: near in sound to what the listener did just now, near in sound to what they
    did over time, and what others with their taste play. In a ranking by sound a track's place is that among
    the neighbours of the listener's track which brings it furthest up, each with a share that halves with
    every `NOW` or `TASTE` tracks touched since. So one like always shows, and a taste is not forgotten. What
    is near a track that was disliked or broken off loses likewise, by the strongest of these; what has
    nothing left is not named.

    `benchmarks.lists` (106,574 simulated tracks, 300 simulated listeners of 30 tracks each that no model was
    fitted on): a like of an arbitrary track that begins a session changes 6.0 of the first ten and is named
    in every list; nDCG@10 of the further tracks is .697, that of the ranking by others alone .725, of
    popularity .302: the difference is the price of being heard at once.

    Only the tracks that are named are worked on. What tells equal ones apart is kept between lists, so a
    fusion makes one list at a time.
    """

    def __init__(self, n: int) -> None:
        self._slot = np.zeros(n, dtype=np.int64)

    def fuse(self, likes: Seeds, avoided: Seeds, near: Near | None, others: np.ndarray) -> Fused:
        """Return the fused ranking.

        Parameters
        ----------
        likes
            The listener's tracks that speak for what is near them.
        avoided
            Those that speak against it.
        near
            Knows what is near each; without it there is no ranking by sound.
        others
            int64[r]: the ranking by what others play, best first.
        """
        fused = self._with_others(*self._by_sound(likes, near), others)
        if near is None or not (avoided.places.size and fused.places.size):
            return fused
        row, rank, places = named(near, avoided.places, AVERSION * avoided.weights)
        slot = self._slots(np.concatenate([fused.places, places]))
        taken = np.zeros(slot.size)
        np.maximum.at(taken, slot[fused.places.size :], AVERSION * avoided.weights[row] * _reciprocal(rank))
        less = taken[slot[: fused.places.size]]
        left = fused.scores > less
        return Fused(fused.places[left], fused.sound[left], fused.others[left], fused.seed[left], less[left])

    def _with_others(
        self, places: np.ndarray, sound: np.ndarray, seed: np.ndarray, others: np.ndarray
    ) -> Fused:
        added = _reciprocal(np.arange(others.size))
        slot = self._slots(np.concatenate([places, others]))
        # Where a place is in both, both have the slot that was written last.
        where = np.full(slot.size, -1)
        where[slot[: places.size]] = np.arange(places.size)
        where = where[slot[places.size :]]
        named, further = where >= 0, where < 0
        by_others = np.zeros(places.size)
        by_others[where[named]] = added[named]
        count = int(np.count_nonzero(further))
        return Fused(
            np.concatenate([places, others[further]]),
            np.concatenate([sound, np.zeros(count)]),
            np.concatenate([by_others, added[further]]),
            np.concatenate([seed, np.full(count, -1)]),
            np.zeros(places.size + count),
        )

    def _by_sound(self, likes: Seeds, near: Near | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the places of both rankings by sound, what they add to each, and the seed that does."""
        if near is None or not likes.places.size:
            return _NONE, np.empty(0), _NONE
        share = shares(likes)
        row, rank, places = named(near, likes.places, share.max(axis=0))
        now, taste = share[:, row] * _reciprocal(rank)
        slot = self._slots(places)
        best_now, best_taste = (_best(value, slot) for value in (now, taste))
        won = np.where(best_now >= best_taste, now == best_now, taste == best_taste)
        # Of seeds that add the same the oldest is named: what is written last stays.
        winners = np.flatnonzero(won)[::-1]
        last = np.empty(places.size, dtype=np.int64)
        last[slot[winners]] = winners
        winners = winners[last[slot[winners]] == winners]
        return places[winners], (best_now + best_taste)[winners], likes.places[row[winners]]

    def _slots(self, places: np.ndarray) -> np.ndarray:
        """Return int64[c]: a number below c for each of int64[c] places, equal for equal ones only."""
        self._slot[places] = np.arange(places.size)
        return self._slot[places]


def _best(values: np.ndarray, slot: np.ndarray) -> np.ndarray:
    """Return float64[c]: the largest of float64[c] values, above 0, in each one's slot."""
    best = np.zeros(values.size)
    np.maximum.at(best, slot, values)
    return best[slot]


def shares(likes: Seeds) -> np.ndarray:
    """Return float64[2, s]: the share of each seed in the ranking of `NOW` and in that of `TASTE`.

    In the ranking of `NOW` only the tracks of the session count, if there are any.
    """
    age = np.arange(likes.places.size)[::-1]
    found = likes.weights * 2.0 ** (-age / np.array([[NOW], [TASTE]]))
    if likes.in_session.any():
        found[0] *= likes.in_session
    return found / found.sum(axis=1, keepdims=True)


def named(near: Near, seeds: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the neighbours to which a seed of such a share adds `LEAST` or more.

    int64[c] each: which of int64[s] ``seeds``, the rank among its neighbours, the position.
    """
    count = np.clip(np.floor(share / LEAST - TOP), 0, near.depth).astype(np.int64)
    row = np.repeat(np.arange(share.size), count)
    rank = np.arange(row.size) - np.repeat(np.cumsum(count) - count, count)
    found = (row, rank, near.first(seeds, count))
    besides = near.besides(seeds, count)
    if not besides[0].size:
        return found
    reached = share[besides[0]] * _reciprocal(besides[1]) >= LEAST
    row, rank, places = (np.concatenate([old, new[reached]]) for old, new in zip(found, besides, strict=True))
    return row, rank, places


def _reciprocal(rank: np.ndarray) -> np.ndarray:
    return 1 / (TOP + 1 + rank)
