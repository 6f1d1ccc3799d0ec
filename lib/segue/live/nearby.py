"""The tracks nearest in sound to each track, found when first asked for and kept."""

from __future__ import annotations

from typing import Any

import numpy as np

from segue.models.content import ContentModel
from segue.models.hnsw import HNSW

DEPTH = 200
"""Neighbours kept of a track."""

_VIEW = 280
"""Tracks in view of a walk through HNSW's graph: finds 99.2 % of the 200 nearest of 106,574 tracks."""

_NOTHING = (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))


class Nearby:
    """Neighbours of the n tracks of a model, and of m newcomers that it was not fitted on.

    Newcomers have the positions n to n + m - 1. A newcomer stands among a track's neighbours where its
    similarity puts it, beside them rather than in the place of one.

    A row is never given up: the table takes 4 bytes a neighbour and track (85 MB for 106,574 tracks), of
    which the system hands out what has been written.

    Parameters
    ----------
    model
        Exact search, or HNSW, of which from now on more is asked than it is configured for.
    newcomers
        float32[m, d] in the space of the model's rows.
    """

    def __init__(self, model: ContentModel[Any]) -> None:
        self._model = model
        if isinstance(model, HNSW):
            model.look(_VIEW, _VIEW)
        self._n = model.track_ids.size
        self.depth = min(DEPTH, self._n - 1)
        self._table = np.empty((self._n, self.depth), dtype=np.int32)
        self._is_filled = np.zeros(self._n, dtype=bool)
        self.replace(np.empty((0, model.rows.shape[1]), dtype=np.float32))

    def replace(self, newcomers: np.ndarray) -> None:
        """Take float32[m, d] rows, in the space of the model's, in the place of those taken before."""
        self._newcomers = newcomers
        self._of_newcomer: dict[int, np.ndarray] = {}
        self._newcomers_near: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def fill(self, seeds: np.ndarray) -> None:
        """Find the neighbours of int64[s] positions, as far as they are not known yet."""
        inside = seeds[seeds < self._n]
        missing = inside[~self._is_filled[inside]]
        if missing.size and self.depth:
            found = self._model.nearest_places(missing, self.depth + 1)
            for seed, near in zip(missing, found, strict=True):
                # With many equal rows a track need not be among its own nearest.
                self._table[seed] = near[near != seed][: self.depth]
            self._is_filled[missing] = True
        for seed in seeds[seeds >= self._n].tolist():
            if seed not in self._of_newcomer:
                self._of_newcomer[seed] = self._model.nearest_to(self._row(seed), self.depth)

    def at(self, seeds: np.ndarray, ranks: np.ndarray) -> np.ndarray:
        """Return int[c]: what stands at int64[c] ranks, 0 the nearest, among the neighbours of each seed.

        `fill` comes first.
        """
        if not self._of_newcomer:
            return self._table[seeds, ranks]
        inside = seeds < self._n
        found = np.empty(seeds.size, dtype=np.int64)
        found[inside] = self._table[seeds[inside], ranks[inside]]
        for i in np.flatnonzero(~inside):
            found[i] = self._of_newcomer[int(seeds[i])][ranks[i]]
        return found

    def besides(self, seeds: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return int64[c] which of the seeds, int64[c] ranks, int64[c] newcomers: who stands near whom."""
        if not len(self._newcomers):
            return (np.empty(0, dtype=np.int64), *_NOTHING)
        own = [self._newcomers_of(seed) for seed in seeds.tolist()]
        row = np.repeat(np.arange(seeds.size), [ranks.size for ranks, _ in own])
        return row, np.concatenate([ranks for ranks, _ in own]), np.concatenate([who for _, who in own])

    def _newcomers_of(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the ranks and positions of the newcomers that are as near a seed as its neighbours."""
        if seed not in self._newcomers_near:
            row = self._row(seed)
            neighbours = self._of_newcomer[seed] if seed >= self._n else self._table[seed]
            reach = self._model.similarity_to(row, self._model.rows[neighbours])
            similarity = self._model.similarity_to(row, self._newcomers)
            near = similarity >= reach.min(initial=np.inf) if reach.size else np.ones(similarity.size, bool)
            if seed >= self._n:
                near[seed - self._n] = False
            who = np.flatnonzero(near)
            ranks = (reach[None, :] > similarity[who, None]).sum(axis=1)
            self._newcomers_near[seed] = (ranks, who + self._n)
        return self._newcomers_near[seed]

    def _row(self, seed: int) -> np.ndarray:
        row: np.ndarray = self._model.rows[seed] if seed < self._n else self._newcomers[seed - self._n]
        return row

    def rows(self, size: int) -> np.ndarray:
        """Return float32[size, d]: the rows of the first ``size`` positions, newcomers among them."""
        if size <= self._n:
            return self._model.rows
        return np.concatenate([self._model.rows, self._newcomers])

    @property
    def filled(self) -> int:
        """Return how many tracks have neighbours by now."""
        return int(np.count_nonzero(self._is_filled))
