"""What the network is taught: features, and the genres and artists as far as they are known."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from segue.models.data import UNKNOWN_ARTIST, TrainingData

NONE = -1


@dataclass(frozen=True, eq=False)
class Lesson:
    """n tracks with a genre, an artist, both, or neither.

    Parameters
    ----------
    features
        float32[n, d], standardised.
    genres, artists
        int64[n], any numbers from 0; `NONE` where unknown.
    """

    features: np.ndarray
    genres: np.ndarray
    artists: np.ndarray

    @classmethod
    def of(cls, data: TrainingData) -> Lesson:
        """Return what ``data`` teaches."""
        assert data.features is not None
        artists = np.asarray(data.artist_ids)
        codes = np.unique(artists, return_inverse=True)[1]
        return cls(data.features, data.genre_codes, np.where(artists == UNKNOWN_ARTIST, NONE, codes))

    def hiding(self, tracks: np.ndarray) -> Lesson:
        """Return the lesson without genre and artist of the tracks in bool[n]."""
        return replace(
            self, genres=np.where(tracks, NONE, self.genres), artists=np.where(tracks, NONE, self.artists)
        )

    @cached_property
    def taught(self) -> np.ndarray:
        """Return int64[t]: positions of the tracks with a genre or an artist."""
        return np.flatnonzero((self.genres != NONE) | (self.artists != NONE))

    @cached_property
    def genre_labels(self) -> np.ndarray:
        """Return int64[n]: genres numbered without gaps, `NONE` where unknown."""
        return _without_gaps(self.genres)

    @cached_property
    def artist_labels(self) -> np.ndarray:
        """Return int64[n]: artists numbered without gaps, `NONE` where unknown."""
        return _without_gaps(self.artists)

    @cached_property
    def members(self) -> np.ndarray:
        """Return bool[g, a + g]: which centres a genre has: those of its artists, and one of its own."""
        genres, artists = self.genre_labels, self.artist_labels
        g, a = int(genres.max(initial=NONE)) + 1, int(artists.max(initial=NONE)) + 1
        found = np.zeros((g, a + g), dtype=bool)
        both = (genres != NONE) & (artists != NONE)
        found[genres[both], artists[both]] = True
        found[np.arange(g), a + np.arange(g)] = True
        return found

    def fingerprint(self) -> str:
        """Return the SHA-256 of all that is taught."""
        digest = hashlib.sha256()
        for part in (self.features, self.genres, self.artists):
            digest.update(str(part.shape).encode() + np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()

    def save(self, file: Path) -> None:
        """Write the lesson where other processes read it."""
        np.savez(file, allow_pickle=False, features=self.features, genres=self.genres, artists=self.artists)

    @classmethod
    def load(cls, file: Path) -> Lesson:
        """Return a lesson that was saved."""
        with np.load(file, allow_pickle=False) as arrays:
            return cls(arrays["features"], arrays["genres"], arrays["artists"])


def _without_gaps(labels: np.ndarray) -> np.ndarray:
    known = labels != NONE
    found = np.full(labels.size, NONE, dtype=np.int64)
    found[known] = np.unique(labels[known], return_inverse=True)[1]
    return found
