"""What each notebook found, in sentences computed from its results."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from IPython.display import Markdown

from segue.dataset.base import OK
from segue.errors import SegueError
from segue.models.projection import neighbours_kept, principal_components
from segue.notebook.attempt import NotShown
from segue.plots.style import percent

if TYPE_CHECKING:
    from segue.etl import EtlReport
    from segue.notebook.catalogue import Catalogue

_YARDSTICKS = ("random", "popularity")


def of_etl(report: EtlReport) -> Markdown:
    """Say what came in, what was rejected, what it cost, what is there twice, and what changed since."""
    counts = report.counts
    rejected = [f"{count:,} {status}" for status, count in counts.most_common() if status != OK]
    return _list(
        f"**{counts[OK]:,} of {sum(counts.values()):,}** rows are usable"
        + (f"; the others: {', '.join(rejected)}." if rejected else "."),
        work_done(report),
        _dearest(report),
        _changes(report),
        _unreadable(report),
        of_copies(report),
    )


def work_done(report: EtlReport) -> str:
    """Say what the job analysed, what it knew already, and how long it took."""
    if not report.analysed and not report.reused:
        return f"Nothing had to be analysed: none of {report.files:,} files is new or changed."
    return (
        f"{report.analysed:,} files were analysed and {report.reused:,} known contents reused in "
        f"{report.seconds:.0f} s; {report.unchanged:,} files had not changed."
    )


def _dearest(report: EtlReport) -> str:
    spent = sum(report.stage_seconds.values())
    if not report.analysed or not spent:
        return ""
    stage = max(report.stage_seconds, key=lambda name: report.stage_seconds[name])
    files = report.analysed + report.reused
    share = report.stage_seconds[stage] / spent
    return (
        f"A file took {1000 * spent / files:,.0f} ms of one core, {percent(share)} of it for `{stage}`; the "
        f"whole job ran {report.times_real_time:,.0f} times as fast as the music plays, "
        f"{percent(report.overhead_s / report.seconds)} of its time with no file at work."
    )


def of_copies(report: EtlReport) -> str:
    """Say how many recordings are there more than once, and by how many files."""
    if not report.copies:
        return "No two usable files hold the same recording."
    by_id = {track.track_id: track for track in report.tracks}
    extra = sum(len(group) - 1 for group in report.copies)
    same = sum(by_id[each].sha256 == by_id[group[0]].sha256 for group in report.copies for each in group[1:])
    return (
        f"{_count(len(report.copies), 'recording')} {'is' if len(report.copies) == 1 else 'are'} there more "
        f"than once: {_count(extra, 'copy', 'copies')}, {same:,} of the same bytes and {extra - same:,} of "
        "another encoding. One file stands for all of them; no list will hold two."
    )


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _changes(report: EtlReport) -> str:
    parts = {"gone": len(report.gone), "changed": len(report.changed), "moved": len(report.moved)}
    said = [f"{count:,} {what}" for what, count in parts.items() if count]
    return f"Since the last time: {', '.join(said)}." if said else ""


def _unreadable(report: EtlReport) -> str:
    if not report.unreadable:
        return ""
    return f"**Folders that could not be read**: {', '.join(report.unreadable)}. Allow reading and run again."


def of_map(features: np.ndarray, places: np.ndarray, k: int = 10) -> Markdown:
    """Say how many of a track's nearest stay near on the map, beside the first two components and chance.

    Raises
    ------
    SegueError
        If there are not more than ``k`` + 1 tracks: all of them would be near.
    """
    if len(features) < k + 2:
        raise SegueError(f"how well the map keeps neighbours is measured on more than {k + 1} tracks")
    kept = neighbours_kept(features, places, k)
    plane = neighbours_kept(features, principal_components(features, 2).scores, k)
    return Markdown(
        f"Of a track's {k} nearest by all features, **{percent(kept)}** are among its {k} nearest on the "
        f"map. On the first two components alone it would be {percent(plane)}, by chance "
        f"{percent(k / (len(features) - 1))}."
    )


def of_features(explained: Any, scaled: Any, near: Any, by_genre: Any, catalogue: Catalogue) -> Markdown:
    """Say how many directions the features have, what scaling does to neighbours, and what genres explain.

    Parameters
    ----------
    explained
        Shares of the variance, as `segue.models.projection.Components` has them.
    scaled
        The tables of `segue.notebook.features.scalings`.
    near
        A `segue.notebook.nearest.Neighbourhoods`.
    by_genre
        The table of `segue.notebook.genres.explained_by_genre`.
    """
    if isinstance(scaled, NotShown):
        return Markdown(f"Nothing can be said: {scaled.why}")
    constant = int((np.asarray(scaled["raw"]).std(axis=0) == 0).sum())
    half = int(np.searchsorted(np.cumsum(explained), 0.5)) + 1 if np.any(explained) else 0
    return _list(
        f"{_count(len(catalogue.tracks), 'usable track')}, {catalogue.features.shape[1]} features each.",
        f"{constant} features are the same for all tracks and tell nothing apart." if constant else "",
        f"{_count(half, 'direction')} of {catalogue.features.shape[1]} carry half of the variance: the "
        "features repeat each other."
        if half
        else "",
        _telling(by_genre),
        *_neighbours(near),
        "The models use the standardised features: no family decides by its unit.",
    )


def _telling(by_genre: Any) -> str:
    if isinstance(by_genre, NotShown):
        return f"Genres are not compared: {by_genre.why}."
    beyond = int((by_genre["explained"] > by_genre["chance_high"]).sum())
    best = by_genre.iloc[0]
    return (
        f"Genre explains {percent(best['explained'])} of {best['title'].lower()} (shuffled genres: "
        f"{percent(best['chance'])}); {beyond} of {len(by_genre)} families differ between genres beyond "
        "chance."
    )


def _neighbours(near: Any) -> list[str]:
    if isinstance(near, NotShown):
        return [f"Scalings are not compared: {near.why}."]
    said = []
    for measure, rows in near.shares.groupby("measure", sort=False):
        parts = [
            f"{row.scaling} {percent(row.share)} ({percent(row.low)} to {percent(row.high)})"
            for row in rows.itertuples()
        ]
        said.append(
            f"{measure.capitalize()} among the {near.k} nearest: {', '.join(parts)}; "
            f"chance {percent(float(rows['chance'].iloc[0]))}."
        )
    return said


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
