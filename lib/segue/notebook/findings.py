"""What each notebook found, in sentences computed from its results."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from IPython.display import Markdown

from segue.dataset.base import OK
from segue.notebook.attempt import NotShown

if TYPE_CHECKING:
    from segue.etl import EtlReport
    from segue.notebook.catalogue import Catalogue

_YARDSTICKS = ("random", "popularity")


def of_etl(report: EtlReport) -> Markdown:
    """Say what came in, what was rejected, what was computed, and what changed since the last time."""
    counts = report.counts
    rejected = [f"{count:,} {status}" for status, count in counts.most_common() if status != OK]
    return _list(
        f"**{counts[OK]:,} of {sum(counts.values()):,}** rows are usable"
        + (f"; the others: {', '.join(rejected)}." if rejected else "."),
        work_done(report),
        _changes(report),
        _unreadable(report),
        _copies(report.frame()),
    )


def work_done(report: EtlReport) -> str:
    """Say what the job analysed, what it knew already, and how long it took."""
    if not report.analysed and not report.reused:
        return f"Nothing had to be analysed: none of {report.files:,} files is new or changed."
    return (
        f"{report.analysed:,} files were analysed and {report.reused:,} known contents reused in "
        f"{report.seconds:.0f} s; {report.unchanged:,} files had not changed."
    )


def _changes(report: EtlReport) -> str:
    parts = {"gone": len(report.gone), "changed": len(report.changed), "moved": len(report.moved)}
    said = [f"{count:,} {what}" for what, count in parts.items() if count]
    return f"Since the last time: {', '.join(said)}." if said else ""


def _unreadable(report: EtlReport) -> str:
    if not report.unreadable:
        return ""
    return f"**Folders that could not be read**: {', '.join(report.unreadable)}. Allow reading and run again."


def _copies(tracks: pd.DataFrame) -> str:
    usable = tracks[tracks["status"] == OK]
    copies = len(usable) - usable["sha256"].nunique()
    return f"{copies:,} files are exact copies of others; no list will hold two of them." if copies else ""


def of_features(explained: Any, scaled: Any, catalogue: Catalogue) -> Markdown:
    """Say how many directions the features have, which were constant, and how many genres there are."""
    if isinstance(scaled, NotShown):
        return Markdown(f"Nothing can be said: {scaled.why}")
    constant = int((np.asarray(scaled["raw"]).std(axis=0) == 0).sum())
    half = int(np.searchsorted(np.cumsum(explained), 0.5)) + 1 if np.any(explained) else 0
    genres = {genre for genre in catalogue.genres if genre}
    return _list(
        f"{len(catalogue.tracks):,} usable tracks, {catalogue.features.shape[1]} features each.",
        f"{constant} features are the same for all tracks and tell nothing apart." if constant else "",
        f"{half} of the directions carry half of the variance: the features repeat each other."
        if half
        else "",
        f"{len(genres)} genres are named." if genres else "No genres are named here.",
        "The models use the standardised features: no family decides by its unit.",
    )


def of_models(clusters: Any, lsh: Any, grid: Any, fitted: Any) -> Markdown:
    """Say what the parameters of the models do, and which models are saved."""
    if isinstance(fitted, NotShown):
        return Markdown(f"Nothing was learned: {fitted.why}")
    said = []
    if not isinstance(clusters, NotShown) and clusters["silhouette"].notna().any():
        best = clusters.loc[clusters["silhouette"].idxmax()]
        said.append(f"KMeans: {best['clusters']:.0f} clusters are best, silhouette {best['silhouette']:.2f}.")
    if not isinstance(lsh, NotShown):
        recall = next(name for name in lsh.columns if name.startswith("recall"))
        best = lsh.loc[lsh[recall].idxmax()]
        said.append(
            f"LSH: at best {100 * best[recall]:.0f} % of the true neighbours, comparing "
            f"{100 * best['compared']:.0f} % of the catalogue; a query takes Spark {best['spark_ms']:.0f} "
            f"ms, exact search {best['exact_ms']:.2f} ms."
        )
    if not isinstance(grid, NotShown):
        best = grid.iloc[0]
        said.append(
            f"ALS: rank {best['rank']:.0f}, regularisation {best['reg']:g}, nDCG@10 {best['ndcg_at_10']:.3f}."
        )
    saved = fitted[fitted["why not"] == ""]["model"]
    left = fitted[fitted["why not"] != ""]["model"]
    said.append(
        f"Saved: {', '.join(saved) or 'nothing'}." + (f" Left out: {', '.join(left)}." if len(left) else "")
    )
    return _list(*said)


def of_evaluation(listeners: Any, similar: Any) -> Markdown:
    """Say which model is best at what, and whether it beats popularity and random."""
    return _list(
        _best(listeners, "ndcg_at_10", "For listeners", "nDCG@10"),
        _best(similar, "genre_precision_at_10", "For similar tracks", "genre precision at 10"),
        "Each figure stands beside random and popularity, with its 95 % interval.",
    )


def _best(table: Any, metric: str, who: str, name: str) -> str:
    if isinstance(table, NotShown):
        return f"{who}: not measured, as {table.why}"
    rows = table.set_index("model")
    best = rows[metric].idxmax()
    if best in _YARDSTICKS:
        return f"{who}: no model is better than {best} ({rows.loc[best, metric]:.3f} {name})."
    yardsticks = [f"{each} {rows.loc[each, metric]:.3f}" for each in _YARDSTICKS if each in rows.index]
    low, high = rows.loc[best, f"{metric}_low"], rows.loc[best, f"{metric}_high"]
    value = f"**{best}** {rows.loc[best, metric]:.3f} ({low:.3f} to {high:.3f}) {name}"
    return f"{who}: {value}; {', '.join(yardsticks)}."


def _list(*sentences: str | Iterable[str]) -> Markdown:
    return Markdown("\n".join(f"- {sentence}" for sentence in sentences if sentence))
