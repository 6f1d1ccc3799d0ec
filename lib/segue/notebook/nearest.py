"""Who is beside whom: the nearest tracks under each scaling, and the tracks that are near to none."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from segue.errors import SegueError
from segue.evaluation.intervals import bootstrap_mean, paired_difference
from segue.models.data import UNKNOWN_ARTIST, TrainingData

if TYPE_CHECKING:
    from segue.notebook.catalogue import Catalogue

K = 10
QUERIES = 1_000
"""Tracks that are asked for their neighbours, drawn at random from a larger collection."""
_AT_ONCE = 100


@dataclass(frozen=True)
class Neighbourhoods:
    """What scaling does to the nearest tracks.

    ``shares`` has one row a scaling and measure: ``scaling``, ``measure`` (``same genre``, among tracks of
    other artists; ``same artist``), ``share`` with its 95 % interval ``low`` and ``high``, ``chance``, what a
    random list would have, and ``behind``: whether the scaling with the highest share is ahead on the same
    tracks (paired bootstrap, 95 %). ``overlaps`` has one row a pair of scalings: ``one``, ``other``,
    ``share`` of the nearest that both name, ``low``, ``high``, ``chance``. ``nearest`` holds for each scaling
    int64[q, k], positions of the nearest of ``queries`` (int64[q], positions). ``k`` is how many.
    """

    shares: pd.DataFrame
    overlaps: pd.DataFrame
    nearest: dict[str, np.ndarray]
    queries: np.ndarray
    k: int


def neighbourhoods(
    scaled: Mapping[str, pd.DataFrame], data: TrainingData, catalogue: Catalogue, seed: int = 0
) -> Neighbourhoods:
    """Compare the nearest tracks, by Euclidean distance, under each scaling.

    A track is never its own neighbour, nor is another copy of its recording. Intervals are bootstrapped over
    artists, as tracks of one artist are not independent.

    Raises
    ------
    SegueError
        If there are fewer than three different recordings: there is only one list to make.
    """
    recordings = np.asarray(data.recording_ids)
    if len(np.unique(recordings)) < 3:
        raise SegueError("nearest tracks need at least three usable tracks of different recordings")
    n = len(recordings)
    queries = np.sort(np.random.default_rng(seed).permutation(n)[:QUERIES])
    sizes = pd.Series(recordings).map(pd.Series(recordings).value_counts()).to_numpy()
    k = int(min(K, (n - sizes).min()))
    artists = np.asarray(data.artist_ids)
    # A track of an unknown artist is taken for an artist of its own.
    own = np.where(artists == UNKNOWN_ARTIST, -1 - np.arange(n), artists)
    genres = np.array([genre or "" for genre in catalogue.genres], dtype=object)
    lists, others = {}, {}
    for name, frame in scaled.items():
        lists[name], others[name] = _nearest(frame.to_numpy(np.float64), queries, k, recordings, own)
    same_artist = _same(own, own, queries, recordings)
    same_genre = _same(genres, own, queries, own)
    by_artist = {name: (own[found] == own[queries][:, None]).mean(axis=1) for name, found in lists.items()}
    rows = []
    if (np.unique(own, return_counts=True)[1] > 1).any():
        rows += _rows("same artist", by_artist, own[queries], float(same_artist.mean()))
    asked = [i for i, query in enumerate(queries) if genres[query] and len(next(iter(others.values()))[i])]
    if len({genres[queries[i]] for i in asked}) > 1 and same_genre[asked].any():
        by_genre = {
            name: np.array([(genres[found[i]] == genres[queries[i]]).mean() for i in asked])
            for name, found in others.items()
        }
        rows += _rows("same genre", by_genre, own[queries[asked]], float(same_genre[asked].mean()))
    shares = pd.DataFrame(rows, columns=["scaling", "measure", "share", "low", "high", "chance", "behind"])
    return Neighbourhoods(shares, _overlaps(lists, own[queries], sizes[queries], n, k), lists, queries, k)


def _distances(rows: np.ndarray, queries: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield squared distances float64[some, n] of slices of the queries to all rows."""
    centred = rows - rows.mean(axis=0)  # Else large values would leave no digits for small distances.
    squares = np.einsum("ij,ij->i", centred, centred)
    for start in range(0, len(queries), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        asked = queries[part]
        yield part, squares[asked, None] + squares[None] - 2 * centred[asked] @ centred.T


def _nearest(
    rows: np.ndarray, queries: np.ndarray, k: int, recordings: np.ndarray, artists: np.ndarray
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return int64[q, k], the nearest of other recordings, and for each query those of other artists."""
    lists = np.empty((len(queries), k), dtype=np.int64)
    others: list[np.ndarray] = []
    for part, distances in _distances(rows, queries):
        asked = queries[part]
        distances[recordings[asked, None] == recordings[None]] = np.inf
        lists[part] = np.argsort(distances, axis=1, kind="stable")[:, :k]
        distances[artists[asked, None] == artists[None]] = np.inf
        order = np.argsort(distances, axis=1, kind="stable")[:, :k]
        others += [row[np.isfinite(own[row])] for row, own in zip(order, distances, strict=True)]
    return lists, others


def _same(labels: np.ndarray, groups: np.ndarray, queries: np.ndarray, left_out: np.ndarray) -> np.ndarray:
    """Return for each query the share of tracks with its label among all that ``left_out`` allows."""
    found = np.empty(len(queries))
    for i, query in enumerate(queries):
        allowed = left_out != left_out[query]
        found[i] = (labels[allowed] == labels[query]).mean() if allowed.any() else np.nan
    return found


def _rows(
    measure: str, values: Mapping[str, np.ndarray], groups: np.ndarray, chance: float
) -> list[tuple[str, str, float, float, float, float, bool]]:
    """Return the rows of one measure, given float64[q] of each scaling on the same queries."""
    best = max(values, key=lambda name: float(values[name].mean()))
    behind = {
        name: paired_difference(own, values[best], groups=groups).high < 0 for name, own in values.items()
    }
    return [(name, measure, *_share(own, groups), chance, behind[name]) for name, own in values.items()]


def _share(values: np.ndarray, groups: np.ndarray) -> tuple[float, float, float]:
    return tuple(bootstrap_mean(values, groups=groups))  # type: ignore[return-value]


def _overlaps(
    lists: Mapping[str, np.ndarray], artists: np.ndarray, sizes: np.ndarray, n: int, k: int
) -> pd.DataFrame:
    rows = []
    for one, other in itertools.combinations(lists, 2):
        both = (lists[one][:, :, None] == lists[other][:, None, :]).any(axis=2).mean(axis=1)
        rows.append((one, other, *_share(both, artists), float((k / (n - sizes)).mean())))
    return pd.DataFrame(rows, columns=["one", "other", "share", "low", "high", "chance"])


def neighbour_examples(
    found: Neighbourhoods, catalogue: Catalogue, count: int = 3, k: int = 3
) -> pd.DataFrame:
    """Return the k nearest of a few tracks under each scaling side by side, with their genres.

    The tracks are those whose lists change most from the first scaling to the last, of different genres
    where there are several.
    """
    names = list(found.nearest)
    first, last = found.nearest[names[0]], found.nearest[names[-1]]
    both = (first[:, :, None] == last[:, None, :]).any(axis=2).sum(axis=1)
    genres = catalogue.genres
    chosen: list[int] = []
    for i in np.argsort(both, kind="stable"):
        if len(chosen) < count and genres[found.queries[i]] not in {genres[found.queries[j]] for j in chosen}:
            chosen.append(int(i))
    rows = [
        (
            _told(catalogue, found.queries[i]),
            rank + 1,
            *(_told(catalogue, found.nearest[name][i, rank]) for name in names),
        )
        for i in chosen
        for rank in range(min(k, found.k))
    ]
    return pd.DataFrame(rows, columns=["track", "nearest", *names]).set_index(["track", "nearest"])


def _told(catalogue: Catalogue, position: int) -> str:
    genre = catalogue.genres[position]
    name = catalogue.name_of(int(catalogue.tracks.index[position]))
    return f"{name} ({genre})" if genre else name


def outliers(data: TrainingData, catalogue: Catalogue, count: int = 5) -> pd.DataFrame:
    """Return the tracks that are farthest from their nearest ones, standardised features.

    Columns ``track``, ``genre``, ``times the median`` (distance to the fifth nearest, or the last if there
    are fewer, over the median of that distance) and ``stands out by`` (the measure of
    `segue.notebook.families` that is most deviations from the mean).

    Raises
    ------
    SegueError
        If there are fewer than six tracks.
    """
    from segue.notebook.families import FAMILIES, measures

    assert data.features is not None
    n = len(data.features)
    if n < 6:
        raise SegueError("to stand apart needs at least six usable tracks")
    queries = (
        np.arange(n) if n <= 5 * QUERIES else np.sort(np.random.default_rng(0).permutation(n)[: 5 * QUERIES])
    )
    fifth = np.empty(len(queries))
    recordings = np.asarray(data.recording_ids)
    for part, distances in _distances(np.asarray(data.features, dtype=np.float32), queries):
        distances[recordings[queries[part], None] == recordings[None]] = np.inf
        nearest = np.sort(np.partition(distances, 4, axis=1)[:, :5], axis=1)
        last = np.where(np.isfinite(nearest), nearest, -1).max(axis=1)
        fifth[part] = np.sqrt(np.maximum(last, 0))
    table = measures(catalogue.features)
    deviations = (table - table.mean()) / table.std(ddof=0).replace(0, np.inf)
    rows = []
    for i in np.argsort(-fifth, kind="stable")[:count]:
        position = queries[i]
        own = deviations.iloc[position]
        name = str(own.abs().idxmax())
        value = FAMILIES[name].told(float(table[name].iloc[position]))
        said = f"{FAMILIES[name].title.lower()}: {value}, {own[name]:+.1f} deviations".replace("-", "−")
        rows.append(
            (catalogue.name_of(int(catalogue.tracks.index[position])), catalogue.genres[position] or "",
             round(float(fifth[i] / (np.median(fifth) or 1.0)), 1), said)
        )  # fmt: skip
    return pd.DataFrame(rows, columns=["track", "genre", "times the median", "stands out by"])
