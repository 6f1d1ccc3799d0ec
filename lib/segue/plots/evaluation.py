"""The models: what their parameters do, and how good they are beside popularity and random."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from segue.plots.style import COLOURS, INK, MARKERS, NEUTRAL, figure, percent, said, title

BASELINES = ("random", "popularity")
NAMES = {
    "als": "ALS (Spark)",
    "best": "best mix",
    "bisecting": "bisecting KMeans",
    "ease": "EASE",
    "exact": "nearest (exact)",
    "forest": "genre forest",
    "hnsw": "HNSW",
    "item_knn": "item neighbours",
    "kmeans": "KMeans",
    "lsh": "LSH",
    "mlp": "genre network",
    "svm": "genre SVM",
    "wals": "weighted ALS",
}
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
