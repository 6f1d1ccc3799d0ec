"""The three rankings of a list made one: see `segue.live.fusion`."""

from __future__ import annotations

import numpy as np
from numba import njit

from segue.live.fusion import LEAST, NOW, TASTE, TOP

_I, _F = "int64[::1]", "float64[::1]"
_TABLE = "Array(int32, 2, 'C', readonly=True)"


@njit(f"float64[:, ::1]({_F}, boolean[::1])", cache=True)
def shares(weights: np.ndarray, in_session: np.ndarray) -> np.ndarray:
    """Return float64[2, s]: the share of each seed in the ranking of `NOW` and in that of `TASTE`."""
    size = weights.size
    found, sums = np.empty((2, size)), np.zeros(2)
    any_in_session = in_session.any()
    for i in range(size):
        age = size - 1 - i
        now = weights[i] * 2.0 ** (-age / NOW)
        found[0, i] = 0.0 if any_in_session and not in_session[i] else now
        found[1, i] = weights[i] * 2.0 ** (-age / TASTE)
        sums += found[:, i]
    for i in range(size):
        found[0, i] /= sums[0]
        found[1, i] /= sums[1]
    return found


@njit(f"{_I}(float64[:, ::1], int64)", cache=True)
def reach(share: np.ndarray, depth: int) -> np.ndarray:
    """Return int64[s]: to how many neighbours each seed adds `LEAST` or more, ``depth`` at most.

    ``share`` is float64[q, s]: that of each seed in q rankings, of which the largest counts.
    """
    counts = np.empty(share.shape[1], np.int64)
    for i in range(counts.size):
        counts[i] = min(max(np.floor(share[:, i].max() / LEAST - TOP), 0), depth)
    return counts


@njit(f"{_I}({_TABLE}, {_TABLE}, {_I}, {_I})", cache=True)
def gather(deep: np.ndarray, shallow: np.ndarray, seeds: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return int64[sum(counts)]: the first ``counts`` of each seed's row, the shallow one if it is enough.

    What a seed outside the tables is near to stays -1.
    """
    found, at = np.full(counts.sum(), -1), 0
    for i in range(seeds.size):
        if seeds[i] < len(shallow):
            table = shallow if counts[i] <= shallow.shape[1] else deep
            for rank in range(counts[i]):
                found[at + rank] = table[seeds[i], rank]
        at += counts[i]
    return found


@njit
def _reciprocal(rank: int) -> float:
    return 1 / (TOP + 1 + rank)


@njit
def _slot_of(slot: np.ndarray, places: np.ndarray, count: int, place: int) -> int:
    """Return where a place stands among the first ``count``, ``count`` if it does not."""
    found = slot[place]
    return found if found < count and places[found] == place else count


@njit
def _near(slot, places, seed, sound, found, place, own, share, rank):  # type: ignore[no-untyped-def]
    """Count a place at a rank among the neighbours of the seed ``own``; return how many places are named."""
    i = _slot_of(slot, places, found, place)
    if i == found:
        places[i], seed[:, i], slot[place] = place, own, i
        found += 1
    for ranking in range(2):
        value = share[ranking] * _reciprocal(rank)
        # Of seeds that add the same the oldest is named.
        if value > sound[ranking, i]:
            sound[ranking, i], seed[ranking, i] = value, own
    return found


@njit
def _take(less, i, value):  # type: ignore[no-untyped-def]
    """Take from the place at slot ``i``, if it is named, for being near an avoided track."""
    if i < less.size:
        less[i] = max(less[i], value)


_NEAR = f"{_I}, {_I}, {_I}, {_I}, {_I}"


@njit(
    f"Tuple(({_I}, {_F}, {_F}, {_I}, {_F}))(int32[::1], float64[:, ::1], {_I}, {_NEAR}, {_F}, {_NEAR}, {_I})",
    cache=True,
)
def merge(
    slot: np.ndarray,
    share: np.ndarray,
    seeds: np.ndarray,
    counts: np.ndarray,
    first: np.ndarray,
    besides_row: np.ndarray,
    besides_rank: np.ndarray,
    besides_place: np.ndarray,
    aversion: np.ndarray,
    avoided_counts: np.ndarray,
    avoided_first: np.ndarray,
    avoided_row: np.ndarray,
    avoided_rank: np.ndarray,
    avoided_place: np.ndarray,
    others: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the columns of `segue.live.fusion.Fused`.

    Parameters
    ----------
    slot
        int32[n], 0 or above: scratch, whatever it holds.
    share, seeds
        float64[2, s] of `shares`, and int64[s] positions of these seeds.
    counts, first, besides_row, besides_rank, besides_place
        How many neighbours of each seed count, these one after the other, and what stands beside them, as
        `segue.live.fusion.Near` gives it.
    aversion
        float64[a]: what each avoided track takes from the first of its neighbours, before the reciprocal.
    avoided_counts, avoided_first, avoided_row, avoided_rank, avoided_place
        The same of the avoided tracks.
    others
        int64[r]: the ranking by others, best first.
    """
    most = first.size + besides_row.size + others.size
    places, seed = np.empty(most, np.int64), np.empty((2, most), np.int64)
    sound, by_others, less = np.zeros((2, most)), np.zeros(most), np.zeros(most)
    found = at = 0
    for row in range(counts.size):
        for rank in range(counts[row]):
            found = _near(slot, places, seed, sound, found, first[at], seeds[row], share[:, row], rank)
            at += 1
    for i in range(besides_row.size):
        row, rank = besides_row[i], besides_rank[i]
        if share[:, row].max() * _reciprocal(rank) >= LEAST:
            found = _near(slot, places, seed, sound, found, besides_place[i], seeds[row], share[:, row], rank)
    for rank in range(others.size):
        i = _slot_of(slot, places, found, others[rank])
        if i == found:
            places[i], seed[:, i], slot[others[rank]] = others[rank], -1, i
            found += 1
        by_others[i] = _reciprocal(rank)
    at = 0
    for row in range(avoided_counts.size):
        for rank in range(avoided_counts[row]):
            _take(less, _slot_of(slot, places, found, avoided_first[at]), aversion[row] * _reciprocal(rank))
            at += 1
    for i in range(avoided_row.size):
        value = aversion[avoided_row[i]] * _reciprocal(avoided_rank[i])
        if value >= LEAST:
            _take(less, _slot_of(slot, places, found, avoided_place[i]), value)
    less = less[:found]
    left = np.flatnonzero(sound[0, :found] + sound[1, :found] + by_others[:found] > less)
    now, taste = sound[0][left], sound[1][left]
    return (
        places[left],
        now + taste,
        by_others[left],
        np.where(now >= taste, seed[0][left], seed[1][left]),
        less[left],
    )
