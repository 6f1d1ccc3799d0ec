"""`segue run`: check everything, do only what is left, switch ``runs/current`` when all went well."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue.dataset.folder import FolderDataset
from segue.dataset.select import SOURCE, absolute, open_dataset, prepare
from segue.pipeline import parameters
from segue.pipeline.console import Console
from segue.pipeline.files import point, read_json, state, write_json
from segue.pipeline.lock import locked
from segue.pipeline.plan import Plan, Step, Wish, about, check_name, make_plan
from segue.pipeline.run import CURRENT
from segue.pipeline.stages import (
    Done,
    Stage,
    code_fingerprint,
    data_fingerprint,
    fingerprint,
    finished,
    learns_from_plays,
    mark,
    notebooks_folder,
    reuse,
    select,
    settings_fingerprint,
    stages,
    writes_to_store,
)
from segue.settings import Settings

if TYPE_CHECKING:
    from segue.dataset.base import Dataset
    from segue.store import Store

Accept = Callable[[Path], bool]
"""Tells whether ``runs/current`` may move on to a finished run."""


@dataclass
class Outcome:
    """What a command did.

    ``stages`` has for each one its name, what happened (``executed``, ``kept`` or ``stale``), the run it was
    computed in, and its seconds there; ``current`` says that ``runs/current`` is this run.
    """

    run: Path
    database: str
    nothing_to_do: bool = False
    current: bool = False
    seconds: float = 0.0
    stages: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return it as one JSON object."""
        return {
            "run_id": self.run.name,
            "path": str(self.run),
            "database": self.database,
            "metrics": str(self.run / "metrics.json"),
            "nothing_to_do": self.nothing_to_do,
            "current": self.current,
            "seconds": round(self.seconds, 2),
            "stages": self.stages,
        }


def run_pipeline(
    settings: Settings,
    given: Sequence[tuple[str, str]] = (),
    *,
    only: str | None = None,
    run_id: str | None = None,
    notebooks: Path | None = None,
    console: Console | None = None,
    accept: Accept | None = None,
) -> Outcome:
    """Run the notebooks on a data set.

    New plays alone are no reason to run a notebook again, unless ``only`` names one that learns from them.

    Parameters
    ----------
    settings
        Where things are.
    given
        Names and values of the notebooks' parameters as written, such as ``("dataset", "demo")``.
    only
        Notebooks to run, such as ``03`` or ``01..03``; the others are kept from the last run that has them.
    run_id
        Name of the run's folder; None goes on with an unfinished one or makes a new one.
    notebooks
        Folder of the notebooks; None for Segue's own.
    console
        Where the progress goes.
    accept
        Asked, while nobody else may run notebooks, before ``runs/current`` moves on to the finished run;
        None for yes.

    Raises
    ------
    UsageError
        If a name or value is wrong; nothing has run.
    SegueError
        If something fails that a person can mend; the same command goes on from there.
    """
    started = time.monotonic()
    console = console or Console()
    given = [(name, absolute(value) if name == "path" else value) for name, value in given]
    every = stages(notebooks or notebooks_folder())
    selected = select(only, every)
    if run_id is not None:
        check_name(run_id)
    values, dataset = _check(settings, given, every, selected)
    if isinstance(dataset, FolderDataset):
        dataset.require_music()
    with locked(settings.runs / ".locks" / dataset.database, f"the data set {dataset.database}") as lock:
        job = _Job(settings, console, dataset, lock)
        if any(writes_to_store(stage) for stage in every):
            job.start_services()
        if every[0] in selected:
            job.prepare_data()
        wish = Wish(
            runs=settings.runs,
            dataset=dataset.kind,
            database=dataset.database,
            stages=every,
            selected=selected,
            parameters=values,
            given=dict(given),
            rests_on=code_fingerprint() + settings_fingerprint(settings),
            data=job.fingerprint_data,
            run_id=run_id,
            plays=job.plays() if only and any(map(learns_from_plays, selected)) else "",
        )
        plan = make_plan(wish, job.holds)
        if not plan.done:
            job.carry_out(wish, plan)
        current = _switch(wish, plan, console, accept)
        outcome = Outcome(plan.run, dataset.database, plan.done, current)
        outcome.stages = [job.told(step, plan) for step in plan.steps]
    outcome.seconds = time.monotonic() - started
    job.summary(outcome)
    return outcome


def _check(
    settings: Settings, given: Sequence[tuple[str, str]], every: Sequence[Stage], selected: Sequence[Stage]
) -> tuple[dict[str, dict[str, Any]], Dataset]:
    """Return the checked parameters by notebook, and the data set that they name."""
    known = {stage.name: parameters.read(stage.notebook) for stage in every}
    chosen = {stage.name for stage in selected}
    # The parameters that name the data set are taken whether or not the first notebook runs.
    first = every[0].name
    naming = {name: each for name, each in known[first].items() if name in SOURCE}
    values = parameters.assign(
        {first: naming} | {name: each for name, each in known.items() if name in chosen},
        given,
        {name: each for name, each in known.items() if name not in chosen},
    )
    return values, _open(settings, values[first])


def _open(settings: Settings, values: Mapping[str, Any]) -> Dataset:
    return open_dataset(settings, **{name: values[name] for name in SOURCE if name in values})


@dataclass
class _Job:
    """The work of one command, under the data set's lock; remembers the seconds of what comes first."""

    settings: Settings
    console: Console
    dataset: Dataset
    lock: int
    seconds: dict[str, float] = field(default_factory=dict)
    executed: set[str] = field(default_factory=set)

    def start_services(self) -> None:
        """Start the local services where there is no document store yet, and say so."""
        from segue import services

        if self.settings.mongo is not None:
            return
        started = time.monotonic()
        if any(each.name == "mongo" and each.state == "up" for each in services.status(self.settings)):
            return
        self.console.line("No document store is running: starting the local services")
        services.up(self.settings, self.console.line)
        self.seconds["services"] = time.monotonic() - started

    def prepare_data(self) -> None:
        """Let a data set that is made here make itself."""
        started = time.monotonic()
        prepare(self.dataset, self.console.line)
        self.seconds["data"] = time.monotonic() - started

    def fingerprint_data(self, values: Mapping[str, Any]) -> str:
        """Return the fingerprint of the data set that the first notebook's parameters name."""
        return data_fingerprint(_open(self.settings, values))

    def holds(self, stage: Stage, now: str) -> bool:
        """Tell whether the document store still holds what a stage wrote there, if it writes there."""
        if not writes_to_store(stage):
            return True
        with self._store() as store:
            return (store.meta.find_one({"_id": "stages"}) or {}).get(stage.name) == now

    def plays(self) -> str:
        """Return the state of the plays that the document store holds now."""
        from segue.store.changes import plays_state

        with self._store() as store:
            return plays_state(store)

    def carry_out(self, wish: Wish, plan: Plan) -> None:
        """Execute or keep each stage and close the run."""
        run = plan.run
        run.mkdir(parents=True, exist_ok=True)
        write_json(run / "run.json", about(wish, plan))
        self.console.line(f"{'Going on with' if plan.resumed else 'Run'} {run}")
        _remove_unowned(plan)
        became: dict[str, str] = {}
        for step in plan.steps:
            if step.source is None:
                became[step.fingerprint] = self._execute(wish, step, became, run)
            else:
                self._keep(step, run)
        write_json(run / "metrics.json", _metrics(plan))
        write_json(run / "run.json", about(wish, plan) | {"finished": datetime.now(UTC).isoformat()})

    def _execute(self, wish: Wish, step: Step, became: Mapping[str, str], run: Path) -> str:
        """Execute a stage and return its fingerprint.

        It is the planned one, unless the plays have changed since: ``became`` says that of the stages before.
        """
        from segue.pipeline.execute import execute, kernel_environment
        from segue.pipeline.html import write_html

        stage = step.stage
        # Read before the notebook reads them: plays that come in between make it run once more, never less.
        plays = self.plays() if learns_from_plays(stage) else ""
        follows = became.get(step.before, step.before)
        now = fingerprint(stage, step.parameters, wish.rests_on, follows, plays)
        started = time.monotonic()
        logs = self.settings.var / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        self.console.progress = logs / f"{self.dataset.database}.progress"
        before = state(run)
        self.console.line(stage.name)
        self._mark_store(stage, None)
        output = run / f"{stage.name}.ipynb"
        environment = kernel_environment(self.settings.home, self.console.progress)
        values = step.parameters | {"run_id": run.name}
        cells = execute(
            stage.notebook,
            output,
            values,
            console=self.console,
            environment=environment,
            log=logs / f"{self.dataset.database}-{stage.name}.log",
            lock=self.lock,
        )
        write_html(output)
        after = state(run)
        outputs = sorted(path for path in after if _is_output(path) and before.get(path) != after[path])
        seconds = round(time.monotonic() - started, 2)
        self._mark_store(stage, now)
        done = Done(stage.name, now, seconds, cells, outputs, step.parameters, plays=plays)
        mark(run, stage, done)
        self.executed.add(stage.name)
        return now

    def _keep(self, step: Step, run: Path) -> None:
        assert step.source is not None
        if step.source == run:
            self.console.line(f"{step.stage.name}  finished before")
            return
        done = reuse(step.stage, step.source, run, step.stale)
        note = "out of date, kept because --only leaves it out" if done.stale else "unchanged"
        self.console.line(f"{step.stage.name}  {note}, from {done.reused}")

    def _mark_store(self, stage: Stage, now: str | None) -> None:
        """Record whose results the document store holds; None while a stage is at work."""
        if writes_to_store(stage):
            with self._store() as store:
                store.meta.update_one({"_id": "stages"}, {"$set": {stage.name: now}}, upsert=True)

    def _store(self) -> Store:
        from segue.store import open_store

        return open_store(self.settings.mongo_uri, self.dataset.database)

    def told(self, step: Step, plan: Plan) -> dict[str, Any]:
        """Return what `Outcome.stages` says of a step."""
        done = finished(plan.run, step.stage)
        assert done is not None
        what = "executed" if step.stage.name in self.executed else "stale" if done.stale else "kept"
        return {"name": step.stage.name, "what": what, "computed_in": done.reused or plan.run.name,
                "seconds": done.seconds}  # fmt: skip

    def summary(self, outcome: Outcome) -> None:
        """Print the seconds of each stage and where the results are."""
        if outcome.nothing_to_do:
            self.console.line(f"Nothing to do: {outcome.run} has it all ({outcome.seconds:.1f} s)")
            return
        rows = [(name, "", each) for name, each in self.seconds.items()]
        rows += [
            (each["name"], each["what"], each["seconds"] if each["what"] == "executed" else 0.0)
            for each in outcome.stages
        ]
        self.console.line()
        for name, what, seconds in [*rows, ("in all", "", outcome.seconds)]:
            self.console.line(f"{name:14}{what:10}{seconds:8.1f} s")
        self.console.line(f"Results: {outcome.run}" + ("" if outcome.current else " (not the current run)"))


def _is_output(path: str) -> bool:
    # What was tried while tuning belongs to no stage: a run that was killed goes on from there.
    return path not in ("run.json", "metrics.json") and not path.startswith(("stages/", "tuning/"))


def _remove_unowned(plan: Plan) -> None:
    """Remove from a resumed run what no stage that is kept there owns."""
    owned = set()
    for step in plan.steps:
        done = finished(plan.run, step.stage)
        if done is not None and step.source == plan.run:
            owned.update(done.outputs)
        else:
            (plan.run / "stages" / f"{step.stage.number}.json").unlink(missing_ok=True)
    for path in state(plan.run):
        if _is_output(path) and path not in owned:
            (plan.run / path).unlink()


def _metrics(plan: Plan) -> dict[str, Any]:
    """Return the metrics of all notebooks by name, with the seconds and state of each stage."""
    merged: dict[str, Any] = {"run_id": plan.run.name, "stages": {}}
    for step in plan.steps:
        done = finished(plan.run, step.stage)
        assert done is not None
        merged["stages"][done.notebook] = {
            "seconds": done.seconds,
            "computed_in": done.reused or plan.run.name,
            "stale": done.stale,
        }
        merged[done.notebook] = read_json(plan.run / "metrics" / f"{done.notebook}.json") or {}
    return merged


def _switch(wish: Wish, plan: Plan, console: Console, accept: Accept | None) -> bool:
    """Point ``runs/current`` to an accepted run that holds every stage; tell whether it points there now."""
    lacking = [stage.name for stage in wish.stages if finished(plan.run, stage) is None]
    name = wish.runs / CURRENT
    if lacking:
        console.line(f"runs/{CURRENT} stays as it was: this run lacks {', '.join(lacking)}")
        return False
    if not (name.is_symlink() and name.resolve() == plan.run.resolve()):
        if accept is not None and not accept(plan.run):
            console.line(f"runs/{CURRENT} stays as it was")
            return False
        point(name, plan.run)
        if plan.done:
            console.line(f"runs/{CURRENT} is now {plan.run.name}")
    return True
