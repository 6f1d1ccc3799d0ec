"""What a model learns from: the catalogue, its features, who made it, who played it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from segue.errors import SegueError

if TYPE_CHECKING:
    import pandas as pd
    from scipy.sparse import csr_matrix

UNKNOWN_ARTIST = -1
INTERACTION_COLUMNS = ("listener_id", "track_id", "weight")


@dataclass(frozen=True, eq=False)
class TrainingData:
    """A catalogue of n tracks and what is known of them.

    Parameters
    ----------
    track_ids
        int64[n], ascending and distinct: the catalogue that is ranked, played or not.
    features
        float32[n, d], already standardised (`segue.models.scaling.standardise`), or None.
    artist_ids
        int64[n], ``UNKNOWN_ARTIST`` where no artist is named; all unknown by default.
    recording_ids
        int64[n], equal for copies of one recording (`recording_ids_of`); all distinct by default.
    interactions
        Columns ``listener_id`` (str), ``track_id`` (int64), ``weight`` (float32, positive: how much it was
        liked), or None. Repeated pairs are summed; tracks outside the catalogue are left out.
    genres
        n names of top genres, None or empty where a track has none; all without by default. Kept as
        object[n] of str.

    Raises
    ------
    SegueError
        If lengths disagree, ids are not ascending, or a number is not finite.
    """

    track_ids: np.ndarray
    features: np.ndarray | None = None
    artist_ids: np.ndarray | None = None
    recording_ids: np.ndarray | None = None
    interactions: pd.DataFrame | None = None
    genres: Any = None

    def __post_init__(self) -> None:
        ids = np.array(self.track_ids, dtype=np.int64)
        if ids.ndim != 1 or np.any(ids[1:] <= ids[:-1]):
            raise SegueError("track_ids must be distinct and ascending: sort the catalogue by track_id first")
        self._set("track_ids", ids)
        self._set("artist_ids", self._column("artist_ids", np.full(ids.size, UNKNOWN_ARTIST)))
        self._set("recording_ids", self._column("recording_ids", ids))
        if self.features is not None:
            self._set("features", self._checked_features(self.features))
        if self.interactions is not None:
            self._check_interactions(self.interactions)
        named = [""] * ids.size if self.genres is None else [str(name or "") for name in self.genres]
        if len(named) != ids.size:
            raise SegueError(
                f"{len(named)} genres for {ids.size} tracks: give one each, None where there is none"
            )
        self._set("genres", np.array(named, dtype=object))

    def _set(self, name: str, value: np.ndarray) -> None:
        value.setflags(write=False)
        object.__setattr__(self, name, value)

    def _column(self, name: str, default: np.ndarray) -> np.ndarray:
        given = getattr(self, name)
        values = np.array(default if given is None else given, dtype=np.int64)
        if values.shape != self.track_ids.shape:
            raise SegueError(
                f"{name} has shape {values.shape}, the catalogue {self.track_ids.shape}: give one each"
            )
        return values

    def _checked_features(self, features: np.ndarray) -> np.ndarray:
        values = np.array(features, dtype=np.float32)
        if values.ndim != 2 or values.shape[0] != self.track_ids.size:
            raise SegueError(f"features have shape {values.shape}, not ({self.track_ids.size}, d)")
        bad = np.flatnonzero(~np.isfinite(values).all(axis=1))
        if bad.size:
            raise SegueError(
                f"the features of {bad.size} tracks are not finite, the first is {self.track_ids[bad[0]]}: "
                "leave them out or impute them before scaling"
            )
        return values

    @staticmethod
    def _check_interactions(frame: pd.DataFrame) -> None:
        missing = [name for name in INTERACTION_COLUMNS if name not in frame.columns]
        if missing:
            raise SegueError(
                f"interactions lack the column(s) {', '.join(missing)}; found {list(frame.columns)}"
            )
        bad = np.flatnonzero(~np.isfinite(frame["weight"].to_numpy(dtype=np.float64)))
        if bad.size:
            raise SegueError(
                f"{bad.size} interactions have a weight that is not finite, the first is row {bad[0]}"
            )

    @property
    def size(self) -> int:
        """Return n, the number of tracks."""
        return int(self.track_ids.size)

    def positions(self, track_ids: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return int64[m]: where each id stands in the catalogue, -1 for one that is not in it."""
        return positions_in(self.track_ids, track_ids)

    @cached_property
    def genre_names(self) -> list[str]:
        """Return the g different genres in alphabetical order."""
        return sorted({name for name in self.genres if name})

    @cached_property
    def genre_codes(self) -> np.ndarray:
        """Return int64[n]: the place of each track's genre in `genre_names`, -1 where it has none."""
        code = {name: i for i, name in enumerate(self.genre_names)} | {"": -1}
        return np.array([code[name] for name in self.genres], dtype=np.int64)

    @cached_property
    def listeners(self) -> np.ndarray:
        """Return object[m]: the ids of the listeners with a play in the catalogue, ascending."""
        return self._sparse[1]

    @cached_property
    def matrix(self) -> csr_matrix:
        """Return float32[m, n] in CSR form: the summed weight of each listener and track."""
        return self._sparse[0]

    @cached_property
    def _sparse(self) -> tuple[csr_matrix, np.ndarray]:
        from pandas import factorize
        from scipy.sparse import coo_matrix

        if self.interactions is None:
            return coo_matrix((0, self.size), dtype=np.float32).tocsr(), np.array([], dtype=object)
        column = self.positions(self.interactions["track_id"].to_numpy(dtype=np.int64))
        known = column >= 0
        names = self.interactions["listener_id"].astype(str).to_numpy(dtype=object)[known]
        # An array of numpy's text has the width of its longest id: many gigabytes for millions of plays.
        row, listeners = factorize(names, sort=True)
        weight = self.interactions["weight"].to_numpy(dtype=np.float32)[known]
        matrix = coo_matrix((weight, (row, column[known])), shape=(listeners.size, self.size)).tocsr()
        matrix.sum_duplicates()
        return matrix, listeners

    @cached_property
    def popularity(self) -> np.ndarray:
        """Return float32[n]: how many listeners have played each track, zeros without interactions."""
        return np.bincount(self.matrix.indices, minlength=self.size).astype(np.float32)

    @cached_property
    def fingerprint(self) -> str:
        """Return the SHA-256 of everything above, equal for equal data whatever the order of plays."""
        digest = hashlib.sha256()
        for part in (self.track_ids, self.artist_ids, self.recording_ids, self.features):
            digest.update(b"|" if part is None else np.ascontiguousarray(part).tobytes() + b"|")
        for names in (self.genres.tolist(), self.listeners.tolist()):
            digest.update("\0".join(names).encode() + b"|")
        for part in (self.matrix.indptr, self.matrix.indices, self.matrix.data):
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()


def positions_in(catalogue: np.ndarray, track_ids: Sequence[int] | np.ndarray) -> np.ndarray:
    """Return int64[m]: the position of each id in the ascending ``catalogue``, -1 where it is absent."""
    wanted = np.asarray(track_ids, dtype=np.int64).reshape(-1)
    if not catalogue.size:
        return np.full(wanted.size, -1, dtype=np.int64)
    place = np.minimum(np.searchsorted(catalogue, wanted), catalogue.size - 1)
    return np.where(catalogue[place] == wanted, place, -1)


def recording_ids_of(recordings: Sequence[int | str | None]) -> np.ndarray:
    """Return int64[n]: one number for each distinct recording (the id of the track that stands for it).

    A content's SHA-256 serves where nobody compared; a track without either (None or empty) is a recording
    of its own.

    >>> recording_ids_of(["a", 7, "a", None, 7]).tolist()
    [0, 1, 0, 3, 1]
    """
    first: dict[int | str, int] = {}
    return np.array(
        [i if own is None or own == "" else first.setdefault(own, i) for i, own in enumerate(recordings)],
        dtype=np.int64,
    )
