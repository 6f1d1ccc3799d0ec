"""Which features matter, beside what FMA published of them, and what scaling and PCA do to lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from segue.plots.style import COLOURS, FAINT, INK, MARKERS, NEUTRAL, figure, part, percent, said, title

if TYPE_CHECKING:
    from segue.notebook.ablation import Ablation


def families_needed(tried: Ablation, note: str = "") -> Figure:
    """Draw what each family reaches alone, and what is lost without it, beside all features and chance."""
    table = tried.table
    alone = table[table["kind"] == "alone"].sort_values(["accuracy", "precision"])
    without = table[table["kind"] == "without"].set_index("name").loc[alone["name"]].reset_index()
    every = table[table["kind"] == "all"].iloc[0]
    classic = table[table["kind"] == "classic"].iloc[0]
    drawn, ((left, middle, right),) = figure(1, 3, height=1.8 + 0.34 * len(alone), sharey=True)
    part(drawn, 0.04)
    places = np.arange(len(alone))
    for axes, measure, chance, label in (
        (left, "accuracy", tried.majority, "genre told right (%)"),
        (middle, "precision", tried.chance, "nearest of its genre (%)"),
    ):
        _dots(axes, alone, measure, places)
        axes.axvline(100 * every[measure], color=INK, linewidth=1.5)
        axes.axvline(100 * classic[measure], color=COLOURS[1], linewidth=1.5, linestyle="--")
        axes.axvline(100 * chance, color=NEUTRAL, linewidth=1.5, linestyle=":")
        axes.set_xlabel(f"alone: {label}", fontsize=10)
        axes.set_xlim(0, 102)
    _dots(right, without, "change", places, clear=(without["change_high"] < 0).to_numpy())
    right.axvline(0, color=INK, linewidth=1.5)
    right.set_xlabel("without it: change of\ngenres told right (points)", fontsize=10)
    left.set_yticks(places, alone["name"], fontsize=10)
    for axes in (left, middle, right):
        axes.grid(axis="y", visible=False)
    best = alone.iloc[-1]
    finding = (
        f"{best['name']} alone tells {percent(best['accuracy'])} of genres, all features "
        f"{percent(every['accuracy'])}, {classic['name']} {percent(classic['accuracy'])}"
    )
    lines = "line: all 518, dashed: " + str(classic["name"]) + ", dotted: chance; bar: 95 % over artists"
    return title(drawn, finding, "; ".join(filter(None, [lines, note])))


def beside_published(tried: Ablation, note: str = "") -> Figure:
    """Draw our accuracy with each of FMA's 18 feature sets beside the published one of the same kind."""
    both = tried.table[tried.table["published"].notna()].sort_values("published", kind="stable")
    drawn, ((axes,),) = figure(height=1.8 + 0.3 * len(both))
    places = np.arange(len(both))
    axes.hlines(places, both["published"], 100 * both["accuracy"], color=FAINT, linewidth=1.5)
    low, high = 100 * both["accuracy_low"], 100 * both["accuracy_high"]
    axes.hlines(places, low, high, color=COLOURS[0], linewidth=5, alpha=0.35)
    axes.plot(100 * both["accuracy"], places, "o", color=COLOURS[0], markersize=8, label="this collection")
    axes.plot(both["published"], places, "D", color=COLOURS[1], markersize=7, label="FMA medium, published")
    axes.set_yticks(
        places,
        [f"{row.name}, {row.dim}" for row in both[["name", "dim"]].itertuples(index=False)],
        fontsize=10,
    )
    axes.set_xlim(0, 102)
    axes.set_xlabel("genre told right by a Gaussian SVM (%)\nbar: 95 % over artists", fontsize=11)
    axes.grid(axis="y", visible=False)
    axes.legend(loc="upper left", fontsize=10)
    agree = float(both["accuracy"].corr(both["published"], method="spearman"))
    finding = (
        f"Feature sets stand in {'a similar' if agree > 0.5 else 'another'} order "
        f"{'as in' if agree > 0.5 else 'than in'} FMA's table (rank correlation {agree:.2f})"
    )
    why = (
        f"levels are not comparable: here {tried.genres} genres, {tried.tracks:,} tracks, artist folds; "
        "there 16 genres, 25,000 tracks, official split"
    )
    return title(drawn, finding, "; ".join(filter(None, [why, note])))


def scaling_and_components(grid: pd.DataFrame, note: str = "") -> Figure:
    """Draw genre precision, and what the lists share with the standard ones, over components and scalings.

    The table is that of `segue.notebook.ablation.scaling_and_components`.
    """
    drawn, ((left, right),) = figure(1, 2, height=4.4)
    order = list(dict.fromkeys(grid.sort_values("components", key=_count)["components"]))
    if len(order) < 2:
        return said(drawn, left, "Too few tracks for principal components: there is only one way.")
    scalings = list(dict.fromkeys(grid["scaling"]))
    for i, scaling in enumerate(scalings):
        rows = grid[grid["scaling"] == scaling].sort_values("components", key=_count)
        places = np.array([order.index(name) for name in rows["components"]]) + 0.12 * (i - 1)
        look = {"color": COLOURS[i % len(COLOURS)], "marker": MARKERS[i % len(MARKERS)], "markersize": 8}
        left.vlines(
            places, 100 * rows["low"], 100 * rows["high"], color=look["color"], linewidth=5, alpha=0.3
        )
        left.plot(places, 100 * rows["precision"], label=scaling, **look)
        low, high = 100 * rows["overlap_low"], 100 * rows["overlap_high"]
        right.vlines(places, low, high, color=look["color"], linewidth=5, alpha=0.3)
        right.plot(places, 100 * rows["overlap"], **look)
    left.axhline(100 * grid["chance"].iloc[0], color=NEUTRAL, linewidth=1.5, linestyle=":", label="chance")
    for axes in (left, right):
        axes.set_xticks(range(len(order)), order)
        axes.set_xlabel("principal components (count)")
        axes.set_ylim(0, 103)
    left.set_ylabel("10 nearest of its genre (%)")
    right.set_ylabel("shared with all standardised (%)")
    left.legend(fontsize=10, loc="lower right")
    moved = grid[(grid["moved_low"] > 0) | (grid["moved_high"] < 0)]
    finding = (
        f"Lists change (down to {percent(grid['overlap'].min())} shared), their genre less: "
        f"{percent(grid['precision'].min())} to {percent(grid['precision'].max())}; {len(moved)} of "
        f"{len(grid) - 1} ways differ beyond chance from all standardised features"
    )
    return title(drawn, finding, "; ".join(filter(None, ["bars: 95 % over artists", note])))


def _count(names: pd.Series) -> pd.Series:
    return names.map(lambda name: np.inf if name == "all" else float(name))


def _dots(
    axes: Axes, rows: pd.DataFrame, measure: str, places: np.ndarray, clear: np.ndarray | None = None
) -> None:
    filled = np.ones(len(rows), dtype=bool) if clear is None else clear
    share = 100 * rows[measure].to_numpy()
    low, high = 100 * rows[f"{measure}_low"], 100 * rows[f"{measure}_high"]
    axes.hlines(places, low, high, color=COLOURS[0], linewidth=5, alpha=0.35)
    axes.scatter(share[filled], places[filled], s=60, color=COLOURS[0], zorder=3)
    axes.scatter(share[~filled], places[~filled], s=60, facecolor="white", edgecolor=COLOURS[0], zorder=3)
