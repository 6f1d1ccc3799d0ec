"""What a model ranks first for a history, with what each place rests on, from one and the same solution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from segue.models.data import positions_in
from segue.models.kinds import BASES, Basis, Because

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from segue.models.base import Recommender
    from segue.models.inner_product import LargestProducts

_ROWS_AT_ONCE = 8_192

Reasons = tuple[np.ndarray, np.ndarray]
"""Reasons as arrays: see `as_arrays`."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """The first places of a model's ranking for one listener.

    Attributes
    ----------
    places
        int64[c] catalogue positions, best first, as `Recommender.recommend` lists them.
    explain
        Takes int64[m] positions and returns why each is recommended, as `Recommender.explain` does, in the
        form of `as_arrays`.
    """

    places: np.ndarray
    explain: Callable[[np.ndarray], Reasons]


def as_arrays(because: Sequence[Because]) -> Reasons:
    """Return uint8[m] numbers of `BASES`, and int64[m, 1 or more] track ids, -1 where there are fewer."""
    most = max([1, *(len(each.track_ids) for each in because)])
    ids = np.full((len(because), most), -1, dtype=np.int64)
    for row, each in zip(ids, because, strict=True):
        row[: len(each.track_ids)] = each.track_ids
    return np.array([BASES.index(each.basis) for each in because], dtype=np.uint8), ids


def by_scores(model: Recommender[Any], history: np.ndarray, weights: np.ndarray, k: int) -> Ranked | None:
    """Return the ranking of any model by its public methods; None where it does not rest on the history."""
    known = dict(zip(model.track_ids[history].tolist(), weights.tolist(), strict=True))
    found = [item.track_id for item in model.recommend(known, k)]
    # A model that knows nothing of a history ranks by popularity, which is no taste.
    if not found or not model.explain(known, found[:1], most=1)[0].track_ids:
        return None
    return Ranked(
        positions_in(model.track_ids, found),
        lambda places: as_arrays(model.explain(known, model.track_ids[places].tolist())),
    )


@dataclass(frozen=True, slots=True)
class Equations:
    """The normal equations of a listener's factors, in each of s models of r factors.

        x = (G + sum_i e_i y_i y_i' + reg I)^-1 sum_i t_i y_i

    Attributes
    ----------
    history
        int64[h]: the positions i.
    y
        float64[h, s * r]: their factors, model by model.
    extra, target
        float64[h] each: e and t.
    gram
        float64[s, r, r]: G.
    reg
        With G and the history it makes the matrix positive definite.
    """

    history: np.ndarray
    y: np.ndarray
    extra: np.ndarray
    target: np.ndarray
    gram: np.ndarray
    reg: float

    def solve(self) -> Solved:
        """Return the factors."""
        from segue.models.kernels import fold

        return Solved(self, *fold.solve(self.y, self.extra, self.target, self.gram, self.reg))


@dataclass(frozen=True, slots=True)
class Solved:
    """A listener's factors, float64[s * r] ``taste``, and Cholesky's, float64[s, r, r] ``lower``."""

    equations: Equations
    lower: np.ndarray
    taste: np.ndarray

    def added(self, items: np.ndarray) -> np.ndarray:
        """Return float64[m, h]: what each track of the history adds to scores, given float[m, s * r] factors.

        The score of y is y'x, the sum over its row (Hu, Koren and Volinsky 2008, section 5).
        """
        from segue.models.kernels import fold

        parts: np.ndarray = fold.parts(
            self.lower, self.equations.y, self.equations.target, np.array(items, dtype=np.float64, order="C")
        )
        return parts

    def because(self, items: np.ndarray, basis: Basis, ids: np.ndarray, most: int) -> Reasons:
        """Return the tracks, of int64[h] ``ids``, that add most to the score of each item, as for `added`."""
        from segue.models.kernels import fold

        best, counts = fold.foremost(self.added(items), most)
        found = ids[best]
        found[np.arange(found.shape[1]) >= counts[:, None]] = -1
        return np.full(len(found), BASES.index(basis), dtype=np.uint8), found


def gram_of(factors: np.ndarray, starts: int) -> np.ndarray:
    """Return float64[starts, r, r]: Y'Y of each model of float[n, starts * r] factors, side by side."""
    rank = factors.shape[1] // starts
    gram = np.zeros((starts, rank, rank))
    # In parts: a whole copy in double precision takes longer to come by than its product.
    for first in range(0, len(factors), _ROWS_AT_ONCE):
        rows = factors[first : first + _ROWS_AT_ONCE].astype(np.float64)
        parts = rows.reshape(-1, starts, rank).transpose(1, 2, 0)
        gram += parts @ parts.swapaxes(1, 2)
    return gram


def tastes_of(
    histories: csr_matrix,
    knows: Callable[[np.ndarray, np.ndarray], bool],
    fold_in: Callable[[np.ndarray, np.ndarray], np.ndarray],
    width: int,
) -> tuple[np.ndarray, list[tuple[int, np.ndarray]]]:
    """Return float64[m, width], the factors of each listener, and row and history of those without any.

    Parameters
    ----------
    histories
        float[m, n]: a listener a row.
    knows, fold_in
        Take positions and weights of a history, and tell whether it has factors, and which.
    """
    tastes, cold = np.zeros((histories.shape[0], width)), []
    for i in range(histories.shape[0]):
        row = slice(histories.indptr[i], histories.indptr[i + 1])
        history, weights = histories.indices[row].astype(np.int64), histories.data[row]
        if knows(history, weights):
            tastes[i] = fold_in(history, weights)
        else:
            cold.append((i, history))
    return tastes, cold


def by_factors(
    model: Recommender[Any],
    factors: np.ndarray,
    search: LargestProducts,
    equations: Sequence[Equations | None],
    k: int,
    most: int = 3,
) -> list[Ranked | None]:
    """Return the rankings by the factors of some listeners, float[n, s * r] those of the tracks.

    Step by step for all of them: what is looked through together is read once.
    """
    found: list[Ranked | None] = [None] * len(equations)
    asked = [(i, each.solve()) for i, each in enumerate(equations) if each is not None]
    tastes = [own.taste.astype(np.float32) for _, own in asked]
    firsts = search.top_each(tastes, [k + own.equations.history.size for _, own in asked])

    def ranked(own: Solved, taste: np.ndarray, first: np.ndarray) -> Ranked | None:
        def top(count: int) -> np.ndarray:
            return first if count == first.size else search.top_each([taste], [count])[0]

        history = own.equations.history
        places = model._lists.open_places(top, history, k)
        if not places.size or not (own.added(factors[places[:1]]) > 0).any():
            return None
        ids = model.track_ids[history]
        return Ranked(places, lambda items: own.because(factors[items], model.basis, ids, most))

    for (i, own), taste, first in zip(asked, tastes, firsts, strict=True):
        found[i] = ranked(own, taste, first)
    return found
