"""Which of many fingerprints are of one recording, found without comparing all with all.

Three stages: an index of keys names the pairs that may be copies, each is compared over all that the two
sounds have in common, and pairs are joined to groups as long as the whole group agrees.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from segue.audio.fingerprint import MAX_ERROR, Codes, compare

_MOMENTS = 3
_APART = 6
_BITS = 10
_KEYS = 192
_SURE_BITS = 12
_NEAR = 8
_HITS = 2
_SHIFTS = 3
_SPAN = 1 << 14
_WITNESSES = 6
_CLEARLY_OTHER = 3 * MAX_ERROR


class Pair(NamedTuple):
    """Two sounds of one recording, by position: the other begins at code ``shift`` of the one."""

    one: int
    other: int
    shift: int
    error: float
    compared: int


def find_pairs(prints: Sequence[Codes]) -> list[Pair]:
    """Return pairs that are copies of one recording, enough of them to join all that are.

    Time and memory grow with the number of sounds and not with its square, however many share a key: each
    is held only against the eight after it, so that many copies make a chain.
    """
    found = (_best(prints, *candidate) for candidate in _candidates(prints))
    return [pair for pair in found if pair is not None]


def join(prints: Sequence[Codes], pairs: Sequence[Pair]) -> list[list[int]]:
    """Return the groups that pairs make, positions ascending: unions, the surest pair first.

    A pair says where the sounds of one group stand in the other. If most of those that can be compared
    there clearly differ, the pair is left out: neither one wrong pair nor a snippet that two songs have in
    common makes one recording of two.
    """
    group = {i: _Group({i: 0}) for pair in pairs for i in (pair.one, pair.other)}
    for pair in sorted(pairs, key=lambda pair: (-pair.compared * (1 - pair.error), pair)):
        one, other = group[pair.one], group[pair.other]
        move = one.begins[pair.one] + pair.shift - other.begins[pair.other]
        if one is other or _contradicted(prints, one, other, move, pair):
            continue
        one.begins.update({i: begin + move for i, begin in other.begins.items()})
        group.update(dict.fromkeys(other.begins, one))
    return sorted({id(g): sorted(g.begins) for g in group.values() if len(g.begins) > 1}.values())


@dataclass(eq=False, slots=True)
class _Group:
    """Positions of sounds, and where each begins on the scale that they share."""

    begins: dict[int, int]


def _contradicted(prints: Sequence[Codes], one: _Group, other: _Group, move: int, link: Pair) -> bool:
    """Tell whether the sounds of two groups, but for those that link them, do not fit together."""
    alike = unlike = 0
    for i in list(one.begins)[:_WITNESSES]:
        for j in list(other.begins)[:_WITNESSES]:
            if (i, j) == (link.one, link.other):
                continue
            shift = other.begins[j] + move - one.begins[i]
            error = min((a.error for a in _around(prints[i], prints[j], [shift])), default=None)
            alike += error is not None and error <= _CLEARLY_OTHER
            unlike += error is not None and error > _CLEARLY_OTHER
    return unlike > alike


def _keys(codes: Codes) -> tuple[np.ndarray, np.ndarray]:
    """Return the keys of a sound, uint32[k], and the code at which each stands, int32[k].

    A key is the signs of ten neighbouring pairs of bands at three moments, and which ten: those of which
    most are sure, 192 at most.
    """
    count = max(0, len(codes) - (_MOMENTS - 1) * _APART)
    keys = np.zeros((3, count), np.uint32)
    sure = np.zeros((3, count), np.int64)
    mask = np.uint32((1 << _BITS) - 1)
    for part in range(3):
        low = np.uint32(part * _BITS + 1)
        keys[part] = np.uint32(part << (_MOMENTS * _BITS))
        for moment in range(_MOMENTS):
            then = slice(moment * _APART, moment * _APART + count)
            keys[part] |= (codes.sign[then] >> low & mask) << np.uint32(moment * _BITS)
            sure[part] += np.bitwise_count(codes.sure[then] >> low & mask)
    best = np.argsort(-sure.ravel(), kind="stable")[:_KEYS]
    best = best[sure.ravel()[best] >= _SURE_BITS]
    return keys.ravel()[best], (best % max(1, count)).astype(np.int32)


def _candidates(prints: Sequence[Codes]) -> Iterator[tuple[int, int, list[int]]]:
    """Yield pairs with several keys in common at one shift, and the shifts that most keys speak for."""
    pair, shift, hits = _hits(prints)
    order = np.lexsort((shift, -hits, pair))
    pair, shift = pair[order], shift[order]
    starts = np.flatnonzero(np.diff(pair, prepend=-1))
    for start, stop in zip(starts, np.append(starts, len(pair))[1:], strict=True):
        one, other = divmod(int(pair[start]), len(prints))
        yield one, other, shift[start : min(stop, start + _SHIFTS)].tolist()


def _hits(prints: Sequence[Codes]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return how many keys speak for a pair and a shift, give or take one, if several do: int64[m] each."""
    made = [_keys(codes) for codes in prints]
    key = np.concatenate([np.zeros(0, np.uint32), *(keys for keys, _ in made)])
    at = np.concatenate([np.zeros(0, np.int32), *(places for _, places in made)])
    owner = np.repeat(np.arange(len(made)), [len(keys) for keys, _ in made])
    order = np.argsort(key, kind="stable")
    key, at, owner = key[order], at[order], owner[order]
    found = [np.zeros(0, np.int64)]
    for step in range(1, _NEAR + 1):
        same = np.flatnonzero((key[step:] == key[:-step]) & (owner[step:] != owner[:-step]))
        pair = owner[same] * len(prints) + owner[same + step]
        found.append(pair * _SPAN + (at[same] - at[same + step] + _SPAN // 2))
    together = np.concatenate(found)
    found.clear()  # The largest arrays there are.
    agreed, counts = np.unique(together, return_counts=True)
    hits = counts.copy()
    beside = np.flatnonzero(np.diff(agreed) == 1)
    hits[beside] += counts[beside + 1]
    hits[beside + 1] += counts[beside]
    enough = hits >= _HITS
    pair, shift = np.divmod(agreed[enough], _SPAN)
    return pair, shift - _SPAN // 2, hits[enough]


def _best(prints: Sequence[Codes], one: int, other: int, shifts: Sequence[int]) -> Pair | None:
    """Return the pair at the shift at which it agrees best, or None if these are no copies."""
    found = _around(prints[one], prints[other], shifts)
    best = min(found, key=lambda a: a.error, default=None)
    return None if best is None or best.error > MAX_ERROR else Pair(one, other, *best)


class _At(NamedTuple):
    shift: int
    error: float
    compared: int


def _around(one: Codes, other: Codes, shifts: Sequence[int]) -> list[_At]:
    """Compare two sounds at the shifts and the codes beside them, where there is enough to tell by."""
    tried = {shift + by: None for shift in shifts for by in (0, -1, 1)}
    return [_At(shift, *held) for shift in tried if (held := compare(one, other, shift)) is not None]
