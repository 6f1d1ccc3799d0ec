"""How good groups are: apart from each other by sound, alike in genre; computed by scikit-learn."""

from __future__ import annotations

import numpy as np
import pandas as pd

from segue.errors import SegueError

_SAMPLE = 5_000


def clustering_quality(
    rows: np.ndarray, labels: np.ndarray, genres: np.ndarray | None = None, *, seed: int = 0
) -> dict[str, float]:
    """Return three views of one clustering; NaN where a view has nothing to look at.

    ``silhouette`` (Rousseeuw 1987): -1 to 1, how much nearer a track is to its own cluster than to the next,
    of 5,000 random tracks where there are more. ``davies_bouldin`` (Davies and Bouldin 1979): from 0, how
    wide clusters are for their distance, less is better. ``adjusted_mutual_information`` with genre (Vinh,
    Epps and Bailey 2010): 0 by chance, 1 where clusters are the genres, over the tracks that have one.

    Parameters
    ----------
    rows
        float[n, d]: what was clustered.
    labels
        int[n]: the cluster of each track.
    genres
        [n] of str, empty where a track has none.

    Raises
    ------
    SegueError
        If the lengths disagree or there is no track.
    """
    from sklearn.metrics import adjusted_mutual_info_score, davies_bouldin_score, silhouette_score

    rows, labels = np.asarray(rows, dtype=np.float64), np.asarray(labels)
    names = np.full(len(rows), "") if genres is None else np.asarray(genres).astype(str)
    if not len(rows) == len(labels) == len(names) or not len(rows):
        raise SegueError(
            f"{len(rows)} tracks, {len(labels)} clusters and {len(names)} genres do not belong together"
        )
    clusters = np.unique(labels).size
    apart = 2 <= clusters < len(rows)
    seen = _drawn(labels, seed)
    named = names != ""
    return {
        "silhouette": float(silhouette_score(rows[seen], labels[seen])) if apart else np.nan,
        "davies_bouldin": float(davies_bouldin_score(rows, labels)) if apart else np.nan,
        "adjusted_mutual_information": float(adjusted_mutual_info_score(names[named], labels[named]))
        if np.unique(names[named]).size >= 2
        else np.nan,
    }


def compare_clusterings(
    rows: np.ndarray, clusterings: dict[str, np.ndarray], genres: np.ndarray | None = None, *, seed: int = 0
) -> pd.DataFrame:
    """Return one row a clustering: ``model``, ``clusters``, and what `clustering_quality` says of it.

    Random clusters of the same sizes as the first clustering's stand beside them as ``shuffled``.
    """
    if not clusterings:
        raise SegueError("there is no clustering to compare: fit KMeans first")
    first = next(iter(clusterings.values()))
    shuffled = np.random.default_rng(seed).permutation(first)
    table = []
    for label, labels in (clusterings | {"shuffled": shuffled}).items():
        quality = clustering_quality(rows, labels, genres, seed=seed)
        table.append({"model": label, "clusters": int(np.unique(labels).size), **quality})
    return pd.DataFrame(table)


def _drawn(labels: np.ndarray, seed: int) -> np.ndarray:
    """Return the positions that the silhouette looks at: all, or a sample with at least two clusters."""
    if labels.size <= _SAMPLE:
        return np.arange(labels.size)
    drawn = np.random.default_rng(seed).permutation(labels.size)[:_SAMPLE]
    if np.unique(labels[drawn]).size < 2:
        drawn[0] = np.flatnonzero(labels != labels[drawn[0]])[0]
    return drawn
