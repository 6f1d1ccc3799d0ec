"""What the sessions of simulated listeners come to: means with intervals, and whether arms are told apart."""

from __future__ import annotations

import pandas as pd

from segue.evaluation.intervals import bootstrap_mean, bootstrap_means
from segue.evaluation.significance import differences
from segue.simulate.study import ARMS, LIVE

CURVES = ("hit_rate", "found", "left")


def by_session(table: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Return the mean over listeners of each arm and session, with 95 % intervals over listeners.

    Parameters
    ----------
    table
        As `segue.simulate.study.simulate_sessions` gives it.

    Returns
    -------
    pandas.DataFrame
        ``arm``, ``session``, and ``hit_rate``, ``found`` and ``left`` with ``<value>_low`` and
        ``<value>_high``; the arms in the order of `segue.simulate.study.ARMS`.
    """
    parts = []
    for arm in ARMS:
        own = table[table["arm"] == arm]
        part = pd.DataFrame({"arm": arm, "session": sorted(own["session"].unique())})
        for curve in CURVES:
            wide = own.pivot(index="listener_id", columns="session", values=curve)
            part[[curve, f"{curve}_low", f"{curve}_high"]] = bootstrap_means(wide.to_numpy(), seed=seed)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def by_arm(table: pd.DataFrame, tracks: int, seed: int = 0) -> pd.DataFrame:
    """Return one row an arm over all sessions.

    Parameters
    ----------
    table
        As in `by_session`.
    tracks
        Size of the catalogue.

    Returns
    -------
    pandas.DataFrame
        ``model`` (the arm); with ``_low`` and ``_high``: ``hit_rate``, ``first_session`` and
        ``last_session`` (hit rates), ``found`` (at the end), ``repeated``; ``completed`` (share of what was
        begun from the lists, 0 where nothing was) and ``coverage`` (share of the catalogue on any list).
    """
    last = table["session"].max()
    rows = []
    for arm in ARMS:
        own = table[table["arm"] == arm]
        values = {
            "hit_rate": own,
            "first_session": own[own["session"] == 1],
            "last_session": own[own["session"] == last],
            "found": own[own["session"] == last],
            "repeated": own,
        }
        row: dict[str, object] = {"model": arm}
        for name, part in values.items():
            column = "hit_rate" if name.endswith("session") else name
            mean, low, high = bootstrap_mean(part.groupby("listener_id")[column].mean().to_numpy(), seed=seed)
            row |= {name: mean, f"{name}_low": low, f"{name}_high": high}
        row["completed"] = float(own["completed"].sum() / max(1, own["taken"].sum()))
        row["coverage"] = len({track for offered in own["offered"] for track in offered}) / tracks
        rows.append(row)
    return pd.DataFrame(rows)


def live_against_others(table: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Return how much higher live's hit rate over all sessions is, and what it has found in the end.

    Returns
    -------
    pandas.DataFrame
        ``figure`` (``hit_rate`` or ``found``) and the columns of
        `segue.evaluation.significance.differences`: on the same listeners in pairs, Holm's correction over
        the three comparisons of a figure.
    """
    pairs = [(LIVE, arm) for arm in ARMS if arm != LIVE]
    of_listeners = table.groupby(["arm", "listener_id"], sort=False)
    values = of_listeners.agg(hit_rate=("hit_rate", "mean"), found=("found", "last")).reset_index()
    values = values.rename(columns={"arm": "model"})
    parts = [
        differences(values, figure, pairs, seed=seed).assign(figure=figure)
        for figure in ("hit_rate", "found")
    ]
    whole = pd.concat(parts, ignore_index=True)
    return whole[["figure", *whole.columns.drop("figure")]]
