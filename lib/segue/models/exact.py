"""Exact nearest neighbours: every similarity, by one matrix product."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from segue.errors import SegueError
from segue.models.base import Capability
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
            b ids of the catalogue, all searched by one matrix product.
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
        similarity = self.similarities(seeds)
        similarity[np.arange(seeds.size), seeds] = -np.inf
        places = np.array([self.top(row, k) for row in similarity], dtype=np.int64).reshape(seeds.size, k)
        return self.track_ids[places], np.take_along_axis(similarity, places, axis=1)
