"""Item-based nearest neighbours: tracks that the same listeners play."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from segue.models.base import Basis, Capability, Config, Need, Recommender, TrainingData
from segue.models.search import Choice, Real, Search
from segue.models.weights import Weighting, bm25, weigh, weigh_matrix

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_AT_ONCE = 128


class ItemKNNConfig(Config):
    """Parameters of `ItemKNN`.

    Each track keeps ``neighbours``; ``shrink`` damps similarities that rest on few listeners; ``power``
    below 1 lets many weak similarities count for more, above 1 few strong ones; ``weighting`` makes weights
    of play counts, where with ``bm25`` those of a history are logarithmic.
    """

    neighbours: int = Field(200, ge=1)
    shrink: float = Field(10.0, ge=0)
    power: float = Field(0.75, gt=0)
    weighting: Weighting | Literal["bm25"] = "percentile"


class ItemKNN(Recommender[ItemKNNConfig]):
    """Scores a track by its summed similarity to the tracks of a history (Sarwar et al. 2001).

    Tracks i and j with columns x_i and x_j of the weights (listeners by tracks) have the similarity

        s_ij = (x_i'x_j / (|x_i| |x_j| + shrink)) ^ power

    a cosine with shrinkage (Bell and Koren 2007) and amplification (Breese, Heckerman and Kadie 1998). Each
    track j keeps its ``neighbours`` highest above 0, the others become 0. A history h scores h S, and a
    dislike in it is a weight of -1.
    """

    name = "item_knn"
    can = frozenset(Capability)
    needs = frozenset({Need.INTERACTIONS})
    basis = Basis.LISTENERS
    config_type = ItemKNNConfig
    libraries = ("scipy",)
    search: ClassVar[Mapping[str, Search]] = {
        "neighbours": Choice((50, 100, 200, 400)),
        "shrink": Real(1, 100, log=True),
        "power": Real(0.5, 1.5),
        "weighting": Choice(("percentile", "binary", "log", "bm25")),
    }

    starts: np.ndarray
    """int64[n + 1]: where the row of S of each track begins in the two arrays below."""
    others: np.ndarray
    """int32[r]: the tracks that have the row's track among their neighbours, ascending in each row."""
    similarity: np.ndarray
    """float32[r]."""

    def _fit(self, data: TrainingData) -> None:
        if self.config.weighting == "bm25":
            weights = bm25(data.matrix)
        else:
            weights = weigh_matrix(data.matrix, self.config.weighting)
        found = self._similarities(weights)
        self.starts, self.others = found.indptr.astype(np.int64), found.indices.astype(np.int32)
        self.similarity = found.data

    def _similarities(self, weights: csr_matrix) -> csr_matrix:
        """Return S, float32[n, n], some columns at a time so that a large catalogue fits into memory."""
        from scipy.sparse import csc_matrix

        by_track = weights.T.tocsr()
        length = np.sqrt(by_track.multiply(by_track).sum(axis=1)).A1.astype(np.float32)
        places, values, sizes = [], [], [np.zeros(1, dtype=np.int64)]
        for start in range(0, by_track.shape[0], _AT_ONCE):
            block = by_track[start : start + _AT_ONCE] @ weights
            row = np.repeat(np.arange(start, start + block.shape[0]), np.diff(block.indptr))
            block.data /= length[row] * length[block.indices] + np.float32(self.config.shrink)
            block.data[row == block.indices] = 0
            for place, value in _highest(block, self.config.neighbours):
                places.append(place)
                values.append(value ** np.float32(self.config.power))
                sizes.append(np.array([place.size]))
        bounds = np.cumsum(np.concatenate(sizes))
        shape = (by_track.shape[0], by_track.shape[0])
        return csc_matrix((np.concatenate(values), np.concatenate(places), bounds), shape=shape).tocsr()

    def _weights(self, values: np.ndarray, listeners: np.ndarray) -> np.ndarray:
        return weigh(values, listeners, "log" if self.config.weighting == "bm25" else self.config.weighting)

    def _history_scores(self, history: np.ndarray, weights: np.ndarray) -> np.ndarray | None:
        known = np.diff(self.starts)[history] > 0
        if not (known & (weights > 0)).any():
            return None
        return self._scores(history, self._weights(weights, np.zeros(history.size)))

    def _similar_scores(self, seeds: np.ndarray) -> np.ndarray | None:
        known = seeds[np.diff(self.starts)[seeds] > 0]
        return self._scores(known, np.full(known.size, 1 / known.size)) if known.size else None

    def _scores(self, tracks: np.ndarray, weights: np.ndarray) -> np.ndarray:
        lengths = np.diff(self.starts)[tracks]
        entry = np.repeat(self.starts[tracks] - np.cumsum(lengths) + lengths, lengths) + np.arange(
            lengths.sum()
        )
        parts = np.repeat(weights, lengths) * self.similarity[entry]
        return np.bincount(self.others[entry], parts, minlength=self.track_ids.size).astype(np.float32)

    def _batch_scores(self, histories: csr_matrix) -> np.ndarray:
        from scipy.sparse import csr_matrix as matrix

        n = self.track_ids.size
        rows = np.repeat(np.arange(histories.shape[0]), np.diff(histories.indptr))
        weights = histories.astype(np.float64)
        weights.data = self._weights(histories.data, rows).astype(np.float64)
        scores = (weights @ matrix((self.similarity, self.others, self.starts), shape=(n, n))).toarray()
        found = scores.astype(np.float32)
        liked = (np.diff(self.starts)[histories.indices] > 0) & (histories.data > 0)
        for i in np.setdiff1d(np.arange(histories.shape[0]), rows[liked]):
            found[i] = self._cold_scores(histories.indices[rows == i])
        return found

    def contributions(self, history: np.ndarray, weights: np.ndarray, items: np.ndarray) -> np.ndarray | None:
        """Return float64[m, h]: weight times similarity; the parts sum to the score."""
        if self._history_scores(history, weights) is None:
            return None
        parts = np.empty((items.size, history.size))
        row = np.zeros(self.track_ids.size)
        for i, weight in enumerate(self._weights(weights, np.zeros(history.size))):
            own = slice(self.starts[history[i]], self.starts[history[i] + 1])
            row[self.others[own]] = self.similarity[own]
            parts[:, i] = weight * row[items]
            row[self.others[own]] = 0
        return parts

    def _state(self) -> dict[str, np.ndarray]:
        return {"starts": self.starts, "others": self.others, "similarity": self.similarity}

    def _restore(self, state: Mapping[str, np.ndarray]) -> None:
        self.starts, self.others, self.similarity = state["starts"], state["others"], state["similarity"]


def _highest(rows: csr_matrix, k: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield of each row the columns and values of its k highest entries above 0."""
    for start, stop in zip(rows.indptr[:-1], rows.indptr[1:], strict=True):
        place, value = rows.indices[start:stop], rows.data[start:stop]
        above = value > 0
        place, value = place[above], value[above]
        if value.size > k:
            best = np.argpartition(value, value.size - k)[value.size - k :]
            place, value = place[best], value[best]
        yield place, value
