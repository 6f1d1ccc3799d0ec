"""Ranking metrics, vectorised over listeners (or queries); relevance is binary.

All of them take ``hits``: bool[m, K], whether the item at each rank (best first) of each of m lists is
relevant, False where a list is shorter; and most of them ``relevant``: int[m], how many relevant items each
listener has in all, found or not. Each returns float64[m], one value a listener, so that intervals and
paired tests can be drawn over listeners.
"""

from __future__ import annotations

import numpy as np

from segue.errors import SegueError, UsageError


def hit_matrix(ranked: np.ndarray, relevant: list[np.ndarray]) -> np.ndarray:
    """Return bool[m, K]: which ranked items are relevant.

    Parameters
    ----------
    ranked
        int64[m, K]: item numbers best first, -1 where a list is shorter.
    relevant
        m arrays of the items that are relevant to each listener.
    """
    hits = np.zeros(ranked.shape, dtype=bool)
    for row, items in enumerate(relevant):
        hits[row] = np.isin(ranked[row], items) & (ranked[row] >= 0)
    return hits


def ndcg_at_k(hits: np.ndarray, relevant: np.ndarray, k: int) -> np.ndarray:
    """Return the discounted gain of the first k over that of the ideal list of min(k, relevant) items.

    The gain of rank i (from 1) is 1 / log2(i + 1) for a hit (Järvelin and Kekäläinen 2002).
    """
    hits, relevant = _checked(hits, relevant, k)
    discount = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(discount)[np.minimum(relevant, k) - 1]
    return hits[:, :k] @ discount[: hits.shape[1]] / ideal


def recall_at_k(hits: np.ndarray, relevant: np.ndarray, k: int) -> np.ndarray:
    """Return hits among the first k over min(k, relevant), so that 1 can be reached."""
    hits, relevant = _checked(hits, relevant, k)
    return hits[:, :k].sum(axis=1) / np.minimum(relevant, k)


def precision_at_k(hits: np.ndarray, relevant: np.ndarray, k: int) -> np.ndarray:
    """Return hits among the first k over k."""
    hits, _ = _checked(hits, relevant, k)
    return hits[:, :k].sum(axis=1) / k


def hit_rate_at_k(hits: np.ndarray, relevant: np.ndarray, k: int) -> np.ndarray:
    """Return 1 where the first k hold a hit, else 0."""
    hits, _ = _checked(hits, relevant, k)
    return np.any(hits[:, :k], axis=1) * 1.0


def mrr_at_k(hits: np.ndarray, relevant: np.ndarray, k: int) -> np.ndarray:
    """Return 1 over the rank of the first hit among the first k, 0 without one."""
    hits, _ = _checked(hits, relevant, k)
    head = hits[:, :k]
    first = np.where(head.any(axis=1), head.argmax(axis=1) + 1.0, np.inf)
    return 1 / first


def map_at_k(hits: np.ndarray, relevant: np.ndarray, k: int) -> np.ndarray:
    """Return the average precision of the first k: precision at each hit, over min(k, relevant)."""
    hits, relevant = _checked(hits, relevant, k)
    head = hits[:, :k]
    precision = head.cumsum(axis=1) / np.arange(1, head.shape[1] + 1)
    return (precision * head).sum(axis=1) / np.minimum(relevant, k)


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


def _checked(hits: np.ndarray, relevant: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    if k < 1:
        raise UsageError(f"k = {k}: a cutoff is at least 1")
    hits, relevant = np.asarray(hits, dtype=bool), np.asarray(relevant, dtype=np.int64)
    if hits.ndim != 2 or relevant.shape != hits.shape[:1]:
        raise SegueError(f"hits {hits.shape} and relevant {relevant.shape} do not belong together")
    if (relevant < 1).any():
        raise SegueError("a listener without relevant items has no score: leave such listeners out")
    if (hits.sum(axis=1) > relevant).any():
        raise SegueError("a list has more hits than there are relevant items: an item is listed twice")
    return hits, relevant
