"""The played tracks that sound most like each track: what stands for it where nobody has played it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segue.models.content import unit_rows

_AT_ONCE = 512
_MOST = 20_000


@dataclass(frozen=True, eq=False)
class SoundAlikes:
    """The k played tracks most like each of n tracks, itself left out, most alike first.

    ``tracks``: int32[n, k] positions. ``shares``: float32[n, k], a power of the cosine of their features
    over its sum in the row; zeros for tracks that are not alike at all.
    """

    tracks: np.ndarray
    shares: np.ndarray

    def mean_of(self, scores: np.ndarray) -> np.ndarray:
        """Return float32[n]: what the played tracks' float[n] ``scores`` come to for each track."""
        return np.einsum("nk,nk->n", scores.astype(np.float32)[self.tracks], self.shares)


def sound_alikes(features: np.ndarray, listeners: np.ndarray, k: int, sharpness: float) -> SoundAlikes:
    """Return the tracks most like each among those with listeners, by exact search.

    Of more than 20,000 such tracks the most played are searched: the time grows with their number, and
    there the scores of a track with many listeners are also the surest.

    Parameters
    ----------
    features
        float32[n, d], standardised.
    listeners
        float[n]: how many each track has.
    k
        How many of the tracks are kept; all of them where there are fewer.
    sharpness
        The power: the higher, the more the nearest count.
    """
    played = np.flatnonzero(listeners)
    if played.size > _MOST:
        played = np.sort(played[np.argsort(-listeners[played], kind="stable")[:_MOST]])
    rows = unit_rows(features)
    k = min(k, played.size)
    tracks = np.zeros((rows.shape[0], k), dtype=np.int32)
    shares = np.zeros((rows.shape[0], k), dtype=np.float32)
    for start in range(0, rows.shape[0], _AT_ONCE):
        block = slice(start, start + _AT_ONCE)
        cosine = rows[block] @ rows[played].T
        cosine[np.arange(start, start + cosine.shape[0])[:, None] == played] = -np.inf
        best = np.argpartition(-cosine, k - 1, axis=1)[:, :k] if k else np.empty((cosine.shape[0], 0), int)
        own = np.take_along_axis(cosine, best, axis=1)
        order = np.argsort(-own, axis=1, kind="stable")
        tracks[block] = played[np.take_along_axis(best, order, axis=1)]
        shares[block] = np.maximum(np.take_along_axis(own, order, axis=1), 0) ** sharpness
    total = shares.sum(axis=1, keepdims=True)
    return SoundAlikes(tracks, np.divide(shares, total, out=shares, where=total > 0))
