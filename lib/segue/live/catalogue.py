"""The tracks that lists are made of: those of the run's models, then newcomers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from segue.errors import SegueError
from segue.models.base import Recommender
from segue.models.data import positions_in
from segue.models.ranking import tie_order

_SPARSEST = 8
"""Times the number of tracks: up to this id their positions are looked up in a table."""


@dataclass(frozen=True, eq=False)
class Catalogue:
    """n tracks that the models know, at the positions that they have there, and m newcomers behind them.

    Attributes
    ----------
    track_ids, artist_ids, recording_ids
        int64[n + m] each; the first n ids ascend, and so do the others.
    known
        n.
    """

    track_ids: np.ndarray
    artist_ids: np.ndarray
    recording_ids: np.ndarray
    known: int

    @classmethod
    def of(cls, model: Recommender[Any]) -> Self:
        """Return a model's tracks, without newcomers."""
        return cls(model.track_ids, model.artist_ids, model.recording_ids, model.track_ids.size)

    @property
    def size(self) -> int:
        """Return n + m."""
        return int(self.track_ids.size)

    @cached_property
    def tie(self) -> np.ndarray:
        """Return uint64[n + m]: what orders equal scores."""
        return tie_order(self.track_ids)

    def positions(self, track_ids: Collection[int]) -> np.ndarray:
        """Return int64[m]: where each id stands, -1 for one that is not here."""
        ids = np.fromiter(track_ids, np.int64, len(track_ids))
        if self._place_of is None:
            ascending, order = self._ascending
            return order[positions_in(ascending, ids)]
        return self._place_of.take(ids + 1, mode="clip")

    @cached_property
    def _place_of(self) -> np.ndarray | None:
        """int64: where each id stands, between the -1 of all others; None where ids are far apart."""
        last = int(self.track_ids.max(initial=0))
        if last > _SPARSEST * self.size or self.track_ids.min(initial=0) < 0:
            return None
        places = np.full(last + 3, -1, dtype=np.int64)
        places[self.track_ids + 1] = np.arange(self.size)
        return places

    @cached_property
    def _ascending(self) -> tuple[np.ndarray, np.ndarray]:
        """int64[n + m] ids, ascending, and int64[n + m + 1] where each stands, at the end -1."""
        order = np.argsort(self.track_ids)
        return self.track_ids[order], np.append(order, -1)

    def extended(
        self, track_ids: np.ndarray, artist_ids: np.ndarray, recording_ids: np.ndarray
    ) -> tuple[Catalogue, np.ndarray]:
        """Return the catalogue with newcomers, without ids that it has, and which were taken in which order.

        Raises
        ------
        SegueError
            If the columns are not of one length, or an id is there twice.
        """
        columns = [np.asarray(column, dtype=np.int64) for column in (track_ids, artist_ids, recording_ids)]
        ids = columns[0]
        if any(column.shape != (ids.size,) for column in columns):
            raise SegueError("newcomers need one artist id and one recording id each, as whole numbers")
        if np.unique(ids).size < ids.size:
            raise SegueError("a newcomer is there twice: give each track once")
        order = np.argsort(ids)
        order = order[positions_in(self.track_ids, ids[order]) < 0]
        own = (self.track_ids, self.artist_ids, self.recording_ids)
        tracks, artists, recordings = (
            np.concatenate([old[: self.known], new[order]]) for old, new in zip(own, columns, strict=True)
        )
        return Catalogue(tracks, artists, recordings, self.known), order

    @property
    def newcomers(self) -> bytes:
        """Return what tells one set of newcomers from another; empty without any."""
        return b"".join(
            column[self.known :].tobytes() for column in (self.track_ids, self.artist_ids, self.recording_ids)
        )
