"""The rules of a list as one pass over a ranking, which is read no further than they need."""

from __future__ import annotations

import numpy as np
from numba import njit

from segue.models.data import UNKNOWN_ARTIST
from segue.models.kernels.pick import foremost

_I, _F, _U = "int64[::1]", "float64[::1]", "uint64[::1]"
_FUSED, _HELD = 2, 1
# Times k: so much of the ranking is put in order first, which is enough for nearly every list.
_FIRST = 4


@njit
def _may_stand(place, chosen, count, artist_ids, per_artist, window):  # type: ignore[no-untyped-def]
    """Tell whether a track may stand at ``count``, as the cap of its artist allows."""
    artist, found = artist_ids[place], 0
    if artist == UNKNOWN_ARTIST:
        return True
    for i in range(max(0, count - window + 1), count):
        found += artist_ids[chosen[i]] == artist
    return found < per_artist


@njit
def _fill(chosen, slots, count, places, order, further, mark, rules):  # type: ignore[no-untyped-def]
    """Add to the list until it is full or nothing may follow, and return how long it is.

    Read are the ``places`` in their ``order``, then the unmarked of ``further``. What the cap of an artist
    holds back waits, in order, until the artist may stand again.
    """
    artist_ids, recordings, taken, per_artist, window = rules
    waiting, waits, read = np.empty((order.size + further.size, 2), np.int64), 0, 0
    while count < chosen.size:
        place = slot = -1
        for i in range(waits):
            if _may_stand(waiting[i, 0], chosen, count, artist_ids, per_artist, window):
                place, slot = waiting[i, 0], waiting[i, 1]
                waits -= 1
                for j in range(i, waits):
                    waiting[j] = waiting[j + 1]
                break
        while place < 0 and read < order.size + further.size:
            if read < order.size:
                slot = order[read]
                candidate = places[slot]
            else:
                slot, candidate = -1, further[read - order.size]
            read += 1
            if taken[recordings[candidate]] or (slot < 0 and mark[candidate]):
                continue
            if _may_stand(candidate, chosen, count, artist_ids, per_artist, window):
                place = candidate
            else:
                waiting[waits, 0], waiting[waits, 1] = candidate, slot
                waits += 1
        if place < 0:
            break
        if not taken[recordings[place]]:
            chosen[count], slots[count] = place, slot
            taken[recordings[place]] = 1
            count += 1
    return count


@njit
def _heard(places, order, mark):  # type: ignore[no-untyped-def]
    return np.array([mark[place] == _HELD for place in places[order]], dtype=np.bool_)


@njit
def _choose_of_all(  # type: ignore[no-untyped-def]
    chosen, slots, places, scores, tie, held, anyone, rank_for_anyone, mark, rules
):
    """Fill the list where the first of the ranking do not; marks of ``places`` are gone in the end."""
    order = foremost(scores, tie, scores.size)
    is_heard = _heard(places, order, mark)
    for place in places:
        mark[place] |= _FUSED
    rest = held[np.array([mark[place] & _FUSED == 0 for place in held], dtype=np.bool_)]
    rest = rest[np.argsort(rank_for_anyone[rest], kind="mergesort")]
    count = _fill(chosen, slots, 0, places, order[~is_heard], anyone, mark, rules)
    for place in places:
        mark[place] = 0
    for place in held:
        mark[place] = 0
    return _fill(chosen, slots, count, places, order[is_heard], rest, mark, rules)


@njit(
    f"Tuple(({_I}, {_I}))({_I}, {_F}, {_U}, {_I}, {_I}, {_I}, {_I}, {_I}, {_I}, uint8[::1], uint8[::1],"
    " int64, int64, int64)",
    cache=True,
)
def choose(
    places: np.ndarray,
    scores: np.ndarray,
    tie: np.ndarray,
    held: np.ndarray,
    dropped: np.ndarray,
    anyone: np.ndarray,
    rank_for_anyone: np.ndarray,
    artist_ids: np.ndarray,
    recordings: np.ndarray,
    mark: np.ndarray,
    taken: np.ndarray,
    k: int,
    per_artist: int,
    window: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return int64[at most k] positions of a list, and where each stands in the fused ranking, -1 outside it.

    First what was not heard, by the fused ranking and then as it suits anyone; then what was heard, likewise.
    What the cap of an artist holds back waits, in order, until the artist may stand again; no recording is
    there twice, nor a copy of what is dropped.

    Parameters
    ----------
    places, scores, tie
        int64[c], float64[c] and uint64[c]: the fused ranking in any order, and what orders equal scores.
    held
        int64[h]: the positions that the listener has heard, distinct.
    dropped
        int64[d]: positions that are not chosen, nor copies of them.
    anyone, rank_for_anyone
        int64[a], best first, and int64[n], where each position stands in it.
    artist_ids, recordings
        int64[n] each, the recordings numbered from 0.
    mark, taken
        uint8[n] and uint8[number of recordings], all 0: scratch, all 0 again in the end.
    k, per_artist, window
        As `segue.models.rerank.RerankConfig` has them.
    """
    for place in held:
        mark[place] = _HELD
    for place in dropped:
        taken[recordings[place]] = 1
    chosen, slots = np.empty(k, np.int64), np.empty(k, np.int64)
    rules = (artist_ids, recordings, taken, per_artist, window)
    order = foremost(scores, tie, _FIRST * k)
    count = _fill(chosen, slots, 0, places, order[~_heard(places, order, mark)], anyone[:0], mark, rules)
    if count < k:
        for place in chosen[:count]:
            taken[recordings[place]] = 0
        count = _choose_of_all(chosen, slots, places, scores, tie, held, anyone, rank_for_anyone, mark, rules)
    for place in held:
        mark[place] = 0
    for place in dropped:
        taken[recordings[place]] = 0
    for place in chosen[:count]:
        taken[recordings[place]] = 0
    return chosen[:count].copy(), slots[:count].copy()
