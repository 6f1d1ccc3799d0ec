import numpy as np

from segue.models.base import Basis, Capability, Config, Need, Recommender


class OneFeatureConfig(Config):
    column: int = 0


class OneFeature(Recommender[OneFeatureConfig]):
    """Scores a track by 1 / (1 + distance) from each liked one, in one column of the features."""

    name, can, needs = "one_feature", frozenset(Capability), frozenset({Need.FEATURES})
    basis, config_type = Basis.SOUND, OneFeatureConfig

    def _fit(self, data):
        self.values = data.features[:, self.config.column]

    def _similar_scores(self, seeds):
        return self._history_scores(seeds, np.ones(seeds.size))

    def _history_scores(self, history, weights):
        nearness = 1 / (1 + np.abs(self.values[:, None] - self.values[history]))
        return nearness @ np.maximum(weights, 0)

    def _state(self):
        return {"values": self.values}

    def _restore(self, state):
        self.values = state["values"]
