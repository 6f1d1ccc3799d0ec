"""What simulated listeners like: a hidden taste each, and what becomes of a track that fits it or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from segue.dataset.base import OK, PENDING, Track

_DEFAULT_LENGTH_S = 30.0
_STYLE_DIMENSIONS = 4


@dataclass(frozen=True)
class Habits:
    """What the simulated listeners are like; the defaults make tastes that can be learned, not read off.

    Attributes
    ----------
    focus
        Concentration of the Dirichlet over genres: small for listeners of few genres.
    loyalty
        Spread of a listener's liking for artists, in units of log preference.
    style
        Weight of tastes that go across genres (each artist and listener has a place in a small style space).
    skew
        Exponent of the popularity of tracks, 0 for none, 1 for Zipf's law.
    explore
        Mean share of plays that come from a radio of popular tracks instead of the listener's taste.
    novelty
        Factor on the preference for a track at each time it was heard; below 1 listeners seek new ones.
    sessions, plays
        Mean number of sessions a listener, and of plays a session.
    """

    focus: float = 0.35
    loyalty: float = 1.0
    style: float = 0.8
    skew: float = 0.7
    explore: float = 0.25
    novelty: float = 0.6
    sessions: float = 6.0
    plays: float = 7.0


class World:
    """The catalogue as listeners see it: genres, artists, places in the style space, popularity."""

    def __init__(self, tracks: Sequence[Track], seed: int, habits: Habits) -> None:
        rng = np.random.default_rng([seed, 0])
        self.tracks = tracks
        self.habits = habits
        self.genres, self.genre = _numbered([track.genre_top or "" for track in tracks])
        self.artists, self.artist = _numbered([_who(track) for track in tracks])
        self.styles = rng.standard_normal((self.artists, _STYLE_DIMENSIONS)) / np.sqrt(_STYLE_DIMENSIONS)
        rank = rng.permutation(len(tracks)) + 1
        self.log_appeal = -habits.skew * np.log(rank)
        self.length_s = np.array([track.duration_s or _DEFAULT_LENGTH_S for track in tracks])

    def taste(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return a new listener's log preference for each genre and for each artist, popularity left out."""
        genres = np.maximum(rng.dirichlet(np.full(self.genres, self.habits.focus)), 1e-3)
        liking = self.habits.loyalty * rng.standard_normal(self.artists)
        place = rng.standard_normal(_STYLE_DIMENSIONS)
        return np.log(genres), liking + 2 * self.habits.style * (self.styles @ place)

    def affinity(self, rng: np.random.Generator) -> np.ndarray:
        """Return float[n]: a new listener's log preference for each track, popularity left out."""
        by_genre, by_artist = self.taste(rng)
        return by_genre[self.genre] + by_artist[self.artist]


def _numbered(names: list[str]) -> tuple[int, np.ndarray]:
    """Return how many different names there are, and int[n]: the number of each."""
    different, numbers = np.unique(names, return_inverse=True)
    return len(different), numbers


def _who(track: Track) -> str:
    if track.artist_id is not None:
        return f"id {track.artist_id}"
    return f"name {track.artist}" if track.artist else f"track {track.track_id}"


def playable(tracks: Sequence[Track]) -> list[Track]:
    """Return the tracks that simulated listeners can play."""
    return [track for track in tracks if track.status in (OK, PENDING)]


def born(seed: int, number: int) -> np.random.Generator:
    """Return what listener ``number`` is drawn from: first of all their taste, by `World.taste`."""
    return np.random.default_rng([seed, 1, number])


def skip_chance(fit: float | np.ndarray) -> Any:
    """Return how likely a track is broken off that fits by ``fit`` (0: as a mean track of the catalogue)."""
    return 1 / (1 + np.exp(0.9 * fit + 1.2))


def like_chance(fit: float | np.ndarray) -> Any:
    """Return how likely a track that was heard to the end is liked."""
    return 0.3 / (1 + np.exp(1.5 - fit))
