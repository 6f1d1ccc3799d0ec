"""What the content models share: rows of features, a similarity, and candidates that come first."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Literal, TypeVar

import numpy as np

from segue.models.base import Basis, Capability, Config, Need, Recommender, TrainingData
from segue.models.brute_force import BruteForce

Metric = Literal["cosine", "euclidean"]


class ContentConfig(Config):
    """Parameters of every content model.

    ``metric``: ``cosine`` scores by the cosine of the angle between two tracks' features, from -1 to 1;
    ``euclidean`` by 1 / (1 + distance), from 0 to 1.
    """

    metric: Metric = "cosine"


ContentConfigT = TypeVar("ContentConfigT", bound=ContentConfig)


class ContentModel(Recommender[ContentConfigT]):
    """Ranks by the mean similarity to the seeds, or to the liked history weighted by how much it was liked.

    A model that searches only among some candidates names them in `_candidates`; all other tracks follow
    after them, their similarity lowered by the width of the metric's range, so that lists are always full.
    """

    can = frozenset(Capability)
    needs = frozenset({Need.FEATURES})
    basis = Basis.SOUND

    rows: np.ndarray
    """float32[n, d]: the features, brought to unit length for ``cosine``; Euclidean distance then orders
    tracks as the cosine does, so that one metric serves all content models."""

    def _fit(self, data: TrainingData) -> None:
        assert data.features is not None
        self.rows = unit_rows(data.features) if self.config.metric == "cosine" else data.features
        self.__dict__.pop("_brute_force", None)
        self._fit_rows(self.rows)

    def _fit_rows(self, rows: np.ndarray) -> None:
        """Learn from float32[n, d]; nothing to learn unless a model overrides this."""

    def _candidates(self, seeds: np.ndarray) -> np.ndarray | None:
        """Return bool[s, n]: who is searched for each seed, or None for the whole catalogue."""
        return None

    @property
    def _width(self) -> np.float32:
        """Return the width of the metric's range."""
        return np.float32(2.0 if self.config.metric == "cosine" else 1.0)

    @cached_property
    def _brute_force(self) -> BruteForce:
        return BruteForce(self.rows, self._tie, euclidean=self.config.metric == "euclidean")

    def similarities(self, seeds: np.ndarray) -> np.ndarray:
        """Return float32[s, n]: similarity of the tracks at positions ``seeds`` to the whole catalogue."""
        products = self.rows[seeds] @ self.rows.T
        if self.config.metric == "cosine":
            return products
        squares = np.einsum("ij,ij->i", self.rows, self.rows)
        distances = np.sqrt(np.maximum(squares[seeds, None] + squares[None, :] - 2 * products, 0))
        return 1 / (1 + distances)

    def nearest_places(self, seeds: np.ndarray, k: int) -> list[np.ndarray]:
        """Return for each of int64[s] positions the min(k, n) nearest, best first, itself among them.

        As the model finds them, and by comparing with everything where it finds fewer.
        """
        found = self._nearest(seeds, k)
        return [
            (self._brute_force.nearest(seeds[i : i + 1], k)[0] if near is None else near)[0][:k]
            for i, near in enumerate(found)
        ]

    def nearest_to(self, row: np.ndarray, k: int) -> np.ndarray:
        """Return int64[min(k, n)]: the positions nearest to float32[d] in the space of `rows`, best first."""
        return self.top(self.similarity_to(row, self.rows), k)

    def similarity_to(self, row: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return float32[m]: the similarity of float32[d] to each of float32[m, d], both as in `rows`."""
        if self.config.metric == "cosine":
            return rows @ row
        return 1 / (1 + np.linalg.norm(rows - row, axis=1))

    def in_space(self, features: np.ndarray) -> np.ndarray:
        """Return float32[m, d]: standardised features brought into the space of `rows`."""
        return unit_rows(features) if self.config.metric == "cosine" else np.asarray(features, np.float32)

    def _scores(self, seeds: np.ndarray, weights: np.ndarray) -> np.ndarray:
        if self.config.metric == "euclidean":
            return weights @ self._candidates_first(seeds) / weights.sum()
        # The mean of cosines is the product with the mean of unit rows: one product, however many seeds.
        scores = self.rows @ (weights @ self.rows[seeds])
        candidates = self._candidates(seeds)
        if candidates is not None:
            scores += self._width * (weights @ candidates - weights.sum())
        return scores / weights.sum()

    def _similar_to_each(self, seeds: np.ndarray) -> np.ndarray:
        return self._candidates_first(seeds)

    def _candidates_first(self, seeds: np.ndarray) -> np.ndarray:
        """Return float32[s, n]: the similarities, lowered for what is no candidate."""
        similarity = self.similarities(seeds)
        candidates = self._candidates(seeds)
        if candidates is not None:
            similarity = np.where(candidates, similarity, similarity - self._width)
        return similarity

    def _similar_scores(self, seeds: np.ndarray) -> np.ndarray:
        return self._scores(seeds, np.ones(seeds.size, dtype=np.float32))

    def _history_scores(self, history: np.ndarray, weights: np.ndarray) -> np.ndarray:
        liked = weights > 0
        return self._scores(history[liked], weights[liked])

    def contributions(self, history: np.ndarray, weights: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Return float32[m, h]: weight times similarity; disliked tracks add nothing."""
        parts = np.zeros((items.size, history.size), dtype=np.float32)
        liked = weights > 0
        parts[:, liked] = (weights[liked, None] * self._candidates_first(history[liked])[:, items]).T
        return parts

    def _state(self) -> dict[str, np.ndarray]:
        return {"rows": self.rows}

    def _restore(self, state: Mapping[str, np.ndarray]) -> None:
        self.rows = state["rows"]
        self.__dict__.pop("_brute_force", None)


def unit_rows(features: np.ndarray) -> np.ndarray:
    """Return float32[n, d]: each row divided by its length; a row of zeros stays zero."""
    values = np.asarray(features, dtype=np.float32)
    length = np.linalg.norm(values, axis=1, keepdims=True)
    return np.divide(values, length, out=np.zeros_like(values), where=length > 0)
