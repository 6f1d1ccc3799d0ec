"""Is a new model worse than the serving one? Asked of the newest plays, which neither has learned from."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from segue.dataset.listening import interactions
from segue.errors import SegueError
from segue.evaluation.by_time import at_one_moment
from segue.evaluation.intervals import paired_difference
from segue.evaluation.listeners import listener_values
from segue.models.base import Recommender, TrainingData
from segue.store.changes import SILENT

METRIC = "ndcg_at_10"

MARGIN = 0.05
"""The share of the serving model's nDCG@10 that a new one may lose: of lists of ten, what nobody notices."""

LEAST_LISTENERS = 30
"""Listeners without whom nothing is told: the interval of fewer is wider than what a refit changes."""

SHARES = (0.2, 0.35, 0.5)
"""Shares of the new plays that are asked for: the smallest that enough listeners are in."""

_MOST_LISTENERS = 4_000


@dataclass(frozen=True, eq=False)
class Newest:
    """The plays of a test.

    Parameters
    ----------
    before
        ``listener_id``, ``track_id``, ``weight`` of all plays but the tested ones: what a new model may learn
        from, and the listeners' histories.
    test
        The same columns: what was played for the first time after ``moment``.
    listeners
        How many of the test have a history.
    """

    before: pd.DataFrame
    test: pd.DataFrame
    listeners: int
    moment: Any


@dataclass(frozen=True)
class Verdict:
    """What a comparison came to.

    ``told`` is False where there were too few listeners; the figures are then None. ``difference`` is
    ``candidate - serving`` in nDCG@10 with its 95 % interval ``low``, ``high`` (paired bootstrap over
    listeners), ``margin`` the loss that is allowed.
    """

    worse: bool
    told: bool
    why: str
    listeners: int
    plays: int
    since: str = ""
    metric: str = METRIC
    serving: float | None = None
    candidate: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    margin: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as one JSON object."""
        return asdict(self)


def newest_plays(events: pd.DataFrame, learned: Collection[str], least: int = LEAST_LISTENERS) -> Newest:
    """Return the newest of the events that the serving model has not learned from.

    Parameters
    ----------
    events
        As `segue.store.plays.PlayStore.frame` gives them.
    learned
        Ids of the events that the serving model was fitted on. None of them is asked for, whenever they were:
        an import of old listens is new to the model, and a play with a wrong clock is not.
    least
        Listeners with a history who should be asked; the larger of `SHARES` are taken to reach them.

    Raises
    ------
    SegueError
        If no event is new, or all of them have the same time.
    """
    fresh = events
    if len(events):
        fresh = events[~events["event_id"].isin(set(learned)) & ~events["kind"].isin(SILENT)]
    if fresh.empty:
        raise SegueError("no play is new to the serving model")
    found: Newest | None = None
    for share in SHARES:
        moment = at_one_moment(fresh, test_share=share, weigh=interactions).moment
        tested = fresh.index[fresh["at"] > moment]
        found = _cut(events, events.index.isin(tested), moment)
        if found.listeners >= least:
            break
    assert found is not None
    return found


def _cut(events: pd.DataFrame, tested: np.ndarray, moment: Any) -> Newest:
    before, after = interactions(events[~tested]), interactions(events[tested])
    pair = ["listener_id", "track_id"]
    known = pd.MultiIndex.from_frame(before[pair])
    test = after[~pd.MultiIndex.from_frame(after[pair]).isin(known)].reset_index(drop=True)
    with_history = np.intersect1d(test["listener_id"], before["listener_id"]).size
    return Newest(before, test, with_history, moment)


def compare_on_newest(
    serving: Recommender[Any],
    candidate: Callable[[], Recommender[Any]],
    data: TrainingData,
    newest: Newest,
    *,
    least: int = LEAST_LISTENERS,
    seed: int = 0,
) -> Verdict:
    """Let both models rank their whole catalogue for the listeners of the newest plays.

    The serving model is asked as it stands. The new one's configuration is fitted on the plays before the
    test, so that neither has seen it, and both are told the same history of each listener. A track that a
    model's catalogue lacks is one that it does not find. What people played was in part what the serving
    model had offered them: that favours it, and a new model that holds its own is the better for it.

    Worse is a new model whose loss is significant, the whole interval below zero, and may be larger than
    `MARGIN` of the serving model's figure. Two models of one recipe, the new one with more plays, are more
    often equal than not, so that what cannot be told apart counts as not worse.

    Parameters
    ----------
    serving
        Fitted on none of the tested plays.
    candidate
        Makes a model of the new configuration that has learned nothing yet; called only if it is needed.
    data
        Catalogue that the new configuration learns from; its interactions are replaced by ``newest.before``.
    newest
        From `newest_plays`.
    """
    asked = _some(newest, data, serving, seed)
    if (listeners := asked["listener_id"].nunique()) < least:
        why = (
            f"too few to tell: {listeners} listeners with a history have played what is new to them and to "
            f"the serving model, {least} are needed"
        )
        return Verdict(False, False, why, listeners, len(asked), str(newest.moment))
    train = replace(data, interactions=newest.before)
    there = TrainingData(serving.track_ids, interactions=newest.before)
    new = listener_values(candidate().fit(train), train, asked)[0].set_index("listener_id")[METRIC]
    old = listener_values(serving, there, asked)[0].set_index("listener_id")[METRIC].reindex(new.index)
    return judge(old.to_numpy(), new.to_numpy(), plays=len(asked), since=str(newest.moment), seed=seed)


def judge(serving: np.ndarray, candidate: np.ndarray, *, plays: int, since: str, seed: int = 0) -> Verdict:
    """Return the verdict on float[m] values of the same listeners, by the rule of `compare_on_newest`."""
    apart = paired_difference(candidate, serving, seed=seed)
    allowed = MARGIN * float(serving.mean())
    worse = apart.high < 0 and apart.low < -allowed
    if worse:
        why = f"worse: it surely loses, {-apart.mean:.4f} on average, and perhaps more than {allowed:.4f}"
    elif apart.low > 0:
        why = f"better, by {apart.mean:.4f} on average"
    else:
        why = f"not worse: no loss that is sure to be one and may be more than {allowed:.4f}"
    return Verdict(
        worse, True, why, len(serving), plays, since,
        serving=float(serving.mean()), candidate=float(candidate.mean()),
        difference=apart.mean, low=apart.low, high=apart.high, margin=allowed,
    )  # fmt: skip


def _some(newest: Newest, data: TrainingData, serving: Recommender[Any], seed: int) -> pd.DataFrame:
    """Return the test of those whom both models know by a history, at most 4,000 of them."""
    test = newest.test
    for track_ids in (data.track_ids, serving.track_ids):
        known = newest.before.loc[newest.before["track_id"].isin(track_ids), "listener_id"]
        test = test[test["listener_id"].isin(known)]
    names = np.sort(test["listener_id"].unique())
    if names.size > _MOST_LISTENERS:
        chosen = np.random.default_rng(seed).choice(names, _MOST_LISTENERS, replace=False)
        test = test[test["listener_id"].isin(chosen)]
    return test.reset_index(drop=True)
