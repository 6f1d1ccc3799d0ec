"""The rows of a matrix whose product with a vector is largest, without multiplying by all of them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

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
_TOGETHER = 64
"""Counts are rounded up to a multiple of it, so that most vectors are searched for together."""
_ROUNDED = 1 - 1e-5
_ORDER, _CODES = "order", "codes_"
_NONE = np.empty(0, dtype=np.int64)


class LargestProducts:
    """Maximum inner product search over float32[n, r] rows of very different lengths.

    The factors of what many play are long and rank first for nearly everybody. The rows are parted by length,
    and no row of a later stratum can reach the k-th product found so far whose length times the vector's is
    below that (Cauchy and Schwarz), which mostly ends the search early. The first stratum is multiplied in
    full. The others are looked through by product quantisation, a code book each (Jegou, Douze and Schmid
    2011; faiss' fast scan), and the best by that multiplied in full: of 106,574 factors of rank 64 it finds
    99.8 % of the first 200.

    Below 40,000 rows, and where a quarter of them is asked for, everything is multiplied. Equal arguments
    give equal results.

    Parameters
    ----------
    rows
        float32[n, r].
    tie
        uint64[n] that orders equal products, as `segue.models.ranking.tie_order` gives it.
    kept
        What `index` gave for these rows; found when first asked for if it is left out.
    """

    def __init__(
        self, rows: np.ndarray, tie: np.ndarray, kept: Mapping[str, np.ndarray] | None = None
    ) -> None:
        from segue.models.kernels import pick

        self._rows, self._tie, self._largest = np.ascontiguousarray(rows), tie, pick.largest
        self._read_only = [read_only(each) for each in (self._rows, tie)]
        self._numbers = np.arange(_STRATA[0])
        self._kept = kept or {}

    def index(self) -> dict[str, np.ndarray]:
        """Return what is found before the first search; nothing for few rows, which need none."""
        if len(self._rows) < _LEAST_ROWS:
            return {}
        codes = {f"{_CODES}{i}": stratum.codes for i, stratum in enumerate(self._strata)}
        return {_ORDER: self._order.astype(np.int32), **codes}

    def top_each(self, vectors: Sequence[np.ndarray], counts: Sequence[int]) -> list[np.ndarray]:
        """Return for each vector int64[min(count, n)]: the rows with the largest products, best first.

        What stands in a list does not depend on which are asked for together.

        Parameters
        ----------
        vectors
            float32[r] each.
        counts
            How many of each.
        """
        found: list[np.ndarray] = [_NONE] * len(vectors)
        few = [i for i, k in enumerate(counts) if k <= min(_STRATA[0], len(self._rows) // 4)]
        searched = few if len(self._rows) >= _LEAST_ROWS else []
        for i in set(range(len(vectors))).difference(searched):
            found[i] = top_k(self._rows @ vectors[i], counts[i], self._tie)
        if searched:
            own = self._searched(np.array([vectors[i] for i in searched]), [counts[i] for i in searched])
            for i, places in zip(searched, own, strict=True):
                found[i] = places
        return found

    def _searched(self, vectors: np.ndarray, counts: Sequence[int]) -> list[np.ndarray]:
        """Return the best of the strata for each of float32[b, r]."""
        found = [self._foremost(*each) for each in zip(vectors, counts, strict=True)]
        lengths = np.sqrt(np.vecdot(vectors, vectors))
        for stratum in self._strata:
            last = self._rows[[places[k - 1] for places, k in zip(found, counts, strict=True)]]
            reach = stratum.longest * lengths >= np.vecdot(last, vectors) * _ROUNDED
            asked = np.flatnonzero(reach).tolist()
            if not asked:
                break
            further = stratum.search_each(vectors[asked], [counts[i] for i in asked])
            for i, more in zip(asked, further, strict=True):
                places = np.concatenate([found[i], more])
                found[i] = self._largest(*self._read_only, places, vectors[i], counts[i])
        return found

    def _foremost(self, vector: np.ndarray, k: int) -> np.ndarray:
        """Return int64[k]: the best of the first stratum for float32[r]."""
        found: np.ndarray = self._order[self._largest(*self._head, self._numbers, vector, k)]
        return found

    @cached_property
    def _order(self) -> np.ndarray:
        """int64[n]: the rows by length, longest first."""
        if _ORDER in self._kept:
            return self._kept[_ORDER].astype(np.int64)
        return np.argsort(-np.vecdot(self._rows, self._rows), kind="stable")

    @cached_property
    def _head(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows of the first stratum side by side, and what orders equal products."""
        first = self._order[: _STRATA[0]]
        return read_only(self._rows[first]), read_only(self._tie[first])

    @cached_property
    def _strata(self) -> list[_Stratum]:
        bounds = (*_STRATA, len(self._rows))
        return [
            _Stratum(self._order[start:stop], self._rows, self._kept.get(f"{_CODES}{i}"))
            for i, (start, stop) in enumerate(itertools.pairwise(bounds))
        ]


class _Stratum:
    """Rows of like length, as codes.

    Parameters
    ----------
    places
        int64[s]: where the rows stand in the whole, the longest first.
    rows
        float32[n, r]: all rows.
    kept
        The ``codes`` of these rows, uint8[c].
    """

    def __init__(self, places: np.ndarray, rows: np.ndarray, kept: np.ndarray | None) -> None:
        import faiss

        self._places = places
        longest = rows[places[0]]
        self.longest = float(np.sqrt(longest @ longest))
        self._index = _coded(_padded(rows[places])) if kept is None else faiss.deserialize_index(kept)

    @property
    def codes(self) -> np.ndarray:
        """Return uint8[c]: the codes and their book, as faiss writes them."""
        import faiss

        found: np.ndarray = faiss.serialize_index(self._index)
        return found

    def search_each(self, vectors: np.ndarray, counts: Sequence[int]) -> list[np.ndarray]:
        """Return int64[c] for each of float32[b, r]: rows whose products are likely the k largest."""
        found = [_NONE] * len(vectors)
        # How many are asked for tells equal codes apart: it must not depend on the others.
        rounded = [_TOGETHER * -(-k // _TOGETHER) for k in counts]
        for depth in set(rounded):
            own = [i for i, k in enumerate(rounded) if k == depth]
            _, labels = self._index.search(_padded(vectors[own]), _ASKED * depth)
            for i, each in zip(own, labels, strict=True):
                # Fewer than asked for are filled up with -1.
                found[i] = self._places[each[each >= 0]]
        return found


def _coded(rows: np.ndarray) -> Any:
    """Return faiss' index of float32[s, r]."""
    import faiss

    index = faiss.IndexPQFastScan(rows.shape[1], rows.shape[1] // _PART, _BITS, faiss.METRIC_INNER_PRODUCT)
    index.pq.cp.niter = _ROUNDS
    threads = faiss.omp_get_max_threads()
    # Sums over threads differ between machines, and so would the codes.
    faiss.omp_set_num_threads(1)
    try:
        index.train(np.ascontiguousarray(rows[:: max(1, len(rows) // _SAMPLED)]))
        index.add(rows)
    finally:
        faiss.omp_set_num_threads(threads)
    return index


def _padded(rows: np.ndarray) -> np.ndarray:
    """Return float32[m, r'] with zeros up to a number of columns that parts without rest."""
    missing = -rows.shape[1] % (2 * _PART)
    if missing:
        rows = np.pad(rows, ((0, 0), (0, missing)))
    return np.ascontiguousarray(rows, dtype=np.float32)


def read_only(array: np.ndarray) -> np.ndarray:
    """Return a view that cannot be written, as compiled functions take what may be mapped from a file."""
    view = array.view()
    view.flags.writeable = False
    return view
