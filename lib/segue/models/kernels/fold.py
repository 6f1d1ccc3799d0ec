"""A listener's factors from the normal equations of their history, and what each track adds to a score."""

from __future__ import annotations

from typing import get_args

import numpy as np
from numba import njit

from segue.models.weights import Weighting

# Sums in any order: the same for equal arguments all the same.
_ANY_ORDER = {"reassoc", "contract"}
WEIGHTINGS = get_args(Weighting)
PERCENTILE, LOG, BINARY = (WEIGHTINGS.index(each) for each in ("percentile", "log", "binary"))
_I1, _F1, _F2, _F3 = "int64[::1]", "float64[::1]", "float64[:, ::1]", "float64[:, :, ::1]"


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


@njit
def _weigh(values, weighting):  # type: ignore[no-untyped-def]
    """Return float64[h]: `segue.models.weights.weigh` of one listener's values, rounded as there."""
    weights = np.empty(values.size)
    liked = np.sort(values[values > 0])
    for h in range(values.size):
        value = values[h]
        if value <= 0:
            weights[h] = max(value, -1.0) if value < 0 else -1.0
        elif weighting == PERCENTILE:
            first, behind = np.searchsorted(liked, value), np.searchsorted(liked, value, side="right")
            weights[h] = (1 + 3 * ((first + behind) / 2 / liked.size)) / 2.5
        elif weighting == LOG:
            weights[h] = np.log1p(value)
        else:
            weights[h] = 1.0 if weighting == BINARY else value
        weights[h] = np.float32(weights[h])
    return weights


@njit(
    f"Tuple(({_F2}, {_F1}, {_F1}, float64))(Array(float32, 2, 'C', readonly=True), {_I1}, {_F1}, int64,"
    " float64, float64, float64, float64)",
    cache=True,
)
def weighed(
    factors: np.ndarray,
    history: np.ndarray,
    values: np.ndarray,
    weighting: int,
    alpha: float,
    reg: float,
    exponent: float,
    mean: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Return what `solve` takes of a history under the formula of `segue.models.wals.WALS`, without the Gram.

    float64[h, r] factors, float64[h] e = alpha |w| and t = (1 + e) [w > 0], and the regularisation
    reg mean (n / mean)^exponent with n the number of w > 0, 0 without any.

    Parameters
    ----------
    factors
        float32[n, r] of all tracks.
    history, values
        int64[h] and float64[h]: the positions of the history and what is weighed.
    weighting
        Place in `WEIGHTINGS`.
    """
    y = np.empty((history.size, factors.shape[1]))
    extra, target = np.empty(history.size), np.zeros(history.size)
    weights = _weigh(values, weighting)
    count = 0
    for h in range(history.size):
        for j in range(factors.shape[1]):
            y[h, j] = factors[history[h], j]
        extra[h] = alpha * abs(weights[h])
        if weights[h] > 0:
            target[h] = 1 + extra[h]
            count += 1
    return y, extra, target, reg * mean * (count / mean) ** exponent if count else 0.0


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
