"""Alternating least squares by Spark: tastes and tracks as points whose product is preference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from segue.models.base import Basis, Capability, Config, Need, Recommender, TrainingData
from segue.models.content import unit_rows
from segue.models.for_history import Equations, Ranked, by_factors, gram_of, tastes_of
from segue.models.inner_product import LargestProducts
from segue.models.search import Real, Search, Whole
from segue.models.weights import Weighting, weigh, weigh_matrix

if TYPE_CHECKING:
    from pyspark.ml.recommendation import ALSModel
    from pyspark.sql import SparkSession
    from scipy.sparse import csr_matrix


class ALSConfig(Config):
    """Parameters of `ALS`.

    ``rank`` factors; ``reg``, scaled by the number of plays; ``iterations`` sweeps; ``implicit`` as `ALS`
    says; ``alpha``, the confidence per weight, for implicit feedback only; ``weighting`` makes weights of
    play counts. For ratings, take ``implicit`` false and ``weighting`` ``raw``.
    """

    rank: int = Field(64, ge=1)
    reg: float = Field(0.5, gt=0)
    alpha: float = Field(4.0, gt=0)
    iterations: int = Field(10, ge=1)
    implicit: bool = True
    weighting: Weighting = "percentile"
    seed: int = 0


class ALS(Recommender[ALSConfig]):
    """Spark's alternating least squares, its regularisation scaled by count (ALS-WR, Zhou et al. 2008).

    Implicit feedback (Hu, Koren and Volinsky 2008): a play of weight w has confidence c = 1 + alpha |w| and
    preference p = 1 (0 for a dislike, w < 0); what was not played has c = 1, p = 0. A listener with plays i,
    n of them with w > 0, has the factors

        x = (Y'Y + sum_i (c_i - 1) y_i y_i' + reg n I)^-1 sum_i c_i p_i y_i

    with Y the tracks' factors. Explicit feedback predicts the weights themselves from those alone that were
    given, n of them: x = (sum_i y_i y_i' + reg n I)^-1 sum_i w_i y_i.

    `recommend` solves this for any history, so new listeners and new plays count at once; `similar` takes
    the cosine of the tracks' factors. A track that nobody has played has no factors and scores 0.
    """

    name = "als"
    can = frozenset(Capability)
    needs = frozenset({Need.INTERACTIONS})
    basis = Basis.LISTENERS
    config_type = ALSConfig
    libraries = ("pyspark",)
    search: ClassVar[Mapping[str, Search]] = {
        "rank": Whole(32, 96),
        "reg": Real(0.2, 1.0, log=True),
        "alpha": Real(2.0, 8.0, log=True),
    }

    factors: np.ndarray
    """float32[n, rank]: the tracks' factors, zeros for tracks that nobody has played."""

    def _fit(self, data: TrainingData) -> None:
        found = self.fit_spark(data).itemFactors.toArrow()
        self.factors = np.zeros((data.size, self.config.rank), dtype=np.float32)
        rows = found["features"].combine_chunks().flatten().to_numpy()
        self.factors[found["id"].to_numpy()] = rows.reshape(-1, self.config.rank)
        self._prepare()

    def fit_spark(self, data: TrainingData) -> ALSModel:
        """Return Spark's own model: users are rows of ``data.matrix``, items catalogue positions."""
        import pyarrow as pa
        from pyspark.ml.recommendation import ALS as SparkALS

        weights = weigh_matrix(data.matrix, self.config.weighting)
        listeners = np.repeat(np.arange(weights.shape[0], dtype=np.int32), np.diff(weights.indptr))
        columns = {"listener": listeners, "track": weights.indices.astype(np.int32), "weight": weights.data}
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
            implicitPrefs=self.config.implicit,
            coldStartStrategy="drop",
            numUserBlocks=blocks,
            numItemBlocks=blocks,
            seed=self.config.seed,
        )
        return als.fit(self.spark.createDataFrame(pa.table(columns)))

    def fold_in(self, history: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return float64[rank]: the factors of a listener by the formula above.

        Parameters
        ----------
        history
            int64[h]: catalogue positions.
        weights
            float[h]: their weights as the interactions have them (counts, say), before weighting.
        """
        return self._equations(history, weights).solve().taste

    def contributions(self, history: np.ndarray, weights: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Return float64[m, h]: how much each track of a history adds to the score of each item.

        The score of an item with factors y is the sum over its row (Hu, Koren and Volinsky 2008, section 5):

            y' x = sum_i c_i p_i y' W y_i   with   W = (Y'Y + sum_i (c_i - 1) y_i y_i' + reg n I)^-1

        and for explicit feedback of w_i y' W y_i with the W of its own formula. A track disliked implicitly
        (p = 0) adds nothing of its own; it works through W.

        Parameters
        ----------
        history, weights
            As for `fold_in`.
        items
            int64[m]: catalogue positions.
        """
        return self._equations(history, weights).solve().added(self.factors[items])

    def ranked_for_each(
        self, queries: Sequence[tuple[np.ndarray, np.ndarray]], k: int
    ) -> list[Ranked | None]:
        """Return the k best places for each history with their reasons, from one solution each."""
        equations = [self._equations(*query) if self._knows(*query) else None for query in queries]
        return by_factors(self, self.factors, self._search, equations, k)

    def _equations(self, history: np.ndarray, weights: np.ndarray) -> Equations:
        w = weigh(weights, None, self.config.weighting).astype(np.float64)
        y = self.factors[history].astype(np.float64)
        if not self.config.implicit:
            return Equations(history, y, np.ones(w.size), w, self._nothing, self.config.reg * w.size)
        liked = w > 0
        extra = self.config.alpha * np.abs(w)
        reg = self.config.reg * np.count_nonzero(liked)
        return Equations(history, y, extra, (1 + extra) * liked, self._gram, reg)

    def _similar_scores(self, seeds: np.ndarray) -> np.ndarray | None:
        known = seeds[self._unit[seeds].any(axis=1)]
        return (self._unit @ self._unit[known].T).mean(axis=1) if known.size else None

    def _history_scores(self, history: np.ndarray, weights: np.ndarray) -> np.ndarray | None:
        if not self._knows(history, weights):
            return None
        return self.factors @ self.fold_in(history, weights).astype(np.float32)

    def _batch_scores(self, histories: csr_matrix) -> np.ndarray:
        tastes, cold = tastes_of(histories, self._knows, self.fold_in, self.config.rank)
        scores: np.ndarray = tastes.astype(np.float32) @ self.factors.T
        for i, history in cold:
            scores[i] = self._cold_scores(history)
        return scores

    def _knows(self, history: np.ndarray, weights: np.ndarray) -> bool:
        return bool((self.factors[history].any(axis=1) & (weights > 0)).any())

    @cached_property
    def _unit(self) -> np.ndarray:
        return unit_rows(self.factors)

    @cached_property
    def _search(self) -> LargestProducts:
        return LargestProducts(self.factors, self._tie, self._kept)

    def _prepare(self, kept: Mapping[str, np.ndarray] | None = None) -> None:
        self._kept = kept
        for name in ("_unit", "_search"):
            self.__dict__.pop(name, None)
        self._gram = gram_of(self.factors, 1)
        self._nothing = np.zeros_like(self._gram)

    def _state(self) -> dict[str, np.ndarray]:
        return {"factors": self.factors, **self._search.index()}

    def _restore(self, state: Mapping[str, np.ndarray]) -> None:
        self.factors = state["factors"]
        self._prepare(state)


def _ensure_checkpoints(spark: SparkSession) -> None:
    """Give Spark a checkpoint folder unless it has one: ALS cuts its lineage there every ten iterations."""
    from segue.settings import Settings

    if spark.sparkContext.getCheckpointDir() is None:
        spark.sparkContext.setCheckpointDir(str(Settings().var / "spark" / "checkpoints"))
