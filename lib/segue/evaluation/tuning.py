"""Which parameters are best, found on a validation part of the training plays only."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from segue.errors import SegueError, UsageError
from segue.evaluation.compare import listener_values
from segue.evaluation.splits import per_listener_fifth
from segue.evaluation.study import Journal, Study, Trial, journal
from segue.models import MODELS, Recommender, TrainingData, create
from segue.models.config import nearest
from segue.models.search import Search

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Objective = Callable[[Recommender[Any]], float]


class NothingToValidate(SegueError):
    """Nobody has plays enough for a validation part."""


@dataclass(frozen=True)
class Tuned:
    """What tuning chose for the model ``name``, and all that it tried.

    ``parameters``: the best of those searched, and the fixed ones, for `segue.models.create`. ``value``: what
    the objective gave for them. ``trials``: one row a trial with ``number`` (from 0), ``value`` (NaN if it
    failed), ``seconds``, each searched parameter, ``state`` (``complete`` or ``failed``) and ``reason``.
    ``search``: what was searched. ``importance``: `segue.evaluation.study.Study.importance`.
    """

    name: str
    parameters: dict[str, Any]
    value: float
    trials: pd.DataFrame
    search: dict[str, Search] = field(default_factory=dict)
    importance: dict[str, float] = field(default_factory=dict)


def tune(
    name: str,
    data: TrainingData,
    *,
    trials: int,
    seconds: float | None = None,
    seed: int = 0,
    fixed: Mapping[str, Any] | None = None,
    folder: str | Path | None = None,
    spark: SparkSession | None = None,
    objective: Objective | None = None,
    report: Callable[[str], None] | None = None,
) -> Tuned:
    """Search a model's parameters, those of its ``search``, beginning with its defaults.

    A random fifth of each listener's plays in ``data`` is the validation part (`per_listener_fifth`); every
    trial fits on the rest and is valued by its mean nDCG@10 there. Give training plays only: what is chosen
    here is tested on plays that were never in ``data``.

    Equal data, seed and number of trials give an equal result (as far as fitting itself is repeatable), also
    when a search was killed in between and the same call with the same ``folder`` went on. A trial that was
    not finished then is begun again.

    Parameters
    ----------
    name
        Of a registered model. Without anything to search there is one trial.
    trials
        How many at most, those kept in ``folder`` included; fewer where a small space is exhausted.
    seconds
        No trial but the first is begun when the trials before it took so long in all. How many fit in
        depends on the machine.
    fixed
        Parameters that are not searched, by name.
    folder
        Where the trials are kept: one journal for each model, data, space, fixed parameters and seed.
    spark
        Session for models that fit with Spark.
    objective
        Values a model fitted on all of ``data``, higher is better; for models that do not learn from plays.
        The journal knows it by its name only.
    report
        Is told a line after each trial.

    Raises
    ------
    UsageError
        If no model has this name, a fixed parameter is not its own or out of its limits, or fewer than one
        trial is asked for.
    SegueError
        If there is nothing to validate on, no trial could be fitted, or another process is at this search.
    """
    if trials < 1:
        raise UsageError(f"trials = {trials}: at least one is needed")
    if name not in MODELS:
        raise UsageError(f"there is no model {name!r}{nearest(name, MODELS)}")
    defaults = MODELS[name].config_type(**(fixed or {}))
    given = {key: getattr(defaults, key) for key in fixed or {}}
    search = {key: each for key, each in MODELS[name].search.items() if key not in given}
    worth = _validation(data, seed) if objective is None else _whole(data, objective)

    def value(own: dict[str, Any]) -> float:
        return worth(create(name, spark=spark, **own, **given))

    identity = (MODELS[name], data.fingerprint, search, given, seed, objective)
    with journal(_file(folder, *identity), search) if folder else nullcontext() as kept:
        first = {key: getattr(defaults, key) for key in search}
        study = Study(search, first, seed, kept.trials()[:trials] if kept else ())
        _run(study, trials, seconds, value, kept, report)
    done = [trial for trial in study.trials if not trial.failed]
    if not done:
        raise SegueError(f"no trial of {name} could be fitted: {study.trials[0].failed}")
    best = max(done, key=lambda trial: trial.value)
    table = _table(study.trials, list(search))
    return Tuned(name, {**given, **best.parameters}, best.value, table, search, study.importance())


def _validation(data: TrainingData, seed: int) -> Objective:
    if data.interactions is None:
        raise SegueError("a model cannot be tuned without plays: import or simulate some")
    kept, held_out = per_listener_fifth(data.interactions, seed)
    # What was disliked is nothing to be recommended.
    held_out = held_out[held_out["weight"] > 0]
    if held_out.empty:
        raise NothingToValidate("nobody has played five tracks: there is nothing to choose parameters by")
    train = replace(data, interactions=kept)
    return lambda model: float(listener_values(model.fit(train), train, held_out)[0]["ndcg_at_10"].mean())


def _whole(data: TrainingData, objective: Objective) -> Objective:
    return lambda model: float(objective(model.fit(data)))


def _run(
    study: Study,
    most: int,
    seconds: float | None,
    value: Callable[[dict[str, Any]], float],
    kept: Journal | None,
    report: Callable[[str], None] | None,
) -> None:
    while len(study.trials) < most:
        spent = sum(trial.seconds for trial in study.trials)
        if study.trials and seconds is not None and spent >= seconds:
            return
        parameters = study.propose()
        if parameters is None:
            return
        trial = _tried(parameters, value)
        study.trials.append(trial)
        if kept:
            kept.add(trial)
        if report:
            report(_told(study.trials, most))


def _tried(parameters: dict[str, Any], value: Callable[[dict[str, Any]], float]) -> Trial:
    start = time.perf_counter()
    try:
        found, failed = value(parameters), ""
        if not math.isfinite(found):
            found, failed = math.nan, f"the value is {found}"
    except SegueError as error:
        found, failed = math.nan, str(error)
    return Trial(parameters, found, time.perf_counter() - start, failed)


def _told(trials: list[Trial], most: int) -> str:
    last = trials[-1]
    best = max((trial.value for trial in trials if not trial.failed), default=math.nan)
    outcome = f"failed, {last.failed}" if last.failed else f"{last.value:.4f}, best {best:.4f}"
    return f"trial {len(trials)} of {most}: {outcome} ({last.seconds:.1f} s)"


def _table(trials: list[Trial], names: list[str]) -> pd.DataFrame:
    rows = [
        {
            "number": number,
            "value": trial.value,
            "seconds": trial.seconds,
            **{name: trial.parameters[name] for name in names},
            "state": "failed" if trial.failed else "complete",
            "reason": trial.failed,
        }
        for number, trial in enumerate(trials)
    ]
    return pd.DataFrame(rows)


def _file(folder: str | Path, model: type[Recommender[Any]], *identity: Any) -> Path:
    """Return the journal of one search: another model, data, space, seed or version has another."""
    *plain, objective = identity
    asked = "ndcg_at_10" if objective is None else getattr(objective, "__qualname__", repr(type(objective)))
    told = repr((model.name, *plain, asked, version("segue-music")))
    return Path(folder) / f"{model.name}-{hashlib.sha256(told.encode()).hexdigest()[:16]}.journal"
