"""Refit: models learn from the plays of now, and are served only if they are not worse on the newest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pymongo.errors import PyMongoError

from segue.dataset.select import SOURCE
from segue.errors import SegueError
from segue.pipeline.console import Console
from segue.pipeline.files import read_json, write_json
from segue.pipeline.job import Outcome, run_pipeline
from segue.pipeline.run import Run, current_run
from segue.pipeline.stages import Done, Stage, finished, learns_from_plays, notebooks_folder, stages
from segue.settings import Settings
from segue.store import Store, open_store
from segue.store.changes import plays_state

if TYPE_CHECKING:
    import pandas as pd

    from segue.evaluation.newest import Verdict
    from segue.models import Recommender

REFIT = "refit.json"
"""Of a run: what became of it when it was compared with the one that served."""

_DEFAULT = "als"
"""The model that ranks by what others play where a run has chosen none (`segue.live.serving.OTHERS`)."""


@dataclass(frozen=True)
class Refit:
    """What a refit came to.

    ``run`` is the run that serves now; ``decision`` what `REFIT` says of the new one, None where there was
    nothing to learn or the stages were there already; ``outcome`` what the pipeline did, if it had to.
    """

    run: str
    why: str
    decision: dict[str, Any] | None = None
    outcome: Outcome | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as one JSON object."""
        told = None if self.outcome is None else self.outcome.to_json()
        return {"run": self.run, "why": self.why, "decision": self.decision, "pipeline": told}


def refit(
    settings: Settings, *, notebooks: Path | None = None, console: Console | None = None, seed: int = 0
) -> Refit:
    """Run the notebooks that learn from plays, as the run that serves has run them, and compare.

    ``runs/current`` is switched when the new run's model is not worse than the serving one on the newest
    plays (`segue.evaluation.newest`), and when there are too few of them to tell: the new model is of the
    same recipe, notebook 04 has just measured it, and where few listen nothing would ever be learned, nor
    the plays of a deleted listener ever left out. Otherwise it stays, and so do the cards.

    Parameters
    ----------
    notebooks
        Folder of the notebooks; None for Segue's own.
    console
        Where the progress goes.
    seed
        Of the intervals.

    Raises
    ------
    SegueError
        If no run of `segue run` serves, or a notebook or the comparison fails; ``runs/current`` is then as
        it was, and the same command goes on from there.
    """
    try:
        return _refit(settings, notebooks, console or Console(), seed)
    except PyMongoError as error:
        raise SegueError(f"the document store stopped answering, refit again when it does: {error}") from None


def _refit(settings: Settings, notebooks: Path | None, console: Console, seed: int) -> Refit:
    serving = current_run(settings)
    every = stages(notebooks or notebooks_folder())
    learners = [stage for stage in every if learns_from_plays(stage)]
    if not learners:
        raise SegueError("no notebook learns from plays: there is nothing to refit")
    learned = _done(serving, learners[0])
    with open_store(settings.mongo_uri, serving.dataset["database"]) as store:
        now = plays_state(store)
        if why := _nothing_new(settings.runs, serving, learned, now):
            console.line(why)
            return Refit(serving.path.name, why)
        gate = _Gate(settings, serving, store, learners, console, seed)
        rest = every[every.index(learners[0]) :]
        outcome = run_pipeline(
            settings,
            _as_before(serving, every[0], rest),
            only=f"{rest[0].number}..{rest[-1].number}",
            notebooks=notebooks,
            console=console,
            accept=gate,
        )
    why = "the run serves already" if gate.decision is None else gate.decision["why"]
    return Refit(current_run(settings).path.name, why, gate.decision, outcome)


def _done(run: Run, stage: Stage) -> Done:
    done = finished(run.path, stage)
    if done is None:
        raise SegueError(
            f"the run {run.path.name} has no finished {stage.name}: make one with `segue run` first"
        )
    return done


def _nothing_new(runs: Path, serving: Run, learned: Done, now: str) -> str:
    """Return why there is nothing to do, or an empty text; tracks that came since are something to do."""
    if learned.stale:
        return ""
    if now == learned.plays:
        return f"Nothing to do: no play has come or gone since {serving.path.name} was fitted"
    for file in runs.glob(f"*/{REFIT}"):
        known = read_json(file)
        if known["serving"] == serving.path.name and known["plays"] == now and not known["accepted"]:
            return f"Nothing to do: no play has come or gone since {file.parent.name} was refused"
    return ""


def _as_before(run: Run, first: Stage, rest: list[Stage]) -> list[tuple[str, str]]:
    """Return the parameters that name the data set and those of the stages, as the run had them."""
    given = {name: value for name, value in _done(run, first).parameters.items() if name in SOURCE}
    for stage in rest:
        given |= _done(run, stage).parameters
    return [(name, str(value)) for name, value in given.items() if name != "run_id"]


@dataclass
class _Gate:
    """Compares a finished run with the one that serves, records what it decides, and undoes what it must."""

    settings: Settings
    serving: Run
    store: Store
    learners: list[Stage]
    console: Console
    seed: int
    decision: dict[str, Any] | None = None

    def __call__(self, path: Path) -> bool:
        """Tell whether the run in ``path`` may serve."""
        new = Run(path, "")
        verdict, gone = self._compare(new)
        self.decision = {
            "accepted": not verdict.worse,
            "why": _words(verdict, gone),
            "serving": self.serving.path.name,
            "serving_model": served_model(self.serving),
            "candidate": path.name,
            "candidate_model": served_model(new),
            "plays": _done(new, self.learners[0]).plays,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "gone": gone,
            "comparison": verdict.to_json(),
        }
        if verdict.worse:
            self._keep_cards()
        write_json(path / REFIT, self.decision)
        metrics = read_json(path / "metrics.json") or {}
        write_json(path / "metrics.json", metrics | {"refit": self.decision})
        self.console.line(f"Refit: {self.decision['why']}")
        return not verdict.worse

    def _compare(self, new: Run) -> tuple[Verdict, int]:
        """Return the verdict, and how many events that the serving run learned from are stored no longer."""
        from segue.evaluation.newest import Verdict, compare_on_newest, newest_plays
        from segue.notebook.catalogue import read_catalogue

        catalogue = read_catalogue(new)
        learned, stored = _event_ids(self.serving.table("plays")), _event_ids(catalogue.plays)
        gone = len(learned - stored)
        names = served_model(self.serving), served_model(new)
        try:
            newest = newest_plays(catalogue.plays, learned)
            if None in names:
                raise SegueError("a run has no model of listening")
        except SegueError as error:
            return Verdict(False, False, f"too few to tell: {error}", 0, 0), gone
        serving, candidate = self.serving.load_model(str(names[0])), new.load_model(str(names[1]))

        def fresh() -> Recommender[Any]:
            return type(candidate)(candidate.config)

        self.console.line(f"Comparing with {self.serving.path.name} on the newest plays")
        return compare_on_newest(serving, fresh, catalogue.training_data(), newest, seed=self.seed), gone

    def _keep_cards(self) -> None:
        """Write the serving run's cards over the refused run's, which its notebook has written."""
        from segue.notebook.cards import write_cards
        from segue.notebook.catalogue import read_catalogue

        write_cards(self.serving, read_catalogue(self.serving), self.store)
        marks = {stage.name: _done(self.serving, stage).fingerprint for stage in self.learners}
        self.store.meta.update_one({"_id": "stages"}, {"$set": marks}, upsert=True)


def served_model(run: Run) -> str | None:
    """Return the name of the model of listening that a worker serves a run with; None where there is none."""
    try:
        saved = run.models()
    except SegueError:
        return None
    chosen = run.serving()
    return chosen if chosen in saved else _DEFAULT if _DEFAULT in saved else None


def _event_ids(plays: pd.DataFrame) -> set[str]:
    return set(plays["event_id"]) if len(plays) else set()


def _words(verdict: Verdict, gone: int) -> str:
    if not verdict.told:
        return f"{verdict.why}; the new run serves"
    after = "the new run serves"
    if verdict.worse:
        after = "the serving run stays"
        if gone:
            after += f", which has learned from {gone:,} plays that are stored no longer"
    figures = (
        f"nDCG@10 {verdict.candidate:.4f} against {verdict.serving:.4f} for {verdict.listeners:,} listeners' "
        f"{verdict.plays:,} newest plays, difference {verdict.difference:+.4f} "
        f"[{verdict.low:+.4f}, {verdict.high:+.4f}]"
    )
    return f"{figures}: {verdict.why}; {after}"
