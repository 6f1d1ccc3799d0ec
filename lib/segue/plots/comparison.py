"""Models side by side: who is best, who is not told apart from it, and where each is good."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from segue.errors import SegueError
from segue.evaluation.significance import BEST, NOT_TOLD_APART, WORSE, p_in_words
from segue.plots.evaluation import BASELINES, NAMES
from segue.plots.style import COLOURS, FAINT, INK, NEUTRAL, figure, part, title

_DOT = 60


def board(table: pd.DataFrame, marked: pd.DataFrame, metric: str, axis: str, note: str = "") -> Figure:
    """Draw each model's mean with its 95 % interval, and whether it is told apart from the best.

    Parameters
    ----------
    table
        Columns ``model``, ``<metric>``, ``<metric>_low`` and ``<metric>_high``.
    marked
        `segue.evaluation.significance.marks` of the same models and metric.
    metric
        Which metric is drawn.
    axis
        The axis' name with its unit.

    Raises
    ------
    SegueError
        If ``marked`` is not about the models of ``table``.
    """
    if set(table["model"]) != set(marked["model"]):
        raise SegueError("the marks are not of the table's models: make both from one evaluation")
    rows = table.merge(marked[["model", "mark", "p", "p_holm"]], on="model").sort_values(
        metric, kind="stable", ignore_index=True
    )
    drawn, ((axes,),) = figure(height=1.9 + 0.42 * len(rows))
    _dots(axes, rows, metric)
    reach = float(rows[f"{metric}_high"].max()) or 1.0
    for place, row in enumerate(rows.to_dict("records")):
        axes.text(row[f"{metric}_high"] + 0.015 * reach, place, _said(row, metric), va="center", fontsize=10)
    axes.set_yticks(range(len(rows)), [_name(name) for name in rows["model"]])
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_xlim(0, 1.42 * reach)
    if reach <= 1:  # Words stand where no share can be.
        axes.set_xticks([tick for tick in axes.get_xticks() if tick <= 1])
    axes.set_xlabel(f"{axis}; bar: 95 % interval; hollow: told apart from the best")
    axes.grid(axis="y", visible=False)
    return title(drawn, _board_finding(rows, metric), note)


def by_activity(table: pd.DataFrame, metric: str, axis: str, note: str = "") -> Figure:
    """Draw quality for light to heavy listeners: the table of `segue.evaluation.breakdown.by_activity`."""
    panels = [(f"{name}: {_range(own)} tracks", own) for name, own in table.groupby("listeners", sort=False)]
    finding = _leaders(table, "listeners", metric, "for {} listeners")
    return _panels(panels, metric, axis, finding, note)


def by_popularity(table: pd.DataFrame, note: str = "") -> Figure:
    """Draw recall by the popularity of the track: the table of `segue.evaluation.breakdown.by_popularity`."""
    panels = []
    for name, own in table.groupby("tracks", sort=False):
        of = "no listener" if name == "cold" else f"{_range(own)} listeners"
        panels.append((f"{name}: {of}", own))
    finding = _leaders(table, "tracks", "recall_at_20", "for {} tracks")
    return _panels(panels, "recall_at_20", "recall@20 of hidden plays (0 to 1)", finding, note)


def cold_listeners(table: pd.DataFrame, metric: str, axis: str, note: str = "") -> Figure:
    """Draw quality by how much is told: the table of `segue.evaluation.breakdown.cold_listeners`."""
    panels = [
        (f"{told} track{'' if told == 1 else 's'} told", own)
        for told, own in table.groupby("told", sort=True)
    ]
    finding = _leaders(table, "told", metric, "with {} tracks told")
    return _panels(panels, metric, axis, finding, note)


def _panels(
    panels: list[tuple[str, pd.DataFrame]], metric: str, axis: str, finding: str, note: str
) -> Figure:
    """Draw one panel a group over the same models and the same scale, the best model on top."""
    if not panels:
        raise SegueError("there is nothing to draw: no group of listeners or tracks was asked")
    means = pd.concat([own.set_index("model")[metric] for _, own in panels], axis=1).mean(axis=1)
    order = means.sort_values(kind="stable").index
    drawn, (axes,) = figure(1, len(panels), height=2.1 + 0.34 * len(order), sharey=True)
    part(drawn, 0.06)
    reach = max(float(own[f"{metric}_high"].max()) for _, own in panels) or 1.0
    for each, (name, own) in zip(axes, panels, strict=True):
        rows = own.set_index("model").reindex(order).reset_index()
        rows["mark"] = np.where(rows[metric] == rows[metric].max(), BEST, WORSE)
        _dots(each, rows, metric, numbers=True)
        each.set_title(name, fontsize=10, fontweight="normal")
        each.set_xlim(0, 1.12 * reach)
        each.locator_params(axis="x", nbins=3)
        each.grid(axis="y", visible=False)
    axes[0].set_yticks(range(len(order)), [_name(model) for model in order])
    axes[0].set_ylim(-0.6, len(order) - 0.3)
    middle = 0.5 if len(panels) % 2 else 0.0
    axes[len(panels) // 2].set_xlabel(f"{axis}; bar: 95 % interval; filled: the highest", x=middle)
    return title(drawn, finding, note)


def _dots(axes: Axes, rows: pd.DataFrame, metric: str, *, numbers: bool = False) -> None:
    """Draw a dot and its interval for each row, from below; hollow where it is told apart from the best."""
    for place, row in enumerate(rows.to_dict("records")):
        yardstick = row["model"] in BASELINES
        colour = NEUTRAL if yardstick else COLOURS[0]
        face = "white" if row["mark"] == WORSE else colour
        axes.hlines(place, 0, row[metric], color=FAINT, linewidth=1.2)
        axes.hlines(place, row[f"{metric}_low"], row[f"{metric}_high"], color=colour, linewidth=4, alpha=0.4)
        axes.scatter([row[metric]], [place], s=_DOT, color=face, edgecolor=colour, linewidth=1.8, zorder=3,
                     clip_on=False)  # fmt: skip
        if numbers:
            axes.annotate(
                f"{row[metric]:.2f}", (row[metric], place), xytext=(0, 6), textcoords="offset points",
                ha="center", fontsize=8, color=INK,
            )  # fmt: skip


def _said(row: dict[Hashable, Any], metric: str) -> str:
    number = f"{row[metric]:.3f}"
    if row["mark"] == BEST:
        return f"{number}  best"
    if row["mark"] == NOT_TOLD_APART:
        return f"{number}  not told apart from the best"
    return f"{number}  worse ({p_in_words(row['p'], row['p_holm'])})"


def _board_finding(rows: pd.DataFrame, metric: str) -> str:
    best = rows.iloc[-1]
    near = [_name(name) for name in rows[rows["mark"] == NOT_TOLD_APART]["model"][::-1]]
    if best["model"] in BASELINES:
        return f"No model is better than {best['model']} ({best[metric]:.3f})"
    head = f"{_name(best['model'])} is best with {best[metric]:.3f}"
    yardsticks = rows[rows["model"].isin(BASELINES)]
    tail = ""
    if len(yardsticks):
        yardstick = yardsticks.iloc[-1]
        clear = "clearly ahead of" if yardstick["mark"] == WORSE else "not told apart from"
        tail = f", {clear} {yardstick['model']} ({yardstick[metric]:.3f})"
        near = [name for name in near if name not in BASELINES]
    if near:
        return f"{head}{tail}; {_and(near)} {'is' if len(near) == 1 else 'are'} not told apart from it"
    return head + tail


def _leaders(table: pd.DataFrame, column: str, metric: str, words: str) -> str:
    """Return who is best in each group, groups with the same best one together.

    Where most models share the highest mean, as the lists of a listener without history do, nobody leads.
    """
    found: dict[str, list[str]] = {}
    for name, own in table.groupby(column, sort=False):
        best = own.loc[own[metric].idxmax()]
        leader = _name(str(best["model"]))
        if best[metric] == 0:
            leader = "nobody"
        elif (own[metric] == best[metric]).sum() > max(1, len(own) / 2):
            leader = "all"
        found.setdefault(leader, []).append(f"{name} ({best[metric]:.2f})")
    lost = [group.rsplit(" ", 1)[0] for group in found.pop("nobody", [])]
    alike = found.pop("all", [])
    said = [f"{leader} is best {words.format(_and(groups))}" for leader, groups in found.items()]
    if alike:
        said.append(f"most are alike {words.format(_and(alike))}")
    if lost:
        said.append(f"no model finds anything {words.format(_and(lost))}")
    return "; ".join(said)


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _range(rows: pd.DataFrame) -> str:
    least, most = int(rows["least"].min()), int(rows["most"].max())
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def _name(model: str) -> str:
    return NAMES.get(model, model)
