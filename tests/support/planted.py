"""Catalogues whose right answers are known."""

import numpy as np
import pandas as pd

from segue.models import TrainingData

FIRST_ID = 100


def frame(pairs) -> pd.DataFrame:
    """Interactions of (listener, track, weight) triples."""
    plays = pd.DataFrame(list(pairs), columns=["listener_id", "track_id", "weight"])
    return plays.astype({"listener_id": str, "track_id": "int64", "weight": "float32"})


def checkerboard(n: int, **columns) -> TrainingData:
    """Listener u has played every track of u's parity but track u; features tell the parities apart too."""
    tracks = np.arange(n)
    sign = np.where(tracks % 2, 1.0, -1.0)
    noise = np.random.default_rng(7).normal(scale=0.05, size=(n, 4))
    features = np.column_stack([sign, sign, -sign, noise]).astype(np.float32)
    plays = frame(
        (f"l{u:03d}", FIRST_ID + i, 1.0) for u in range(n) for i in range(u % 2, n, 2) if i != u or n <= 2
    )
    columns.setdefault("genres", ["odd" if track % 2 else "even" for track in tracks])
    return TrainingData(FIRST_ID + tracks, features, interactions=plays, **columns)


def blobs(n: int, d: int, clusters: int, seed: int = 0, spread: float = 0.3):
    """Return float32[n, d] around ``clusters`` distant centres, and the cluster of each row."""
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % clusters
    centres = generator.normal(scale=3.0, size=(clusters, d))
    return (centres[labels] + generator.normal(scale=spread, size=(n, d))).astype(np.float32), labels


def taste(n: int = 60, listeners: int = 40, seed: int = 0) -> TrainingData:
    """Four genres (track position modulo 4), five artists a genre; a listener plays mostly one genre."""
    generator = np.random.default_rng(seed)
    features, genre = blobs(n, 12, 4, seed)
    plays = []
    for u in range(listeners):
        odds = np.where(genre == u % 4, 12.0, 1.0)
        chosen = generator.choice(n, size=12, replace=False, p=odds / odds.sum())
        plays += [(f"l{u:03d}", FIRST_ID + int(i), float(generator.integers(1, 30))) for i in chosen]
    genres = [f"genre {i}" for i in genre]
    return TrainingData(
        FIRST_ID + np.arange(n), features, np.arange(n) % 20, interactions=frame(plays), genres=genres
    )
