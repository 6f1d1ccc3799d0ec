"""Many dimensions in few: principal components, and a map of the catalogue in two."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segue.errors import UsageError

TSNE_TRACKS = 5_000
"""Above this many tracks the map is the first two principal components: t-SNE would take minutes."""
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
    for 6 to `TSNE_TRACKS` tracks; otherwise the first two principal components. Equal features and seed
    give an equal map.

    Parameters
    ----------
    features
        float[n, d], standardised.
    """
    n = len(features)
    reduced = principal_components(features, _TSNE_INPUT).scores
    if n < 6 or n > TSNE_TRACKS or not reduced.any():
        plane = np.zeros((n, 2), dtype=np.float32)
        plane[:, : reduced.shape[1]] = reduced[:, :2]
        return plane
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    start = np.zeros((n, 2), dtype=np.float32)
    start[:, : reduced.shape[1]] = reduced[:, :2]
    start *= 1e-4 / start[:, 0].std()
    perplexity = min(_PERPLEXITY, (n - 1) / 3)
    tsne = TSNE(perplexity=perplexity, init=start, learning_rate="auto", random_state=seed)
    # OpenMP threads spin while they wait: on busy cores two are several times slower than one.
    with threadpool_limits(1, user_api="openmp"):
        return np.asarray(tsne.fit_transform(reduced), dtype=np.float32)
