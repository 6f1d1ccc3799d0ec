"""The most played tracks for everyone: simple, and the yardstick that personal models must beat."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from segue.models.base import Basis, Capability, Config, Need, Recommender, TrainingData


class PopularityConfig(Config):
    """`Popularity` has no parameters."""


class Popularity(Recommender[PopularityConfig]):
    """Scores a track by how many listeners have played it, whoever asks and whatever the seed."""

    name = "popularity"
    can = frozenset(Capability)
    needs = frozenset({Need.INTERACTIONS})
    basis = Basis.POPULARITY
    config_type = PopularityConfig

    def _fit(self, data: TrainingData) -> None:
        pass

    def _similar_scores(self, seeds: np.ndarray) -> np.ndarray:
        return self.popularity

    def _history_scores(self, history: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return self.popularity

    def _state(self) -> dict[str, np.ndarray]:
        return {}

    def _restore(self, state: Mapping[str, np.ndarray]) -> None:
        pass
