"""Parts of the training plays held out, and how well scores find them: what `best` chooses by."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from segue.models.base import Recommender, TrainingData

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

DEPTH = 10
_GAINS = 1 / np.log2(np.arange(2, DEPTH + 2))
_FEWEST = 5
_AT_ONCE = 256

Factory = Callable[[], Recommender[Any]]


@dataclass(frozen=True, eq=False)
class Fold:
    """What is fitted on and what is asked: v listeners, each with a history and held-out tracks.

    ``histories`` float32[v, n] holds their plays in ``train``, ``wanted`` float32[v, n] the tracks held out.
    """

    train: TrainingData
    histories: csr_matrix
    wanted: csr_matrix


def hold_out(
    data: TrainingData, seed: int, *, folds: int, most_plays: int, most_listeners: int
) -> list[Fold]:
    """Return folds that each hold out an equal part of a random fifth of the listeners' plays.

    The fifth (rounded up) is of the tracks that a listener likes, for up to ``most_listeners`` drawn from
    those who like at least five, or at least two where nobody likes five. More than ``most_plays`` plays
    are cut to whole listeners drawn at random. A fold for which nothing is left is not returned.
    """
    generator = np.random.default_rng(seed)
    plays = data.matrix[_sample(np.diff(data.matrix.indptr), most_plays, generator)]
    rows = np.repeat(np.arange(plays.shape[0]), np.diff(plays.indptr))
    liked = np.bincount(rows[plays.data > 0], minlength=plays.shape[0])
    asked = np.flatnonzero(liked >= (_FEWEST if (liked >= _FEWEST).any() else 2))
    asked = generator.permutation(asked)[:most_listeners]
    order = np.lexsort((np.where(plays.data > 0, generator.random(plays.nnz), 2.0), rows))
    place = np.empty(plays.nnz, dtype=np.int64)
    place[order] = np.arange(plays.nnz) - plays.indptr[rows]
    fifth = (place < -(-liked[rows] // 5)) & np.isin(rows, asked)
    parts = [fifth & ((place + rows) % folds == fold) for fold in range(folds)]
    return [_fold(data, plays, rows, held) for held in parts if held.any()]


def _sample(lengths: np.ndarray, most: int, generator: np.random.Generator) -> np.ndarray:
    """Return int64[l]: rows in ascending order, drawn at random while they have ``most`` plays together."""
    if lengths.sum() <= most:
        return np.arange(lengths.size)
    order = generator.permutation(lengths.size)
    return np.sort(order[np.cumsum(lengths[order]) <= most])


def _fold(data: TrainingData, plays: csr_matrix, rows: np.ndarray, held: np.ndarray) -> Fold:
    import pandas as pd

    frame = pd.DataFrame(
        {
            "listener_id": rows[~held].astype(str),
            "track_id": data.track_ids[plays.indices[~held]],
            "weight": plays.data[~held],
        }
    )
    train = replace(data, interactions=frame)
    _ = train.fingerprint  # what is cached is computed here, not by several threads
    asked = np.unique(rows[held])
    return Fold(train, _entries(plays, rows, ~held)[asked], _entries(plays, rows, held)[asked])


def _entries(plays: csr_matrix, rows: np.ndarray, taken: np.ndarray) -> csr_matrix:
    """Return the entries that bool[r] marks; a stored 0 is a dislike and stays one."""
    from scipy.sparse import csr_matrix as matrix

    bounds = np.r_[0, np.cumsum(np.bincount(rows[taken], minlength=plays.shape[0]))]
    return matrix((plays.data[taken], plays.indices[taken], bounds), shape=plays.shape)


class Board:
    """Some candidates of each listener of each fold, on which models and mixes are judged.

    Parameters
    ----------
    folds
        At least one.
    factories
        Of models whose ``most`` highest tracks become the candidates.
    """

    def __init__(self, folds: Sequence[Fold], factories: Sequence[Factory], most: int = 100) -> None:
        self.folds = folds
        found = []
        for fold in folds:
            highest = [_highest(make().fit(fold.train), fold, most) for make in factories]
            found += [np.unique(np.concatenate(tracks)) for tracks in zip(*highest, strict=True)]
        self.candidates = np.full((len(found), max(own.size for own in found)), -1, dtype=np.int64)
        for i, own in enumerate(found):
            self.candidates[i, : own.size] = own
        starts = np.cumsum([0, *(fold.histories.shape[0] for fold in folds)])
        self._rows = [slice(*bounds) for bounds in pairwise(starts)]
        self._hits = np.concatenate(
            [_is_wanted(self.candidates[rows], fold) for rows, fold in zip(self._rows, folds, strict=True)]
        )
        wanted = np.concatenate([np.diff(fold.wanted.indptr) for fold in folds])
        self._ideal = np.cumsum(_GAINS)[np.minimum(wanted, DEPTH) - 1]

    def scores(self, make: Factory) -> np.ndarray:
        """Return float32[v, c]: the candidates' scores over their `lifts`, by models fitted on each fold."""
        out = np.empty(self.candidates.shape, dtype=np.float32)
        for rows, fold in zip(self._rows, self.folds, strict=True):
            for own, scores in _blocks(make().fit(fold.train), fold):
                histories, places = fold.histories[own], self.candidates[rows][own]
                lift = lifts(scores, histories.indptr, histories.indices)
                out[rows][own] = np.take_along_axis(scores, places, axis=1) / lift[:, None]
        out[self.candidates < 0] = -np.inf
        return out

    def values(self, scores: np.ndarray) -> np.ndarray:
        """Return float64[v]: nDCG@10 of the candidates in the order of float32[v, c] scores."""
        depth = min(DEPTH, scores.shape[1])
        best = np.argpartition(-scores, depth - 1, axis=1)[:, :depth]
        order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
        hits = np.take_along_axis(self._hits, np.take_along_axis(best, order, axis=1), axis=1)
        return hits @ _GAINS[:depth] / self._ideal


def lifts(scores: np.ndarray, starts: np.ndarray, histories: np.ndarray) -> np.ndarray:
    """Return float32[b]: how far the ten highest scores of each row stand above its mean, on average.

    The history is left out; of few tracks the higher half counts as the highest. Scores of different models
    can be added after division by it (a standard deviation would be made of the many tracks that nobody
    looks at). It is 1 where all scores are equal.

    Parameters
    ----------
    scores
        float32[b, n].
    starts, histories
        int[b + 1] and int[r]: the positions of each row's history, as CSR has them.
    """
    out = np.ones(scores.shape[0], dtype=np.float32)
    others = np.ones(scores.shape[1], dtype=bool)
    for i, row in enumerate(scores):
        history = histories[starts[i] : starts[i + 1]]
        others[history] = False
        left = row[others].astype(np.float64)
        others[history] = True
        if left.size > 1:
            depth = min(DEPTH, left.size // 2)
            lift = np.partition(left, left.size - depth)[left.size - depth :].mean() - left.mean()
            out[i] = lift if lift > 0 else 1
    return out


def _is_wanted(candidates: np.ndarray, fold: Fold) -> np.ndarray:
    """Return bool[v, c]: which of a fold's candidates were held out."""
    v, n = fold.wanted.shape
    pairs = np.repeat(np.arange(v), np.diff(fold.wanted.indptr)) * n + fold.wanted.indices
    return np.isin(np.arange(v)[:, None] * n + candidates, pairs) & (candidates >= 0)


def _blocks(model: Recommender[Any], fold: Fold) -> Iterator[tuple[slice, np.ndarray]]:
    for start in range(0, fold.histories.shape[0], _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        yield rows, model.score_histories(fold.histories[rows])


def _highest(model: Recommender[Any], fold: Fold, most: int) -> list[np.ndarray]:
    """Return for each listener the positions that the model ranks highest, the history left out."""
    found = []
    for rows, scores in _blocks(model, fold):
        histories = fold.histories[rows]
        for i, row in enumerate(scores):
            row[histories.indices[histories.indptr[i] : histories.indptr[i + 1]]] = -np.inf
            found.append(model.top(row, most))
    return found
