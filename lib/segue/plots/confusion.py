"""Which genres are taken for which."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from segue.plots.style import INK, SEQUENTIAL, figure, percent, said, title

_NAME = 14
_MOST = 16


def confusion(counts: pd.DataFrame, name: str = "the classifier", note: str = "") -> Figure:
    """Draw how the tracks of each genre were told, as shares of the genre's tracks.

    Parameters
    ----------
    counts
        int[g, g] of `segue.evaluation.classification.confusion`: true genres in rows, most frequent first;
        of more than 16 genres the most frequent are drawn.
    name
        Who told them.
    """
    shown = counts.loc[counts.sum(axis=1) > 0].iloc[:_MOST]
    drawn, ((axes,),) = figure(height=2.6 + 0.36 * len(shown))
    if shown.empty:
        return said(drawn, axes, "No track with a genre was told: there is nothing to confuse.")
    order = shown.index.tolist()
    sizes = shown.sum(axis=1)
    shares = shown.reindex(columns=order, fill_value=0).div(sizes, axis=0)
    mesh = axes.imshow(100 * shares, cmap=SEQUENTIAL, vmin=0, vmax=100, aspect="auto")
    for (row, column), share in np.ndenumerate(shares.to_numpy()):
        if share >= 0.005:
            axes.text(
                column, row, f"{100 * share:.0f}", ha="center", va="center", fontsize=9,
                color="white" if share > 0.45 else INK,
            )  # fmt: skip
    axes.set_xticks(
        range(len(order)), [_short(genre) for genre in order], rotation=45, ha="right", fontsize=10
    )
    axes.set_yticks(range(len(order)), [f"{_short(genre)}, {sizes[genre]:,}" for genre in order], fontsize=10)
    axes.set_xlabel("told to be")
    axes.set_ylabel("genre, tracks")
    axes.grid(visible=False)
    bar = drawn.colorbar(mesh, ax=axes, pad=0.02)
    bar.set_label("tracks of the genre (%)")
    bar.outline.set_visible(False)
    right = float(
        np.trace(counts.reindex(columns=counts.index, fill_value=0).to_numpy()) / counts.to_numpy().sum()
    )
    return title(drawn, f"{name} tells {percent(right)} of genres right{_worst(shown)}", note)


def _worst(counts: pd.DataFrame) -> str:
    wrong = counts.reindex(columns=counts.index, fill_value=0).to_numpy().copy()
    np.fill_diagonal(wrong, 0)
    if not wrong.any():
        return ""
    row, column = divmod(int(wrong.argmax()), len(wrong))
    return (
        f"; most often {counts.index[row]} is taken for {counts.index[column]} "
        f"({percent(wrong[row, column] / counts.iloc[row].sum())} of its tracks)"
    )


def _short(genre: str) -> str:
    return genre if len(genre) <= _NAME else genre[: _NAME - 1] + "…"
