"""Simulated catalogues of any size, seeded."""

import numpy as np
import pandas as pd

FMA_FULL = 106_574
"""The tracks of fma_full."""


def clustered(n: int, d: int = 518, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return float32[n, d] of standardised features in clusters, and the genre int[n] of each.

    16 genres hold artists, an artist holds eight tracks in the mean, and what varies at each level falls
    off over the directions of a random rotation as i^-1.3. A draw of 1,583 rows then is like FMA's 1,583
    MFCC rows: a participation ratio of 15 (there 15), a median cosine to the nearest of 0.62 (0.64) and to
    the tenth of 0.51 (0.52), a local intrinsic dimension of 20 (20).
    """
    generator = np.random.default_rng(seed)
    spread = (np.arange(1, d + 1) ** -0.65).astype(np.float32)
    artists = max(1, n // 8)
    genre_of_artist, artist = generator.integers(16, size=artists), generator.integers(artists, size=n)

    def level(count: int, share: float) -> np.ndarray:
        return np.float32(share) * spread * generator.standard_normal((count, d), dtype=np.float32)

    centres = level(artists, 0.6) + level(16, 0.5)[genre_of_artist]
    rows = level(n, 0.65)
    rows += centres[artist]
    rows = rows @ np.linalg.qr(generator.standard_normal((d, d)))[0].astype(np.float32)
    rows -= rows.mean(axis=0)
    rows /= rows.std(axis=0)
    return rows, genre_of_artist[artist]


def plays(track_ids: np.ndarray, genres: np.ndarray, count: int, *, seed: int = 0) -> pd.DataFrame:
    """Return ``count`` plays of 250 a listener: mostly one's own genre, the n-th track n^-0.8 as often."""
    generator = np.random.default_rng(seed)
    n, listeners = track_ids.size, max(1, count // 250)
    order = generator.permutation(n)
    odds = np.arange(1, n + 1) ** -0.8
    by_genre = []
    for genre in range(int(genres.max()) + 1):
        own = odds[genres[order] == genre].cumsum()
        by_genre.append((order[genres[order] == genre], own / own[-1] if own.size else own))
    everywhere = odds.cumsum() / odds.sum()
    rows, columns = [], []
    taste = generator.choice(genres, size=listeners)
    for genre, (tracks, cumulated) in enumerate(by_genre):
        listening = np.flatnonzero(taste == genre)
        if not listening.size:
            continue
        who = np.repeat(listening, count // listeners)
        at_home = generator.random(who.size) < 0.8
        draw = generator.random(who.size)
        rows.append(who)
        columns.append(
            np.where(
                at_home,
                tracks[np.minimum(np.searchsorted(cumulated, draw), tracks.size - 1)],
                order[np.minimum(np.searchsorted(everywhere, draw), n - 1)],
            )
        )
    listener = np.concatenate(rows)
    return pd.DataFrame(
        {
            "listener_id": listener.astype(str),
            "track_id": track_ids[np.concatenate(columns)],
            "weight": np.ones(listener.size, dtype=np.float32),
        }
    )
