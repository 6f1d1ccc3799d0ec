"""Many dimensions in few: principal components, and a map of the catalogue in two."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segue.errors import UsageError

TSNE_TRACKS = 10_000
"""Up to this many tracks t-SNE lays out every one (40 s of one core); of more, this many `LANDMARKS`."""
LANDMARKS = 5_000
"""Tracks that t-SNE lays out where there are too many for it; the others are placed between them."""
_FEW = 3_000
"""Up to this many tracks t-SNE takes 1,000 steps, above 500: the last ones change little and cost half."""
_BESIDE = 5
_TSNE_INPUT = 50
_PERPLEXITY = 30.0


class Components(NamedTuple):
    """Principal components of float[n, d]."""

    scores: np.ndarray
    """float32[n, c]: the rows in the new directions."""
    directions: np.ndarray
    """float32[c, d]: unit vectors."""
    explained: np.ndarray
    """float64[c]: shares of the total variance."""


def principal_components(features: np.ndarray, count: int) -> Components:
    """Return the first ``count`` principal components, as many as min(n, d) allows.

    ``explained`` is each component's share of the total variance (all zeros where there is none). Signs are
    fixed so that the largest entry of a direction is positive.

    Raises
    ------
    UsageError
        If ``count`` is below 1.
    """
    if count < 1:
        raise UsageError(f"count = {count}: ask for at least one principal component")
    centred = np.asarray(features, dtype=np.float64)
    centred = centred - centred.mean(axis=0)
    left, singular, directions = np.linalg.svd(centred, full_matrices=False)
    sign = np.sign(directions[np.arange(singular.size), np.abs(directions).argmax(axis=1)])
    sign[sign == 0] = 1
    total = float((singular**2).sum())
    explained = singular**2 / total if total > 0 else np.zeros_like(singular)
    return Components(
        (left * singular * sign)[:, :count].astype(np.float32),
        (directions * sign[:, None])[:count].astype(np.float32),
        explained[:count],
    )


def map_2d(features: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return float32[n, 2]: each track's place on a map where near means alike.

    t-SNE (van der Maaten and Hinton 2008) of the first 50 principal components, started from the first two,
    for 6 to `TSNE_TRACKS` tracks; for fewer, the first two principal components. Of more tracks, t-SNE lays
    out `LANDMARKS` drawn at random, and each other one stands among its five nearest landmarks, nearer to
    the more alike. Equal features and seed give an equal map.

    Parameters
    ----------
    features
        float[n, d], standardised.
    """
    n = len(features)
    reduced = principal_components(features, _TSNE_INPUT).scores
    if n < 6 or not reduced.any():
        plane = np.zeros((n, 2), dtype=np.float32)
        plane[:, : reduced.shape[1]] = reduced[:, :2]
        return plane
    if n <= TSNE_TRACKS:
        return _tsne(reduced, seed)
    landmarks = np.sort(np.random.default_rng(seed).permutation(n)[:LANDMARKS])
    return _between(reduced, landmarks, _tsne(reduced[landmarks], seed))


def _tsne(reduced: np.ndarray, seed: int) -> np.ndarray:
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    n = len(reduced)
    start = np.zeros((n, 2), dtype=np.float32)
    start[:, : reduced.shape[1]] = reduced[:, :2]
    start *= 1e-4 / (start[:, 0].std() or 1.0)
    perplexity = min(_PERPLEXITY, (n - 1) / 3)
    tsne = TSNE(
        perplexity=perplexity, init=start, learning_rate="auto", random_state=seed,
        max_iter=1000 if n <= _FEW else 500,
    )  # fmt: skip
    # OpenMP threads spin while they wait: on busy cores two are several times slower than one.
    with threadpool_limits(1, user_api="openmp"):
        return np.asarray(tsne.fit_transform(reduced), dtype=np.float32)


def _between(reduced: np.ndarray, landmarks: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return float32[n, 2]: the landmarks' own places, and means of near ones for all others."""
    from sklearn.neighbors import NearestNeighbors

    near = NearestNeighbors(n_neighbors=_BESIDE, algorithm="brute").fit(reduced[landmarks])
    distances, beside = near.kneighbors(reduced)
    weights = 1 / np.maximum(distances, 1e-6) ** 2
    weights /= weights.sum(axis=1, keepdims=True)
    made = np.einsum("nk,nkd->nd", weights, places[beside]).astype(np.float32)
    made[landmarks] = places
    return made


def neighbours_kept(features: np.ndarray, places: np.ndarray, k: int = 10, seed: int = 0) -> float:
    """Return the share of the k nearest by features that are among the k nearest on the map.

    The mean over at most 1,000 tracks drawn at random; Euclidean distances; chance is ``k / (n - 1)``.

    Parameters
    ----------
    features, places
        float[n, d] and float[n, 2] of the same tracks, n above k.
    """
    from sklearn.neighbors import NearestNeighbors

    asked = np.random.default_rng(seed).permutation(len(features))[:1_000]
    lists = []
    for rows in (features, places):
        near = NearestNeighbors(n_neighbors=k + 1).fit(rows)
        found = near.kneighbors(rows[asked], return_distance=False)
        # A track of equal features may stand before the track itself.
        own = found == asked[:, None]
        own[~own.any(axis=1), -1] = True
        lists.append(found[~own].reshape(len(asked), k))
    return float((lists[0][:, :, None] == lists[1][:, None, :]).any(axis=2).mean())
