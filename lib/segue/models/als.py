"""Alternating least squares by Spark: tastes and tracks as points whose product is preference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from segue.models.base import Basis, Capability, Config, Need, Recommender, TrainingData
from segue.models.content import unit_rows
from segue.models.weights import Weighting, weigh

if TYPE_CHECKING:
    from pyspark.ml.recommendation import ALSModel
    from pyspark.sql import SparkSession


class ALSConfig(Config):
    """Parameters of `ALS`: factors, regularisation (scaled by the number of plays), confidence per weight."""

    rank: int = Field(32, ge=1)
    reg: float = Field(0.3, gt=0)
    alpha: float = Field(4.0, gt=0)
    iterations: int = Field(10, ge=1)
    weighting: Weighting = "percentile"
    seed: int = 0


class ALS(Recommender[ALSConfig]):
    """Implicit feedback (Hu, Koren and Volinsky 2008) with Spark's count-scaled regularisation.

    A play of weight w has confidence c = 1 + alpha |w| and preference p = 1 (0 for a dislike, w < 0); what
    was not played has c = 1, p = 0. A listener with plays i has the factors

        x = (Y'Y + sum_i (c_i - 1) y_i y_i' + reg n I)^-1 sum_i c_i p_i y_i

    with Y the tracks' factors and n the number of plays with w > 0 (ALS-WR, Zhou et al. 2008). `recommend`
    solves this for any history, so new listeners and new plays count at once; `similar` takes the cosine of
    the tracks' factors. A track that nobody has played has no factors and scores 0.
    """

    name = "als"
    can = frozenset(Capability)
    needs = frozenset({Need.INTERACTIONS})
    basis = Basis.LISTENERS
    config_type = ALSConfig
    libraries = ("pyspark",)

    factors: np.ndarray
    """float32[n, rank]: the tracks' factors, zeros for tracks that nobody has played."""

    def _fit(self, data: TrainingData) -> None:
        found = self.fit_spark(data).itemFactors.toPandas()
        self.factors = np.zeros((data.size, self.config.rank), dtype=np.float32)
        self.factors[found["id"]] = np.stack(found["features"].to_list())
        self._prepare()

    def fit_spark(self, data: TrainingData) -> ALSModel:
        """Return Spark's own model: users are rows of ``data.matrix``, items catalogue positions."""
        import pandas as pd
        from pyspark.ml.recommendation import ALS as SparkALS

        plays = data.matrix.tocoo()
        frame = pd.DataFrame(
            {
                "listener": plays.row.astype(np.int32),
                "track": plays.col.astype(np.int32),
                "weight": weigh(plays.data, plays.row, self.config.weighting),
            }
        )
        _ensure_checkpoints(self.spark)
        blocks = min(10, self.spark.sparkContext.defaultParallelism)
        als = SparkALS(
            userCol="listener",
            itemCol="track",
            ratingCol="weight",
            rank=self.config.rank,
            regParam=self.config.reg,
            alpha=self.config.alpha,
            maxIter=self.config.iterations,
            implicitPrefs=True,
            coldStartStrategy="drop",
            numUserBlocks=blocks,
            numItemBlocks=blocks,
            seed=self.config.seed,
        )
        return als.fit(self.spark.createDataFrame(frame))

    def fold_in(self, history: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return float64[rank]: the factors of a listener by the formula above.

        Parameters
        ----------
        history
            int64[h]: catalogue positions.
        weights
            float[h]: their weights as the interactions have them (counts, say), before weighting.
        """
        left, right = self._normal_equations(history, weights)
        return np.linalg.solve(left, right.sum(axis=1))

    def contributions(self, history: np.ndarray, weights: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Return float64[m, h]: how much each track of a history adds to the score of each item.

        The score of an item with factors y is the sum over its row (Hu, Koren and Volinsky 2008, section 5):

            y' x = sum_i c_i p_i y' W y_i   with   W = (Y'Y + sum_i (c_i - 1) y_i y_i' + reg n I)^-1

        A disliked track (p = 0) adds nothing of its own; it works through W.

        Parameters
        ----------
        history, weights
            As for `fold_in`.
        items
            int64[m]: catalogue positions.
        """
        left, right = self._normal_equations(history, weights)
        return self.factors[items].astype(np.float64) @ np.linalg.solve(left, right)

    def _normal_equations(self, history: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return W^-1, float64[rank, rank], and c_i p_i y_i of each track of a history, float64[rank, h]."""
        w = weigh(weights, np.zeros(history.size), self.config.weighting).astype(np.float64)
        y = self.factors[history].astype(np.float64)
        extra = self.config.alpha * np.abs(w)
        left = self._gram + (y.T * extra) @ y
        left[np.diag_indices_from(left)] += self.config.reg * np.count_nonzero(w > 0)
        return left, y.T * np.where(w > 0, 1 + extra, 0)

    def _similar_scores(self, seeds: np.ndarray) -> np.ndarray | None:
        known = seeds[self._unit[seeds].any(axis=1)]
        return (self._unit @ self._unit[known].T).mean(axis=1) if known.size else None

    def _history_scores(self, history: np.ndarray, weights: np.ndarray) -> np.ndarray | None:
        known = self._unit[history].any(axis=1)
        if not (known & (weights > 0)).any():
            return None
        return self.factors @ self.fold_in(history, weights).astype(np.float32)

    def _prepare(self) -> None:
        self._unit = unit_rows(self.factors)
        exact = self.factors.astype(np.float64)
        self._gram = exact.T @ exact

    def _state(self) -> dict[str, np.ndarray]:
        return {"factors": self.factors}

    def _restore(self, state: Mapping[str, np.ndarray]) -> None:
        self.factors = state["factors"]
        self._prepare()


def _ensure_checkpoints(spark: SparkSession) -> None:
    """Give Spark a checkpoint folder unless it has one: ALS cuts its lineage there every ten iterations."""
    from segue.settings import Settings

    if spark.sparkContext.getCheckpointDir() is None:
        spark.sparkContext.setCheckpointDir(str(Settings().var / "spark" / "checkpoints"))
