"""The features by genre: how much the genre explains, and how the tracks of each lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from segue.plots.style import COLOURS, FAINT, INK, NEUTRAL, colour_of, figure, part, percent, title

_MOST_DOTS = 600
_NAME = 16


def genre_explains(table: pd.DataFrame, note: str = "") -> Figure:
    """Draw how much of each family's measure the genre explains, beside shuffled genres.

    Parameters
    ----------
    table
        ``title``, ``explained``, ``chance`` and ``chance_high`` (shares), the most telling first.
    """
    drawn, ((axes,),) = figure(height=1.6 + 0.32 * len(table))
    places = np.arange(len(table))
    axes.barh(places, 100 * table["chance_high"], height=0.6, color=FAINT)
    axes.vlines(100 * table["chance"], places - 0.3, places + 0.3, color=NEUTRAL, linewidth=1.5)
    clear = (table["explained"] > table["chance_high"]).to_numpy()
    share = 100 * table["explained"].to_numpy()
    axes.scatter(share[clear], places[clear], s=70, color=COLOURS[0], zorder=3)
    axes.scatter(share[~clear], places[~clear], s=70, facecolor="white", edgecolor=COLOURS[0], zorder=3)
    axes.set_yticks(places, table["title"])
    axes.invert_yaxis()
    axes.set_xlim(0, min(100.0, 1.1 * max(share.max(), 100 * table["chance_high"].max(), 5.0)))
    axes.set_xlabel(
        "variance between genres, of the variance over all tracks (%)\n"
        "grey: where 95 % of shuffled genres lie, line: their mean", fontsize=11,
    )  # fmt: skip
    axes.grid(axis="y", visible=False)
    best = table.iloc[0]
    finding = (
        f"Genre says most about {best['title'].lower()}: {percent(best['explained'])} of its variance, "
        f"shuffled genres {percent(best['chance'])}"
        if clear[0]
        else "No measure differs between the genres more than between shuffled ones"
    )
    if clear.sum() < len(table) and clear[0]:
        finding += f"; {clear.sum()} of {len(table)} are beyond chance"
    return title(drawn, finding, note)


def measures_by_genre(table: pd.DataFrame, labels: Mapping[str, str], note: str = "") -> Figure:
    """Draw how the tracks of each genre lie in some measures.

    Parameters
    ----------
    table
        One row a track: the measures, ``genre`` and ``composed``.
    labels
        The columns to draw, at most four, and what each is called, with its unit in brackets.
    """
    names = list(labels)
    drawn, panels = figure(2, 2, height=1.9 + 2 * 0.3 * table["genre"].nunique())
    part(drawn, 0.05)
    order = table.groupby("genre")[names[0]].median().sort_values().index.tolist()
    ticks = [_tick(genre, table[table["genre"] == genre]["composed"]) for genre in order]
    looks = colour_of(table["genre"].tolist())
    for axes, name in zip(panels.flat, names, strict=False):
        _boxes(axes, table, name, order, {genre: looks[genre][0] for genre in order})
        axes.set_xlabel(labels[name], fontsize=10)
        axes.set_yticks(range(len(order)), ticks if axes in panels[:, 0] else [""] * len(order), fontsize=10)
    for axes in list(panels.flat)[len(names) :]:
        axes.axis("off")
    finding = (
        f"{labels[names[0]].split(' (')[0]}, by the median: lowest in {order[0]}, highest in {order[-1]}"
    )
    if table["composed"].any():
        marks = "*, hollow" if len(table) <= _MOST_DOTS else "*"
        note = f"{note}; {marks}: composed" if note else f"{marks}: composed by Segue"
    return title(drawn, finding, note)


def _tick(genre: str, composed: pd.Series) -> str:
    name = genre if len(genre) <= _NAME else genre[: _NAME - 1] + "…"
    count = int(composed.sum())
    if not count:
        return f"{name}, {len(composed):,}"
    return f"{name}, {len(composed):,}" + ("*" if count == len(composed) else f" ({count:,}*)")


def _boxes(
    axes: Axes, table: pd.DataFrame, name: str, order: Sequence[str], colours: Mapping[str, str]
) -> None:
    values = [table.loc[table["genre"] == genre, name].to_numpy() for genre in order]
    parts = axes.boxplot(
        values, positions=range(len(order)), orientation="horizontal", widths=0.62, whis=(5, 95),
        showfliers=False, patch_artist=True, medianprops={"color": INK, "linewidth": 2},
        whiskerprops={"color": NEUTRAL}, capprops={"visible": False},
    )  # fmt: skip
    for box, genre in zip(parts["boxes"], order, strict=True):
        box.set(facecolor=colours[genre], edgecolor="none", alpha=0.3)
    if len(table) <= _MOST_DOTS:
        for place, genre in enumerate(order):
            own = table[table["genre"] == genre]
            shift = 0.22 * np.sin(np.arange(len(own)) * 2.4)
            made = own["composed"].to_numpy()
            for shown, face in ((made, "white"), (~made, colours[genre])):
                axes.scatter(
                    own[name].to_numpy()[shown], place + shift[shown], s=16, facecolor=face,
                    edgecolor=colours[genre], linewidth=1, zorder=3,
                )  # fmt: skip
    axes.invert_yaxis()
    axes.locator_params(axis="x", nbins=5)
    axes.grid(axis="y", visible=False)
