"""How a listener's list moves while they listen."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from segue.plots.style import COLOURS, INK, NEUTRAL, figure, title

_NAME, _LABEL = 26, 44


def session(
    lists: Sequence[Sequence[int]],
    labels: Sequence[str],
    names: Mapping[int, str],
    finding: str,
    note: str = "",
    gone: Mapping[int, int] | None = None,
) -> Figure:
    """Draw the places of a list's tracks from step to step; what came later is coloured by when it came.

    Parameters
    ----------
    lists
        Track ids by place, best first: before the first step, and after each.
    labels
        A few words for each list: what caused it.
    names
        Title of each track.
    finding
        What stands above the picture.
    gone
        By the number of a list, the track that was sent away from it: a cross.
    """
    drawn, ((axes,),) = figure(height=5.4)
    places = max(map(len, lists), default=0)
    came = _first_seen(lists)
    for track in came:
        _line(axes, lists, track, came[track])
    for step, track in (gone or {}).items():
        if track in lists[step]:
            axes.scatter(
                [step], [lists[step].index(track) + 1], s=130, color=COLOURS[1], marker="X", zorder=5
            )
    last = len(lists) - 1
    for place, track in enumerate(lists[-1], start=1):
        name = textwrap.shorten(names.get(track, str(track)), _NAME, placeholder="…")
        colour = INK if came[track] else NEUTRAL
        axes.text(last + 0.15, place, name, va="center", fontsize=10, color=colour, parse_math=False)
    axes.set_xlim(-0.3, last + 0.3)
    axes.set_ylim(places + 0.6, 0.4)
    axes.set_yticks(range(1, places + 1))
    axes.set_ylabel("place in the list")
    words = [textwrap.shorten(label, _LABEL, placeholder="…") for label in labels]
    # Names come from tags: a dollar sign in them is no formula.
    axes.set_xticks(range(len(words)), [textwrap.fill(each, 13) for each in words], parse_math=False)
    axes.tick_params(axis="x", labelsize=9)
    axes.grid(axis="y", visible=False)
    return title(drawn, finding, note)


def _first_seen(lists: Sequence[Sequence[int]]) -> dict[int, int]:
    """Return for each track the number of the first list that it stands in."""
    found: dict[int, int] = {}
    for step, tracks in enumerate(lists):
        for track in tracks:
            found.setdefault(track, step)
    return found


def _line(axes: Axes, lists: Sequence[Sequence[int]], track: int, came: int) -> None:
    """Draw one track wherever it stands, with a ring where it is new."""
    colour = COLOURS[(came - 1) % len(COLOURS)] if came else NEUTRAL
    steps = [step for step, tracks in enumerate(lists) if track in tracks]
    places = {step: lists[step].index(track) + 1 for step in steps}
    for step in steps:
        if step + 1 in places:
            axes.plot([step, step + 1], [places[step], places[step + 1]], color=colour, linewidth=2.2)
    axes.scatter(steps, [places[step] for step in steps], s=34, color=colour, zorder=3)
    if came:
        axes.scatter(
            [came], [places[came]], s=90, facecolors="white", edgecolors=colour, linewidths=2.2, zorder=4
        )
