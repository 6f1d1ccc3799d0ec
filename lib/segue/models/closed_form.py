"""What ridge and EASE share: weights of plays, the catalogue that is solved for, scores and reasons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, TypeVar

import numpy as np
from pydantic import Field

from segue.models.base import Basis, Capability, Config, Need, Recommender, TrainingData
from segue.models.coefficients import Coefficients, restored, solve
from segue.models.search import Choice, Real, Search
from segue.models.weights import Weighting, weigh, weigh_matrix

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


class ClosedFormConfig(Config):
    """Parameters of a closed form.

    The penalty of a track with n_i listeners is ``reg`` n_i^``reg_power``; ``weighting`` makes weights of
    play counts; ``most`` bounds the equations: e of them take 12 e^2 bytes, 1.7 GB for 12,000.
    """

    reg: float = Field(40.0, gt=0)
    reg_power: float = Field(0.4, ge=0, le=2)
    weighting: Weighting = "percentile"
    most: int = Field(12_000, ge=1)


ClosedFormConfigT = TypeVar("ClosedFormConfigT", bound=ClosedFormConfig)


class ClosedForm(Recommender[ClosedFormConfigT]):
    """Scores h B for a history h, with the coefficients B of `segue.models.coefficients`.

    A disliked track has weight -1 and lowers what is played with it. `similar` takes the rows of B of the
    seeds. Solved for are the tracks that somebody has played; where these and the listeners are both more
    than ``most``, only the ``most`` most played ones. All other tracks follow after them, the most played
    first.
    """

    can = frozenset(Capability)
    needs = frozenset({Need.INTERACTIONS})
    basis = Basis.LISTENERS
    libraries = ("scipy",)
    search: ClassVar[Mapping[str, Search]] = {
        "reg": Real(5, 1000, log=True),
        "reg_power": Real(0, 1),
        "weighting": Choice(("percentile", "binary", "log")),
    }
    self_free: ClassVar[bool]

    tracks: np.ndarray
    """int64[c]: positions of the tracks solved for, ascending."""
    coefficients: Coefficients

    def _fit(self, data: TrainingData) -> None:
        x = weigh_matrix(data.matrix, self.config.weighting)
        self.tracks = np.flatnonzero(data.popularity)
        if min(self.tracks.size, x.shape[0]) > self.config.most:
            self.tracks = np.sort(self.top(data.popularity, self.config.most))
        penalty = self.config.reg * data.popularity[self.tracks].astype(np.float64) ** self.config.reg_power
        self.coefficients = solve(x[:, self.tracks], penalty, self_free=self.self_free)
        self._prepare()

    def _prepare(self) -> None:
        self._place = np.full(self.track_ids.size, -1, dtype=np.int64)
        self._place[self.tracks] = np.arange(self.tracks.size)
        self._others = np.flatnonzero(self._place < 0)
        self._below = self.popularity[self._others] / (self.popularity.max(initial=0) + 1) - 1

    def _history_scores(self, history: np.ndarray, weights: np.ndarray) -> np.ndarray | None:
        place, values = self._place[history], weigh(weights, np.zeros(history.size), self.config.weighting)
        known = place >= 0
        if not (values[known] > 0).any():
            return None
        return self._spread(self.coefficients.scores(place[known], values[known])[None, :])[0]

    def _similar_scores(self, seeds: np.ndarray) -> np.ndarray | None:
        place = self._place[seeds]
        known = place[place >= 0]
        if not known.size:
            return None
        weights = np.full(known.size, 1 / known.size, dtype=np.float32)
        return self._spread(self.coefficients.scores(known, weights)[None, :])[0]

    def _batch_scores(self, histories: csr_matrix) -> np.ndarray:
        weights = weigh_matrix(histories, self.config.weighting)[:, self.tracks]
        scores = self._spread(self.coefficients.batch_scores(weights))
        for i in np.flatnonzero((weights > 0).getnnz(axis=1) == 0):
            scores[i] = self._cold_scores(histories.indices[histories.indptr[i] : histories.indptr[i + 1]])
        return scores

    def _spread(self, scores: np.ndarray) -> np.ndarray:
        """Return float32[b, n] of float32[b, c]: the tracks not solved for follow by popularity."""
        out = np.empty((scores.shape[0], self.track_ids.size), dtype=np.float32)
        out[:, self.tracks] = scores
        out[:, self._others] = scores.min(axis=1, keepdims=True) + self._below
        return out

    def contributions(self, history: np.ndarray, weights: np.ndarray, items: np.ndarray) -> np.ndarray | None:
        """Return float64[m, h]: h_i b_ij of each track i of the history and item j; they sum to its score.

        Tracks that were not solved for add nothing and are added nothing to.
        """
        own, other = self._place[history], self._place[items]
        values = weigh(weights, np.zeros(history.size), self.config.weighting)
        if not (values[own >= 0] > 0).any():
            return None
        parts = np.zeros((items.size, history.size))
        entries = self.coefficients.entries(own[own >= 0], other[other >= 0])
        parts[np.ix_(other >= 0, own >= 0)] = (values[own >= 0, None] * entries).T
        return parts

    def _state(self) -> dict[str, np.ndarray]:
        return {"tracks": self.tracks, **self.coefficients.state()}

    def _restore(self, state: Mapping[str, np.ndarray]) -> None:
        self.tracks = state["tracks"]
        self.coefficients = restored(state)
        self._prepare()
