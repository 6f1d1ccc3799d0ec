"""Searching for neighbours: what is found in what time, and what costs do as the catalogue grows."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from segue.errors import SegueError
from segue.plots.evaluation import NAMES
from segue.plots.style import COLOURS, INK, MARKERS, figure, percent, title

_NAMES = NAMES | {"exact": "exact", "hnsw": "HNSW", "bisecting": "bisecting KMeans"}
_COSTS = {"fit_s": "fitting (s)", "query_ms": "a query (ms)", "model_mib": "model (MiB)"}
_GOOD = 0.99
_DECADE = 10
_LIKE = 1.05
"""Times that differ by less are called the same."""


def _name(model: object) -> str:
    return _NAMES.get(str(model), str(model))


def recall_latency(table: pd.DataFrame, note: str = "") -> Figure:
    """Draw the share of true neighbours found over the time of a query, a line for each model.

    The table is that of `segue.evaluation.neighbours.recall_against_latency`.
    """
    recall = next(name for name in table.columns if name.startswith("recall_at_"))
    drawn, ((axes,),) = figure(height=4.4)
    for i, (model, rows) in enumerate(table.groupby("model", sort=False)):
        axes.plot(
            rows["ms"], 100 * rows[recall], marker=MARKERS[i % len(MARKERS)], label=_name(model),
            color=COLOURS[i % len(COLOURS)],
        )  # fmt: skip
        # Two lines that run beside each other have their words on different sides.
        beside = (5, 7) if i % 2 else (5, -14)
        for row in (rows.iloc[0], rows.iloc[-1])[: len(rows)]:
            axes.annotate(
                row["parameter"], (row["ms"], 100 * row[recall]), xytext=beside, fontsize=9, color=INK,
                textcoords="offset points",
            )  # fmt: skip
    least = min(90.0, 100 * float(table[recall].min())) - 5
    axes.set_ylim(least, 100 + (100 - least) / 8)
    axes.set_yticks([tick for tick in axes.get_yticks() if least <= tick <= 100])
    if table["ms"].max() > _DECADE * table["ms"].min():
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
    else:
        axes.set_xlim(0, 1.15 * float(table["ms"].max()))
        axes.locator_params(axis="x", nbins=6)
    axes.set_xlabel("median time of a query on one core (ms)")
    axes.set_ylabel(f"true {recall.rsplit('_', 1)[1]} nearest found (%)")
    axes.legend(fontsize=10, loc="lower right")
    return title(drawn, _trade(table, recall), note)


def _trade(table: pd.DataFrame, recall: str) -> str:
    exact = table[table["model"] == "exact"]
    others = table[table["model"] != "exact"]
    if exact.empty or others.empty:
        return "How much of the truth is found, and in what time"
    own = float(exact["ms"].iloc[0])
    good = others[others[recall] >= _GOOD]
    best = good.loc[good["ms"].idxmin()] if len(good) else others.loc[others[recall].idxmax()]
    times = own / best["ms"]
    faster = f"{times:.1f} times as fast as" if times >= 1 else f"{1 / times:.1f} times as slow as"
    if 1 / _LIKE < times < _LIKE:
        faster = "as fast as"
    found = percent(float(best[recall]))
    return f"{_name(best['model'])} finds {found} of the true nearest, {faster} exact search"


def growth(table: pd.DataFrame, note: str = "") -> Figure:
    """Draw seconds of fitting, milliseconds of a query and MiB of each model over the tracks.

    The table is that of `segue.evaluation.growth.growth`; all axes are logarithmic.
    """
    if table.empty:
        raise SegueError("no model was measured: name some that the catalogue can be fitted on")
    drawn, ((first, second, third),) = figure(1, 3, height=4.6)
    for (column, words), axes in zip(_COSTS.items(), (first, second, third), strict=True):
        _lines(axes, table, column)
        axes.set_ylabel(words)
        axes.set_xlabel("tracks")
    drawn.legend(*first.get_legend_handles_labels(), fontsize=10, loc="outside right center")
    return title(drawn, _steepest(table), note)


def _lines(axes: Axes, table: pd.DataFrame, column: str) -> None:
    for i, (model, rows) in enumerate(table.groupby("model", sort=False)):
        axes.plot(
            rows["tracks"], rows[column], marker=MARKERS[i // len(COLOURS) % len(MARKERS)],
            color=COLOURS[i % len(COLOURS)], label=_name(model),
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    if table[column].max() < _DECADE * table[column].min():
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    sizes = sorted(table["tracks"].unique())
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes], fontsize=9)
    axes.minorticks_off()


def _steepest(table: pd.DataFrame) -> str:
    slopes = {}
    for model, rows in table.groupby("model"):
        ends = rows.sort_values("tracks").iloc[[0, -1]]
        tracks, ms = ends["tracks"].to_numpy(), ends["query_ms"].to_numpy()
        if tracks[1] > tracks[0] and (ms > 0).all():
            slopes[model] = float(ms[1] / ms[0]), float(tracks[1] / tracks[0])
    if not slopes:
        return f"What the models cost at {int(table['tracks'].max()):,} tracks"
    least, most = (pick(slopes, key=lambda name: slopes[name][0]) for pick in (min, max))
    grown = slopes[most][1]
    words = f"{grown:.0f} times the tracks"
    if least == most or not np.isfinite(slopes[most][0]):
        return f"{words} make a query of {_name(most)} {slopes[most][0]:.1f} times as long"
    little = f"{slopes[least][0]:.1f} times" if slopes[least][0] > _LIKE else "no longer"
    longest = f"{words} make a query of {_name(most)} {slopes[most][0]:.1f} times as long"
    return f"{longest}, of {_name(least)} {little}"
