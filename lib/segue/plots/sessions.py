"""Simulated listeners who react to their lists: what the lists hit, session by session."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from segue.plots.style import COLOURS, NEUTRAL, figure, part, percent, title

_LOOKS = {
    "live": (COLOURS[0], "-"),
    "frozen": (COLOURS[1], "-"),
    "popularity": (NEUTRAL, "-"),
    "random": (NEUTRAL, ":"),
}
_NAMES = {"frozen": "frozen at the start"}


def sessions(table: pd.DataFrame, note: str = "") -> Figure:
    """Draw the hit rate of each session, and the share of the fitting tracks found by then.

    Parameters
    ----------
    table
        `segue.simulate.summary.by_session`: a line an arm, a band for its 95 % interval.
    note
        What a reader must know of tracks and listeners.
    """
    drawn, ((left, right),) = figure(1, 2, height=4.6)
    part(drawn, 0.06)
    for arm, own in table.groupby("arm", sort=False):
        _curve(left, own, "hit_rate", str(arm))
        _curve(right, own, "found", str(arm))
    live = table[table["arm"] == "live"]
    left.plot(live["session"], 100 * live["left"], color=COLOURS[0], linewidth=1, linestyle="--")
    for axes in (left, right):
        axes.set_ylim(0, 102)
        axes.set_xlabel("session")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    left.set_ylabel("first ten that fit and are new (%)\ndashed: the most there was, live")
    right.set_ylabel("fitting tracks listed so far (%)")
    right.legend(loc="upper left", fontsize=10)
    return title(drawn, _finding(table), note)


def _curve(axes: Axes, own: pd.DataFrame, value: str, arm: str) -> None:
    colour, line = _LOOKS[arm]
    marker = "o" if len(own) == 1 else None
    axes.fill_between(
        own["session"], 100 * own[f"{value}_low"], 100 * own[f"{value}_high"], color=colour, alpha=0.18, lw=0
    )
    name = _NAMES.get(arm, arm)
    axes.plot(own["session"], 100 * own[value], color=colour, linestyle=line, marker=marker, label=name)


def _finding(table: pd.DataFrame) -> str:
    ends = table[table["session"] == table["session"].max()].set_index("arm")
    arms = ("live", "frozen", "popularity")
    live, frozen, popular = (percent(float(ends.loc[arm, "found"])) for arm in arms)
    count = int(table["session"].max())
    after = f"After {count} sessions" if count > 1 else "After one session"
    return (
        f"{after} live lists have brought simulated listeners {live} of what fits them; "
        f"frozen ones {frozen}, popularity {popular}"
    )
