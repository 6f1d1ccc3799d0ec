"""From a ranking to a list for a listener: what must not come again, and no artist too often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
from pydantic import Field

from segue.models.base import Config, Scored
from segue.models.data import UNKNOWN_ARTIST, positions_in


class RerankConfig(Config):
    """At most ``per_artist`` tracks of one artist among any ``window`` neighbours of the list."""

    per_artist: int = Field(2, ge=1)
    window: int = Field(10, ge=1)


class Reranker:
    """Knows who made each track of the catalogue and which are copies of one recording.

    Parameters
    ----------
    track_ids, artist_ids, recording_ids
        int64[n] each, as in `segue.models.base.TrainingData`; a fitted model has them by these names.
    """

    def __init__(
        self,
        track_ids: np.ndarray,
        artist_ids: np.ndarray,
        recording_ids: np.ndarray,
        config: RerankConfig | None = None,
    ) -> None:
        self.config = config or RerankConfig()
        self._track_ids, self._artist_ids, self._recording_ids = track_ids, artist_ids, recording_ids

    def rerank(self, ranked: Iterable[Scored], k: int, drop: Iterable[int] = ()) -> list[Scored]:
        """Return up to k items of ``ranked`` in its order, fewer when the rules leave no more.

        Left out are tracks in ``drop`` (seeds, recent, disliked), tracks outside the catalogue, every copy
        of a recording that was dropped or already taken, and a track whose artist has had its share among
        the ``window`` items that end with it. Tracks of unknown artist are not capped.
        """
        place = positions_in(self._track_ids, list(drop))
        heard = set(self._recording_ids[place[place >= 0]].tolist())
        barred = set(drop) if not isinstance(drop, set) else drop
        chosen: list[Scored] = []
        artists: list[int] = []
        for item in ranked:
            if len(chosen) == k:
                break
            i = int(positions_in(self._track_ids, [item.track_id])[0])
            if i < 0 or item.track_id in barred or int(self._recording_ids[i]) in heard:
                continue
            artist = int(self._artist_ids[i])
            recent = Counter(artists[-(self.config.window - 1) :] if self.config.window > 1 else [])
            if artist != UNKNOWN_ARTIST and recent[artist] >= self.config.per_artist:
                continue
            chosen.append(item)
            artists.append(artist)
            heard.add(int(self._recording_ids[i]))
        return chosen
