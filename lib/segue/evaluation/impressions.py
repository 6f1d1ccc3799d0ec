"""How recommendations do in real use: of the lists that were in view, how many led to a play, by model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from segue.errors import SegueError
from segue.evaluation.compare import means

FEW_LISTENERS = 10
"""Listeners below which a table says that there are too few to tell."""

OTHER = "other"
NAMES = 20
"""Names of lists and of models that are told apart; a page may send any, and the rest are `OTHER`."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 +._/-]{0,79}")
_KEY = ["listener_id", "shown"]
_PLAYING = ["listener_id", "session_id", "track_id"]
_FIRST = {"play": 0, "complete": 1, "skip": 1}


def by_model(plays: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Return for each model what became of its lists that were in view, real and simulated use apart.

    A list was in view if there is an ``impression`` of it; it has as many plays as events of kind ``play``
    name its recommendation as their source. A list for everybody has no id of its own and counts once a
    session. Plays of lists that were not in view, as when music goes on by itself, count in `by_source` only.

    Parameters
    ----------
    plays
        Events as `segue.store.plays.PlayStore.frame` gives them.

    Returns
    -------
    pandas.DataFrame
        ``simulated``; ``model``; ``lists`` in view; ``listeners`` who saw them; ``hit_rate``, the share of
        these lists with at least one play that was not skipped; ``plays_per_list``; each with ``_low`` and
        ``_high`` of the 95 % bootstrap interval over listeners; ``note`` where there are too few listeners.

    Raises
    ------
    SegueError
        If a column is missing.
    """
    events = _events(plays)
    shown = events[(events["kind"] == "impression") & events["recommended"]].drop_duplicates(_KEY)
    begun = _plays(events)
    begun = begun[begun["recommended"]]
    kept = begun.assign(kept=~begun["skipped"]).groupby(_KEY)["kept"]
    counts = pd.DataFrame({"plays": kept.size(), "kept": kept.sum()})
    lists = shown.merge(counts.reset_index(), how="left", on=_KEY).fillna({"plays": 0, "kept": 0})
    lists = lists.assign(hit_rate=lists["kept"] > 0, plays_per_list=lists["plays"])
    return _table(lists, "model", "lists", ("hit_rate", "plays_per_list"), seed)


def by_source(plays: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Return for each list of the player what became of the plays that were begun in it.

    An end and a like belong to the last play of that track in that session before them; a play without a
    known end is neither completed nor skipped.

    Parameters
    ----------
    plays
        Events as `segue.store.plays.PlayStore.frame` gives them.

    Returns
    -------
    pandas.DataFrame
        ``simulated``; ``list``; ``plays``; ``listeners``; ``share`` of all plays; ``completed``, ``skipped``
        and ``liked`` shares of the list's own; each with ``_low`` and ``_high`` as in `by_model`; ``note``.

    Raises
    ------
    SegueError
        If a column is missing.
    """
    begun = _plays(_events(plays))
    found = _table(begun, "list", "plays", ("completed", "skipped", "liked"), seed)
    shares = []
    for simulated, name in zip(found["simulated"], found["list"], strict=True):
        own = begun[begun["simulated"] == simulated]
        shares.append(_means(own.assign(share=own["list"] == name), ("share",), seed))
    columns = ["simulated", "list", "plays", "listeners", "share", "share_low", "share_high"]
    found = found.join(pd.DataFrame(shares, columns=columns[4:], index=found.index))
    return found[[*columns, *found.columns.drop(columns)]]


def from_recommendations(plays: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Return the share of plays that began in a list which a model had made.

    Returns
    -------
    pandas.DataFrame
        ``simulated``; ``plays``; ``listeners``; ``share`` with ``_low`` and ``_high`` as in `by_model`;
        ``note``. A row each for real and simulated listeners, if there are any.
    """
    begun = _plays(_events(plays))
    begun = begun.assign(share=begun["recommended"], all="")
    return _table(begun, "all", "plays", ("share",), seed).drop(columns="all")


def _events(plays: pd.DataFrame) -> pd.DataFrame:
    """Return the events by time, with ``list``, ``model``, ``shown`` (which list) and ``recommended``."""
    wanted = ["event_id", *_PLAYING, "kind", "at"]
    if plays.empty:
        plays = pd.DataFrame({name: pd.Series(dtype="object") for name in wanted})
    if absent := [name for name in wanted if name not in plays]:
        raise SegueError(f"the plays lack the column(s) {', '.join(absent)}; found {list(plays.columns)}")
    sources = plays["source"] if "source" in plays else [None] * len(plays)
    told = [each if isinstance(each, dict) else {} for each in sources]
    simulated = plays["simulated"] if "simulated" in plays else pd.Series(False, index=plays.index)
    events = plays[wanted].assign(
        simulated=simulated.eq(True),
        list=_names(each.get("list") for each in told),
        model=_names(each.get("model") for each in told),
        recommended=np.array([bool(each.get("model")) for each in told], dtype=bool),
    )
    ids = [each.get("recommendation_id") for each in told]
    at_large = events["session_id"].astype(str) + "/" + events["model"]
    events["shown"] = np.where(pd.isna(ids), at_large, np.array(ids, dtype=object))
    events["first"] = events["kind"].map(_FIRST).fillna(2)
    return events.sort_values(["at", "first", "event_id"], kind="stable")


def _names(told: Iterable[Any]) -> list[str]:
    """Return names as they may stand in a table: a page may have sent anything."""
    names = [name if isinstance(name, str) and _NAME.fullmatch(name) else OTHER for name in told]
    frequent = {name for name, _ in Counter(names).most_common(NAMES)}
    return [name if name in frequent else OTHER for name in names]


def _plays(events: pd.DataFrame) -> pd.DataFrame:
    """Return a row a play: its event, and whether it was ``completed``, ``skipped`` and ``liked``."""
    begun = events["kind"] == "play"
    where = events.groupby(_PLAYING, sort=False).ngroup()
    # One number for each play: where it was, and which one there; 0 before the first.
    number = where * (len(events) + 1) + begun.groupby(where).cumsum()
    found = events[begun].copy()
    for kind, name in (("complete", "completed"), ("skip", "skipped"), ("like", "liked")):
        found[name] = number[begun].isin(number[events["kind"] == kind])
    return found


def _table(rows: pd.DataFrame, by: str, counted: str, measures: Sequence[str], seed: int) -> pd.DataFrame:
    """Return means of ``measures`` with intervals for each value of ``by``, the most frequent first."""
    found: list[dict[str, Any]] = []
    for (simulated, name), own in rows.groupby(["simulated", by]):
        listeners = own["listener_id"].nunique()
        row = {"simulated": simulated, by: name, counted: len(own), "listeners": listeners}
        found.append(row | _means(own, measures, seed) | {"note": _note(listeners)})
    ends = ("", "_low", "_high")
    columns = [f"{measure}{end}" for measure in measures for end in ends]
    table = pd.DataFrame(found, columns=["simulated", by, counted, "listeners", *columns, "note"])
    return table.sort_values(
        ["simulated", counted], ascending=[True, False], kind="stable", ignore_index=True
    )


def _means(rows: pd.DataFrame, measures: Sequence[str], seed: int) -> dict[str, float]:
    return means(
        rows.astype(dict.fromkeys(measures, "float64")), measures, seed, rows["listener_id"].to_numpy()
    )


def _note(listeners: int) -> str:
    if listeners == 1:
        return "one listener: no interval"
    return "" if listeners >= FEW_LISTENERS else f"only {listeners} listeners: too few to tell"
