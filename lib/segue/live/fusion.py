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


class Seeds(NamedTuple):
    """Some of a listener's tracks, distinct, the one touched last at the end.

    Attributes
    ----------
    places
        int64[s] catalogue positions.
    weights
        float64[s], above 0: how strongly each is liked, or avoided.
    in_session
        bool[s]: which were touched in the present session.
    """

    places: np.ndarray
    weights: np.ndarray
    in_session: np.ndarray


_NONE = np.empty(0, dtype=np.int64)
NOBODY = Seeds(_NONE, np.empty(0), np.empty(0, dtype=bool))
"""No tracks at all."""


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

    Only the tracks that are named are worked on, in one compiled pass (`segue.live.kernels.fuse`). Its
    scratch is kept between lists, so a fusion makes one at a time.
    """

    def __init__(self, n: int) -> None:
        from segue.live import kernels

        self._fuse = kernels.fuse
        self._slot = np.zeros(n, dtype=np.int32)

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
        if near is None:
            likes = avoided = NOBODY
        share = shares(likes)
        aversion = AVERSION * avoided.weights
        return Fused(
            *self._fuse.merge(
                self._slot,
                share,
                likes.places,
                *self._named(near, likes.places, share),
                aversion,
                *self._named(near, avoided.places, aversion[None, :]),
                others,
            )
        )

    def _named(
        self, near: Near | None, seeds: np.ndarray, share: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return how many neighbours of each seed count, which, and what stands beside them."""
        if near is None or not seeds.size:
            return _NONE, _NONE, _NONE, _NONE, _NONE
        counts = self._fuse.reach(share, near.depth)
        return counts, near.first(seeds, counts), *near.besides(seeds, counts)


def shares(likes: Seeds) -> np.ndarray:
    """Return float64[2, s]: the share of each seed in the ranking of `NOW` and in that of `TASTE`.

    In the ranking of `NOW` only the tracks of the session count, if there are any.
    """
    from segue.live.kernels import fuse

    found: np.ndarray = fuse.shares(likes.weights, likes.in_session)
    return found
