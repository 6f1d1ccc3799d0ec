"""What became of the files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from segue.dataset.base import OK, REASONS
from segue.plots.style import COLOURS, NEUTRAL, figure, percent, title


def outcomes(counts: Mapping[str, int], note: str = "") -> Figure:
    """Draw how many rows ended with each status: ``ok`` and the reason codes that occur."""
    counted = Counter({status: count for status, count in counts.items() if count})
    order = [status for status in (OK, *REASONS) if status in counted]
    drawn, ((axes,),) = figure(height=1.6 + 0.42 * len(order))
    total = sum(counted.values())
    colours = [
        COLOURS[0] if status == OK else NEUTRAL if status == "ignored" else COLOURS[1] for status in order
    ]
    bars = axes.barh(order, [counted[status] for status in order], color=colours, height=0.62)
    axes.bar_label(bars, labels=[f"{counted[status]:,}" for status in order], padding=4)
    axes.invert_yaxis()
    axes.set_xlim(0, max(counted.values(), default=1) * 1.12)
    axes.set_xlabel("rows of the catalogue (tracks or files)")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    axes.grid(axis="y", visible=False)
    return title(drawn, _finding(counted, total), note)


def _finding(counted: Counter[str], total: int) -> str:
    if not total:
        return "There is nothing here"
    usable = f"{counted[OK]:,} of {total:,} rows are usable ({percent(counted[OK] / total)})"
    reasons = [(reason, count) for reason, count in counted.most_common() if reason != OK]
    if not reasons:
        return f"All {total:,} rows are usable"
    shown = ", ".join(f"{count:,} {reason}" for reason, count in reasons[:3])
    return f"{usable}; the others: {shown}" + (" and more" if len(reasons) > 3 else "")
