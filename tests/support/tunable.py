"""A small model with parameters to search: neighbours by who played both, with shrinkage."""

import time
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field

from segue.errors import SegueError
from segue.models import MODELS, Basis, Capability, Need, Recommender, TrainingData
from segue.models.config import Config
from segue.models.search import Choice, Real, Search, Whole


class TunableConfig(Config):
    shrink: float = Field(20.0, ge=0)
    neighbours: int = Field(5, ge=1)
    power: str = "none"
    rest_s: float = Field(0.0, ge=0)


class Tunable(Recommender[TunableConfig]):
    """Cosine of listeners, shrunk, of the best neighbours only; ``rest_s`` makes a trial last."""

    name = "tunable"
    can = frozenset(Capability)
    needs = frozenset({Need.INTERACTIONS})
    basis = Basis.LISTENERS
    config_type = TunableConfig
    search: ClassVar[Mapping[str, Search]] = {
        "shrink": Real(0.1, 1_000.0, log=True),
        "neighbours": Whole(1, 40),
        "power": Choice(("none", "popular", "refused")),
    }

    def _fit(self, data: TrainingData) -> None:
        time.sleep(self.config.rest_s)
        if self.config.power == "refused":
            raise SegueError("this power is refused")
        played = (data.matrix.toarray() > 0).astype(np.float32)
        both = played.T @ played
        alone = np.diag(both).copy()
        np.fill_diagonal(both, 0.0)
        cosine = both / (np.sqrt(np.outer(alone, alone)) + self.config.shrink)
        least = np.sort(cosine, axis=1)[:, [-min(self.config.neighbours, data.size)]]
        self.likeness = np.where(cosine >= least, cosine, 0.0)
        if self.config.power == "popular":
            self.likeness *= np.sqrt(1 + alone)

    def _similar_scores(self, seeds: np.ndarray) -> np.ndarray:
        return self.likeness[seeds].sum(axis=0)

    def _history_scores(self, history: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return self.likeness[history].sum(axis=0)

    def _state(self) -> dict[str, np.ndarray]:
        return {"likeness": self.likeness}

    def _restore(self, state: Mapping[str, np.ndarray]) -> None:
        self.likeness = state["likeness"]


def register() -> None:
    """Give this process the model by its name."""
    MODELS[Tunable.name] = Tunable
