"""The model that the player plays: the best of the leaderboard, written to the run."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from segue.errors import SegueError
from segue.evaluation.significance import NOT_TOLD_APART
from segue.pipeline.run import Run


@dataclass(frozen=True)
class Winner:
    """The serving model and its nDCG@10, with those that the test does not tell apart from it."""

    model: str
    ndcg_at_10: float
    as_good: tuple[str, ...]

    def _repr_markdown_(self) -> str:
        others = ", ".join(f"`{name}`" for name in self.as_good)
        beside = f" Not told apart from it by this test: {others}." if others else ""
        return f"The player plays **`{self.model}`** (nDCG@10 {self.ndcg_at_10:.3f}).{beside}"


def choose_winner(run: Run, table: pd.DataFrame, marked: pd.DataFrame) -> Winner:
    """Return the model with the highest nDCG@10, and make it the run's serving model.

    Parameters
    ----------
    table, marked
        The leaderboard of `segue.evaluation.held_out.HeldOut.evaluate`, and its
        `segue.evaluation.significance.marks`. Chance is no candidate.

    Raises
    ------
    SegueError
        If there is no other model.
    """
    rows = table[table["model"] != "random"].set_index("model")["ndcg_at_10"]
    if rows.empty:
        raise SegueError("there is no model to serve with: run notebook 03")
    best, value = str(rows.idxmax()), float(rows.max())
    equal = marked[(marked["mark"] == NOT_TOLD_APART) & ~marked["model"].isin(["random", best])]
    winner = Winner(best, value, tuple(equal["model"]))
    run.choose_serving(best, {"ndcg_at_10": value, "as_good": list(winner.as_good)})
    return winner
