"""A list with its reasons as JSON, written byte by byte: see `segue.live.reasons`."""

from __future__ import annotations

import numpy as np
from numba import njit

NEAR, LISTENERS, WHOLE = 0, 1, 2
"""Kinds of reasons: near a track, of a track's listeners, or a text that is there as a whole."""

MOST_WORDS = 3
"""Numbers of the prints of two tracks that are told."""

(
    TRACK, SCORE, NEAR_OF, NEAR_TEXT, COLON, END, LISTENERS_OF, LISTENERS_TEXT, LISTENERS_END, WHY, CLOSE,
    AND, ALIKE, WORDS,
) = range(14)  # fmt: skip
"""Phrases by number; of the words the one for more of a number is followed by that for less."""

_I, _B = "int64[::1]", "uint8[::1]"
_MICRO = 1_000_000


@njit
def _put(out, at, text, start, stop):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        out[at] = text[i]
        at += 1
    return at


@njit
def _say(out, at, phrases, number):  # type: ignore[no-untyped-def]
    """Put a phrase; the first number of each pair in ``phrases`` is where it starts."""
    text, bounds = phrases
    return _put(out, at, text, bounds[number], bounds[number + 1])


@njit
def _digits(out, at, value):  # type: ignore[no-untyped-def]
    if value < 0:
        out[at] = ord("-")
        at, value = at + 1, -value
    first = at
    while True:
        out[at] = ord("0") + value % 10
        at, value = at + 1, value // 10
        if not value:
            break
    for i in range((at - first) // 2):
        out[first + i], out[at - 1 - i] = out[at - 1 - i], out[first + i]
    return at


@njit
def _decimal(out, at, micro):  # type: ignore[no-untyped-def]
    """Put a number of millionths with as many decimals as it needs, at least one."""
    if micro < 0:
        out[at] = ord("-")
        at, micro = at + 1, -micro
    at = _digits(out, at, micro // _MICRO)
    rest, place = micro % _MICRO, _MICRO // 10
    out[at] = ord(".")
    at += 1
    while True:
        out[at] = ord("0") + rest // place
        at, rest, place = at + 1, rest % place, place // 10
        if not rest:
            return at


@njit
def _compared(out, at, phrases, print_of, print_with, least):  # type: ignore[no-untyped-def]
    """Put in which numbers two prints differ most, each by ``least`` or more."""
    said = np.zeros(print_of.size, np.bool_)
    for turn in range(MOST_WORDS):
        most, best = -1, np.int64(0)
        for i in range(print_of.size):
            far = abs(np.int64(print_of[i]) - print_with[i])
            if not said[i] and far > best:
                most, best = i, far
        if most < 0 or best < least:
            break
        said[most] = True
        if turn:
            at = _say(out, at, phrases, AND)
        at = _say(out, at, phrases, WORDS + 2 * most + (print_of[most] < print_with[most]))
    return at if said.any() else _say(out, at, phrases, ALIKE)


@njit
def _numbers(out, at, values):  # type: ignore[no-untyped-def]
    """Put those numbers that are not below zero, with commas."""
    first = True
    for value in values:
        if value >= 0:
            if not first:
                out[at] = ord(",")
                at += 1
            at, first = _digits(out, at, value), False
    return at


@njit(
    f"{_B}({_I}, {_I}, uint8[::1], int64[:, ::1], {_I}, {_I}, {_B}, int64[:, ::1], int16[:, ::1], {_B},"
    f" {_B}, int64[:, ::1], {_B}, {_I}, int64)",
    cache=True,
)
def tell(
    track_ids: np.ndarray,
    micro: np.ndarray,
    kinds: np.ndarray,
    because: np.ndarray,
    own: np.ndarray,
    told_of: np.ndarray,
    titles: np.ndarray,
    title_bounds: np.ndarray,
    prints: np.ndarray,
    has_print: np.ndarray,
    whole: np.ndarray,
    whole_bounds: np.ndarray,
    phrases: np.ndarray,
    phrase_bounds: np.ndarray,
    least: int,
) -> np.ndarray:
    """Return uint8[b]: the JSON of a list of k items.

    Parameters
    ----------
    track_ids, micro
        int64[k] each: what is recommended, and its score in millionths.
    kinds
        uint8[k]: `NEAR`, `LISTENERS` or `WHOLE`.
    because
        int64[k, m]: ids of the tracks that each rests on, negative where there are fewer.
    own, told_of
        int64[k] each: which label is the item's, and which is told of; for `WHOLE` which whole text is.
    titles, title_bounds
        uint8[t], and int64[l, 2]: where the title of each label starts and ends in it, escaped for JSON.
    prints, has_print
        int16[l, p] numbers of each label's print, and uint8[l]: whether it has one.
    whole, whole_bounds
        As the titles: whole reasons.
    phrases, phrase_bounds
        uint8[c] and int64[p + 1]: the phrases one after the other.
    least
        By how much two prints must differ in a number that is told.
    """
    said = (phrases, phrase_bounds)
    size = 2
    for i in range(track_ids.size):
        bounds = whole_bounds if kinds[i] == WHOLE else title_bounds
        size += 2 * phrases.size + 20 * (3 + because.shape[1]) + bounds[told_of[i], 1] - bounds[told_of[i], 0]
    out = np.empty(size, np.uint8)
    out[0] = ord("[")
    at = 1
    for i in range(track_ids.size):
        if i:
            out[at] = ord(",")
            at += 1
        at = _digits(out, _say(out, at, said, TRACK), track_ids[i])
        at = _decimal(out, _say(out, at, said, SCORE), micro[i])
        bounds = whole_bounds if kinds[i] == WHOLE else title_bounds
        start, stop = bounds[told_of[i], 0], bounds[told_of[i], 1]
        if kinds[i] == WHOLE:
            at = _put(out, _say(out, at, said, WHY), whole, start, stop)
            at = _say(out, at, said, CLOSE)
        elif kinds[i] == NEAR:
            at = _numbers(out, _say(out, at, said, NEAR_OF), because[i, :1])
            at = _put(out, _say(out, at, said, NEAR_TEXT), titles, start, stop)
            if has_print[own[i]] and has_print[told_of[i]]:
                at = _say(out, at, said, COLON)
                at = _compared(out, at, said, prints[own[i]], prints[told_of[i]], least)
            at = _say(out, at, said, END)
        else:
            at = _numbers(out, _say(out, at, said, LISTENERS_OF), because[i])
            at = _put(out, _say(out, at, said, LISTENERS_TEXT), titles, start, stop)
            at = _say(out, at, said, LISTENERS_END)
    out[at] = ord("]")
    return out[: at + 1].copy()
