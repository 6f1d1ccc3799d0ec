"""Exact nearest neighbours of many rows at once: the matrix product in blocks, its best kept on the way."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from segue.models.ranking import GROUPS

Places = tuple[np.ndarray, np.ndarray]
"""Positions int64[c] and similarities float32[c] of the nearest, best first."""

_BLOCK = 8192
_AT_ONCE = 256
_RESCORED = 4096


class BruteForce:
    """Compares rows with all rows.

    The products only choose who is looked at: their last digits depend on how many rows are multiplied at
    once. The similarity of two rows is computed from the two alone (`similarity`), so that equal rows score
    equal and a row's list does not depend on who else is asked.

    Parameters
    ----------
    rows
        float32[n, d].
    tie
        uint64[n] that orders equal similarities, as `segue.models.ranking.tie_order` gives it.
    euclidean
        Similarity is 1 / (1 + distance) if true, else the scalar product.
    """

    def __init__(self, rows: np.ndarray, tie: np.ndarray, *, euclidean: bool = False) -> None:
        self._rows, self._tie, self._euclidean = rows, tie, euclidean

    @cached_property
    def _length(self) -> np.ndarray:
        return np.sqrt(np.vecdot(self._rows, self._rows))

    @cached_property
    def _longest(self) -> float:
        return float(self._length.max(initial=0.0))

    @cached_property
    def _half(self) -> np.ndarray | None:
        # |q - r|^2 orders as |r|^2 / 2 - q.r does.
        return np.vecdot(self._rows, self._rows) / 2 if self._euclidean else None

    def nearest(self, seeds: np.ndarray, k: int) -> list[Places]:
        """Return for each of int64[s] positions the min(k, n) nearest rows, itself among them."""
        k = min(k, len(self._rows))
        return [
            found
            for start in range(0, seeds.size, _AT_ONCE)
            for found in self._nearest(seeds[start : start + _AT_ONCE], k)
        ]

    def similarity(self, seeds: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Return float32[p]: the similarity of each of int64[p] ``seeds`` to its own of ``places``."""
        found = np.empty(places.size, dtype=np.float32)
        for start in range(0, places.size, _RESCORED):
            part = slice(start, start + _RESCORED)
            ours, theirs = self._rows[seeds[part]], self._rows[places[part]]
            if self._euclidean:
                ours -= theirs
                found[part] = 1 / (1 + np.sqrt(np.vecdot(ours, ours)))
            else:
                found[part] = np.vecdot(ours, theirs)
        return found

    def _nearest(self, seeds: np.ndarray, k: int) -> list[Places]:
        who, places = self._contenders(seeds, k)
        scores = self.similarity(seeds[who], places)
        order = np.lexsort((self._tie[places], -scores, who))
        starts = np.searchsorted(who[order], np.arange(seeds.size))
        best = [order[start : start + k] for start in starts]
        return [(places[own], scores[own]) for own in best]

    def _contenders(self, seeds: np.ndarray, k: int) -> Places:
        """Return int64[c] who is asked and int64[c] a place that may be among its k nearest, pair by pair."""
        return self._one(seeds, k) if seeds.size == 1 else self._several(seeds, k)

    def _one(self, seeds: np.ndarray, k: int) -> Places:
        products = self._rows @ self._rows[seeds[0]]
        if self._half is not None:
            products -= self._half
        places = np.flatnonzero(products >= kth(products, k) - self._slack(seeds)[0])
        return np.zeros(places.size, dtype=np.int64), places

    def _several(self, seeds: np.ndarray, k: int) -> Places:
        queries, slack = np.ascontiguousarray(self._rows[seeds].T), self._slack(seeds)
        products = np.empty((min(_BLOCK, len(self._rows)), seeds.size), dtype=np.float32)
        best = np.full((k, seeds.size), -np.inf, dtype=np.float32)
        kept: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        for start in range(0, len(self._rows), _BLOCK):
            block = self._rows[start : start + _BLOCK]
            out = np.matmul(block, queries, out=products[: len(block)])
            if self._half is not None:
                out -= self._half[start : start + _BLOCK, None]
            maxima = _maxima(out, k)
            best = np.partition(np.concatenate([best, maxima]), len(maxima), axis=0)[len(maxima) :]
            place, who = _above(out, maxima, best.min(axis=0) - slack)
            kept.append((who, place + start, out[place, who]))
        who, places, scores = (np.concatenate(parts) for parts in zip(*kept, strict=True))
        still = scores >= (best.min(axis=0) - slack)[who]
        return who[still], places[still]

    def _slack(self, seeds: np.ndarray) -> np.ndarray:
        """Return float32[s]: twice the most by which rounding moves a product of d terms."""
        reach = self._length[seeds] * self._longest
        if self._euclidean:
            reach = reach + self._longest**2 / 2
        return self._rows.shape[1] * np.finfo(np.float32).eps * reach


def kth(scores: np.ndarray, k: int) -> float:
    """Return a bound from below of the k-th largest of float32[n]."""
    return float(np.sort(_maxima(scores, k), axis=0)[-k])


def _maxima(scores: np.ndarray, k: int) -> np.ndarray:
    """Return float[g, ...]: the maxima of groups that part all but the last rows of float[b, ...].

    Groups of one where there are few, so that k-th largest maxima bound k-th largest scores well.
    """
    width = len(scores) // GROUPS
    if width < 4 * k:
        return scores
    grouped = scores[: GROUPS * width].reshape(GROUPS, width, *scores.shape[1:])
    return grouped.max(axis=0)


def _above(out: np.ndarray, maxima: np.ndarray, threshold: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows and columns of float[b, s] ``out`` where it reaches its column's threshold."""
    if maxima is out:
        place, who = np.nonzero(out >= threshold)
        return place, who
    width = len(maxima)
    group, column = np.nonzero(maxima >= threshold)
    member = group[:, None] + width * np.arange(GROUPS)
    pair, which = np.nonzero(out[member, column[:, None]] >= threshold[column][:, None])
    rest, of_rest = np.nonzero(out[GROUPS * width :] >= threshold)
    return (
        np.concatenate([member[pair, which], rest + GROUPS * width]),
        np.concatenate([column[pair], of_rest]),
    )
