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
    ranked = np.asarray(ranked, dtype=np.int64)
    lists = np.arange(len(ranked), dtype=np.int64)
    items = np.concatenate([np.empty(0, dtype=np.int64), *relevant]).astype(np.int64)
    owner = np.repeat(lists, [len(own) for own in relevant])
    span = max(ranked.max(initial=0), items.max(initial=0)) + 1
    wanted = (owner * span + items)[items >= 0]
    return np.isin(lists[:, None] * span + ranked, wanted) & (ranked >= 0)


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
