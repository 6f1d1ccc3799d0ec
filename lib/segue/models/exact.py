"""Exact nearest neighbours, by matrix products."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from segue.errors import SegueError
from segue.models.base import Capability
from segue.models.brute_force import BruteForce, Places
from segue.models.content import ContentConfig, ContentModel
from segue.models.data import positions_in
from segue.models.pruned import PrunedSearch, outline_that_pays


class ExactConfig(ContentConfig):
    """Parameters of `Exact`."""


class Exact(ContentModel[ExactConfig]):
    """Searches the whole catalogue and misses nothing; what approximate search is measured against.

    Where the features lie near a few directions, most tracks are ruled out by their outlines
    (`segue.models.pruned`) and the rest compared in full; the lists are the same.
    """

    name = "exact"
    config_type = ExactConfig

    outline: np.ndarray
    """float32[w, n]: the outline of each row; w is 0 where every row is compared in full."""

    def _fit_rows(self, rows: np.ndarray) -> None:
        self.outline = outline_that_pays(rows, euclidean=self.config.metric == "euclidean")

    def neighbours(self, track_ids: Sequence[int] | np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the k nearest of each of b tracks, never the track itself, best first.

        Parameters
        ----------
        track_ids
            b ids of the catalogue, searched by matrix products of up to 256 of them.
        k
            How many; at most n - 1 are returned.

        Returns
        -------
        tuple of ndarray
            Ids int64[b, k] and similarities float32[b, k].

        Raises
        ------
        SegueError
            If an id is not in the catalogue.
        """
        self._check(Capability.SIMILAR, k)
        seeds = positions_in(self.track_ids, track_ids)
        if (seeds < 0).any():
            unknown = np.asarray(track_ids)[seeds < 0]
            raise SegueError(f"track {unknown[0]} is not among the {self.track_ids.size} tracks of the model")
        k = min(k, self.track_ids.size - 1)
        ids = np.empty((seeds.size, k), dtype=np.int64)
        scores = np.empty((seeds.size, k), dtype=np.float32)
        for i, (places, own) in enumerate(self._brute_force.nearest(seeds, k + 1)):
            # With many equal rows a track need not be among its own nearest.
            kept = np.flatnonzero(places != seeds[i])[:k]
            ids[i], scores[i] = self.track_ids[places[kept]], own[kept]
        return ids, scores

    @cached_property
    def _brute_force(self) -> BruteForce:
        euclidean = self.config.metric == "euclidean"
        if not len(self.outline):
            return BruteForce(self.rows, self._tie, euclidean=euclidean)
        return PrunedSearch(self.rows, self._tie, self.outline, euclidean=euclidean)

    def _nearest(self, seeds: np.ndarray, k: int) -> list[Places]:
        return self._brute_force.nearest(seeds, k)

    def _state(self) -> dict[str, np.ndarray]:
        return super()._state() | {"outline": self.outline}

    def _restore(self, state: Mapping[str, np.ndarray]) -> None:
        super()._restore(state)
        self.outline = state["outline"]
