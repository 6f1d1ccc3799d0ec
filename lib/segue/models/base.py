"""The one contract of all recommenders: fit, similar, recommend, save, load.

A new model is one file with a subclass of `Recommender` and one line in `segue.models.MODELS`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

import numpy as np

from segue.errors import SegueError
from segue.models import checks, explaining, saving
from segue.models.config import Config
from segue.models.data import TrainingData, positions_in
from segue.models.for_history import Ranked, by_scores
from segue.models.kinds import Basis, Because, Capability, Need, Scored
from segue.models.listing import Lists
from segue.models.ranking import top_k
from segue.models.search import Search

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from scipy.sparse import csr_matrix

__all__ = ["Basis", "Because", "Capability", "Config", "Need", "Recommender", "Scored", "TrainingData"]

ConfigT = TypeVar("ConfigT", bound=Config)
_SEEDS_AT_ONCE = 64
_NEAREST_AT_ONCE = 256


class Recommender(ABC, Generic[ConfigT]):
    """A model that ranks the catalogue for some tracks, or for a listener's history.

    What holds for every model:

    - Seeds, the history, what ``exclude`` names and other copies of these recordings are never returned,
      and of several copies of one recording only the best placed.
    - A list has k items whenever the catalogue has so many left, and fewer otherwise.
    - Ids that are not in the catalogue are ignored in ``history`` and ``exclude``, and among several seeds;
      if no seed is in the catalogue, that is an error.
    - A listener without a known track of positive weight, and a seed that the model knows nothing about,
      are served the most played tracks (without interactions: a fixed arbitrary order).
    - Equal data, parameters and query give an equal list; equal scores are ordered by a fixed scrambling of
      the ids.
    - After `fit` or `load` lists come from numpy alone.

    Parameters
    ----------
    config
        The model's own `Config`; its defaults when left out.
    spark
        Session for models that fit with Spark; when left out, `segue.spark.session` gives one as needed.
    """

    name: ClassVar[str]
    can: ClassVar[frozenset[Capability]]
    needs: ClassVar[frozenset[Need]]
    config_type: ClassVar[type[Config]]
    basis: ClassVar[Basis]
    """What its recommendations rest on, unless `explain` says otherwise of one."""
    search: ClassVar[Mapping[str, Search]] = {}
    """The parameters that tuning chooses, each with the values that make sense for it."""
    libraries: ClassVar[tuple[str, ...]] = ()
    """Distributions whose versions the manifest records, beside numpy and Segue itself."""

    def __init__(self, config: ConfigT | None = None, *, spark: SparkSession | None = None) -> None:
        self.config: ConfigT = self.config_type() if config is None else config  # type: ignore[assignment]
        self._spark = spark
        self._fingerprint: str | None = None

    # What a model defines ------------------------------------------------------------------------------

    @abstractmethod
    def _fit(self, data: TrainingData) -> None:
        """Learn from data that has all that the model needs."""

    @abstractmethod
    def _similar_scores(self, seeds: np.ndarray) -> np.ndarray | None:
        """Return float[n] for seeds at int64 positions, or None when the model knows nothing of them."""

    @abstractmethod
    def _history_scores(self, history: np.ndarray, weights: np.ndarray) -> np.ndarray | None:
        """Return float[n] for a history of int64 positions with float32 weights, or None as above."""

    @abstractmethod
    def _state(self) -> dict[str, np.ndarray]:
        """Return the arrays to be saved."""

    @abstractmethod
    def _restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take the arrays that `_state` returned; ``track_ids`` and the like are already in place."""

    # What every model offers ---------------------------------------------------------------------------

    @property
    def is_fitted(self) -> bool:
        """Tell whether the model has been fitted or loaded."""
        return self._fingerprint is not None

    @property
    def fingerprint(self) -> str:
        """Return the `TrainingData.fingerprint` of what the model was fitted on."""
        self._check_fitted()
        assert self._fingerprint is not None
        return self._fingerprint

    def fit(self, data: TrainingData) -> Self:
        """Learn from ``data`` and return the model itself; fitting again forgets what was learned before.

        Raises
        ------
        SegueError
            If the catalogue is empty or lacks what the model `needs`.
        """
        checks.check_data(self.name, self.needs, data)
        self._catalogue(data.track_ids, data.artist_ids, data.recording_ids, data.popularity)
        self._fit(data)
        self._fingerprint = data.fingerprint
        return self

    def similar(self, track_ids: Sequence[int], k: int, exclude: Iterable[int] = ()) -> list[Scored]:
        """Return up to k tracks like the seeds ``track_ids``, best first.

        Raises
        ------
        SegueError
            If the model cannot do this, or no seed is in its catalogue.
        UsageError
            If k is below 1.
        """
        self._check(Capability.SIMILAR, k)
        seeds = self._known(track_ids)
        if not seeds.size:
            raise SegueError(
                f"none of the tracks {list(track_ids)[:5]} is among the {self.track_ids.size} "
                f"that {self.name} was fitted on: choose another, or fit again"
            )
        barred = self._known(exclude)
        if seeds.size == 1:
            found = self._lists.from_nearest(self._nearest, seeds, k, barred)[0]
            if found is not None:
                return found
        scores = self._similar_scores(seeds)
        return self._lists.best(self._cold_scores(seeds) if scores is None else scores, k, seeds, barred)

    def similar_to_each(self, track_ids: Sequence[int] | np.ndarray, k: int) -> list[list[Scored]]:
        """Return for each track what `similar` gives for it alone, computed in batches.

        A track that is not in the catalogue, or that the model knows nothing about, gets an empty list.

        Raises
        ------
        SegueError
            If the model cannot do this.
        UsageError
            If k is below 1.
        """
        self._check(Capability.SIMILAR, k)
        found: list[list[Scored]] = [[] for _ in track_ids]
        place = positions_in(self.track_ids, track_ids)
        known = np.flatnonzero(place >= 0)
        nothing = np.empty(0, dtype=np.int64)
        rest = []
        for start in range(0, known.size, _NEAREST_AT_ONCE):
            batch = known[start : start + _NEAREST_AT_ONCE]
            lists = self._lists.from_nearest(self._nearest, place[batch], k, nothing)
            for i, own in zip(batch, lists, strict=True):
                if own is None:
                    rest.append(i)
                else:
                    found[i] = own
        for start in range(0, len(rest), _SEEDS_AT_ONCE):
            batch = np.array(rest[start : start + _SEEDS_AT_ONCE])
            for i, scores in zip(batch, self._similar_to_each(place[batch]), strict=True):
                if scores is not None:
                    found[i] = self._lists.best(scores, k, place[i : i + 1], nothing)
        return found

    def recommend(self, history: Mapping[int, float], k: int, exclude: Iterable[int] = ()) -> list[Scored]:
        """Return up to k tracks for a listener who played ``history`` (track id to weight), best first.

        A weight above 0 says how much a track was liked, one of 0 or below that it was disliked; which
        scale it is on is that of the interactions that the model was fitted on.

        Raises
        ------
        SegueError
            If the model cannot do this, or a weight is not finite.
        UsageError
            If k is below 1.
        """
        self._check(Capability.RECOMMEND, k)
        place = positions_in(self.track_ids, list(history))
        weights = np.fromiter(history.values(), dtype=np.float32, count=len(history))
        if not np.isfinite(weights).all():
            raise SegueError("a weight in the history is not finite: leave such plays out")
        played, weights = place[place >= 0], weights[place >= 0]
        return self._lists.best(self._scores_for(played, weights), k, played, self._known(exclude))

    def explain(self, history: Mapping[int, float], track_ids: Sequence[int], most: int = 3) -> list[Because]:
        """Return for each of ``track_ids`` why it is recommended to a listener with this history.

        ``Because.track_ids`` are up to ``most`` tracks of the history that add most to its score; none where
        the score does not rest on single tracks, as for the most played ones.

        Raises
        ------
        SegueError
            If one of ``track_ids`` is not in the catalogue.
        """
        self._check(Capability.RECOMMEND, 1)
        items = positions_in(self.track_ids, list(track_ids))
        if (items < 0).any():
            raise SegueError(f"track {list(track_ids)[int(np.argmin(items))]} is not in the catalogue")
        place = positions_in(self.track_ids, list(history))
        weights = np.fromiter(history.values(), dtype=np.float32, count=len(history))[place >= 0]
        return self._because(place[place >= 0], weights, items, most)

    def score_histories(self, histories: csr_matrix) -> np.ndarray:
        """Return float32[m, n]: the scores behind `recommend` for m histories at once.

        Parameters
        ----------
        histories
            float32[m, n] in CSR form over this model's catalogue, as `TrainingData.matrix` has it.
        """
        self._check(Capability.RECOMMEND, 1)
        if histories.shape[1] != self.track_ids.size:
            raise SegueError(
                f"histories have {histories.shape[1]} columns, the catalogue {self.track_ids.size} tracks"
            )
        return self._batch_scores(histories)

    def top(self, scores: np.ndarray, k: int, salt: int = 0) -> np.ndarray:
        """Return int64[at most k]: positions of the best of float[n] ``scores``, ``-inf`` left out.

        Another ``salt`` (64 bits) orders equal scores otherwise.
        """
        return top_k(scores, k, self._tie ^ np.uint64(salt) if salt else self._tie)

    @property
    def state_bytes(self) -> int:
        """Return how many bytes the arrays take that the model has learned, which are those that it saves."""
        self._check_fitted()
        return sum(array.nbytes for array in self._state().values())

    def save(self, folder: str | Path) -> None:
        """Write the model as plain files with a manifest into ``folder``, replacing one saved there."""
        self._check_fitted()
        saving.save(self, Path(folder))

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Return the model saved in ``folder`` after checking every checksum.

        Raises
        ------
        SegueError
            If the folder holds no model, another kind of model, or damaged files.
        """
        return saving.load(cls, Path(folder))

    # What subclasses may use or replace ----------------------------------------------------------------

    @property
    def spark(self) -> SparkSession:
        """Return the session given at construction, else the running one, else a new one."""
        if self._spark is not None:
            return self._spark
        from segue.settings import Settings
        from segue.spark import session

        return session(Settings())

    def contributions(self, history: np.ndarray, weights: np.ndarray, items: np.ndarray) -> np.ndarray | None:
        """Return float[m, h]: what each track of a history adds to the score of each of int64[m] positions.

        None where scores are not made of such parts, or the model knows nothing of the history.
        """
        return None

    def ranked_for_each(
        self, queries: Sequence[tuple[np.ndarray, np.ndarray]], k: int
    ) -> list[Ranked | None]:
        """Return the k best places for each history with their reasons; None where they do not rest on it.

        What `recommend` and `explain` give, for models that need not do the same work for both. A query is
        int64[h] distinct positions and their float32[h] weights.
        """
        return [by_scores(self, history, weights, k) for history, weights in queries]

    def _because(
        self, history: np.ndarray, weights: np.ndarray, items: np.ndarray, most: int
    ) -> list[Because]:
        parts = self.contributions(history, weights, items) if (weights > 0).any() else None
        if parts is None:
            return explaining.without_tracks(self.basis, items.size)
        return explaining.because(parts, self.basis, self.track_ids[history], most)

    def _nearest(self, seeds: np.ndarray, k: int) -> Sequence[tuple[np.ndarray, np.ndarray] | None]:
        """Return for each of int64[s] seeds its min(k, n) best places and their scores, without the rest.

        For models that need not score the whole catalogue: int64[c] positions, best first and equal ones by
        ``_tie``, the seed itself perhaps among them, and float32[c], both as a list from `_similar_to_each`
        would begin. None for a seed whose list is to be made from all scores.
        """
        return [None] * seeds.size

    def _cold_scores(self, query: np.ndarray) -> np.ndarray:
        """Return float[n] for a query that the model knows nothing about: how many listeners each has."""
        return self.popularity

    def _similar_to_each(self, seeds: np.ndarray) -> Iterable[np.ndarray | None]:
        """Return for each of int64[s] seeds what `_similar_scores` gives for it alone."""
        return [self._similar_scores(seeds[i : i + 1]) for i in range(seeds.size)]

    def _batch_scores(self, histories: csr_matrix) -> np.ndarray:
        out = np.empty(histories.shape, dtype=np.float32)
        for i in range(histories.shape[0]):
            row = slice(histories.indptr[i], histories.indptr[i + 1])
            out[i] = self._scores_for(histories.indices[row].astype(np.int64), histories.data[row])
        return out

    # -----------------------------------------------------------------------------------------------------

    def _catalogue(self, track_ids: Any, artist_ids: Any, recording_ids: Any, popularity: Any) -> None:
        self.track_ids: np.ndarray = track_ids
        self.artist_ids: np.ndarray = artist_ids
        self.recording_ids: np.ndarray = recording_ids
        self.popularity: np.ndarray = popularity
        self._lists = Lists(track_ids, recording_ids)
        self._tie = self._lists.tie

    def _scores_for(self, played: np.ndarray, weights: np.ndarray) -> np.ndarray:
        scores = self._history_scores(played, weights) if (weights > 0).any() else None
        return self._cold_scores(played) if scores is None else scores

    def _known(self, track_ids: Iterable[int]) -> np.ndarray:
        place = positions_in(self.track_ids, list(track_ids))
        return np.unique(place[place >= 0])

    def _check(self, capability: Capability, k: int) -> None:
        checks.check_question(self, capability, k)

    def _check_fitted(self) -> None:
        checks.check_fitted(self)
