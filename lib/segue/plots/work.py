"""The job's own time: what a file costs stage by stage, and how fast the files went by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from segue.errors import SegueError
from segue.plots.style import COLOURS, NEUTRAL, figure, part, percent, title

STAGES = {
    "hash": "read and hash",
    "decode": "decode to samples",
    "features": "518 features",
    "fingerprint": "fingerprint",
    "tags": "read the tags",
    "store": "ask and write store",
    "other": "the rest: child, broken files",
}
"""What each stage of a file is called, in the order in which it passes them."""
PHASES = {
    "list": "list the files",
    "plan": "compare with store",
    "start workers": "start the workers",
    "analyse": "analyse the files",
    "find copies": "find the copies",
    "read back": "read the table back",
}
_NOTHING = "nothing had to be analysed this time, so there is no time to divide: every file was known"
_BEFORE = ("list", "plan", "start workers")
_MOST_STEPS = 40


def stages(
    stage_seconds: Mapping[str, float], phases: Mapping[str, float], files: int, cores: int, note: str = ""
) -> Figure:
    """Draw what one file costs by stage, and what the whole job took by phase.

    Parameters
    ----------
    stage_seconds
        Seconds by stage, summed over the workers.
    phases
        Seconds of the whole job, one phase after another.
    files
        How many files they were spent on.
    cores
        How many were at work at a time.

    Raises
    ------
    SegueError
        If no file was analysed.
    """
    if not files or not sum(stage_seconds.values()):
        raise SegueError(_NOTHING)
    ms = {
        STAGES.get(name, name): 1000 * stage_seconds[name] / files
        for name in _in_order(stage_seconds, STAGES)
    }
    whole = {PHASES.get(name, name): phases[name] for name in _in_order(phases, PHASES)}
    rows = max(len(ms), len(whole))
    drawn, (panels,) = figure(1, 2, height=1.9 + 0.36 * rows)
    part(drawn, 0.08)
    _bars(panels[0], ms, "one file, ms of one core")
    _bars(panels[1], whole, f"whole job on {cores} cores, s")
    total = sum(ms.values())
    dearest = max(ms, key=lambda name: ms[name])
    finding = f"A file takes {total:,.0f} ms of one core; {percent(ms[dearest] / total)} of it: {dearest}"
    return title(drawn, finding, note)


def _in_order(found: Mapping[str, float], known: Mapping[str, str]) -> list[str]:
    return [name for name in (*known, *found.keys() - known.keys()) if found.get(name, 0) > 0]


def _bars(axes: Axes, values: Mapping[str, float], label: str) -> None:
    largest = max(values.values(), default=1.0)
    colours = [COLOURS[0] if value == largest else NEUTRAL for value in values.values()]
    bars = axes.barh(list(values), list(values.values()), color=colours, height=0.62)
    axes.bar_label(bars, labels=[_short(value) for value in values.values()], padding=4, fontsize=10)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.3 * largest)
    axes.set_xlabel(label)
    axes.tick_params(axis="y", labelsize=10)
    axes.locator_params(axis="x", nbins=4)
    axes.grid(axis="y", visible=False)


def _short(value: float) -> str:
    return f"{value:,.1f}" if value >= 0.1 else "below 0.1"


def throughput(
    timeline: Sequence[tuple[float, int]],
    phases: Mapping[str, float],
    times_real_time: float,
    cores: int,
    note: str = "",
) -> Figure:
    """Draw how many files were done over time, and how many a second once the workers were ready.

    Parameters
    ----------
    timeline
        Seconds since the job's start and files done by then, ascending.
    phases
        Seconds of the whole job, one phase after another.
    times_real_time
        Seconds of sound that a second of the job analysed.
    cores
        How many were at work at a time.

    Raises
    ------
    SegueError
        If no file was analysed.
    """
    if len(timeline) < 2 or timeline[-1][1] <= timeline[0][1]:
        raise SegueError(_NOTHING)
    seconds, done = (np.array(column, dtype=float) for column in zip(*timeline, strict=True))
    ready = sum(phases.get(name, 0.0) for name in _BEFORE)
    if (seconds > ready).sum() < 2:
        ready = seconds[0]  # The first files, which tell how long the others will take, were all.
    edges = np.linspace(ready, seconds[-1], min(_MOST_STEPS, int((seconds > ready).sum()) + 1))
    by_then = np.interp(edges, seconds, done)
    rate = np.diff(by_then) / np.diff(edges)
    mean = (by_then[-1] - by_then[0]) / (edges[-1] - edges[0])
    drawn, ((upper,), (lower,)) = figure(2, 1, height=4.8)
    upper.fill_between(seconds, done, step="post", color=COLOURS[0], alpha=0.2, linewidth=0)
    upper.step(seconds, done, where="post", color=COLOURS[0])
    upper.set_ylabel("files done (count)")
    upper.set_ylim(0, 1.05 * done[-1])
    lower.stairs(rate, edges, color=COLOURS[0], fill=True, alpha=0.85)
    lower.plot(edges[[0, -1]], [mean, mean], color=COLOURS[1], linewidth=1.8)
    lower.set_ylabel("files a second")
    lower.set_xlabel("seconds since the job began")
    lower.set_ylim(0, 1.2 * max(rate.max(), mean))
    for axes in (upper, lower):
        axes.axvspan(0, ready, color=NEUTRAL, alpha=0.15, linewidth=0)
        axes.set_xlim(0, seconds[-1])
        axes.locator_params(axis="y", nbins=5)
    if ready > 0.12 * seconds[-1]:
        lower.text(ready / 2, 0.5, "getting\nready", ha="center", va="center", fontsize=10,
                   transform=lower.get_xaxis_transform())  # fmt: skip
    upper.tick_params(labelbottom=False)
    finding = f"{mean:,.1f} files a second on {cores} cores once the workers were ready"
    if times_real_time:
        finding += f"; the whole job was {times_real_time:,.0f} times as fast as the music plays"
    return title(drawn, finding, note)
