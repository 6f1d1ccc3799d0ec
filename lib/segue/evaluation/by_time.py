"""Splits by time: what was played later is asked of what was learned before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from segue.errors import SegueError, UsageError


@dataclass(frozen=True, eq=False)
class TimeSplit:
    """Plays before and after.

    Parameters
    ----------
    train, test
        Columns ``listener_id``, ``track_id``, ``weight``. Pairs that were played before are not asked again.
    strangers
        object[s]: listeners of later plays without an earlier one. Their plays are in ``test``, and no
        recommender that needs a history can be asked for them.
    played_again
        How many pairs played after the point were played before it too, and so are left out of ``test``.
    moment
        The point in time, the last one that counts as before; None where each listener has an own.
    """

    train: pd.DataFrame
    test: pd.DataFrame
    strangers: np.ndarray
    played_again: int
    moment: pd.Timestamp | float | None


def at_one_moment(
    plays: pd.DataFrame,
    *,
    test_share: float = 0.2,
    moment: pd.Timestamp | float | None = None,
    weigh: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
) -> TimeSplit:
    """Split at one point in time for everyone: nothing that happened later teaches a model.

    Parameters
    ----------
    plays
        Columns ``listener_id``, ``track_id``, ``at`` (time stamps or numbers that grow with time), and
        ``weight`` unless ``weigh`` computes it.
    test_share
        About the share of the plays after the point. Plays at the same time are on the same side: at most
        so many are after it, unless more than that share the last time of all and so are the test.
    moment
        The last time that counts as before, instead of ``test_share``.
    weigh
        Makes ``listener_id``, ``track_id``, ``weight`` of each side's plays, such as
        `segue.dataset.listening.interactions` of events.

    Raises
    ------
    UsageError
        If ``test_share`` is not between 0 and 1.
    SegueError
        If a column is missing, a time is missing, or nothing is on one of the sides.
    """
    at = _times(plays, test_share)
    if moment is None:
        moment = _point(at, test_share)
    after = (plays["at"] > moment).to_numpy()
    if after.all() or not after.any():
        side = "before" if after.all() else "after"
        raise SegueError(f"no play is {side} {moment}: choose another point in time")
    return _split(plays, after, weigh, moment)


def last_of_each_listener(
    plays: pd.DataFrame,
    *,
    test_share: float = 0.2,
    minimum: int = 5,
    weigh: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
) -> TimeSplit:
    """Split each listener's plays at an own point in time: the last of them are the test.

    Everybody is asked, but models learn from what others did later.

    Parameters
    ----------
    plays, test_share, weigh
        As in `at_one_moment`, of each listener's plays.
    minimum
        Listeners with fewer distinct tracks stay in training whole.

    Raises
    ------
    UsageError
        If ``test_share`` is not between 0 and 1.
    SegueError
        If a column is missing, a time is missing, or nobody has plays at different times.
    """
    at = _times(plays, test_share)
    after = np.zeros(len(plays), dtype=bool)
    enough = plays.groupby("listener_id")["track_id"].transform("nunique").to_numpy() >= minimum
    for rows in plays[enough].reset_index(drop=True).groupby("listener_id").indices.values():
        own = np.flatnonzero(enough)[rows]
        after[own] = at[own] > _point(at[own], test_share)
    if not after.any():
        raise SegueError(f"nobody has {minimum} tracks played at different times: import more plays")
    return _split(plays, after, weigh, None)


def _times(plays: pd.DataFrame, test_share: float) -> np.ndarray:
    if not 0 < test_share < 1:
        raise UsageError(f"test_share = {test_share}: give a share between 0 and 1")
    missing = [name for name in ("listener_id", "track_id", "at") if name not in plays]
    if missing:
        raise SegueError(f"a split by time needs the column(s) {', '.join(missing)}; found {list(plays)}")
    if plays.empty:
        raise SegueError("a split by time needs plays: import or simulate some")
    nowhere = int(plays["at"].isna().sum())
    if nowhere:
        raise SegueError(f"{nowhere} of {len(plays)} plays have no time: leave them out of a split by time")
    return plays["at"].to_numpy()


def _point(at: np.ndarray, test_share: float) -> pd.Timestamp | float:
    """Return the time after which at most ``test_share`` of the times are, but at least the last one."""
    ordered = np.sort(at)
    point = ordered[int(np.ceil((1 - test_share) * at.size)) - 1]
    earlier = ordered[ordered < ordered[-1]]
    if point == ordered[-1] and earlier.size:
        point = earlier[-1]
    return pd.Timestamp(point) if isinstance(point, np.datetime64) else point


def _split(
    plays: pd.DataFrame,
    after: np.ndarray,
    weigh: Callable[[pd.DataFrame], pd.DataFrame] | None,
    moment: pd.Timestamp | float | None,
) -> TimeSplit:
    train, later = (_pairs(plays[side], weigh) for side in (~after, after))
    known = pd.MultiIndex.from_frame(train[["listener_id", "track_id"]])
    again = pd.MultiIndex.from_frame(later[["listener_id", "track_id"]]).isin(known)
    test = later[~again].reset_index(drop=True)
    strangers = np.setdiff1d(test["listener_id"].astype(str), train["listener_id"].astype(str))
    return TimeSplit(train, test, strangers.astype(object), int(again.sum()), moment)


def _pairs(plays: pd.DataFrame, weigh: Callable[[pd.DataFrame], pd.DataFrame] | None) -> pd.DataFrame:
    weighed = plays if weigh is None else weigh(plays)
    if "weight" not in weighed:
        raise SegueError("plays have no column weight: give `weigh`, which computes it")
    return weighed.groupby(["listener_id", "track_id"], sort=True)[["weight"]].sum().reset_index()
