"""The mix of models that a validation part of the plays picks, each with parameters chosen there."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from segue.models import mix_families
from segue.models.base import Basis, Capability, Config, Need, Recommender, TrainingData
from segue.models.mix_choice import Trial, choose
from segue.models.mix_validation import hold_out, lifts
from segue.models.popularity import Popularity
from segue.models.wals import WALS

if TYPE_CHECKING:
    import pandas as pd
    from scipy.sparse import csr_matrix

_FEWEST_LISTENERS = 200
_MOST_THREADS = 4
"""Each holds the scores of 256 listeners, and what its model needs to fit."""


class BestConfig(Config):
    """Parameters of `Best`.

    ``trials`` settings are tried in all, each on ``folds`` parts that are held out; the mix has at most
    ``parts`` models, weighted ALS averaged over ``starts``. Beyond ``most_plays`` plays the choice is made
    on a random part of the listeners, and so many of them are asked as ``most_scores`` (of all tracks)
    allow; closed forms of more than ``most_equations`` equations are left out.
    """

    trials: int = Field(24, ge=1)
    folds: int = Field(2, ge=1, le=5)
    parts: int = Field(4, ge=1)
    starts: int = Field(4, ge=1)
    most_plays: int = Field(300_000, ge=1)
    most_scores: int = Field(40_000_000, ge=1)
    most_equations: int = Field(6_000, ge=1)
    seed: int = 0


class Best(Recommender[BestConfig]):
    """Chooses among models of listening by itself, from the plays that it is given.

    A fifth of each listener's plays is held out, in ``folds`` parts. For weighted ALS, ridge, EASE and item
    neighbours the parameters are climbed to that find these plays best (nDCG@10), then the weights of a mix
    of them: each model's scores s_m are divided by their `lifts`, and

        score = sum_m w_m s_m / lift(s_m).

    What was chosen is fitted again on all plays. `trials` says what was tried and what came of it.
    """

    name = "best"
    can = frozenset(Capability)
    needs = frozenset({Need.INTERACTIONS})
    basis = Basis.LISTENERS
    config_type = BestConfig
    libraries = ("scipy",)

    parts: list[Recommender[Any]]
    """The models of the mix, fitted on all plays."""
    weights: np.ndarray
    """float64[p]: their weights, which sum to 1."""
    tried: list[Trial]
    """Every setting in the order of trial; the last are the mix, with their weights."""

    def _fit(self, data: TrainingData) -> None:
        from threadpoolctl import threadpool_limits

        config = self.config
        folds = hold_out(
            data,
            config.seed,
            folds=config.folds,
            most_plays=config.most_plays,
            most_listeners=max(_FEWEST_LISTENERS, config.most_scores // data.size),
        )
        # Settings are tried side by side: threads of the linear algebra would be in each other's way.
        with threadpool_limits(1), ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1)) as executor:
            if folds:
                families = mix_families.feasible(data, config.most_equations)
                self.tried = _left_out(families) + choose(
                    folds,
                    families,
                    executor,
                    trials=config.trials,
                    starts=config.starts,
                    parts=config.parts,
                )
            else:
                self.tried = [Trial(WALS.name, {"starts": config.starts}, float("nan"), 1.0)]
            self._create_parts()
            list(executor.map(lambda part: part.fit(data), self.parts))

    def _create_parts(self) -> None:
        chosen = [trial for trial in self.tried if trial.weight > 0]
        self.parts = [mix_families.create(trial.model, trial.parameters) for trial in chosen]
        self.weights = np.array([trial.weight for trial in chosen])

    @property
    def trials(self) -> pd.DataFrame:
        """Return one row a trial: ``model``, ``parameters`` (JSON), ``ndcg_at_10`` and ``weight``.

        A family that was left out has one row, whose ``ndcg_at_10`` is NaN.
        """
        import pandas as pd

        self._check_fitted()
        table = pd.DataFrame(self.tried, columns=Trial._fields)
        return table.assign(parameters=[json.dumps(trial.parameters) for trial in self.tried])

    def contributions(self, history: np.ndarray, weights: np.ndarray, items: np.ndarray) -> np.ndarray | None:
        """Return float64[m, h]: what each track adds to the parts' scores, weighted as in the mix.

        With popularity in the mix, an item's score has its share of that besides.
        """
        added, known = np.zeros((items.size, history.size)), False
        for weight, part in zip(self.weights, self.parts, strict=True):
            own = part.contributions(history, weights, items)
            if own is not None:
                scores = part._scores_for(history, weights)[None, :]
                added += own * (weight / lifts(scores, np.array([0, history.size]), history)[0])
                known = True
        return added if known else None

    def _similar_scores(self, seeds: np.ndarray) -> np.ndarray | None:
        total = np.zeros(self.track_ids.size, dtype=np.float32)
        known = False
        for weight, part in zip(self.weights, self.parts, strict=True):
            scores = part._similar_scores(seeds)
            if scores is not None and not (isinstance(part, Popularity) and len(self.parts) > 1):
                _add(total[None, :], scores[None, :], weight, np.array([0, seeds.size]), seeds)
                known = True
        return total if known else None

    def _history_scores(self, history: np.ndarray, weights: np.ndarray) -> np.ndarray | None:
        if not self._is_known(history, weights):
            return None
        total = np.zeros((1, self.track_ids.size), dtype=np.float32)
        for weight, part in zip(self.weights, self.parts, strict=True):
            scores = np.asarray(part._scores_for(history, weights), dtype=np.float32)
            _add(total, scores[None, :], weight, np.array([0, history.size]), history)
        return total[0]

    def _batch_scores(self, histories: csr_matrix) -> np.ndarray:
        total = np.zeros(histories.shape, dtype=np.float32)
        for weight, part in zip(self.weights, self.parts, strict=True):
            _add(total, part.score_histories(histories), weight, histories.indptr, histories.indices)
        for i in range(histories.shape[0]):
            own = slice(histories.indptr[i], histories.indptr[i + 1])
            if not self._is_known(histories.indices[own], histories.data[own]):
                total[i] = self._cold_scores(histories.indices[own])
        return total

    def _is_known(self, history: np.ndarray, weights: np.ndarray) -> bool:
        return bool(np.any((self.popularity[history] > 0) & (weights > 0)))

    def _state(self) -> dict[str, np.ndarray]:
        state = {
            "tried.model": np.array([trial.model for trial in self.tried]),
            "tried.parameters": np.array([json.dumps(trial.parameters) for trial in self.tried]),
            "tried.ndcg_at_10": np.array([trial.ndcg_at_10 for trial in self.tried]),
            "tried.weight": np.array([trial.weight for trial in self.tried]),
        }
        for i, part in enumerate(self.parts):
            state |= {f"{i}.{name}": array for name, array in part._state().items()}
        return state

    def _restore(self, state: Mapping[str, np.ndarray]) -> None:
        columns = [state[f"tried.{name}"].tolist() for name in Trial._fields]
        self.tried = [
            Trial(model, json.loads(parameters), value, weight)
            for model, parameters, value, weight in zip(*columns, strict=True)
        ]
        self._create_parts()
        for i, part in enumerate(self.parts):
            part._catalogue(self.track_ids, self.artist_ids, self.recording_ids, self.popularity)
            prefix = f"{i}."
            part._restore({k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)})
            part._fingerprint = ""


def _left_out(families: Sequence[mix_families.Family]) -> list[Trial]:
    """Return a row for each family that is not among these, so that the table says so."""
    there = {family.model for family in families}
    return [
        Trial(family.model.name, {"left out": "too many equations"}, float("nan"), 0.0)
        for family in mix_families.FAMILIES
        if family.model not in there
    ]


def _add(
    total: np.ndarray, scores: np.ndarray, weight: float, starts: np.ndarray, histories: np.ndarray
) -> None:
    """Add to float32[b, n] a part's scores over their lift, times its weight."""
    total += scores * (weight / lifts(scores, starts, histories)).astype(np.float32)[:, None]
