"""Tuning: what each parameter does to how good a model is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from segue.models.search import Choice, Search
from segue.plots.evaluation import NAMES
from segue.plots.style import COLOURS, NEUTRAL, figure, part, percent, said, title

if TYPE_CHECKING:
    from segue.evaluation.tuning import Tuned

_VALUE = "nDCG@10 on validation (0 to 1)"


def tuning(tuned: Tuned, note: str = "", axis: str = _VALUE) -> Figure:
    """Draw the value of every trial over each parameter, the one that matters most first.

    The axes show all that was searched. Failed trials stand as crosses at the foot.

    Parameters
    ----------
    tuned
        What `segue.evaluation.tuning.tune` returned.
    note
        What a reader must know of the data.
    axis
        The value's name with its unit; its first word stands in the title.
    """
    names = list(tuned.importance) or list(tuned.search)
    if not names:
        drawn, ((axes,),) = figure(height=2.4)
        name = NAMES.get(tuned.name, tuned.name)
        return said(
            drawn, axes, f"{name} has no parameters to choose: {axis.partition(' ')[0]} {tuned.value:.3f}."
        )
    columns = len(names) if len(names) < 4 else 2 if len(names) == 4 else 3
    rows = -(-len(names) // columns)
    drawn, grid = figure(rows, columns, height=1.2 + 3.0 * rows, sharey=True)
    foot = _foot(tuned.trials)
    for axes, name in zip(grid.flat, names, strict=False):
        _panel(axes, tuned, name, foot)
    for axes in grid.flat[len(names) :]:
        axes.axis("off")
    for axes in grid[:, 0]:
        axes.set_ylabel(axis)
    part(drawn, 0.06)
    key = "open: the defaults; large: the best" + ("; cross: failed" if tuned.trials["value"].hasnans else "")
    return title(drawn, _finding(tuned, axis.partition(" ")[0]), f"{key}. {note}".strip())


def _panel(axes: Axes, tuned: Tuned, name: str, foot: float) -> None:
    search, trials = tuned.search[name], tuned.trials
    places = _places(trials, name, search)
    values, done = trials["value"].to_numpy(), (trials["state"] == "complete").to_numpy()
    best = int(np.nanargmax(values))
    axes.plot(places[done], values[done], "o", color=COLOURS[0], alpha=0.6, markersize=6)
    axes.plot(places[~done], np.full(places[~done].shape, foot), "x", color=NEUTRAL, markersize=6)
    if done[0]:
        axes.plot(places[:1], values[:1], "o", color=COLOURS[0], markerfacecolor="white", markersize=8)
    axes.plot(places[[best]], values[[best]], "o", color=COLOURS[1], markersize=10)
    _scale(axes, search)
    axes.tick_params(axis="x", labelsize=10)
    axes.set_xlabel(f"{name}\nbest: {_short(trials[name].iloc[best])}")
    if name in tuned.importance:
        axes.set_title(f"{percent(tuned.importance[name])} of the variance", fontsize=10, fontweight="normal")


def _scale(axes: Axes, search: Search) -> None:
    """Show all that was searched, in the way in which it was."""
    if isinstance(search, Choice):
        axes.set_xticks(range(len(search.options)), [str(option) for option in search.options])
        axes.set_xlim(-0.6, len(search.options) - 0.4)
    elif search.log:
        margin = (search.high / search.low) ** 0.05
        axes.set_xscale("log")
        axes.set_xlim(search.low / margin, search.high * margin)
        if sum(search.low <= tick <= search.high for tick in axes.get_xticks()) < 2:
            axes.set_xticks([search.low, search.high])
        axes.xaxis.set_major_formatter("{x:g}")
        axes.minorticks_off()
    else:
        margin = 0.05 * (search.high - search.low)
        axes.set_xlim(search.low - margin, search.high + margin)


def _places(trials: pd.DataFrame, name: str, search: Search) -> np.ndarray:
    """Return float64[t]: where each trial stands; equal choices are spread, the same way in every picture."""
    if not isinstance(search, Choice):
        return trials[name].to_numpy(dtype=np.float64)
    spread = np.random.default_rng(0).uniform(-0.25, 0.25, len(trials))
    return np.array([search.options.index(value) for value in trials[name]]) + spread


def _foot(trials: pd.DataFrame) -> float:
    values = trials["value"].dropna()
    return float(values.min() - 0.08 * ((values.max() - values.min()) or 0.1))


def _finding(tuned: Tuned, value: str) -> str:
    name, first = NAMES.get(tuned.name, tuned.name), float(tuned.trials["value"].iloc[0])
    count = f"{len(tuned.trials)} trials" if len(tuned.trials) > 1 else "one trial"
    if len(tuned.trials) == 1:
        found = f"{name}, {count}: {value} {tuned.value:.3f}"
    elif np.isnan(first):
        found = f"{name}: the best of {count} has {value} {tuned.value:.3f}; the defaults failed"
    elif tuned.value > first:
        found = f"{name}: {count} lift {value} from {first:.3f} (defaults) to {tuned.value:.3f}"
    else:
        found = f"{name}: none of {count} is better than the defaults, {value} {first:.3f}"
    if not tuned.importance:
        return found
    most, share = next(iter(tuned.importance.items()))
    return f"{found}; {most} matters most ({percent(share)} of the variance)"


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
