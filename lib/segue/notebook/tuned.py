"""The parameters of models that learn from plays, chosen on validation plays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from segue.evaluation.tuning import Tuned, tune
from segue.models.base import TrainingData
from segue.pipeline.run import Run

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TUNED = ("item_knn", "ease", "ridge", "als", "wals")
"""Models that a search by trials suits; ``best`` and ``hybrid`` search while they are fitted."""


class Tunings:
    """What tuning found for each model: ``tunings["als"]`` is its `segue.evaluation.tuning.Tuned`."""

    def __init__(self, found: dict[str, Tuned]) -> None:
        self._found = found

    def __getitem__(self, name: str) -> Tuned:
        return self._found[name]

    @property
    def parameters(self) -> dict[str, dict[str, Any]]:
        """Return the chosen parameters by model."""
        return {name: tuned.parameters for name, tuned in self._found.items()}

    def table(self) -> pd.DataFrame:
        """Return a row a model, the best first: nDCG@10 of its defaults and of what was chosen, and that."""
        rows = [
            (
                name,
                tuned.value,
                tuned.trials["value"].iloc[0],
                len(tuned.trials),
                tuned.trials["seconds"].sum(),
                ", ".join(f"{key} {_short(value)}" for key, value in tuned.parameters.items()),
            )
            for name, tuned in self._found.items()
        ]
        columns = ["model", "validation nDCG@10", "of the defaults", "trials", "seconds", "chosen"]
        table = pd.DataFrame(rows, columns=columns).round(3)
        return table.sort_values("validation nDCG@10", ascending=False, kind="stable", ignore_index=True)

    def record(self, run: Run) -> None:
        """Keep every trial as the table ``trials``, parameters as text."""
        parts = []
        for name, tuned in self._found.items():
            own = tuned.trials[["number", "value", "seconds", "state", "reason"]].assign(model=name)
            chosen = [name for name in tuned.trials.columns if name in tuned.search]
            told = [
                ", ".join(f"{key}={row[key]}" for key in chosen) for row in tuned.trials.to_dict("records")
            ]
            parts.append(own.assign(parameters=told))
        run.save_table("trials", pd.concat(parts, ignore_index=True))


def tune_all(run: Run, train: TrainingData, spark: SparkSession, trials: int, seed: int) -> Tunings:
    """Search the parameters of each model in `TUNED`; what a killed notebook had tried is not tried again.

    Parameters
    ----------
    train
        Training plays only: each trial is valued on a part of them.
    trials
        How many for each model, the defaults included.

    Raises
    ------
    SegueError
        If there are no plays, or too few to validate on.
    """
    folder = run.path / "tuning"
    return Tunings(
        {name: tune(name, train, trials=trials, seed=seed, folder=folder, spark=spark) for name in TUNED}
    )


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
