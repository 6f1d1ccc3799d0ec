"""The coefficients of linear models of listening, by one solve in whichever space is smaller.

With X float[m, n] the weights of m listeners and n tracks and L a diagonal penalty, ridge regression of X on
itself has the coefficients

    B = (X'X + L)^-1 X'X = L^-1 X' S X      with   S = (X L^-1 X' + I)^-1

The left form solves n equations (item space), the right one m (user space). A history h (a row of weights)
scores h B. EASE (Steck 2019) lets no track predict itself. Its coefficients are I - P / diag(P) with
P = (X'X + L)^-1, and B = I - P L, so they come from ridge's: b_ij / (1 - b_jj), and 0 on the diagonal.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from segue.errors import SegueError

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_AT_ONCE = 512


class Coefficients(ABC):
    """The matrix B, float[n, n], kept in one of the two forms."""

    @abstractmethod
    def scores(self, tracks: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return float32[n]: h B of a history with float[h] ``weights`` at int[h] positions ``tracks``."""

    @abstractmethod
    def batch_scores(self, histories: csr_matrix) -> np.ndarray:
        """Return float32[b, n]: h B for each row of float32[b, n] ``histories``."""

    @abstractmethod
    def entries(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return float[r, c]: what B holds at int[r] rows and int[c] columns."""

    @abstractmethod
    def state(self) -> dict[str, np.ndarray]:
        """Return the arrays from which `restored` makes an equal object."""


def solve(x: csr_matrix, penalty: np.ndarray, *, self_free: bool) -> Coefficients:
    """Return B in the space that has fewer equations.

    Parameters
    ----------
    x
        float32[m, n]: weights of listeners (rows) and tracks.
    penalty
        float64[n]: the diagonal of L, above 0.
    self_free
        EASE's constraint: no track predicts itself.
    """
    return (UserSpace if x.shape[0] < x.shape[1] else ItemSpace).solve(x, penalty, self_free=self_free)


def restored(state: Mapping[str, np.ndarray]) -> Coefficients:
    """Return the object whose `Coefficients.state` is among ``state``."""
    if "b" in state:
        return ItemSpace(state["b"])
    return UserSpace(*(state[name] for name in UserSpace.ARRAYS))


class ItemSpace(Coefficients):
    """B itself."""

    def __init__(self, b: np.ndarray) -> None:
        self.b = b

    @classmethod
    def solve(cls, x: csr_matrix, penalty: np.ndarray, *, self_free: bool) -> ItemSpace:
        """Solve n equations, as `solve` says; needs 12 n^2 bytes."""
        n = x.shape[1]
        by_track, by_listener = x.T.tocsr().astype(np.float64), x.tocsc().astype(np.float64)
        p = np.empty((n, n), order="F")
        for block in _blocks(n):
            p[:, block] = (by_track @ by_listener[:, block]).toarray()
        p[np.diag_indices(n)] += penalty
        _invert(p)
        own = 1 - penalty * np.diagonal(p)
        scale = penalty / (1 - own) if self_free else penalty
        b = np.empty((n, n), dtype=np.float32)
        for block in _blocks(n):
            b[block] = p[:, block].T * -scale
        b[np.diag_indices(n)] = 0 if self_free else own
        return cls(b)

    def scores(self, tracks: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return float32[n]; only the rows of the history are read."""
        return weights.astype(np.float32) @ self.b[tracks]

    def batch_scores(self, histories: csr_matrix) -> np.ndarray:
        """Return float32[b, n]; row by row, as histories are short and a full product would cost more."""
        out = np.empty(histories.shape, dtype=np.float32)
        for i in range(histories.shape[0]):
            row = slice(histories.indptr[i], histories.indptr[i + 1])
            out[i] = self.scores(histories.indices[row], histories.data[row])
        return out

    def entries(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return float32[r, c]."""
        return self.b[np.ix_(rows, columns)]

    def state(self) -> dict[str, np.ndarray]:
        """Return B."""
        return {"b": self.b}


class UserSpace(Coefficients):
    """S and X, track by track: B is never formed, so that a large catalogue costs no more than its plays.

    Parameters
    ----------
    s
        float32[m, m]: S above.
    starts, listeners, values
        int64[n + 1], int32[p], float32[p]: X in CSC form.
    penalty
        float64[n]: the diagonal of L.
    own
        float64[n]: the diagonal of ridge's B, which only EASE needs.
    self_free
        bool[]: EASE's constraint.
    """

    ARRAYS = ("s", "starts", "listeners", "values", "penalty", "own", "self_free")

    def __init__(
        self, s: np.ndarray, starts: np.ndarray, listeners: np.ndarray, values: np.ndarray,
        penalty: np.ndarray, own: np.ndarray, self_free: np.ndarray,
    ) -> None:  # fmt: skip
        self.s, self.starts, self.listeners, self.values = s, starts, listeners, values
        self.penalty, self.own, self.self_free = penalty, own, self_free
        self._track = np.repeat(np.arange(own.size), np.diff(starts))
        self._scale = 1 / (1 - own) if self_free else np.ones(own.size)

    @classmethod
    def solve(cls, x: csr_matrix, penalty: np.ndarray, *, self_free: bool) -> UserSpace:
        """Solve m equations, as `solve` says; needs 12 m^2 bytes."""
        m, n = x.shape
        by_track = x.tocsc().astype(np.float64)
        by_track.sort_indices()
        scaled, turned = x.multiply(1 / penalty[None, :]).tocsr(), x.T.tocsc().astype(np.float64)
        s = np.empty((m, m), order="F")
        for block in _blocks(m):
            s[:, block] = (scaled @ turned[:, block]).toarray()
        s[np.diag_indices(m)] += 1
        _invert(s)
        own = np.zeros(n)
        for block in _blocks(n) if self_free else ():
            plays = by_track[:, block].T
            own[block] = np.asarray(plays.multiply(plays @ s).sum(axis=1)).ravel() / penalty[block]
        return cls(
            s.astype(np.float32), by_track.indptr.astype(np.int64), by_track.indices.astype(np.int32),
            by_track.data.astype(np.float32), penalty, own, np.array(self_free),
        )  # fmt: skip

    def scores(self, tracks: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return float32[n]."""
        place, listeners, values = self._plays(tracks)
        shared = np.bincount(listeners, values * (weights / self.penalty[tracks])[place], self.s.shape[0])
        alike = shared.astype(np.float32) @ self.s
        found = np.bincount(self._track, self.values * alike[self.listeners], minlength=self.own.size)
        if self.self_free:
            np.subtract.at(found, tracks, self.own[tracks] * weights)
        return (found * self._scale).astype(np.float32)

    def batch_scores(self, histories: csr_matrix) -> np.ndarray:
        """Return float32[b, n]."""
        from scipy.sparse import csc_matrix, diags

        x = csc_matrix((self.values, self.listeners, self.starts), shape=(self.s.shape[0], self.own.size))
        alike = (histories @ diags(1 / self.penalty) @ x.T).toarray().astype(np.float32) @ self.s
        found = (x.T @ alike.T.astype(np.float64)).T
        if self.self_free:
            found -= (histories @ diags(self.own)).toarray()
        return (found * self._scale).astype(np.float32)

    def entries(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return float64[r, c]."""
        found = self._columns(rows) @ self.s @ self._columns(columns).T / self.penalty[rows, None]
        if self.self_free:
            found = np.where(rows[:, None] == columns, 0, found * self._scale[columns])
        return found

    def state(self) -> dict[str, np.ndarray]:
        """Return S and X."""
        return {name: getattr(self, name) for name in self.ARRAYS}

    def _plays(self, tracks: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return of each play of int[r] tracks its place in ``tracks``, its listener and its weight."""
        lengths = np.diff(self.starts)[tracks]
        play = np.repeat(self.starts[tracks] - np.cumsum(lengths) + lengths, lengths) + np.arange(
            lengths.sum()
        )
        return np.repeat(np.arange(tracks.size), lengths), self.listeners[play], self.values[play]

    def _columns(self, tracks: np.ndarray) -> np.ndarray:
        """Return float32[r, m]: X' of these tracks."""
        place, listeners, values = self._plays(tracks)
        out = np.zeros((tracks.size, self.s.shape[0]), dtype=np.float32)
        out[place, listeners] = values
        return out


def _blocks(size: int) -> Iterator[slice]:
    return (slice(start, min(start + _AT_ONCE, size)) for start in range(0, size, _AT_ONCE))


def _invert(a: np.ndarray) -> None:
    """Replace the symmetric positive definite float64[n, n] ``a`` (column-major) by its inverse."""
    from scipy.linalg.lapack import dpotrf, dpotri

    factor, failed = dpotrf(a, lower=1, overwrite_a=1, clean=0)
    if not failed:
        _, failed = dpotri(factor, lower=1, overwrite_c=1)
    if failed:
        raise SegueError("the plays are too alike to solve for: raise reg, the regularisation")
    for block in _blocks(a.shape[0]):
        square = a[block, block]
        square[:] = np.tril(square) + np.tril(square, -1).T
        a[block, block.stop :] = a[block.stop :, block].T
