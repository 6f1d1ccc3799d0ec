"""One side of alternating least squares, solved exactly for all of its rows by batched linear algebra."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_FLOATS_AT_ONCE = 400_000
"""float32 numbers of gathered factors in one batch: as many as a core's own cache holds."""


class Side(NamedTuple):
    """The plays of m rows (listeners, or tracks), CSR: ``indptr`` int[m + 1], ``indices`` int[r].

    ``extra`` float32[r] is c - 1, confidence above that of what was not played; ``target`` float32[r] is
    c p / sqrt(c - 1) with p the preference; ``reg`` float32[m]. A row without a positive play is left out.
    """

    indptr: np.ndarray
    indices: np.ndarray
    extra: np.ndarray
    target: np.ndarray
    reg: np.ndarray


def side(weights: csr_matrix, alpha: float, reg: np.ndarray) -> Side:
    """Return what `solve` needs of float32[m, n] weights, none of them 0 and below 0 for a dislike."""
    extra = np.abs(weights.data) * np.float32(alpha)
    confidence = np.where(weights.data > 0, 1 + extra, 0)
    target = (confidence / np.sqrt(extra)).astype(np.float32)
    return Side(weights.indptr, weights.indices, extra, target, reg.astype(np.float32))


def scaled_reg(counts: np.ndarray, reg: float, exponent: float, mean: float) -> np.ndarray:
    """Return float64[m]: ``reg mean (counts / mean)^exponent``, 0 where the count is 0."""
    return np.where(counts > 0, reg * mean * (np.maximum(counts, 1) / mean) ** exponent, 0.0)


def mean_count(counts: np.ndarray) -> float:
    """Return the mean of the counts above 0, 1 if there is none."""
    played = counts[counts > 0]
    return float(played.mean()) if played.size else 1.0


def to_axes(factors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return factors float32[n, k] turned so that F'F is diagonal, and that diagonal, float32[k].

    A turn changes no product of the two sides, as the other side is solved from the turned one.
    """
    exact = (factors.T @ factors).astype(np.float64)
    spectrum, axes = np.linalg.eigh(exact)
    return factors @ axes.astype(np.float32), np.maximum(spectrum, 0).astype(np.float32)


def solve(factors: np.ndarray, spectrum: np.ndarray, rows: Side) -> np.ndarray:
    """Return float32[m, k]: the factors of each row that minimise its regularised squared error.

    Row u with plays i has (Hu, Koren and Volinsky 2008)

        x = (Y'Y + B'B + reg_u I)^-1 B' t,   B = sqrt(c_i - 1) y_i,   t = c_i p_i / sqrt(c_i - 1)

    With Y'Y diagonal, D = Y'Y + reg_u I is inverted by division, and a row of few plays needs a system no
    larger than their number (Woodbury): x = D^-1 B' (I + B D^-1 B')^-1 t. Rows of like length are solved
    together, the shorter ones filled up with zeros, which change nothing.

    Parameters
    ----------
    factors, spectrum
        Y and the diagonal of Y'Y, as `to_axes` gives them.
    rows
        Whom to solve; all-zero factors for one without a positive play (``reg`` 0).
    """
    k = factors.shape[1]
    counts = np.diff(rows.indptr)
    found = np.zeros((counts.size, k), dtype=np.float32)
    order = np.argsort(counts, kind="stable")
    order = order[rows.reg[order] > 0]
    root = np.sqrt(rows.extra)
    start = 0
    while start < order.size:
        width = _batch_width(int(counts[order[start]]))
        most = start + max(1, _FLOATS_AT_ONCE // (width * k))
        stop = min(int(np.searchsorted(counts[order], width, side="right")), most)
        batch = order[start:stop]
        slots, filled = _slots(rows.indptr[batch], counts[batch])
        b = factors[rows.indices[slots]]
        b *= np.where(filled, root[slots], 0)[:, :, None]
        t = np.where(filled, rows.target[slots], 0)
        found[batch] = _solve_batch(b, t, spectrum + rows.reg[batch][:, None])
        start = stop
    return found


def _batch_width(count: int) -> int:
    """Return the longest row that is solved together with one of ``count`` plays."""
    return count if count <= 8 else int(count * 1.12)


def _slots(starts: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return int64[b, w] places of each row's plays, w the longest, and bool[b, w] which of them are real."""
    steps = np.arange(int(counts.max()))
    filled = steps < counts[:, None]
    return np.where(filled, starts[:, None].astype(np.int64) + steps, 0), filled


def _solve_batch(b: np.ndarray, t: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Return [b, k] solutions for rows [b, w, k], targets [b, w] and diagonals [b, k], in their precision."""
    width, k = b.shape[1:]
    if width < k:
        scaled = b / d[:, None, :]
        small = scaled @ b.transpose(0, 2, 1)
        small[:, np.arange(width), np.arange(width)] += 1
        return (np.linalg.solve(small, t[:, :, None]).transpose(0, 2, 1) @ scaled)[:, 0]
    whole = b.transpose(0, 2, 1) @ b
    whole[:, np.arange(k), np.arange(k)] += d
    return np.linalg.solve(whole, (t[:, None, :] @ b).transpose(0, 2, 1))[:, :, 0]
