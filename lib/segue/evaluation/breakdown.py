"""Where a model is good: for whom by activity, for which tracks by popularity, and where it starts cold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from segue.errors import SegueError, UsageError
from segue.evaluation import metrics
from segue.evaluation.compare import Comparison, Models, compare_all, means, with_baselines
from segue.evaluation.held_out import HeldOut
from segue.evaluation.listeners import DEEPEST, Questions, questions
from segue.evaluation.rankings import rank
from segue.evaluation.splits import by_track
from segue.models.base import Recommender, TrainingData

ACTIVITY = ("light", "middle", "heavy")
POPULARITY = ("head", "middle", "tail", "cold")


def by_activity(found: Comparison, metric: str = "ndcg_at_10", seed: int = 0) -> pd.DataFrame:
    """Return each model's quality for the thirds of the listeners with the shortest to the longest history.

    Listeners with equally long histories are in the same third, so that thirds may differ in size; where
    most histories are equally long, there are only ``light`` and ``heavy``.

    Returns
    -------
    pandas.DataFrame
        ``model``; ``listeners`` (`ACTIVITY`); ``least`` and ``most`` tracks in training; ``count`` of
        listeners; ``metric`` with ``_low`` and ``_high`` of the 95 % bootstrap interval.

    Raises
    ------
    SegueError
        If all histories are equally long.
    """
    values = found.values
    history = values.drop_duplicates("listener_id")["history"].to_numpy()
    shorter = history[history < history.max()]
    if not shorter.size:
        raise SegueError("all listeners have equally long histories: there are no thirds to compare")
    thirds = np.quantile(history, [1 / 3, 2 / 3], method="inverted_cdf")
    bounds = np.unique(np.minimum(thirds, shorter.max()))
    names = ACTIVITY if bounds.size == 2 else (ACTIVITY[0], ACTIVITY[2])
    third = np.searchsorted(bounds, values["history"].to_numpy())
    rows = []
    for label, own in values.assign(listeners=np.array(names)[third]).groupby(["model", "listeners"]):
        least, most = int(own["history"].min()), int(own["history"].max())
        rows.append(
            {"model": label[0], "listeners": label[1], "least": least, "most": most, "count": len(own)}
            | means(own, (metric,), seed)
        )
    return _in_order(rows, values["model"], "listeners", names)


def by_popularity(found: Comparison, train: TrainingData, seed: int = 0) -> pd.DataFrame:
    """Return each model's recall of test pairs by how popular their tracks are.

    `popularity_parts` says which are ``head``, ``middle``, ``tail`` and ``cold``; recall is the share of a
    part's test pairs that are among the first 20 of their listener.

    Returns
    -------
    pandas.DataFrame
        ``model``; ``tracks`` (`POPULARITY`); ``least`` and ``most`` listeners of the part's tracks; ``count``
        of test pairs; ``recall_at_20`` with ``_low`` and ``_high`` of the 95 % bootstrap interval over
        listeners. Parts without a test pair are left out.
    """
    places = found.places
    part = popularity_parts(train.popularity, places["popularity"].to_numpy())
    rows = []
    asked = places.assign(part=np.array(POPULARITY)[part], recall_at_20=(places["place"] > 0).astype(float))
    for label, own in asked.groupby(["model", "part"], sort=False):
        popularity = own["popularity"]
        rows.append(
            {
                "model": label[0],
                "tracks": label[1],
                "least": int(popularity.min()),
                "most": int(popularity.max()),
                "count": len(own),
            }
            | means(own, ("recall_at_20",), seed, groups=own["listener_id"].to_numpy())
        )
    return _in_order(rows, places["model"], "tracks", POPULARITY)


def popularity_parts(catalogue: np.ndarray, popularity: np.ndarray) -> np.ndarray:
    """Return int64[p]: 0 head, 1 middle, 2 tail, 3 cold, for tracks with so many listeners in training.

    The most popular tracks that together have a third of the training pairs are the head, those that have
    the next third the middle, the other played ones the tail; cold is what nobody has played. Tracks with
    equally many listeners are in the same part, the more popular one of two.

    Parameters
    ----------
    catalogue
        float[n]: the listeners of each track of the catalogue.
    popularity
        float[p]: the listeners of the tracks in question.
    """
    ordered = np.sort(catalogue)[::-1]
    share = np.cumsum(ordered) / max(1.0, float(ordered.sum()))
    reached = np.searchsorted(share, np.array([1 / 3, 2 / 3]) - 1e-9).clip(max=ordered.size - 1)
    head, middle = ordered[reached]
    return np.select([popularity <= 0, popularity >= head, popularity >= middle], [3, 0, 1], default=2)


def cold_tracks(models: Models, train: TrainingData, seed: int = 0, *, test_share: float = 0.1) -> Comparison:
    """Return how well models recommend tracks that have no listener yet.

    A random tenth of the tracks loses all its listeners (`by_track`), the models are fitted on what is left
    and rank the whole catalogue; what they find of the tenth they know from its sound. Give training data
    of a `HeldOut`: its test is not needed here.

    Raises
    ------
    SegueError
        If there are no plays, or too few.
    """
    if train.interactions is None:
        raise SegueError("cold tracks are asked of listeners: import or simulate some plays")
    kept, test = by_track(train.interactions, seed, test_share=test_share)
    asked = questions(replace(train, interactions=kept), test)
    return compare_all(with_baselines(models, seed), asked, seed)


def cold_listeners(
    held_out: HeldOut, models: Models, sizes: Sequence[int] = (0, 1, 3, 5), seed: int = 0
) -> pd.DataFrame:
    """Return how good models are for listeners of whom they are told only a few tracks.

    Of each listener with enough tracks, random ones are told; the larger histories hold the smaller ones.
    The whole catalogue without the listener's training tracks is ranked, told or not, so that all sizes are
    asked the same. Without a track all but random fall back on the most played ones. Items were learned from
    all training plays, these listeners' among them.

    Parameters
    ----------
    held_out, models
        The test, and the models that it has evaluated, by label; random and popularity are added.
    sizes
        How many tracks are told.

    Returns
    -------
    pandas.DataFrame
        ``model``; ``told`` (one of ``sizes``, ascending); ``count`` of listeners; ``ndcg_at_10`` and
        ``recall_at_20`` with ``_low`` and ``_high`` of the 95 % bootstrap interval.

    Raises
    ------
    UsageError
        If a size is negative or there is none.
    SegueError
        If a model was not evaluated, or no listener has as many tracks as the largest size.
    """
    if not sizes or min(sizes) < 0:
        raise UsageError(f"sizes = {tuple(sizes)}: give numbers of tracks, 0 or more")
    asked = with_baselines(models, seed)
    table = held_out.ask(asked, partial(_by_told, sizes=sorted(set(sizes)), seed=seed))
    return table[["model", *table.columns.drop("model")]]


def _by_told(model: Recommender[Any], asked: Questions, sizes: Sequence[int], seed: int) -> pd.DataFrame:
    whole = asked.train.matrix[asked.rows]
    enough = np.diff(whole.indptr) >= max(sizes)
    if not enough.any():
        raise SegueError(f"no listener of the test has {max(sizes)} tracks in training: ask for fewer")
    whole, sizes_of = whole[enough], asked.relevant[enough]
    order = _shuffled_within(whole, seed)
    rows = []
    for told in sizes:
        ranked = np.full((asked.rows.size, DEEPEST), -1, dtype=np.int64)
        ranked[enough] = rank(model, _cut(whole, order, told), DEEPEST, barred=whole)
        hits = asked.hits(ranked)[enough]
        values = {
            "ndcg_at_10": metrics.ndcg_at_k(hits, sizes_of, 10),
            "recall_at_20": metrics.recall_at_k(hits, sizes_of, 20),
        }
        figures = means(pd.DataFrame(values), list(values), seed)
        rows.append({"told": told, "count": int(enough.sum()), **figures})
    return pd.DataFrame(rows)


def _shuffled_within(matrix: csr_matrix, seed: int) -> np.ndarray:
    """Return int64[nnz]: the place of each entry in a random order of its row, from 0."""
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    by_draw = np.lexsort((np.random.default_rng(seed).random(row.size), row))
    place = np.empty(row.size, dtype=np.int64)
    place[by_draw] = np.arange(row.size) - matrix.indptr[row]
    return place


def _cut(matrix: csr_matrix, place: np.ndarray, told: int) -> csr_matrix:
    """Return the matrix with the first ``told`` entries of each row."""
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    kept = place < told
    return csr_matrix((matrix.data[kept], (row[kept], matrix.indices[kept])), shape=matrix.shape)


def _in_order(
    rows: list[dict[str, Any]], models: pd.Series[Any], column: str, names: Sequence[str]
) -> pd.DataFrame:
    """Return the rows by model as first seen, then by the order of ``names``."""
    first = {label: i for i, label in enumerate(dict.fromkeys(models))}
    ordered = sorted(rows, key=lambda row: (first[row["model"]], list(names).index(row[column])))
    return pd.DataFrame(ordered)
