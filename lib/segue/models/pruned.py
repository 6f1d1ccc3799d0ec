"""Exact nearest neighbours of which only those are compared in full that a short product cannot rule out."""

from __future__ import annotations

import numpy as np

from segue.models.brute_force import BruteForce, Places, kth
from segue.models.directions import principal_directions

_LEAST_ROWS, _LEAST_FEATURES = 5000, 64
_LEAST_TOGETHER = 20_000
"""Of fewer rows the products of many queries at once cost less than a bound looked through for each."""
_SHARES = (16, 8, 4)
"""An outline is one in so many of the features wide."""
_BLOCK = 8192
_BOUNDS = 2**22
_FIRST = 4
"""Times k: the rows of the highest bounds that are compared first."""
_TOO_MANY, _TOO_MANY_TOGETHER = 16, 32
"""More rows than one in so many are sooner compared in order than picked out, for one query and several."""
_PICKED = 5.0
"""What a row picked out costs, in rows compared in order."""
_PAYS = 0.75
_ASKED, _NEIGHBOURS = 32, 11


class PrunedSearch(BruteForce):
    """Brute force after most rows are ruled out by a bound of their product with the query.

    Along orthonormal directions a row x has coordinates x' and a remainder of length x°, and by Cauchy and
    Schwarz x.y <= x'.y' + x° y°. The outline of a row is x' and x°, so the bound is the product of two
    outlines. The rows of the highest bounds, compared in full, give a k-th similarity that the k nearest
    reach, and rows whose bound stays below it need no comparison.

    Lists are those of `BruteForce`, to the last digit: its slack of 2 d roundings covers the d of a product
    and the few more than d / 4 of a bound.

    Parameters
    ----------
    rows, tie, euclidean
        As for `BruteForce`.
    outline
        float32[w, n] as `outlines` gives it, w at most a quarter of the features.
    """

    def __init__(
        self, rows: np.ndarray, tie: np.ndarray, outline: np.ndarray, *, euclidean: bool = False
    ) -> None:
        super().__init__(rows, tie, euclidean=euclidean)
        self._outline = outline

    def _contenders(self, seeds: np.ndarray, k: int) -> Places:
        n, together = len(self._rows), seeds.size > 1
        most = n // (_TOO_MANY_TOGETHER if together else _TOO_MANY)
        if _FIRST * k > most or (together and n < _LEAST_TOGETHER):
            return super()._contenders(seeds, k)
        slack, at_once = self._slack(seeds), max(1, _BOUNDS // n)
        found: list[Places] = []
        left: list[int] = []
        for start in range(0, seeds.size, at_once):
            if 2 * len(left) > start:
                left.extend(range(start, seeds.size))
                break
            bounds = self._outline[:, seeds[start : start + at_once]].T @ self._outline
            if self._half is not None:
                bounds -= self._half
            for i, own in enumerate(bounds, start):
                places = self._not_ruled_out(seeds[i], k, own, slack[i], most)
                if places is None:
                    left.append(i)
                else:
                    found.append((np.full(places.size, i), places))
        if left:
            who, places = super()._contenders(seeds[left], k)
            found.append((np.array(left)[who], places))
        return np.concatenate([who for who, _ in found]), np.concatenate([places for _, places in found])

    def _not_ruled_out(
        self, seed: int, k: int, bounds: np.ndarray, slack: float, most: int
    ) -> np.ndarray | None:
        """Return the places that may be among the k nearest, or None where more than ``most`` are left."""
        threshold = kth(bounds, _FIRST * k)
        for _ in range(2):
            places = np.flatnonzero(bounds >= threshold)
            if places.size > most:
                return None
            products = np.vecdot(self._rows[places], self._rows[seed])
            if self._half is not None:
                products -= self._half[places]
            threshold = np.partition(products, -k)[-k] - slack
        return places[products >= threshold]


def outlines(rows: np.ndarray, widths: tuple[int, ...]) -> list[np.ndarray]:
    """Return for each of some widths float32[w, n]: w - 1 principal coordinates and the remainder's length.

    Parameters
    ----------
    rows
        float32[n, d].
    """
    directions = principal_directions(rows, max(widths) - 1)
    found = [np.empty((width, len(rows)), dtype=np.float32) for width in widths]
    for start in range(0, len(rows), _BLOCK):
        # In double precision, so that the difference of the squares is the remainder's and not rounding's.
        block = rows[start : start + _BLOCK].astype(np.float64)
        coordinates, squares = block @ directions, np.vecdot(block, block)
        for own in found:
            kept = coordinates[:, : len(own) - 1]
            own[:-1, start : start + _BLOCK] = kept.T
            own[-1, start : start + _BLOCK] = np.sqrt(np.maximum(squares - np.vecdot(kept, kept), 0))
    return found


def outline_that_pays(rows: np.ndarray, *, euclidean: bool = False) -> np.ndarray:
    """Return float32[w, n]: of some outlines the one that makes search cheapest; w is 0 where none pays.

    What a search costs is told from some of the rows themselves: the products with the outline, and the
    rows that it does not rule out.

    Parameters
    ----------
    rows
        float32[n, d].
    """
    n, d = rows.shape
    if n < _LEAST_ROWS or d < _LEAST_FEATURES:
        return np.empty((0, n), dtype=np.float32)
    asked = np.linspace(0, n - 1, _ASKED).astype(np.int64)
    half = np.vecdot(rows, rows) / 2 if euclidean else np.float32(0)
    reached = np.partition(rows[asked] @ rows.T - half, n - _NEIGHBOURS, axis=1)[:, n - _NEIGHBOURS]
    best, least = np.empty((0, n), dtype=np.float32), _PAYS
    for outline in outlines(rows, tuple(d // share for share in _SHARES)):
        bounds = outline[:, asked].T @ outline - half
        picked = _PICKED * (bounds >= reached[:, None]).mean(axis=1)
        cost = len(outline) / d + np.minimum(picked, 1).mean()
        if cost < least:
            best, least = outline, cost
    return best
