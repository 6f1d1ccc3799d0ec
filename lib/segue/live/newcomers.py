"""Tracks that came into the store after a run was fitted: found, placed by their sound, given a card."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np

from segue.audio.columns import COLUMNS
from segue.dataset.base import Track
from segue.errors import SegueError
from segue.models.data import UNKNOWN_ARTIST
from segue.models.space import SPACE, Space, content_key
from segue.pipeline.run import Run
from segue.store import Store
from segue.store.cards import NEWEST, Card
from segue.store.changes import tracks_state, usable_tracks

MOST = 5_000
"""Newcomers served at most: their features are compared with every listener's tracks. The others wait for
the next refit."""

_WIDTH = len(COLUMNS)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Arrivals:
    """m newcomers by ascending id, as `segue.live.serving.Serving.newcomers` takes them.

    Attributes
    ----------
    track_ids
        int64[m].
    rows
        float32[m, 518]: features, standardised as the run's own.
    artist_ids
        int64[m], `UNKNOWN_ARTIST` where no artist is named.
    recording_ids
        int64[m], equal for copies of one recording; the run's own only for a file that was moved.
    """

    track_ids: np.ndarray
    rows: np.ndarray
    artist_ids: np.ndarray
    recording_ids: np.ndarray

    @property
    def columns(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return the four, in the order of the arguments there."""
        return self.track_ids, self.rows, self.artist_ids, self.recording_ids

    def same(self, other: Arrivals) -> bool:
        """Tell whether these are the same tracks, with the same features, artists and recordings."""
        return all(np.array_equal(a, b) for a, b in zip(self.columns, other.columns, strict=True))


_NOBODY = Arrivals(
    np.empty(0, dtype=np.int64),
    np.empty((0, _WIDTH), dtype=np.float32),
    np.empty(0, dtype=np.int64),
    np.empty(0, dtype=np.int64),
)


class Newcomers:
    """The usable tracks of a data set that a run's models were not fitted on.

    A track comes in when the ETL has compared it for copies, which is the last thing that it does: a copy of
    a recording that the run has is no newcomer. A newcomer whose file has gone leaves at the next look; a
    track that the models know stays until the next run of notebook 01, whatever became of its file.

    Parameters
    ----------
    store
        The data set's.
    run
        Whose models serve; a run that was fitted before there was a `SPACE` has no newcomers.

    Attributes
    ----------
    found
        Those of the last look.
    """

    def __init__(self, store: Store, run: Run) -> None:
        self.found = _NOBODY
        self._store, self._run = store, run
        self._space: Space | None = None
        self._state: tuple[Any, ...] = ()
        self._blind = False

    def refresh(self) -> bool:
        """Look for newcomers, give each a card, and tell whether `found` has changed.

        Where nothing came or went since the last look it asks three questions of half a millisecond; else it
        reads two numbers of every track.

        Raises
        ------
        pymongo.errors.PyMongoError
            If the store does not answer; the next look sees all that this one would have.
        """
        if self._blind or not (self._run.path / SPACE).exists():
            return False
        state = tracks_state(self._store)
        if state == self._state:
            return False
        try:
            self._space = self._space or Space.load(self._run.path / SPACE)
        except SegueError as error:
            _log.warning("new tracks wait for the next refit: %s", error)
            self._blind = True
            return False
        before, self.found = self.found, self._look(self._space)
        # Cards of our own are no reason to look again, those that another writes meanwhile are.
        after = tracks_state(self._store)
        self._state = after if after[:-1] == state[:-1] else state
        return not self.found.same(before)

    def _look(self, space: Space) -> Arrivals:
        ids, recordings, usable = self._new(space)
        tracks = self._store.tracks.by_ids(ids.tolist())
        vectors = self._store.features.vectors_of((t.sha256 or "" for t in tracks.values()), space.recipe)
        whole = {track.track_id for track in tracks.values() if _is_whole(vectors.get(track.sha256 or ""))}
        if missing := ids.size - len(whole):
            _log.warning("%d new tracks have no features of the recipe %s: they wait", missing, space.recipe)
        there = np.isin(ids, list(whole))
        ids, recordings = ids[there], recordings[there]
        if not ids.size:
            return _NOBODY
        new = [tracks[track_id] for track_id in ids.tolist()]
        features = np.stack([vectors[track.sha256 or ""] for track in new])
        self._write_cards(new, space.prints(features))
        artists = [UNKNOWN_ARTIST if track.artist_id is None else track.artist_id for track in new]
        numbers = _recording_ids(
            space, [content_key(track.sha256 or "") for track in new], recordings, usable
        )
        return Arrivals(ids, space.scaling.apply(features), np.array(artists, dtype=np.int64), numbers)

    def _new(self, space: Space) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the ids and recordings of at most `MOST` newcomers, and the ids of all usable tracks."""
        usable, recordings = usable_tracks(self._store)
        known = np.isin(usable, space.track_ids)
        # The track that stands for a recording may itself be new: then an old one is its copy.
        heard = np.union1d(recordings[known], space.track_ids)
        new = ~known & ~np.isin(recordings, heard)
        if (waiting := np.count_nonzero(new) - MOST) > 0:
            _log.warning("%d new tracks wait for the next refit: %d are served by now", waiting, MOST)
        return usable[new][:MOST], recordings[new][:MOST], usable

    def _write_cards(self, tracks: list[Track], prints: np.ndarray) -> None:
        newest = sorted(tracks, key=lambda track: -(track.mtime_ns or 0))[:NEWEST]
        ids = [track.track_id for track in newest]
        self._store.meta.replace_one({"_id": "newcomers"}, {"tracks": ids}, upsert=True)
        self._store.cards.add(
            Card.of(track.track_id, track.to_document(), print_)
            for track, print_ in zip(tracks, prints.round(3).tolist(), strict=True)
        )


def _recording_ids(
    space: Space, contents: list[int], recordings: np.ndarray, usable: np.ndarray
) -> np.ndarray:
    """Return int64[m]: a number that no track of the run has for each recording.

    A content that the run knows from a track that is gone has been moved, as when a folder is renamed: it
    keeps the number of that track, which the models still offer, so that no list holds both.
    """
    numbers = np.unique(recordings, return_inverse=True)[1] + space.recording_ids.max(initial=-1) + 1
    gone = np.flatnonzero(~np.isin(space.track_ids, usable))
    moved = dict(zip(space.contents[gone].tolist(), space.recording_ids[gone].tolist(), strict=True))
    own = [moved.get(content, number) for content, number in zip(contents, numbers.tolist(), strict=True)]
    return np.array(own, dtype=np.int64)


def _is_whole(vector: np.ndarray | None) -> bool:
    return vector is not None and vector.shape == (_WIDTH,) and bool(np.isfinite(vector).all())
