"""What each listener of a test gets from a model, and how good it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from segue.errors import SegueError
from segue.evaluation import lists, metrics
from segue.evaluation.rankings import rank
from segue.models.base import Recommender, TrainingData

LISTENER_METRICS = (
    "ndcg_at_10",
    "recall_at_20",
    "precision_at_10",
    "hit_rate_at_10",
    "mrr_at_10",
    "map_at_10",
)
"""How well a listener's held-out tracks are found."""
LIST_METRICS = ("novelty_at_10", "diversity_at_10")
"""What the listener's list is like; diversity only where there are features."""
DEEPEST = 20
"""How many places of each list are looked at."""


@dataclass(frozen=True, eq=False)
class Questions:
    """The m listeners of a test whom a model can know, and what each is to be recommended.

    Parameters
    ----------
    train
        What models learn from.
    rows
        int64[m]: the listeners' rows in ``train.matrix``.
    owner, wanted
        int64[p] each: the test pairs, sorted, as place in ``rows`` and catalogue position (-1 for a track
        outside the catalogue).
    """

    train: TrainingData
    rows: np.ndarray
    owner: np.ndarray
    wanted: np.ndarray

    @property
    def listeners(self) -> np.ndarray:
        """Return object[m]: the listeners' ids."""
        return self.train.listeners[self.rows]

    @property
    def relevant(self) -> np.ndarray:
        """Return int64[m]: how many tracks each listener is to be recommended."""
        return np.bincount(self.owner, minlength=self.rows.size)

    def ask(self, model: Recommender[Any]) -> np.ndarray:
        """Return int64[m, 20]: what a model fitted on ``train`` puts first, as `rank` does."""
        return rank(model, self.train.matrix[self.rows], DEEPEST)

    def hits(self, ranked: np.ndarray) -> np.ndarray:
        """Return bool[m, K]: which ranked tracks are among those wanted."""
        ends = np.cumsum(self.relevant)[:-1]
        return metrics.hit_matrix(ranked, np.split(self.wanted, ends))

    def values(self, ranked: np.ndarray) -> pd.DataFrame:
        """Return one row a listener: ``listener_id``, ``history`` (tracks in training) and the metrics."""
        hits, sizes, top = self.hits(ranked), self.relevant, ranked[:, :10]
        train = self.train
        columns: dict[str, Any] = {
            "listener_id": self.listeners,
            "history": np.diff(train.matrix.indptr)[self.rows],
            "ndcg_at_10": metrics.ndcg_at_k(hits, sizes, 10),
            "recall_at_20": metrics.recall_at_k(hits, sizes, 20),
            "precision_at_10": metrics.precision_at_k(hits, sizes, 10),
            "hit_rate_at_10": metrics.hit_rate_at_k(hits, sizes, 10),
            "mrr_at_10": metrics.mrr_at_k(hits, sizes, 10),
            "map_at_10": metrics.map_at_k(hits, sizes, 10),
            "novelty_at_10": lists.novelty(top, train.popularity, train.listeners.size),
        }
        if train.features is not None and train.features.shape[1]:
            columns["diversity_at_10"] = lists.intra_list_diversity(top, train.features)
        return pd.DataFrame(columns)

    def places(self, ranked: np.ndarray) -> pd.DataFrame:
        """Return one row a test pair: ``listener_id``, ``popularity`` (listeners in training), ``place``.

        ``place`` counts from 1 in the listener's list and is 0 where the track is not among the first 20.
        Which track it is, is not said.
        """
        n = self.train.size
        key = self.owner * n + self.wanted
        key[self.wanted < 0] = -1
        row, column = np.nonzero(self.hits(ranked))
        found = row * n + ranked[row, column]
        order = np.argsort(found)
        place = np.zeros(key.size, dtype=np.int64)
        if found.size:
            at = np.minimum(np.searchsorted(found[order], key), found.size - 1)
            place = np.where(found[order][at] == key, column[order][at] + 1, 0)
        known = self.wanted >= 0
        popularity = np.where(known, self.train.popularity[self.wanted], 0)
        return pd.DataFrame(
            {"listener_id": self.listeners[self.owner], "popularity": popularity, "place": place}
        )


def questions(train: TrainingData, test: pd.DataFrame) -> Questions:
    """Return what the columns ``listener_id`` and ``track_id`` of a test ask of models fitted on ``train``.

    Listeners without a play in ``train`` are left out, repeated pairs count once, and a track outside the
    catalogue counts as one that no model finds.

    Raises
    ------
    SegueError
        If no test listener has a play in ``train``.
    """
    pairs = test[["listener_id", "track_id"]].drop_duplicates()
    asked = pd.Index(train.listeners).get_indexer(pd.Index(pairs["listener_id"].astype(str)))
    wanted = train.positions(pairs["track_id"].to_numpy())
    asked, wanted = asked[asked >= 0], wanted[asked >= 0]
    if not asked.size:
        raise SegueError("no listener of the test has a play in training: there is nobody to ask")
    rows, owner = np.unique(asked, return_inverse=True)
    order = np.lexsort((wanted, owner))
    return Questions(train, rows.astype(np.int64), owner[order].astype(np.int64), wanted[order])


def listener_values(
    model: Recommender[Any], train: TrainingData, test: pd.DataFrame
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return each listener's metrics for a model fitted on ``train``, and the lists behind them.

    Returns
    -------
    tuple
        The columns of `Questions.values`; int64[m, 20] catalogue positions, -1 where a list is shorter.

    Raises
    ------
    SegueError
        If no test listener has a play in ``train``.
    """
    asked = questions(train, test)
    ranked = asked.ask(model)
    return asked.values(ranked), ranked
