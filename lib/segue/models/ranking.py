"""From scores to the first k, exactly and always in the same order."""

from __future__ import annotations

import numpy as np

GROUPS = 64
"""Scores are grouped by so many; the k-th largest of the groups' maxima bounds the k-th score from below."""


def tie_order(track_ids: np.ndarray) -> np.ndarray:
    """Return uint64[n]: a fixed scrambling of the ids that orders equal scores.

    Ids often follow age or discovery, so breaking ties by id would favour some tracks; the finaliser of
    splitmix64 (Steele, Lea and Flood 2014) does not.
    """
    z = np.asarray(track_ids, dtype=np.int64).view(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def top_k(scores: np.ndarray, k: int, tie: np.ndarray) -> np.ndarray:
    """Return int64[at most k]: positions of the highest scores, best first, equal ones by ``tie``.

    Positions whose score is ``-inf`` are never returned.

    Parameters
    ----------
    scores
        float[n].
    k
        How many are wanted; may exceed n.
    tie
        uint64[n] as `tie_order` gives it.
    """
    if k < 1:
        return np.empty(0, dtype=np.int64)
    places = _at_least(scores, k)
    own = scores[places]
    if k < places.size:
        threshold = np.partition(own, places.size - k)[places.size - k]
        better, equal = places[own > threshold], places[own == threshold]
        missing = k - better.size
        if missing < equal.size:
            equal = equal[np.argpartition(tie[equal], missing - 1)[:missing]]
        places = np.concatenate([better, equal])
        own = scores[places]
    order = np.lexsort((tie[places], -own))
    return places[order[: np.count_nonzero(own > -np.inf)]]


def _at_least(scores: np.ndarray, k: int) -> np.ndarray:
    """Return int64: the positions of the k highest scores and of some more, soon found."""
    width = scores.size // GROUPS
    if width < 4 * k:
        return np.arange(scores.size)
    maxima = scores[: GROUPS * width].reshape(GROUPS, width).max(axis=0)
    return np.flatnonzero(scores >= np.partition(maxima, width - k)[width - k])
