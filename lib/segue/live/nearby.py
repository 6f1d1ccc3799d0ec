"""The tracks nearest in sound to each track, found when first asked for and kept."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from segue.models.content import ContentModel
from segue.models.hnsw import HNSW

DEPTH, SHALLOW = 200, 16
"""Neighbours kept of a track that weighs much in a list, and of one that weighs little."""

_VIEWS = {DEPTH: 280, SHALLOW: 80}
"""Tracks in view of a walk through HNSW's graph: each finds 99 % of so many nearest of 106,574 tracks."""

_AT_ONCE = 256
_NONE = np.empty(0, dtype=np.int64)


class Nearby:
    """Neighbours of the n tracks of a model, and of m newcomers that it was not fitted on.

    Newcomers have the positions n to n + m - 1. A newcomer stands among a track's neighbours where its
    similarity puts it, beside them rather than in the place of one.

    Few of a listener's tracks have a say over many neighbours, and sixteen are found in a third of the time.
    The two kinds are kept apart, so that a list never depends on what was asked before. A row is never given
    up: the tables take 4 bytes a neighbour and track (92 MB for 106,574 tracks), of which the system hands
    out what has been written.

    Parameters
    ----------
    model
        Exact search, or HNSW, of which from now on more is asked than it is configured for.
    kept
        What `tables` gave for an equal model once it was `complete`.
    """

    def __init__(self, model: ContentModel[Any], kept: Mapping[str, np.ndarray] | None = None) -> None:
        from segue.live import kernels

        self._model = model
        self._n = model.track_ids.size
        self.depth = min(DEPTH, self._n - 1)
        self._deep = _Table(model, DEPTH, kept["deep"] if kept else None)
        self._shallow = _Table(model, SHALLOW, kept["shallow"] if kept else None)
        self._gather = kernels.fuse.gather
        self.replace(np.empty((0, model.rows.shape[1]), dtype=np.float32))

    def replace(self, newcomers: np.ndarray) -> None:
        """Take float32[m, d] rows, in the space of the model's, in the place of those taken before."""
        self._newcomers = newcomers
        self._of_newcomer: dict[int, np.ndarray] = {}
        self._newcomers_near: dict[tuple[int, bool], tuple[np.ndarray, np.ndarray]] = {}

    def first(self, seeds: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Return int64[sum(counts)]: the ``counts`` nearest of each of int64[s] seeds, best first."""
        for table, own in (
            (self._deep, counts > SHALLOW),
            (self._shallow, (counts > 0) & (counts <= SHALLOW)),
        ):
            table.fill(seeds[own & (seeds < self._n)])
        found: np.ndarray = self._gather(self._deep.view, self._shallow.view, seeds, counts)
        if len(self._newcomers):
            ends = np.cumsum(counts)
            for i in np.flatnonzero((seeds >= self._n) & (counts > 0)):
                found[ends[i] - counts[i] : ends[i]] = self._neighbours(int(seeds[i]), True)[: counts[i]]
        return found

    def besides(self, seeds: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return int64[c] which of the seeds, int64[c] ranks, int64[c] newcomers: who stands near whom.

        Those that stand among some more neighbours of a seed than the ``counts`` nearest are named too.
        """
        if not len(self._newcomers):
            return _NONE, _NONE, _NONE
        asked = np.flatnonzero(counts > 0)
        own = [self._newcomers_of(int(seeds[i]), bool(counts[i] > SHALLOW)) for i in asked]
        row = np.repeat(asked, [ranks.size for ranks, _ in own])
        return (
            row,
            np.concatenate([_NONE, *(ranks for ranks, _ in own)]),
            np.concatenate([_NONE, *(who for _, who in own)]),
        )

    def _newcomers_of(self, seed: int, deep: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return the ranks and positions of the newcomers that are as near a seed as its neighbours."""
        key = (seed, deep)
        if key not in self._newcomers_near:
            row = self._row(seed)
            reach = self._model.similarity_to(row, self._model.rows[self._neighbours(seed, deep)])
            similarity = self._model.similarity_to(row, self._newcomers)
            near = similarity >= reach.min(initial=np.inf) if reach.size else np.ones(similarity.size, bool)
            if seed >= self._n:
                near[seed - self._n] = False
            who = np.flatnonzero(near)
            ranks = (reach[None, :] > similarity[who, None]).sum(axis=1)
            self._newcomers_near[key] = (ranks, who + self._n)
        return self._newcomers_near[key]

    def _neighbours(self, seed: int, deep: bool) -> np.ndarray:
        """Return int[c]: the model's own tracks nearest to one of them, or to a newcomer."""
        if seed < self._n:
            table = self._deep if deep else self._shallow
            table.fill(np.array([seed]))
            return table.rows[seed]
        if seed not in self._of_newcomer:
            self._of_newcomer[seed] = self._model.nearest_to(self._row(seed), self.depth)
        return self._of_newcomer[seed]

    def _row(self, seed: int) -> np.ndarray:
        row: np.ndarray = self._model.rows[seed] if seed < self._n else self._newcomers[seed - self._n]
        return row

    def rows(self, size: int) -> np.ndarray:
        """Return float32[size, d]: the rows of the first ``size`` positions, newcomers among them."""
        if size <= self._n:
            return self._model.rows
        return np.concatenate([self._model.rows, self._newcomers])

    @property
    def tables(self) -> dict[str, np.ndarray]:
        """Return int32[n, at most 200] and int32[n, at most 16] by the names ``deep`` and ``shallow``."""
        return {"deep": self._deep.rows, "shallow": self._shallow.rows}

    def complete(self) -> None:
        """Find the neighbours of every track, on all cores."""
        parts = [np.arange(i, min(i + _AT_ONCE, self._n)) for i in range(0, self._n, _AT_ONCE)]
        with ThreadPoolExecutor(os.cpu_count()) as executor:
            # One table after the other: they look at the graph in different ways.
            for table in (self._shallow, self._deep):
                list(executor.map(table.fill, parts))


class _Table:
    """The nearest of each track, found when first asked for."""

    def __init__(self, model: ContentModel[Any], depth: int, kept: np.ndarray | None = None) -> None:
        n = model.track_ids.size
        self._model, self._view = model, _VIEWS[depth]
        self._depth = min(depth, n - 1)
        self.rows = np.empty((n, self._depth), dtype=np.int32) if kept is None else kept
        """The positions nearest to each, best first; only of those that were filled."""
        self.view = self.rows.view()
        self.view.flags.writeable = False
        self._is_whole = kept is not None
        self._is_filled = np.zeros(n, dtype=bool)

    def fill(self, seeds: np.ndarray) -> None:
        """Find the neighbours of int64[s] positions, as far as they are not known yet."""
        if self._is_whole:
            return
        missing = seeds[~self._is_filled[seeds]]
        if not missing.size or not self._depth:
            return
        if isinstance(self._model, HNSW):
            self._model.look(self._view, self._view)
        found = self._model.nearest_places(missing, self._depth + 1)
        for seed, near in zip(missing, found, strict=True):
            # With many equal rows a track need not be among its own nearest.
            self.rows[seed] = near[near != seed][: self._depth]
        self._is_filled[missing] = True
