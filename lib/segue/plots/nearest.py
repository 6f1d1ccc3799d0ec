"""What a scaling does to the nearest tracks."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from segue.plots.style import COLOURS, INK, NEUTRAL, figure, part, percent, title


def neighbours_by_scaling(shares: pd.DataFrame, overlaps: pd.DataFrame, k: int, note: str = "") -> Figure:
    """Draw what the nearest tracks have in common with the track, and how far the scalings agree.

    Parameters
    ----------
    shares, overlaps
        As in `segue.notebook.nearest.Neighbourhoods`, shares from 0 to 1 with 95 % intervals.
    k
        How many nearest tracks they are of.
    """
    measures = list(dict.fromkeys(shares["measure"]))
    drawn, (panels,) = figure(1, len(measures) + 1, height=3.4)
    part(drawn, 0.08)
    for axes, measure in zip(panels, measures, strict=False):
        own = shares[shares["measure"] == measure]
        _panel(axes, own["scaling"].tolist(), own, f"{measure}\n(% of the {k} nearest)")
    labels = [f"{one} /\n{other}" for one, other in zip(overlaps["one"], overlaps["other"], strict=True)]
    _panel(panels[-1], labels, overlaps, f"named by both\n(% of the {k} nearest)")
    if len(measures) == 2:
        panels[1].tick_params(labelleft=False)
    return title(drawn, _finding(shares, overlaps, k), note)


def _panel(axes: Axes, labels: list[str], rows: pd.DataFrame, label: str) -> None:
    places = np.arange(len(labels))
    share, low, high, chance = (100 * rows[name].to_numpy() for name in ("share", "low", "high", "chance"))
    axes.hlines(places, low, high, color=COLOURS[0], linewidth=5, alpha=0.35)
    axes.plot(share, places, "o", color=COLOURS[0], markersize=8)
    for place, value in zip(places, share, strict=True):
        axes.text(value, place - 0.2, f"{value:.0f}", va="bottom", ha="center", fontsize=10, color=INK)
    axes.vlines(chance, places - 0.35, places + 0.35, color=NEUTRAL, linestyle=(0, (2, 2)), linewidth=1.8)
    axes.text(
        chance[-1], places[-1] + 0.42, f" chance {chance[-1]:.0f}" if chance[-1] >= 1 else " chance below 1",
        fontsize=9, color=NEUTRAL, va="top", ha="left",
    )  # fmt: skip
    axes.set_yticks(places, labels, fontsize=10)
    axes.set_ylim(len(labels) - 0.2, -0.7)
    axes.set_xlim(0, min(115, 1.25 * max(high.max(), chance.max(), 4)))
    axes.locator_params(axis="x", nbins=4)
    axes.set_xlabel(label, fontsize=10)
    axes.grid(axis="y", visible=False)


def _finding(shares: pd.DataFrame, overlaps: pd.DataFrame, k: int) -> str:
    least = overlaps.to_dict("records")[int(overlaps["share"].argmin())]
    shared, chance = k * least["share"], k * least["chance"]
    luck = f"{chance:.1f}" if chance >= 0.1 else "below 0.1"
    both = f"{least['one']} and {least['other']} share {shared:.1f} (chance {luck})"
    own = shares[shares["measure"] == "same genre"].sort_values("share").to_dict("records")
    if not own:
        return f"Of the {k} nearest tracks, {both}"
    worst, best = own[0], own[-1]
    clear = "" if worst["behind"] else "; no clear difference"
    return (
        f"Of the {k} nearest, {percent(best['share'])} are of the same genre ({best['scaling']}; "
        f"{worst['scaling']} {percent(worst['share'])}, chance {percent(best['chance'])}{clear}); {both}"
    )
