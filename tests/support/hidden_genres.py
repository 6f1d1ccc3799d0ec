"""A catalogue whose genres are in its features, but not in plain sight."""

import numpy as np

from segue.models import TrainingData

GENRES, ARTISTS, TRACKS = 4, 20, 120


def hidden_genres(seed: int = 0, n: int = TRACKS) -> TrainingData:
    """Return tracks whose genre moves three quiet features, while ten loud ones follow nothing."""
    generator = np.random.default_rng(seed)
    artists = np.arange(n) % ARTISTS
    genres = artists % GENRES
    places = 3 * np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    own = generator.normal(size=(ARTISTS, 3)) * 0.5
    quiet = places[genres] + own[artists] + generator.normal(size=(n, 3)) * 0.3
    loud = generator.normal(size=(n, 10)) * 6
    features = np.hstack([quiet, loud]).astype(np.float32)
    return TrainingData(np.arange(n), features, artists, genres=[f"genre {g}" for g in genres])
