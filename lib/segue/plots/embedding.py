"""The learned embedding: its training by epochs."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from segue.errors import SegueError
from segue.plots.style import COLOURS, INK, figure, part, percent, said, title


def training_curve(curve: pd.DataFrame, raw: float | None = None, note: str = "") -> Figure:
    """Draw loss and genre precision over the epochs, the chosen epoch marked.

    Parameters
    ----------
    curve
        As `segue.models.embedding.Embedding.curve` gives it.
    raw
        Genre precision of the unlearned features for the same artists, drawn as a line where it is given
        (`segue.embedding.judge.raw_precision`).

    Raises
    ------
    SegueError
        If there is no epoch.
    """
    if curve.empty:
        raise SegueError("there is no epoch to draw: fit the embedding first")
    drawn, ((left, right),) = figure(1, 2, height=4.2)
    part(drawn, 0.08)
    left.plot(curve["epoch"], curve["loss"], color=COLOURS[0], label="without the artists held out")
    left.plot(curve["epoch"], curve["final_loss"], color=COLOURS[1], linestyle="--", label="on everything")
    left.set_ylim(bottom=0)
    left.set_ylabel("training loss (nats)")
    left.legend(loc="upper right", fontsize=10)
    chosen = curve[curve["best"]].iloc[0]
    left.axvline(chosen["epoch"], color=INK, linewidth=1, linestyle=":")
    for axes in (left, right):
        axes.set_xlabel("epoch (count)")
        axes.xaxis.get_major_locator().set_params(integer=True)
    if curve["precision"].isna().all():
        said(drawn, right, "No artist could be held out: it was trained for all epochs.")
        return title(drawn, f"The loss fell to {chosen['loss']:.2f} in {len(curve)} epochs", note)
    right.plot(curve["epoch"], 100 * curve["precision"], color=COLOURS[0])
    right.plot([chosen["epoch"]], [100 * chosen["precision"]], "o", color=COLOURS[1], markersize=11)
    if raw is not None:
        right.axhline(100 * raw, color=INK, linewidth=1.5)
        right.annotate(
            "unlearned features", (len(curve), 100 * raw), xytext=(0, 4), textcoords="offset points",
            ha="right", fontsize=10,
        )  # fmt: skip
    right.set_ylim(0, 104)
    right.set_ylabel("10 nearest of the same genre (%)\nartists held out")
    beside = "" if raw is None else f", {percent(raw)} before learning"
    best = f"For artists it has not met, epoch {chosen['epoch']:.0f} is best: {percent(chosen['precision'])}"
    return title(drawn, f"{best} of the 10 nearest share the genre{beside}", note)
