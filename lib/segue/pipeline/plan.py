"""Decide which run a command works on, which stages it keeps, and which it must execute."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from segue.errors import SegueError, UsageError
from segue.pipeline.files import read_json
from segue.pipeline.run import BY_HAND, CURRENT, check_id
from segue.pipeline.stages import Stage, fingerprint, finished, learns_from_plays

Holds = Callable[[Stage, str], bool]
"""Tells whether the document store still holds what a stage with a fingerprint wrote there."""


@dataclass(frozen=True)
class Step:
    """What happens to one stage: executed, or kept from ``source`` (which may be the run itself).

    ``before`` is the fingerprint of what it follows: of the stage before it, or of the files.
    """

    stage: Stage
    fingerprint: str
    parameters: dict[str, Any]
    source: Path | None = None
    stale: bool = False
    before: str = ""


@dataclass(frozen=True)
class Plan:
    """A run's folder and its steps; ``done`` says that the run is finished and nothing is left to do."""

    run: Path
    steps: list[Step]
    resumed: bool = False
    done: bool = False

    @property
    def left(self) -> list[Step]:
        """Return the steps that must be executed."""
        return [step for step in self.steps if step.source is None]


@dataclass(frozen=True)
class Wish:
    """What a person asked for, checked.

    ``parameters`` are by notebook, those of the ``selected`` ones only; ``given`` is what was written on
    the command line; ``rests_on`` are the fingerprints of code and settings; ``data`` returns that of the
    files for the first notebook's parameters. ``plays`` is the state of the plays now
    (`segue.store.changes.plays_state`): a stage that has learned from others is then executed again; empty
    where new plays alone are no reason to.
    """

    runs: Path
    dataset: str
    database: str
    stages: Sequence[Stage]
    selected: Sequence[Stage]
    parameters: Mapping[str, Mapping[str, Any]]
    given: Mapping[str, str]
    rests_on: str
    data: Callable[[Mapping[str, Any]], str]
    run_id: str | None = None
    plays: str = ""
    now: datetime = field(default_factory=lambda: datetime.now(UTC))


def make_plan(wish: Wish, holds: Holds) -> Plan:
    """Return what to do; reads the runs that are there and writes nothing.

    Raises
    ------
    UsageError
        If the run id is taken by something else.
    SegueError
        If ``--only`` leaves out a notebook whose results are nowhere.
    """
    known = _runs(wish)
    steps = _steps(wish, known, holds)
    target = None if wish.run_id is None else _named(wish)
    if target is None:
        whole = [run for run in known if _is_done(run) and _holds_all(run, steps)]
        if whole:
            return Plan(whole[0], [_kept(step, whole[0]) for step in steps], done=True)
        target = _unfinished(wish)
    elif _is_done(target):
        if not _holds_all(target, steps):
            raise UsageError(
                f"the run {target.name} is finished, and its files, code or parameters were others: "
                "choose another --run-id, or leave it out"
            )
        return Plan(target, [_kept(step, target) for step in steps], done=True)
    if target is None:
        return Plan(_new(wish), steps)
    steps = [_kept(step, target) if _is_in(step, target) else step for step in steps]
    return Plan(target, steps, resumed=(target / "run.json").exists())


def _steps(wish: Wish, known: Sequence[Path], holds: Holds) -> list[Step]:
    chosen = {stage.name for stage in wish.selected}
    base = None if len(chosen) == len(wish.stages) else _base(wish, known, chosen)
    steps: list[Step] = []
    before = ""
    for stage in wish.stages:
        if stage.name in chosen:
            parameters = dict(wish.parameters[stage.name])
            before = before or wish.data(parameters)
            step = _step(wish, stage, parameters, before, known, holds)
            steps.append(step)
            before = step.fingerprint
        elif base is not None and (done := finished(base, stage)) is not None:
            before = before or _data_of(wish, done.parameters)
            now = fingerprint(stage, done.parameters, wish.rests_on, before, done.plays)
            steps.append(Step(stage, done.fingerprint, done.parameters, base, stale=now != done.fingerprint))
            before = done.fingerprint
    return steps


def _step(
    wish: Wish, stage: Stage, parameters: dict[str, Any], before: str, known: Sequence[Path], holds: Holds
) -> Step:
    """Return the stage as the first of the runs has it that did the same, else to be executed."""
    learns = learns_from_plays(stage)
    for run in known:
        done = finished(run, stage)
        if done is None or done.stale:
            continue
        plays = (wish.plays or done.plays) if learns else ""
        now = fingerprint(stage, parameters, wish.rests_on, before, plays)
        if done.fingerprint == now and holds(stage, now):
            return Step(stage, now, parameters, run, before=before)
    now = fingerprint(stage, parameters, wish.rests_on, before, wish.plays if learns else "")
    return Step(stage, now, parameters, before=before)


def _data_of(wish: Wish, parameters: Mapping[str, Any]) -> str:
    try:
        return wish.data(parameters)
    except SegueError:
        return "gone"


def _base(wish: Wish, known: Sequence[Path], chosen: set[str]) -> Path | None:
    """Return the run that the stages which ``--only`` leaves out come from."""
    last = max(i for i, stage in enumerate(wish.stages) if stage.name in chosen)
    needed = [stage for stage in wish.stages[:last] if stage.name not in chosen]
    for run in known:
        if all(finished(run, stage) for stage in needed):
            return run
    if needed:
        names = ", ".join(stage.name for stage in needed)
        raise SegueError(
            f"--only needs what {names} made of {wish.database}, and no run has it: "
            f"run `segue run --dataset {wish.dataset}` without --only first"
        )
    return None


def _is_in(step: Step, run: Path) -> bool:
    done = finished(run, step.stage)
    return done is not None and done.fingerprint == step.fingerprint and step.source is not None


def _holds_all(run: Path, steps: Sequence[Step]) -> bool:
    return all(_is_in(step, run) for step in steps)


def _kept(step: Step, run: Path) -> Step:
    done = finished(run, step.stage)
    assert done is not None
    return Step(step.stage, step.fingerprint, step.parameters, run, done.stale)


def _runs(wish: Wish) -> list[Path]:
    """Return the runs of the same data set, the current one first, then the newest first."""
    current = wish.runs / CURRENT
    first = os.path.realpath(current) if current.is_symlink() else ""
    folders = [file.parent for file in wish.runs.glob("*/run.json") if file.parent.name != CURRENT]
    about_each = {folder: read_json(folder / "run.json") for folder in folders}
    same = [folder for folder in folders if about_each[folder]["database"] == wish.database]
    return sorted(
        same, key=lambda run: (os.path.realpath(run) == first, about_each[run]["started"]), reverse=True
    )


def _is_done(run: Path) -> bool:
    return bool(read_json(run / "run.json").get("finished")) if (run / "run.json").exists() else False


def _unfinished(wish: Wish) -> Path | None:
    """Return the newest run that was asked for in the same words, if it did not come to its end."""
    asked = _asked(wish)
    same = [run for run in _runs(wish) if read_json(run / "run.json")["asked"] == asked]
    newest = max(same, key=lambda run: read_json(run / "run.json")["started"], default=None)
    return None if newest is None or _is_done(newest) else newest


def _asked(wish: Wish) -> dict[str, Any]:
    return {"given": dict(wish.given), "notebooks": [stage.name for stage in wish.selected]}


def _named(wish: Wish) -> Path:
    assert wish.run_id is not None
    run = wish.runs / check_name(wish.run_id)
    if not run.exists():
        return run
    about = read_json(run / "run.json")
    if about is None and any(run.iterdir()):
        raise UsageError(f"{run} is there and no run of `segue run`: choose another --run-id")
    if about is not None and about["database"] != wish.database:
        raise UsageError(
            f"the run {run.name} holds {about['database']}, not {wish.database}: choose another --run-id"
        )
    return run


def check_name(run_id: str) -> str:
    """Return ``run_id`` if a run of the pipeline can have it.

    Raises
    ------
    UsageError
        If it cannot be a folder's name, or belongs to notebooks opened by hand.
    """
    if check_id(run_id).startswith(BY_HAND):
        raise UsageError(
            f"run ids that begin with {BY_HAND} belong to notebooks opened by hand: choose another"
        )
    return run_id


def _new(wish: Wish) -> Path:
    name = f"{wish.now.astimezone():%Y%m%d-%H%M%S}-{wish.dataset}"
    names = [name, *(f"{name}-{i}" for i in range(2, 1000))]
    return next(wish.runs / each for each in names if not (wish.runs / each).exists())


def about(wish: Wish, plan: Plan) -> dict[str, Any]:
    """Return what ``run.json`` says when a run begins or goes on."""
    before = read_json(plan.run / "run.json") or {}
    return {
        "run_id": plan.run.name,
        "dataset": wish.dataset,
        "database": wish.database,
        "asked": _asked(wish),
        "started": before.get("started", wish.now.isoformat()),
        "finished": None,
    }
