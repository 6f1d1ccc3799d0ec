"""How much a play counts: from raw play counts to weights that a factorisation can use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Weighting = Literal["percentile", "log", "binary", "raw"]


def weigh(values: np.ndarray, listeners: np.ndarray | None, weighting: Weighting) -> np.ndarray:
    """Return float32[r]: the weight of each play count.

    - ``percentile``: (1 + 3 p) / 2.5, with p the mid-rank of the count among this listener's own, as a
      share; its mean is 1 for every listener, and one loud habit cannot drown the rest;
    - ``log``: ln(1 + count); ``binary``: 1; ``raw``: the count itself.

    Values of 0 or below mean dislike, whatever the weighting: they become -1, those between 0 and -1, a weak
    dislike, stay as they are.

    Parameters
    ----------
    values
        float[r]: play counts or ratings.
    listeners
        int[r]: whose each value is; None where all are one listener's.
    """
    values = np.asarray(values, dtype=np.float64)
    liked = values > 0
    weights = np.where(values < 0, np.maximum(values, -1.0), -1.0)
    if weighting == "percentile":
        own = values[liked]
        share = _own_share(own) if listeners is None else _mid_rank_share(own, np.asarray(listeners)[liked])
        weights[liked] = (1 + 3 * share) / 2.5
    elif weighting == "log":
        weights[liked] = np.log1p(values[liked])
    elif weighting == "binary":
        weights[liked] = 1.0
    else:
        weights[liked] = values[liked]
    return weights.astype(np.float32)


def weigh_matrix(plays: csr_matrix, weighting: Weighting) -> csr_matrix:
    """Return a new float32[m, n]: `weigh` of plays in CSR form, a listener a row."""
    weights = plays.copy()
    listeners = np.repeat(np.arange(plays.shape[0]), np.diff(plays.indptr))
    weights.data = weigh(plays.data, listeners, weighting)
    return weights


def bm25(plays: csr_matrix, *, k1: float = 1.2, b: float = 0.75) -> csr_matrix:
    """Return a new float32[m, n]: plays in CSR form weighed by BM25 (Robertson and Zaragoza 2009).

    Tracks are the documents and listeners the terms: a count c of a listener with n_u of the n tracks, on a
    track with the sum of counts l, mean over tracks L, becomes

        ln(1 + (n - n_u + 1/2) / (n_u + 1/2)) c (k1 + 1) / (c + k1 (1 - b + b l / L))

    Values of 0 or below mean dislike and become -1.
    """
    weights = plays.astype(np.float64)
    counts = np.maximum(plays.data, 0).astype(np.float64)
    length = np.bincount(plays.indices, counts, minlength=plays.shape[1])
    long = k1 * (1 - b + b * length / max(length.mean(), np.finfo(float).tiny))[plays.indices]
    own = np.diff(plays.indptr)
    rarity = np.log1p((plays.shape[1] - own + 0.5) / (own + 0.5))
    found = np.repeat(rarity, own) * counts * (k1 + 1) / np.where(counts > 0, counts + long, 1)
    weights.data = np.where(plays.data > 0, found, -1)
    return weights.astype(np.float32)


def _own_share(values: np.ndarray) -> np.ndarray:
    """Return float64[r]: `_mid_rank_share` of a single group."""
    ordered = np.sort(values)
    first, behind = ordered.searchsorted(values), ordered.searchsorted(values, "right")
    return (first + behind) / 2 / max(values.size, 1)


def _mid_rank_share(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return float64[r]: (rank - 1/2) / size within the group, equal values sharing their mean rank."""
    if not values.size:
        return values
    order = np.lexsort((values, groups))
    sorted_groups, sorted_values = groups[order], values[order]
    new_group = np.r_[True, sorted_groups[1:] != sorted_groups[:-1]]
    new_tie = new_group | np.r_[True, sorted_values[1:] != sorted_values[:-1]]
    group_start, tie_start = np.flatnonzero(new_group), np.flatnonzero(new_tie)
    group, tie = np.cumsum(new_group) - 1, np.cumsum(new_tie) - 1
    tie_end = np.r_[tie_start[1:], values.size]
    size = np.diff(np.r_[group_start, values.size])
    middle = (tie_start[tie] + tie_end[tie]) / 2 - group_start[group]
    share = np.empty(values.size)
    share[order] = middle / size[group]
    return share
