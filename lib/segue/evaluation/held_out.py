"""A test that is read once: what models learn from lies open, the answers do not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from segue.errors import SegueError
from segue.evaluation.compare import Comparison, Models, compare_all, with_baselines
from segue.evaluation.ledger import Ledger, Reading
from segue.evaluation.listeners import LIST_METRICS, LISTENER_METRICS, Questions, questions
from segue.evaluation.splits import per_listener_fifth
from segue.models.base import Recommender, TrainingData

Question = Callable[[Recommender[Any], Questions], pd.DataFrame]
YARDSTICKS = ("random", "popularity")


class HeldOut:
    """Training plays, and a sealed test that each final model may read once.

    Choose models and parameters on `validation`, which is cut from the training plays. What `evaluate` reads
    is written to the ledger; from then on the label stands for these parameters on this test, and others
    under the same label are refused. The same model may be asked again. Random and popularity have nothing
    that could be chosen and are never refused.

    Parameters
    ----------
    train
        What models learn from, with interactions.
    test
        Columns ``listener_id`` and ``track_id``: what was played and is in ``train`` no more. Kept where
        no attribute reaches it.
    ledger
        A JSON file that remembers readings from one process to the next; without it they are remembered as
        long as this object lives.

    Raises
    ------
    SegueError
        If no listener of the test has a play in ``train``, a pair of the test is in ``train`` too, or the
        ledger is damaged.

    Attributes
    ----------
    listeners, strangers
        How many listeners of the test are asked, and how many cannot be, as they have no play in ``train``.
    fingerprint
        SHA-256 of the test pairs.
    """

    def __init__(self, train: TrainingData, test: pd.DataFrame, ledger: Path | None = None) -> None:
        self.train = train
        asked = questions(train, test)
        _check_apart(asked)
        self.listeners = int(asked.rows.size)
        self.strangers = int(test["listener_id"].nunique()) - self.listeners
        self.fingerprint = _fingerprint(test)
        self._ledger = Ledger(ledger)
        self._open = _sealed(asked)

    @classmethod
    def fifth(cls, data: TrainingData, seed: int = 0, ledger: Path | None = None) -> Self:
        """Hold out a random fifth of each listener's tracks, as `per_listener_fifth` does.

        Raises
        ------
        SegueError
            If there are no plays, or too few for a test.
        """
        if data.interactions is None:
            raise SegueError("nothing can be held out without plays: import or simulate some")
        train, test = per_listener_fifth(data.interactions, seed)
        return cls(replace(data, interactions=train), test, ledger)

    def validation(self, seed: int = 0) -> tuple[TrainingData, pd.DataFrame]:
        """Return training data and test pairs cut from the training plays alone, for `compare_on`."""
        assert self.train.interactions is not None
        kept, validation = per_listener_fifth(self.train.interactions, seed)
        return replace(self.train, interactions=kept), validation

    def evaluate(self, models: Models, seed: int = 0) -> Comparison:
        """Return how good final models are on the test, beside random and popularity.

        Parameters
        ----------
        models
            By label. Those that were not fitted on ``train`` are fitted on it.
        seed
            Of the intervals, and of random.

        Raises
        ------
        SegueError
            If a label was read with other parameters before; no model is asked then.
        """
        asked = with_baselines(models, seed)
        self._check(asked)
        found = self._open(lambda sealed: compare_all(asked, sealed, seed))
        for row in found.table.to_dict("records"):
            label = str(row["model"])
            reading = self._reading(label, asked[label], _figures(row))
            self._ledger.add(reading, refuse=not _is_yardstick(label, asked[label]))
        return found

    def ask(self, models: Models, question: Question) -> pd.DataFrame:
        """Return another question's tables one under the other, with the column ``model``.

        Only for models that `evaluate` has read with these parameters: it is the same reading, looked at
        from another side. See `segue.evaluation.breakdown`.

        Parameters
        ----------
        models
            By the labels that `evaluate` knows, fitted on ``train`` or not.
        question
            Takes a fitted model and the sealed test, and returns figures.

        Raises
        ------
        SegueError
            If a model has not been read by `evaluate`, or was read with other parameters.
        """
        self._check(models)
        read = {reading.label for reading in self._ledger.readings(self.fingerprint)}
        missing = [label for label in models if label not in read]
        if missing:
            raise SegueError(f"{missing[0]} has not been read on this test yet: evaluate it first")
        for model in models.values():
            if not (model.is_fitted and model.fingerprint == self.train.fingerprint):
                model.fit(self.train)
        tables = []
        for label, model in models.items():
            tables.append(self._open(partial(question, model)).assign(model=label))
        return pd.concat(tables, ignore_index=True)

    def readings(self) -> pd.DataFrame:
        """Return what was read of this test, and the mean of each metric at the first reading.

        Columns ``label``, ``model``, ``parameters``, ``read_at`` (UTC) and each metric.
        """
        rows = [
            {
                "label": reading.label,
                "model": reading.model,
                "parameters": reading.parameters,
                "read_at": reading.read_at,
                **{name: value["mean"] for name, value in reading.figures.items()},
            }
            for reading in self._ledger.readings(self.fingerprint)
        ]
        return pd.DataFrame(rows, columns=None if rows else ["label", "model", "parameters"])

    def _check(self, models: Models) -> None:
        for label, model in models.items():
            if not _is_yardstick(label, model):
                self._ledger.check(self._reading(label, model, {}))

    def _reading(self, label: str, model: Recommender[Any], figures: Mapping[str, Any]) -> Reading:
        return Reading(
            split=self.fingerprint,
            label=label,
            model=model.name,
            parameters=model.config.model_dump(mode="json"),
            figures=dict(figures),
        )


def _sealed(asked: Questions) -> Callable[[Callable[[Questions], Any]], Any]:
    """Return what hands the test to one question; nothing else holds it."""

    def open_for(question: Callable[[Questions], Any]) -> Any:
        return question(asked)

    return open_for


def _is_yardstick(label: str, model: Recommender[Any]) -> bool:
    return label == model.name and label in YARDSTICKS


def _check_apart(asked: Questions) -> None:
    matrix, known = asked.train.matrix, asked.wanted >= 0
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    wanted = asked.rows[asked.owner] * matrix.shape[1] + asked.wanted
    both = int(np.isin(wanted[known], row * matrix.shape[1] + matrix.indices).sum())
    if both:
        raise SegueError(f"{both} pairs of the test are in training too: take them out of one of the two")


def _fingerprint(test: pd.DataFrame) -> str:
    """Return the SHA-256 of the test pairs, whatever their order."""
    pairs = test[["listener_id", "track_id"]].astype({"listener_id": str, "track_id": "int64"})
    lines = sorted({f"{listener}\t{track}" for listener, track in pairs.itertuples(index=False)})
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _figures(row: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    return {
        name: {"mean": row[name], "low": row[f"{name}_low"], "high": row[f"{name}_high"]}
        for name in (*LISTENER_METRICS, *LIST_METRICS)
        if name in row
    }
