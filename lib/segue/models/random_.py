"""Random order: the floor that every model must leave behind."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np

from segue.models.base import Basis, Capability, Config, Recommender, TrainingData


class RandomConfig(Config):
    """Parameters of `Random`."""

    seed: int = 0


class Random(Recommender[RandomConfig]):
    """Each query gets its own random order of the catalogue; the same query and seed the same one."""

    name = "random"
    can = frozenset(Capability)
    needs = frozenset()
    basis = Basis.CHANCE
    config_type = RandomConfig

    def _fit(self, data: TrainingData) -> None:
        pass

    def _similar_scores(self, seeds: np.ndarray) -> np.ndarray:
        return self._cold_scores(seeds)

    def _history_scores(self, history: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return self._cold_scores(history)

    def _cold_scores(self, query: np.ndarray) -> np.ndarray:
        ids = np.sort(self.track_ids[query])
        digest = hashlib.sha256(f"{self.config.seed}|".encode() + ids.tobytes()).digest()
        generator = np.random.default_rng(int.from_bytes(digest[:16], "little"))
        return generator.random(self.track_ids.size, dtype=np.float32)

    def _state(self) -> dict[str, np.ndarray]:
        return {}

    def _restore(self, state: Mapping[str, np.ndarray]) -> None:
        pass
