"""The mix of `best`: what was tried, what each setting was worth, and what was taken."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from segue.plots.evaluation import NAMES
from segue.plots.style import COLOURS, NEUTRAL, figure, percent, said, title


def mix(trials: pd.DataFrame, note: str = "") -> Figure:
    """Draw the value of every setting that was tried, a row for each model, and what the mix took.

    Parameters
    ----------
    trials
        `segue.models.best.Best.trials`.
    note
        What a reader must know of the data.
    """
    judged = trials.dropna(subset=["ndcg_at_10"])
    taken = judged[judged["weight"] > 0]
    if judged.empty:
        drawn, ((axes,),) = figure(height=2.4)
        return said(drawn, axes, "There were too few plays to hold any out, so nothing was chosen.")
    names = list(dict.fromkeys(judged.sort_values("ndcg_at_10")["model"]))
    names.sort(key=lambda name: float(judged.loc[judged["model"] == name, "ndcg_at_10"].max()))
    place = judged["model"].map(names.index)
    drawn, ((axes,),) = figure(height=1.6 + 0.5 * len(names))
    axes.plot(judged["ndcg_at_10"], place, "o", color=NEUTRAL, alpha=0.5, markersize=6)
    axes.scatter(
        taken["ndcg_at_10"],
        place[taken.index],
        s=40 + 260 * taken["weight"],
        color=COLOURS[1],
        alpha=0.8,
        zorder=3,
    )
    axes.set_yticks(np.arange(len(names)), [NAMES.get(str(name), str(name)) for name in names])
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.set_xlabel("nDCG@10 on held-out training plays (0 to 1)")
    shares = taken.groupby("model")["weight"].sum().sort_values(ascending=False)
    said_of = " and ".join(
        f"{percent(share)} {NAMES.get(str(name), str(name))}" for name, share in shares.items()
    )
    key = "large: in the mix, by weight; grey: tried"
    return title(
        drawn,
        f"{len(judged) - len(taken)} settings were tried; the mix is {said_of}",
        f"{key}. {note}".strip(),
    )
