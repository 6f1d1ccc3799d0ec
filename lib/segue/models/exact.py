"""Exact nearest neighbours: every similarity, by matrix products."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from segue.errors import SegueError
from segue.models.base import Capability
from segue.models.brute_force import Places
from segue.models.content import ContentConfig, ContentModel
from segue.models.data import positions_in


class ExactConfig(ContentConfig):
    """Parameters of `Exact`."""


class Exact(ContentModel[ExactConfig]):
    """Compares the query with the whole catalogue; what approximate search is measured against."""

    name = "exact"
    config_type = ExactConfig

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

    def _nearest(self, seeds: np.ndarray, k: int) -> list[Places]:
        return self._brute_force.nearest(seeds, k)
