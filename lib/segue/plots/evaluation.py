"""The models: what their parameters do, and how good they are beside popularity and random."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from segue.plots.style import COLOURS, FAINT, INK, MARKERS, NEUTRAL, SEQUENTIAL, figure, percent, said, title

BASELINES = ("random", "popularity")
NAMES = {"als": "ALS", "lsh": "LSH", "kmeans": "KMeans", "exact": "nearest (exact)"}
"""How the models that have a name of their own are written."""


def silhouette(table: pd.DataFrame, note: str = "") -> Figure:
    """Draw the silhouette over the number of clusters (columns ``clusters`` and ``silhouette``)."""
    drawn, ((axes,),) = figure(height=4.0)
    if table["silhouette"].notna().sum() == 0:
        return said(drawn, axes, "A silhouette needs at least three different tracks; there are fewer.")
    best = table.loc[table["silhouette"].idxmax()]
    axes.plot(table["clusters"], table["silhouette"], marker="o", color=COLOURS[0])
    axes.plot([best["clusters"]], [best["silhouette"]], "o", color=COLOURS[1], markersize=11)
    axes.set_xticks(table["clusters"])
    axes.set_ylim(min(0.0, table["silhouette"].min() * 1.1), max(0.1, table["silhouette"].max() * 1.2))
    axes.set_xlabel("clusters (count)")
    axes.set_ylabel("mean silhouette (−1 to 1)")
    words = "clusters hardly stand apart" if best["silhouette"] < 0.25 else "clusters stand apart"
    finding = (
        f"{best['clusters']:.0f} clusters are best, silhouette {best['silhouette']:.2f}: "
        f"the {words} in the full feature space"
    )
    return title(drawn, finding, note)


def lsh_trade_off(table: pd.DataFrame, note: str = "") -> Figure:
    """Draw LSH's recall against its share of comparisons and against its time, exact search beside it.

    The table is that of `segue.evaluation.neighbours.lsh_grid`.
    """
    recall = next(name for name in table.columns if name.startswith("recall_at_"))
    k = recall.rsplit("_", 1)[1]
    drawn, ((left, right),) = figure(1, 2, height=4.6, sharey=True)
    for i, (tables, rows) in enumerate(table.groupby("tables")):
        look = {"color": COLOURS[i % len(COLOURS)], "marker": MARKERS[i % len(MARKERS)]}
        left.plot(100 * rows["compared"], 100 * rows[recall], label=f"{tables}", **look)
        right.plot(rows["spark_ms"], 100 * rows[recall], linestyle="none", **look)
        right.plot(rows["bucket_ms"], 100 * rows[recall], linestyle="none", markerfacecolor="white", **look)
    left.plot([0, 100], [0, 100], color=NEUTRAL, linewidth=1, linestyle=":")
    left.annotate("by chance", (50, 40), color="#6a6a6a", fontsize=10, rotation=40)
    left.set_xlabel("catalogue compared (%)")
    left.set_ylabel(f"true {k} nearest found (%)")
    left.legend(title="hash tables", loc="lower right", fontsize=10, title_fontsize=10)
    left.set_ylim(0, 104)
    exact = float(table["exact_ms"].median())
    right.axvline(exact, color=INK, linewidth=1.5)
    right.set_xlim(exact / 3, 3 * float(table[["spark_ms", "bucket_ms"]].max().max()))
    right.annotate(
        "exact,\nnumpy", (exact, 3), xytext=(4, 0), textcoords="offset points", ha="left", fontsize=10
    )
    right.set_xscale("log")
    right.xaxis.set_major_formatter("{x:g}")
    right.minorticks_off()
    right.set_xlabel("median time of a query (ms)\nfilled: Spark, open: buckets in numpy")
    return title(drawn, _lsh_finding(table, recall, exact), note)


def _lsh_finding(table: pd.DataFrame, recall: str, exact: float) -> str:
    good = table[table[recall] >= 0.9]
    chosen = good.loc[good["compared"].idxmin()] if len(good) else table.loc[table[recall].idxmax()]
    share, compared = percent(float(chosen[recall])), percent(float(chosen["compared"]))
    found = f"LSH finds {share} comparing {compared} of the catalogue"
    times = chosen["spark_ms"] / exact if exact else np.inf
    return f"{found}; Spark takes {times:,.0f} times as long as exact search at this size"


def als_grid(table: pd.DataFrame, note: str = "") -> Figure:
    """Draw nDCG@10 over rank and regularisation (the table of `segue.evaluation.tuning.als_grid`)."""
    drawn, ((axes,),) = figure(height=3.8)
    wide = table.pivot(index="rank", columns="reg", values="ndcg_at_10").sort_index(ascending=False)
    mesh = axes.imshow(wide, cmap=SEQUENTIAL, aspect="auto")
    middle = (np.nanmin(wide.to_numpy()) + np.nanmax(wide.to_numpy())) / 2
    best = table.loc[table["ndcg_at_10"].idxmax()]
    for (row, column), value in np.ndenumerate(wide.to_numpy()):
        own = wide.index[row] == best["rank"] and wide.columns[column] == best["reg"]
        axes.text(
            column, row, f"{value:.3f}", ha="center", va="center",
            color="white" if value > middle else INK, fontweight="bold" if own else "normal",
        )  # fmt: skip
    axes.set_xticks(range(wide.shape[1]), [f"{reg:g}" for reg in wide.columns])
    axes.set_yticks(range(wide.shape[0]), [str(rank) for rank in wide.index])
    axes.set_xlabel("regularisation (scaled by the number of plays)")
    axes.set_ylabel("rank (factors)")
    axes.grid(visible=False)
    bar = drawn.colorbar(mesh, ax=axes, pad=0.02)
    bar.set_label("nDCG@10 (0 to 1)")
    bar.outline.set_visible(False)
    spread = table["ndcg_at_10"].max() - table["ndcg_at_10"].min()
    finding = (
        f"Rank {best['rank']:.0f} with regularisation {best['reg']:g} is best on held-out plays "
        f"({best['ndcg_at_10']:.3f}); the whole grid spans {spread:.3f}"
    )
    return title(drawn, finding, note)


def leaderboard(table: pd.DataFrame, metric: str, axis: str, note: str = "") -> Figure:
    """Draw each model's mean with its 95 % interval, random and popularity in grey.

    Parameters
    ----------
    table
        Columns ``model``, ``<metric>``, ``<metric>_low`` and ``<metric>_high``.
    metric
        Which metric is drawn.
    axis
        The axis' name with its unit.
    """
    rows = table.assign(model=table["model"].replace(NAMES)).sort_values(
        metric, kind="stable", ignore_index=True
    )
    drawn, ((axes,),) = figure(height=1.7 + 0.45 * len(rows))
    colours = [NEUTRAL if name in BASELINES else COLOURS[0] for name in rows["model"]]
    axes.hlines(rows["model"], 0, rows[metric], color=FAINT, linewidth=1.5)
    axes.hlines(
        rows["model"], rows[f"{metric}_low"], rows[f"{metric}_high"], color=colours, linewidth=4, alpha=0.45
    )
    axes.scatter(rows[metric], rows["model"], color=colours, s=64, zorder=3)
    for row in rows.itertuples(index=False):
        at = getattr(row, metric), row.model
        axes.annotate(f"{at[0]:.3f}", at, xytext=(0, 9), textcoords="offset points", ha="center", fontsize=10)
    axes.set_xlim(left=0)
    axes.set_ylim(-0.6, len(rows) - 0.3)
    axes.set_xlabel(f"{axis}; bar: 95 % interval")
    axes.grid(axis="y", visible=False)
    return title(drawn, _board_finding(rows, metric), note)


def _board_finding(rows: pd.DataFrame, metric: str) -> str:
    best = rows.iloc[-1]
    yardsticks = rows[rows["model"].isin(BASELINES)]
    if best["model"] in BASELINES:
        return f"No model is better than {best['model']} ({best[metric]:.3f})"
    yardstick = yardsticks.iloc[-1]
    clear = best[f"{metric}_low"] > yardstick[f"{metric}_high"]
    ahead = (
        f"clearly ahead of {yardstick['model']}" if clear else f"not clearly ahead of {yardstick['model']}"
    )
    return f"{best['model']} is best with {best[metric]:.3f}, {ahead} ({yardstick[metric]:.3f})"
