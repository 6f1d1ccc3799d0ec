"""The rules of a list as one pass over a ranking that is produced only as far as it is read."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np

from segue.models.data import UNKNOWN_ARTIST
from segue.models.rerank import RerankConfig

_Row = tuple[int, int, int, int]
"""A candidate: its place in the tier, its position in the catalogue, its artist and its recording."""


class Chooser:
    """Chooses what `segue.models.rerank.Reranker.choose` does without diversity, reading no further.

    Parameters
    ----------
    artist_ids, recording_ids
        int64[n] each, as in `segue.models.base.TrainingData`.
    config
        Its ``diversity`` must be 0.
    """

    def __init__(self, artist_ids: np.ndarray, recording_ids: np.ndarray, config: RerankConfig) -> None:
        assert not config.diversity
        self._artists, self._recordings, self._config = artist_ids, recording_ids, config

    def choose(self, tiers: Iterable[Iterable[np.ndarray]], k: int, dropped: np.ndarray) -> np.ndarray:
        """Return int64[at most k] positions.

        Parameters
        ----------
        tiers
            The parts of each tier, int64[m] positions each, best first; a track of a later tier stands
            after all of the earlier ones.
        dropped
            int64[d] positions that are not chosen, nor copies of them.
        """
        drawn = _List(self._config, set(self._recordings[dropped].tolist()))
        for tier in tiers:
            if len(drawn.places) < k:
                drawn.fill(self._rows(tier), k)
        return np.array(drawn.places, dtype=np.int64)

    def _rows(self, parts: Iterable[np.ndarray]) -> Iterator[_Row]:
        number = 0
        for part in parts:
            columns = (part.tolist(), self._artists[part].tolist(), self._recordings[part].tolist())
            yield from zip(range(number, number + part.size), *columns, strict=True)
            number += part.size


class _List:
    """A list in the making."""

    def __init__(self, config: RerankConfig, taken: set[int]) -> None:
        self._most, self._window = config.per_artist, config.window - 1
        self._taken = taken
        self._artists: list[int] = []
        self.places: list[int] = []

    def fill(self, rows: Iterator[_Row], k: int) -> None:
        """Add places until there are k, or none of the rows may follow.

        What the cap of an artist holds back waits, in order, until the artist may stand again.
        """
        waiting: dict[int, deque[_Row]] = {}
        while len(self.places) < k:
            recent = self._artists[-self._window :] if self._window else []
            row = self._waited(waiting, recent) or self._read(rows, waiting, recent)
            if row is None:
                return
            _, place, artist, recording = row
            self.places.append(place)
            self._artists.append(artist)
            self._taken.add(recording)

    def _read(self, rows: Iterator[_Row], waiting: dict[int, deque[_Row]], recent: list[int]) -> _Row | None:
        for row in rows:
            _, _, artist, recording = row
            if recording in self._taken:
                continue
            if artist == UNKNOWN_ARTIST or recent.count(artist) < self._most:
                return row
            waiting.setdefault(artist, deque()).append(row)
        return None

    def _waited(self, waiting: dict[int, deque[_Row]], recent: list[int]) -> _Row | None:
        """Return the foremost of those that wait whose artist may stand again."""
        best = None
        for artist, line in waiting.items():
            while line and line[0][3] in self._taken:
                line.popleft()
            if line and recent.count(artist) < self._most and (best is None or line[0] < best):
                best = line[0]
        return best
