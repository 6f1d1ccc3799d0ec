"""One look for all plots: readable at half width, colour-blind-safe, a light grid."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from segue.palette import COLOURS, FAINT, INK, NEUTRAL

WIDTH = 8.0
"""Inches of a full-width figure."""
MARKERS = "o^sDvP"
"""Beyond eight categories the colours come again with the next marker."""
DIVERGING = LinearSegmentedColormap.from_list("segue", [COLOURS[0], "#ffffff", COLOURS[1]])
SEQUENTIAL = LinearSegmentedColormap.from_list("segue_light", ["#f4f6fa", "#8fb0e6", COLOURS[0], "#0b2a5c"])
_TITLE_CHARACTERS = 66


def style() -> None:
    """Set the look of every later figure and table; in a notebook pictures become sharp PNGs."""
    pd.set_option("display.max_colwidth", 250)
    plt.rcParams.update(
        {
            "font.family": "sans-serif",
            "font.sans-serif": ["DejaVu Sans"],
            "font.size": 12,
            "axes.titlesize": 14,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.titlepad": 12,
            "axes.labelcolor": INK,
            "axes.edgecolor": NEUTRAL,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "axes.prop_cycle": cycler(color=COLOURS),
            "grid.color": "#e8e8e8",
            "grid.linewidth": 0.8,
            "xtick.color": INK,
            "ytick.color": INK,
            "xtick.major.size": 0,
            "ytick.major.size": 0,
            "text.color": INK,
            "legend.frameon": False,
            "lines.linewidth": 2,
            "figure.dpi": 100,
            "savefig.dpi": 200,
            "figure.constrained_layout.use": True,
        }
    )
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is not None and hasattr(shell, "kernel"):
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("retina")


def figure(
    rows: int = 1, columns: int = 1, *, height: float = 4.2, sharey: bool = False
) -> tuple[Figure, np.ndarray]:
    """Return a full-width figure that only its last expression shows, and its axes as an array."""
    style()
    drawn, axes = plt.subplots(rows, columns, figsize=(WIDTH, height), squeeze=False, sharey=sharey)
    plt.close(drawn)
    return drawn, axes


def title(drawn: Figure, finding: str, note: str = "") -> Figure:
    """Put the finding above a figure, and below it what a reader must know of the data."""
    # A number and its "%" stay together.
    words = _balanced(finding.replace(" %", "\xa0%"), _TITLE_CHARACTERS).replace("\xa0", " ")
    shown = drawn.suptitle(words, x=0.01, ha="left", fontsize=14, fontweight="bold")
    shown.set_parse_math(False)
    if note:
        drawn.supxlabel(textwrap.fill(note, 95), x=0.99, ha="right", fontsize=10, color="#6a6a6a")
    return drawn


def _balanced(words: str, most: int) -> str:
    """Break words into as few lines as so many characters allow, of lengths as equal as they can be."""
    lines = len(textwrap.wrap(words, most))
    longest = min(most, max(1, *map(len, words.split(" "))))
    fits = (width for width in range(longest, most + 1) if len(textwrap.wrap(words, width)) <= lines)
    return textwrap.fill(words, next(fits))


def part(drawn: Figure, share: float) -> None:
    """Keep the panels of a figure apart by a share of their width, so that tick labels do not meet."""
    engine = drawn.get_layout_engine()
    assert isinstance(engine, ConstrainedLayoutEngine)
    engine.set(wspace=share)


def said(drawn: Figure, axes: Axes, why: str) -> Figure:
    """Say in the picture's place why there is none."""
    axes.axis("off")
    axes.text(0.5, 0.5, textwrap.fill(why, 60), ha="center", va="center", transform=axes.transAxes)
    return drawn


def colour_of(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return colour and marker of each category; the most frequent ones share a colour with no other.

    Equally frequent ones are ordered by alphabet, so that in one catalogue a name looks alike everywhere.
    """
    counts = Counter(names)
    return {
        name: (COLOURS[i % len(COLOURS)], MARKERS[(i // len(COLOURS)) % len(MARKERS)])
        for i, name in enumerate(sorted(counts, key=lambda name: (-counts[name], name)))
    }


def ink_of(colour: str) -> tuple[float, float, float]:
    """Return a colour dark enough for words on white (4.5:1) of the same hue."""
    red, green, blue = to_rgb(colour)
    while _contrast_with_white(red, green, blue) < 4.5:
        red, green, blue = 0.95 * red, 0.95 * green, 0.95 * blue
    return red, green, blue


def _contrast_with_white(*rgb: float) -> float:
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in rgb]
    return 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)


def percent(share: float) -> str:
    """Return a share as a percentage, never rounded up to all or down to nothing."""
    if 0.99 < share < 1 or 0 < share < 0.01:
        return f"{100 * share:.1f} %"
    return f"{100 * share:.0f} %"


__all__ = [
    "COLOURS", "DIVERGING", "FAINT", "INK", "MARKERS", "NEUTRAL", "SEQUENTIAL", "WIDTH",
    "colour_of", "figure", "ink_of", "part", "percent", "said", "style", "title",
]  # fmt: skip
