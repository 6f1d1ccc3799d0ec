"""A listener's factors from the normal equations of their history, and what each track adds to a score."""

from __future__ import annotations

import numpy as np
from numba import njit

# Sums in any order: the same for equal arguments all the same.
_ANY_ORDER = {"reassoc", "contract"}
_F1, _F2, _F3 = "float64[::1]", "float64[:, ::1]", "float64[:, :, ::1]"


@njit(fastmath=_ANY_ORDER)
def _forward(lower: np.ndarray, x: np.ndarray) -> None:
    """Solve L x' = x in place."""
    for i in range(x.size):
        value = x[i]
        for j in range(i):
            value -= lower[i, j] * x[j]
        x[i] = value / lower[i, i]


@njit
def _backward(lower: np.ndarray, x: np.ndarray) -> None:
    """Solve L' x' = x in place."""
    for i in range(x.size - 1, -1, -1):
        x[i] /= lower[i, i]
        for j in range(i):
            x[j] -= lower[i, j] * x[i]


@njit(fastmath=_ANY_ORDER)
def _cholesky(a: np.ndarray) -> None:
    """Replace the lower triangle of a symmetric positive definite matrix by its Cholesky factor."""
    for i in range(len(a)):
        for j in range(i + 1):
            value = a[i, j]
            for k in range(j):
                value -= a[i, k] * a[j, k]
            a[i, j] = np.sqrt(value) if i == j else value / a[j, j]


@njit(f"Tuple(({_F3}, {_F1}))({_F2}, {_F1}, {_F1}, {_F3}, float64)", cache=True)
def solve(
    y: np.ndarray, extra: np.ndarray, target: np.ndarray, gram: np.ndarray, reg: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the Cholesky factors of the normal equations, and the factors of the listener.

        x = (G + sum_i e_i y_i y_i' + reg I)^-1 sum_i t_i y_i

    for each of s models: float64[s, r, r], of which the lower triangles are filled, and float64[s * r].

    Parameters
    ----------
    y
        float64[h, s * r]: the factors of the history's tracks, model by model.
    extra, target
        float64[h] each: e and t above.
    gram
        float64[s, r, r]: G.
    reg
        Above 0, or G and the history make the matrix positive definite.
    """
    starts, rank = gram.shape[0], gram.shape[1]
    lower, x = gram.copy(), np.zeros(starts * rank)
    for start in range(starts):
        first, own = start * rank, lower[start]
        for h in range(len(y)):
            for i in range(rank):
                value = y[h, first + i]
                x[first + i] += target[h] * value
                value *= extra[h]
                for j in range(i + 1):
                    own[i, j] += value * y[h, first + j]
        for i in range(rank):
            own[i, i] += reg
        _cholesky(own)
        _forward(own, x[first : first + rank])
        _backward(own, x[first : first + rank])
    return lower, x


@njit(f"{_F2}({_F3}, {_F2}, {_F1}, {_F2})", cache=True, fastmath=_ANY_ORDER)
def parts(lower: np.ndarray, y: np.ndarray, target: np.ndarray, items: np.ndarray) -> np.ndarray:
    """Return float64[m, h]: what each track of the history adds to the scores of some items.

    Parameters
    ----------
    lower
        What `solve` returned.
    y, target
        As for `solve`.
    items
        float64[m, s * r]: the factors of the items; they are overwritten.
    """
    starts, rank = lower.shape[0], lower.shape[1]
    found = np.empty((len(items), len(y)))
    for i in range(len(items)):
        for start in range(starts):
            own = items[i, start * rank : (start + 1) * rank]
            _forward(lower[start], own)
            _backward(lower[start], own)
        for h in range(len(y)):
            value = 0.0
            for j in range(starts * rank):
                value += items[i, j] * y[h, j]
            found[i, h] = value * target[h]
    return found


@njit(f"Tuple((int64[:, ::1], int64[::1]))({_F2}, int64)", cache=True)
def foremost(added: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Return int64[m, min(most, h)]: which of the history add most to each item, and how many add at all.

    ``added`` is float64[m, h] of `parts`. Of equal ones the first in the history comes first.
    """
    size = min(most, added.shape[1])
    best, counts = np.empty((len(added), size), np.int64), np.zeros(len(added), np.int64)
    for i in range(len(added)):
        for place in range(size):
            found = -1
            for h in range(added.shape[1]):
                if found >= 0 and added[i, h] <= added[i, found]:
                    continue
                taken = False
                for earlier in range(place):
                    taken |= best[i, earlier] == h
                if not taken:
                    found = h
            best[i, place] = found
            counts[i] += added[i, found] > 0
    return best, counts
