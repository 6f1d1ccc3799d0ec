"""The best of some scores, in order."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(inline="always")
def _before(a: int, b: int, scores: np.ndarray, tie: np.ndarray) -> bool:
    if scores[a] != scores[b]:
        return bool(scores[a] > scores[b])
    return bool(tie[a] < tie[b])


@njit
def _sift(heap: np.ndarray, start: int, size: int, scores: np.ndarray, tie: np.ndarray) -> None:
    """Let the entry at ``start`` sink to its place in a heap of positions, the worst on top."""
    moved = heap[start]
    while True:
        child = 2 * start + 1
        if child >= size:
            break
        if child + 1 < size and _before(heap[child], heap[child + 1], scores, tie):
            child += 1
        if not _before(moved, heap[child], scores, tie):
            break
        heap[start] = heap[child]
        start = child
    heap[start] = moved


@njit
def foremost(scores: np.ndarray, tie: np.ndarray, k: int) -> np.ndarray:
    """Return int64[min(k, c)]: the positions of the largest of float64[c] scores, best first.

    uint64[c] ``tie`` orders equal ones. A heap holds the best so far, so that few of many are found soon.
    """
    size = min(k, scores.size)
    heap = np.arange(size)
    if not size:
        return heap
    for start in range(size // 2 - 1, -1, -1):
        _sift(heap, start, size, scores, tie)
    for i in range(size, scores.size):
        if _before(i, heap[0], scores, tie):
            heap[0] = i
            _sift(heap, 0, size, scores, tie)
    for last in range(size - 1, 0, -1):
        heap[0], heap[last] = heap[last], heap[0]
        _sift(heap, 0, last, scores, tie)
    return heap


# Sums in any order: the same for equal arguments all the same.
@njit(fastmath=True)
def _product(row: np.ndarray, vector: np.ndarray) -> float:
    found = np.float32(0)
    for j in range(vector.size):
        found += row[j] * vector[j]
    return float(found)


@njit(
    "int64[::1](Array(float32, 2, 'C', readonly=True), Array(uint64, 1, 'C', readonly=True), int64[::1],"
    " float32[::1], int64)",
    cache=True,
)
def largest(rows: np.ndarray, tie: np.ndarray, places: np.ndarray, vector: np.ndarray, k: int) -> np.ndarray:
    """Return int64[min(k, c)]: the places whose rows have the largest products with a vector, best first.

    Parameters
    ----------
    rows
        float32[n, r].
    tie
        uint64[n] that orders equal products.
    places
        int64[c], distinct.
    vector
        float32[r].
    """
    products, own = np.empty(places.size), np.empty(places.size, np.uint64)
    for i in range(places.size):
        products[i], own[i] = _product(rows[places[i]], vector), tie[places[i]]
    return places[foremost(products, own, k)]
