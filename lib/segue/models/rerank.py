"""From a ranking to a list for a listener: nothing twice, no artist too often, and some variety."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np
from pydantic import Field

from segue.models.base import Config, Scored
from segue.models.content import unit_rows
from segue.models.data import UNKNOWN_ARTIST, positions_in

Likeness = Callable[[np.ndarray], Callable[[int], np.ndarray]]
"""Takes int64[m] catalogue positions and returns what gives, for one more position, float[m]: how alike it is
to each of them, 1 at most."""


class RerankConfig(Config):
    """The rules of a list.

    ``per_artist`` tracks of one artist at most among any ``window`` neighbours of the list, more only where a
    catalogue has too few artists to fill a window so (`cap`). ``diversity`` from 0 (the ranking as it is) to
    1 (only difference counts) weighs variety; it chooses among the ``pool`` best of the ranking.
    """

    per_artist: int = Field(2, ge=1)
    window: int = Field(10, ge=1)
    diversity: float = Field(0.0, ge=0, le=1)
    pool: int = Field(100, ge=1)

    def cap(self, artist_ids: np.ndarray) -> int:
        """Return how many tracks of one artist may stand in a window of lists over a catalogue.

        That is ``per_artist``, or the least with which one window can be filled: else the lists of a folder
        with one artist's albums would end after two tracks.

        Parameters
        ----------
        artist_ids
            int64[n], ``UNKNOWN_ARTIST`` where unknown.
        """
        of_each = np.unique(artist_ids[artist_ids != UNKNOWN_ARTIST], return_counts=True)[1]
        unknown = artist_ids.size - int(of_each.sum())
        wanted = min(self.window, artist_ids.size)
        caps = range(self.per_artist, self.window)
        filling = (cap for cap in caps if unknown + int(np.minimum(of_each, cap).sum()) >= wanted)
        return next(filling, max(self.per_artist, self.window))


class Reranker:
    """Knows who made each track of the catalogue, which are copies of one recording, and which are alike.

    Every place of a list goes to the best track that may stand there. The best is that of maximal marginal
    relevance (Carbonell and Goldstein 1998): with ``d`` the diversity,

        (1 - d) relevance(i) - d max over the j chosen before of likeness(i, j)

    where the relevance of place p = 0, 1, ... of the ranking is 1 - p / pool. Scores of two models are not
    comparable and places are, so that the knob means the same for every model.

    Parameters
    ----------
    track_ids, artist_ids, recording_ids
        int64[n] each, as in `segue.models.base.TrainingData`; a fitted model has them by these names.
    likeness
        `alike_by_sound`, or where there are no features `alike_by_labels`, which without it is that of the
        artists alone.
    """

    def __init__(
        self,
        track_ids: np.ndarray,
        artist_ids: np.ndarray,
        recording_ids: np.ndarray,
        config: RerankConfig | None = None,
        likeness: Likeness | None = None,
    ) -> None:
        self.config = config or RerankConfig()
        self.per_artist = self.config.cap(artist_ids)
        self.track_ids, self.artist_ids = track_ids, artist_ids
        self.recordings = np.unique(recording_ids, return_inverse=True)[1]
        self.likeness = likeness or alike_by_labels(artist_ids)

    def rerank(self, ranked: Iterable[Scored], k: int, drop: Iterable[int] = ()) -> list[Scored]:
        """Return up to k items of ``ranked``, fewer when the rules leave no more.

        Left out are tracks in ``drop`` (seeds, recent, disliked), tracks outside the catalogue, every copy
        of a recording that was dropped or already taken, and at each place the artists that have had their
        share among the ``window`` items that end with it. Tracks of unknown artist are not capped.
        """
        items = list(ranked)
        place = positions_in(self.track_ids, [item.track_id for item in items])
        known = np.flatnonzero(place >= 0)
        score = {int(place[i]): items[i].score for i in known[::-1]}
        chosen = self.choose([place[known]], k, drop)
        return [Scored(int(self.track_ids[i]), score[int(i)]) for i in chosen]

    def choose(self, tiers: Iterable[np.ndarray], k: int, drop: Iterable[int] = ()) -> np.ndarray:
        """Return int64[at most k] catalogue positions by the rules of `rerank`.

        Parameters
        ----------
        tiers
            int64[m] positions each, best first. Whatever the diversity, a track of a later tier stands
            after all of the earlier ones.
        """
        drawn = _List(self, drop)
        for tier in tiers:
            drawn.fill(tier, k)
        return np.array(drawn.places, dtype=np.int64)


class _List:
    """A list in the making."""

    def __init__(self, rules: Reranker, drop: Iterable[int]) -> None:
        self._rules, self._config = rules, rules.config
        self.places: list[int] = []
        self._artists: list[int] = []
        self._taken = np.zeros(rules.recordings.size, dtype=bool)
        dropped = positions_in(rules.track_ids, list(drop))
        self._taken[rules.recordings[dropped[dropped >= 0]]] = True

    def fill(self, ranked: np.ndarray, k: int) -> None:
        """Add positions of ``ranked`` until there are k, or none of them may follow."""
        ranked = ranked[~self._taken[self._rules.recordings[ranked]]]
        depth = self._config.pool
        pool = _Pool(self._rules, ranked[:depth], self.places)
        while len(self.places) < k:
            i = pool.best(self._capped())
            if i is not None:
                self._add(pool, i)
            elif depth < ranked.size:
                # Rare: the rules bar all of the pool, such as the tracks of one artist.
                depth *= 2
                deeper = ranked[:depth]
                free = ~self._taken[self._rules.recordings[deeper]]
                pool = _Pool(self._rules, deeper, self.places, free)
            else:
                return

    def _add(self, pool: _Pool, i: int) -> None:
        place = int(pool.places[i])
        self.places.append(place)
        self._artists.append(int(self._rules.artist_ids[place]))
        self._taken[self._rules.recordings[place]] = True
        pool.take(i)

    def _capped(self) -> list[int]:
        """Return the artists that may not stand at the next place."""
        window = self._config.window - 1
        recent = Counter(self._artists[-window:] if window else [])
        return [a for a, n in recent.items() if n >= self._rules.per_artist and a != UNKNOWN_ARTIST]


class _Pool:
    """The candidates int64[m] for the next places, with their marginal relevance."""

    def __init__(
        self, rules: Reranker, places: np.ndarray, chosen: list[int], free: np.ndarray | None = None
    ) -> None:
        self.places = places
        self._diversity = rules.config.diversity
        self._artists, self._recordings = rules.artist_ids[places], rules.recordings[places]
        self._relevance = 1 - np.arange(places.size) / rules.config.pool
        self._barred = np.zeros(places.size) if free is None else np.where(free, 0, -np.inf)
        self._nearest: np.ndarray | None = None
        if self._diversity:
            self._alike = rules.likeness(places)
            for place in chosen:
                self._meet(place)

    def best(self, capped: list[int]) -> int | None:
        """Return where among `places` the best track is that is by none of the artists ``capped``."""
        if not self.places.size:
            return None
        value = (1 - self._diversity) * self._relevance + self._barred
        if self._nearest is not None:
            value -= self._diversity * self._nearest
        for artist in capped:
            value[self._artists == artist] = -np.inf
        found = int(value.argmax())
        return found if value[found] > -np.inf else None

    def take(self, i: int) -> None:
        """Bar the track at ``i`` and its copies, and compare the others with it from now on."""
        self._barred[self._recordings == self._recordings[i]] = -np.inf
        if self._diversity:
            self._meet(int(self.places[i]))

    def _meet(self, place: int) -> None:
        alike = self._alike(place)
        self._nearest = alike if self._nearest is None else np.maximum(self._nearest, alike)


def alike_by_sound(rows: np.ndarray) -> Likeness:
    """Return the likeness by the cosine of the angle between float[n, d] rows of features, -1 to 1."""

    def among(places: np.ndarray) -> Callable[[int], np.ndarray]:
        pool = unit_rows(rows[places])
        return lambda place: pool @ unit_rows(rows[place : place + 1])[0]

    return among


def alike_by_labels(artist_ids: np.ndarray, genre_codes: np.ndarray | None = None) -> Likeness:
    """Return the likeness 1 for one artist, 1/2 for one genre, else 0; what is unknown is like nothing.

    Parameters
    ----------
    artist_ids
        int64[n], ``UNKNOWN_ARTIST`` where unknown.
    genre_codes
        int64[n], -1 where unknown, as `TrainingData.genre_codes`.
    """
    genres = np.full(artist_ids.shape, -1) if genre_codes is None else genre_codes

    def among(places: np.ndarray) -> Callable[[int], np.ndarray]:
        artists, kinds = artist_ids[places], genres[places]

        def alike(place: int) -> np.ndarray:
            same_artist = (artists == artist_ids[place]) & (artists != UNKNOWN_ARTIST)
            same_genre = (kinds == genres[place]) & (kinds >= 0)
            return np.maximum(same_artist, 0.5 * same_genre)

        return alike

    return among
