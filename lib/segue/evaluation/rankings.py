"""What a fitted model puts first for each listener, many listeners at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from segue.models.base import Recommender
from segue.models.ranking import tie_order, top_k

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_SCORES_AT_ONCE = 4_500_000
_TIED = 8
"""Beyond so many times k candidates the equal ones are selected, not sorted."""


def rank(
    model: Recommender[Any], histories: csr_matrix, k: int, *, barred: csr_matrix | None = None
) -> np.ndarray:
    """Return int64[m, k]: the catalogue positions that a model puts first, -1 where a list is shorter.

    Equal scores are ordered anew for each listener, so that the luck of one order does not decide.

    Parameters
    ----------
    model
        Fitted, able to recommend.
    histories
        float32[m, n] in CSR form: what the model is told of each of m listeners.
    barred
        The same shape: what is not ranked for a listener, by default the history.
    """
    listeners, n = histories.shape
    barred = histories if barred is None else barred
    tie, salts = tie_order(model.track_ids), tie_order(np.arange(listeners)).astype(np.uint64)
    ranked = np.full((listeners, k), -1, dtype=np.int64)
    at_once = max(16, _SCORES_AT_ONCE // max(1, n))
    for start in range(0, listeners, at_once):
        rows = slice(start, min(start + at_once, listeners))
        scores = np.require(model.score_histories(histories[rows]), requirements="W")
        out = barred[rows]
        scores[np.repeat(np.arange(out.shape[0]), np.diff(out.indptr)), out.indices] = -np.inf
        for i, own in enumerate(scores, start):
            best = top_k_tied(own, k, tie ^ salts[i])
            ranked[i, : best.size] = best
    return ranked


def top_k_tied(scores: np.ndarray, k: int, tie: np.ndarray) -> np.ndarray:
    """Return what `segue.models.ranking.top_k` returns, fast also where very many scores equal the k-th.

    A model that scores most of the catalogue 0 would else have thousands of equals sorted for each listener.
    """
    n = scores.size
    if k >= n:
        return top_k(scores, k, tie)
    kth = np.partition(scores, n - k)[n - k]
    if kth == -np.inf:
        return top_k(scores, k, tie)
    best = np.flatnonzero(scores >= kth)
    if best.size > _TIED * k:
        equal = scores[best] == kth
        above, equals = best[~equal], best[equal]
        wanted = k - above.size
        best = np.concatenate([above, equals[np.argpartition(tie[equals], wanted - 1)[:wanted]]])
    return best[np.lexsort((tie[best], -scores[best]))[:k]]
