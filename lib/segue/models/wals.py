"""Weighted alternating least squares of our own: quick, averaged over several starts, nothing but numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from segue.models import als_sweep
from segue.models.base import Basis, Capability, Config, Need, Recommender, TrainingData
from segue.models.content import unit_rows
from segue.models.for_history import Equations, Ranked, by_factors, gram_of, tastes_of
from segue.models.inner_product import LargestProducts, read_only
from segue.models.search import Choice, Real, Search
from segue.models.weights import Weighting, weigh_matrix

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


class WALSConfig(Config):
    """Parameters of `WALS`.

    ``rank`` factors in each of ``starts`` models that begin at different random points; confidence grows by
    ``alpha`` per weight; a listener or track with n plays is regularised by reg m (n / m)^exponent, m the
    mean number (so ``reg`` suits small and large sets alike, and exponent 1 is Spark's scaling).
    """

    rank: int = Field(64, ge=1)
    reg: float = Field(0.6, gt=0)
    listener_exponent: float = Field(0.5, ge=0, le=2)
    track_exponent: float = Field(0.75, ge=0, le=2)
    alpha: float = Field(4.0, gt=0)
    iterations: int = Field(15, ge=1)
    weighting: Weighting = "percentile"
    starts: int = Field(4, ge=1)
    seed: int = 0


class WALS(Recommender[WALSConfig]):
    """Implicit feedback (Hu, Koren and Volinsky 2008) with regularisation scaled by a power of the count.

    A play of weight w has confidence c = 1 + alpha |w| and preference p = 1 (0 for a dislike, w < 0); what
    was not played has c = 1, p = 0. A listener with plays i has the factors

        x = (Y'Y + sum_i (c_i - 1) y_i y_i' + l(n) I)^-1 sum_i c_i p_i y_i

    with Y the tracks' factors, n the number of plays with w > 0 and l(n) = reg m (n / m)^exponent
    (`WALSConfig`); tracks likewise. `recommend` solves this for any history, so new listeners and new plays
    count at once. A score is the sum of x'y over the starts; `similar` takes the cosine of all factors of a
    track, side by side. A track that nobody has played has no factors and scores 0.
    """

    name = "wals"
    can = frozenset(Capability)
    needs = frozenset({Need.INTERACTIONS})
    basis = Basis.LISTENERS
    config_type = WALSConfig
    libraries = ("scipy",)
    search: ClassVar[Mapping[str, Search]] = {
        "rank": Choice((32, 48, 64, 96)),
        "reg": Real(0.1, 3, log=True),
        "listener_exponent": Real(0, 1.25),
        "track_exponent": Real(0.25, 1.25),
        "alpha": Real(1, 40, log=True),
        "weighting": Choice(("percentile", "binary", "log")),
    }

    factors: np.ndarray
    """float32[n, starts * rank]: the tracks' factors, start by start; zeros for tracks nobody has played."""
    mean_plays: float
    """Mean number of tracks that a listener of the training data likes."""

    def _fit(self, data: TrainingData) -> None:
        from threadpoolctl import threadpool_limits

        # The systems are small: more threads wait for each other longer than they work.
        with threadpool_limits(1):
            self._sweep(data)
        self._prepare()

    def _sweep(self, data: TrainingData) -> None:
        config = self.config
        weights = weigh_matrix(data.matrix, config.weighting)
        turned = weights.T.tocsr()
        counts = [
            np.bincount(part.nonzero()[0], minlength=part.shape[0]) for part in (weights > 0, turned > 0)
        ]
        means = [als_sweep.mean_count(part) for part in counts]
        exponents = (config.listener_exponent, config.track_exponent)
        listeners, tracks = (
            als_sweep.side(matrix, config.alpha, als_sweep.scaled_reg(count, config.reg, exponent, mean))
            for matrix, count, exponent, mean in zip((weights, turned), counts, exponents, means, strict=True)
        )
        generator = np.random.default_rng(config.seed)
        found = []
        for _ in range(config.starts):
            y = generator.normal(scale=0.1, size=(data.size, config.rank)).astype(np.float32)
            y[counts[1] == 0] = 0
            for _ in range(config.iterations):
                x = als_sweep.solve(*als_sweep.to_axes(y), listeners)
                y = als_sweep.solve(*als_sweep.to_axes(x), tracks)
            found.append(y)
        self.factors, self.mean_plays = np.concatenate(found, axis=1), means[0]

    def fold_in(self, history: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return float64[starts * rank]: the factors of a listener by the formula above.

        Parameters
        ----------
        history
            int64[h]: catalogue positions.
        weights
            float[h]: their weights as the interactions have them (counts, say), before weighting.
        """
        return self._equations(history, weights).solve().taste

    def contributions(self, history: np.ndarray, weights: np.ndarray, items: np.ndarray) -> np.ndarray | None:
        """Return float64[m, h]: how much each track of a history adds to the score of each item.

        The score of an item with factors y is the sum over its row (Hu, Koren and Volinsky 2008, section 5):

            y' x = sum_i c_i p_i y' W y_i   with   W = (Y'Y + sum_i (c_i - 1) y_i y_i' + l(n) I)^-1

        A disliked track (p = 0) adds nothing of its own; it works through W.

        Parameters
        ----------
        history, weights
            As for `fold_in`.
        items
            int64[m]: catalogue positions.
        """
        if not self._is_known(history, weights):
            return None
        return self._equations(history, weights).solve().added(self.factors[items])

    def ranked_for_each(
        self, queries: Sequence[tuple[np.ndarray, np.ndarray]], k: int
    ) -> list[Ranked | None]:
        """Return the k best places for each history with their reasons, from one solution each."""
        equations = [self._equations(*query) if self._is_known(*query) else None for query in queries]
        return by_factors(self, self.factors, self._search, equations, k)

    def _equations(self, history: np.ndarray, weights: np.ndarray) -> Equations:
        from segue.models.kernels import fold

        config = self.config
        y, extra, target, reg = fold.weighed(
            self._read_only,
            np.ascontiguousarray(history, dtype=np.int64),
            np.ascontiguousarray(weights, dtype=np.float64),
            fold.WEIGHTINGS.index(config.weighting),
            config.alpha,
            config.reg,
            config.listener_exponent,
            self.mean_plays,
        )
        return Equations(history, y, extra, target, self._gram, reg)

    def _is_known(self, history: np.ndarray, weights: np.ndarray) -> bool:
        return bool((self._played[history] & (weights > 0)).any())

    def _similar_scores(self, seeds: np.ndarray) -> np.ndarray | None:
        known = seeds[self._played[seeds]]
        return (self._unit @ self._unit[known].T).mean(axis=1) if known.size else None

    def _history_scores(self, history: np.ndarray, weights: np.ndarray) -> np.ndarray | None:
        if not self._is_known(history, weights):
            return None
        return (self._exact @ self.fold_in(history, weights)).astype(np.float32)

    def _batch_scores(self, histories: csr_matrix) -> np.ndarray:
        tastes, cold = tastes_of(histories, self._is_known, self.fold_in, self.factors.shape[1])
        scores: np.ndarray = (tastes @ self._exact.T).astype(np.float32)
        for i, history in cold:
            scores[i] = self._cold_scores(history)
        return scores

    @cached_property
    def _read_only(self) -> np.ndarray:
        return read_only(np.ascontiguousarray(self.factors, dtype=np.float32))

    @cached_property
    def _exact(self) -> np.ndarray:
        return self.factors.astype(np.float64)

    @cached_property
    def _unit(self) -> np.ndarray:
        return unit_rows(self.factors)

    @cached_property
    def _search(self) -> LargestProducts:
        return LargestProducts(self.factors, self._tie, self._kept)

    def _prepare(self, kept: Mapping[str, np.ndarray] | None = None) -> None:
        self._kept = kept
        for name in ("_unit", "_search", "_exact", "_read_only"):
            self.__dict__.pop(name, None)
        self._played: np.ndarray = np.any(self.factors, axis=1)
        self._gram = gram_of(self.factors, self.config.starts)

    def _state(self) -> dict[str, np.ndarray]:
        return {"factors": self.factors, "mean_plays": np.array(self.mean_plays), **self._search.index()}

    def _restore(self, state: Mapping[str, np.ndarray]) -> None:
        self.factors, self.mean_plays = state["factors"], float(state["mean_plays"])
        self._prepare(state)
