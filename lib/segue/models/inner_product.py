"""The rows of a matrix whose product with a vector is largest, without multiplying by all of them."""

from __future__ import annotations

import itertools
from functools import cached_property

import numpy as np

from segue.models.ranking import top_k

_LEAST_ROWS = 40_000
"""Fewer are sooner multiplied than searched."""
_STRATA = (2_048, 16_384)
"""So many of the longest rows are multiplied in full; those up to the second number have their own codes."""
_PART, _BITS = 2, 4
"""So many coordinates together are one code of so many bits."""
_SAMPLED, _ROUNDS = 2_048, 8
_ASKED = 2
"""Times k: the best of a stratum by their codes that are multiplied in full."""
_ROUNDED = 1 - 1e-5


class LargestProducts:
    """Maximum inner product search over float32[n, r] rows of very different lengths.

    The factors of what many play are long and rank first for nearly everybody. The rows are parted by length,
    and no row of a later stratum can reach the k-th product found so far whose length times the vector's is
    below that (Cauchy and Schwarz), which mostly ends the search early. The first stratum is multiplied in
    full. The others are looked through by product quantisation, a code book each (Jegou, Douze and Schmid
    2011; faiss' fast scan), and the best by that multiplied in full: of 106,574 factors of rank 64 it finds
    99.8 % of the first 200.

    Below 40,000 rows everything is multiplied. Equal arguments give equal results.

    Parameters
    ----------
    rows
        float32[n, r].
    tie
        uint64[n] that orders equal products, as `segue.models.ranking.tie_order` gives it.
    """

    def __init__(self, rows: np.ndarray, tie: np.ndarray) -> None:
        self._rows, self._tie = rows, tie

    def top(self, vector: np.ndarray, k: int) -> np.ndarray:
        """Return int64[min(k, n)]: the rows with the largest products with float32[r], best first."""
        if len(self._rows) < max(_LEAST_ROWS, 4 * k) or k > _STRATA[0]:
            return top_k(self._rows @ vector, k, self._tie)
        products = self._head @ vector
        least = np.partition(products, -k)[-k]
        found = self._order[: products.size][products >= least]
        length = np.sqrt(vector @ vector)
        for stratum in self._strata:
            if stratum.longest * length < least * _ROUNDED:
                break
            found = np.concatenate([found, stratum.search(vector, k)])
            products = np.vecdot(self._rows[found], vector)
            least = np.partition(products, -k)[-k]
            found = found[products >= least]
        # Products of the same two vectors differ in their last digit with how many are made at once.
        products = np.vecdot(self._rows[found], vector)
        return found[np.lexsort((self._tie[found], -products))[:k]]

    @cached_property
    def _order(self) -> np.ndarray:
        """int64[n]: the rows by length, longest first."""
        return np.argsort(-np.vecdot(self._rows, self._rows), kind="stable")

    @cached_property
    def _head(self) -> np.ndarray:
        return np.ascontiguousarray(self._rows[self._order[: _STRATA[0]]])

    @cached_property
    def _strata(self) -> list[_Stratum]:
        bounds = (*_STRATA, len(self._rows))
        return [
            _Stratum(self._order[start:stop], self._rows[self._order[start:stop]])
            for start, stop in itertools.pairwise(bounds)
        ]


class _Stratum:
    """Rows of like length, as codes.

    Parameters
    ----------
    places
        int64[s]: where the rows stand in the whole.
    rows
        float32[s, r], the longest first.
    """

    def __init__(self, places: np.ndarray, rows: np.ndarray) -> None:
        import faiss

        self._places = places
        self.longest = float(np.sqrt(rows[0] @ rows[0]))
        padded = _padded(rows)
        self._codes = faiss.IndexPQFastScan(
            padded.shape[1], padded.shape[1] // _PART, _BITS, faiss.METRIC_INNER_PRODUCT
        )
        self._codes.pq.cp.niter = _ROUNDS
        threads = faiss.omp_get_max_threads()
        # Sums over threads differ between machines, and so would the codes.
        faiss.omp_set_num_threads(1)
        try:
            self._codes.train(np.ascontiguousarray(padded[:: max(1, len(rows) // _SAMPLED)]))
            self._codes.add(padded)
        finally:
            faiss.omp_set_num_threads(threads)

    def search(self, vector: np.ndarray, k: int) -> np.ndarray:
        """Return int64[c]: the places of rows whose products with float32[r] are likely the k largest."""
        _, labels = self._codes.search(_padded(vector[None, :]), _ASKED * k)
        # Fewer than asked for are filled up with -1.
        return self._places[labels[0][labels[0] >= 0]]


def _padded(rows: np.ndarray) -> np.ndarray:
    """Return float32[m, r'] with zeros up to a number of columns that parts without rest."""
    missing = -rows.shape[1] % (2 * _PART)
    if missing:
        rows = np.pad(rows, ((0, 0), (0, missing)))
    return np.ascontiguousarray(rows, dtype=np.float32)
