"""What lists are like, whether they hit or not: how much of the catalogue, how unexpected, how varied.

``ranked`` is int64[m, K]: item numbers of m lists, best first, -1 where a list is shorter.
"""

from __future__ import annotations

import numpy as np

_AT_ONCE = 256


def coverage(ranked: np.ndarray, items: int) -> float:
    """Return the share of a catalogue of ``items`` that stands in at least one list of ``ranked``."""
    return np.unique(ranked[ranked >= 0]).size / items


def gini(ranked: np.ndarray, items: int) -> float:
    """Return how unequally ``ranked`` shares its places among ``items``: 0 evenly, near 1 all to one item.

    The Gini coefficient of how often each item of the catalogue is listed, those never listed included.
    """
    counts = np.sort(np.bincount(ranked[ranked >= 0], minlength=items)).astype(np.float64)
    if not counts.sum():
        return 0.0
    rank = np.arange(1, items + 1)
    return float(((2 * rank - items - 1) * counts).sum() / (items * counts.sum()))


def novelty(ranked: np.ndarray, popularity: np.ndarray, listeners: int) -> np.ndarray:
    """Return float64[m]: the mean self-information of each list's items, in bits (Zhou et al. 2010).

    An item that a share p of the listeners has played has -log2 p bits; one that nobody has played counts as
    one that a single listener has, as its share cannot be told from smaller ones. An empty list has 0.

    Parameters
    ----------
    popularity
        float[n]: how many of the training's listeners have played each item.
    listeners
        How many listeners there are in training.
    """
    bits = -np.log2(np.maximum(popularity, 1.0) / max(listeners, 1))
    listed = ranked >= 0
    return np.where(listed, bits[ranked], 0.0).sum(axis=1) / np.maximum(listed.sum(axis=1), 1)


def intra_list_diversity(ranked: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Return float64[m]: 1 - cosine of features, mean over the pairs of each list (Ziegler et al. 2005).

    0 where all sound alike, 1 where they have nothing in common, up to 2. A list of fewer than two items
    has 0. An item whose features are all 0 has the cosine 0 with every other.

    Parameters
    ----------
    features
        float[n, d].
    """
    length = np.linalg.norm(features, axis=1, keepdims=True)
    unit = np.divide(features, length, out=np.zeros(features.shape, dtype=np.float64), where=length > 0)
    values = np.zeros(len(ranked))
    for start in range(0, len(ranked), _AT_ONCE):
        own = ranked[start : start + _AT_ONCE]
        listed = own >= 0
        rows = np.where(listed[..., None], unit[own], 0.0)
        whole = (rows.sum(axis=1) ** 2).sum(axis=1)
        single = (rows**2).sum(axis=(1, 2))
        pairs = listed.sum(axis=1) * (listed.sum(axis=1) - 1)
        cosine = np.divide(whole - single, pairs, out=np.ones(len(own)), where=pairs > 0)
        values[start : start + _AT_ONCE] = 1 - cosine
    return values
