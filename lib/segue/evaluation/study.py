"""What has been tried: Optuna proposes the next trial from it, and a journal keeps it through a kill."""

from __future__ import annotations

import fcntl
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from segue.errors import SegueError
from segue.models.search import Choice, Search, Whole

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.study import Study as OptunaStudy
    from optuna.trial import FrozenTrial

_RANDOM_TRIALS = 6
"""Trials, the defaults included, before the sampler begins to learn from their values."""
_DRAWS = 32
"""How often a proposal that has been tried is drawn anew before the space counts as exhausted."""
_FEWEST_FOR_IMPORTANCE = 8


@dataclass(frozen=True)
class Trial:
    """One set of parameters, and how good it was: NaN if it ``failed``, which says why; "" if it did not."""

    parameters: dict[str, Any]
    value: float
    seconds: float
    failed: str = ""


class Study:
    """The finished trials of one search, and what to try next.

    The next trial depends on the space, the seed and the finished trials only (Optuna's multivariate TPE:
    Bergstra et al. 2011, Falkner et al. 2018, seeded anew for each trial), so a search that was broken off
    goes on as if it had not been.

    Parameters
    ----------
    search
        What is searched.
    first
        The parameters of the first trial, one for each of ``search`` and within it.
    seed
        Of the proposals.
    trials
        Those that are finished already.
    """

    def __init__(
        self, search: Mapping[str, Search], first: Mapping[str, Any], seed: int, trials: Sequence[Trial] = ()
    ) -> None:
        self.trials = list(trials)
        self._space = {name: distribution_of(each) for name, each in sorted(search.items())}
        self._first = dict(first)
        self._seed = seed

    def propose(self) -> dict[str, Any] | None:
        """Return parameters that have not been tried, or None when no more are found."""
        if not self.trials:
            return self._first
        tried = [trial.parameters for trial in self.trials]
        for draw in range(_DRAWS if self._space else 0):
            parameters = self._sampled([self._seed, len(tried), draw])
            if parameters not in tried:
                return parameters
        return None

    def importance(self) -> dict[str, float]:
        """Return the share of each parameter in how much the values vary (fANOVA: Hutter et al. 2014).

        Highest first, their sum 1; empty for fewer than two parameters or eight trials, or equal values.
        """
        done = [trial.value for trial in self.trials if not trial.failed]
        if len(self._space) < 2 or len(done) < _FEWEST_FOR_IMPORTANCE or np.ptp(done) == 0:
            return {}
        from optuna.importance import FanovaImportanceEvaluator, get_param_importances

        with quiet_optuna():
            found = get_param_importances(
                self._replayed(self.trials), evaluator=FanovaImportanceEvaluator(seed=0)
            )
        return {name: float(share) for name, share in found.items()}

    def _sampled(self, entropy: Sequence[int]) -> dict[str, Any]:
        # The sampler does not look at failed trials, so it would propose their like again and again.
        worst = min((trial.value for trial in self.trials if not trial.failed), default=0.0)
        seen = [replace(trial, value=worst, failed="") if trial.failed else trial for trial in self.trials]
        with quiet_optuna():
            study = self._replayed(seen)
            study.sampler = _sampler(entropy)
            return dict(study.ask(self._space).params)

    def _replayed(self, trials: Sequence[Trial]) -> OptunaStudy:
        import optuna

        study = optuna.create_study(direction="maximize")
        study.add_trials([frozen(trial, self._space) for trial in trials])
        return study


class Journal:
    """A file of finished trials that Optuna's own tools can read; a half-finished trial leaves no trace.

    Raises
    ------
    SegueError
        If the file is damaged.
    """

    def __init__(self, file: Path, search: Mapping[str, Search]) -> None:
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        self._space = {name: distribution_of(each) for name, each in sorted(search.items())}
        _drop_torn_line(file)
        try:
            with quiet_optuna():
                storage = JournalStorage(JournalFileBackend(str(file), lock_obj=_HeldAlready()))
                self._study = optuna.create_study(
                    storage=storage, study_name=file.stem, direction="maximize", load_if_exists=True
                )
        except (ValueError, KeyError) as error:
            raise SegueError(f"the journal {file} is damaged ({error}): remove it") from None

    def trials(self) -> list[Trial]:
        """Return what is written, in the order in which it was tried."""
        return [
            Trial(
                dict(each.params),
                math.nan if each.value is None else each.value,
                each.user_attrs["seconds"],
                each.user_attrs["failed"],
            )
            for each in self._study.get_trials(deepcopy=False)
        ]

    def add(self, trial: Trial) -> None:
        """Write a finished trial; it is on the disk when this returns."""
        with quiet_optuna():
            self._study.add_trial(frozen(trial, self._space))


@contextmanager
def journal(file: Path, search: Mapping[str, Search]) -> Iterator[Journal]:
    """Give the journal ``file``, to this process alone.

    Raises
    ------
    SegueError
        If another process is at it, or it is damaged.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield Journal(file, search)
    except BlockingIOError:
        raise SegueError(f"another process is tuning with {file}: wait until it has ended") from None
    finally:
        os.close(descriptor)


class _HeldAlready:
    """Optuna's own lock files outlive a killed process; the lock that `journal` holds does not."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        return None


def _sampler(entropy: Sequence[int]) -> BaseSampler:
    from optuna.samplers import TPESampler

    seed = int(np.random.SeedSequence(entropy).generate_state(1)[0])
    return TPESampler(seed=seed, n_startup_trials=_RANDOM_TRIALS)


def distribution_of(search: Search) -> BaseDistribution:
    """Return Optuna's form of what is searched."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(search, Choice):
        return CategoricalDistribution(search.options)
    if isinstance(search, Whole):
        return IntDistribution(search.low, search.high, log=search.log)
    return FloatDistribution(search.low, search.high, log=search.log)


def frozen(trial: Trial, space: Mapping[str, BaseDistribution]) -> FrozenTrial:
    """Return Optuna's form of a finished trial."""
    from optuna.trial import TrialState, create_trial

    return create_trial(
        state=TrialState.FAIL if trial.failed else TrialState.COMPLETE,
        value=None if trial.failed else trial.value,
        params=trial.parameters,
        distributions=dict(space),
        user_attrs={"seconds": trial.seconds, "failed": trial.failed},
    )


@contextmanager
def quiet_optuna() -> Iterator[None]:
    """Keep Optuna from reporting each study and trial."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def _drop_torn_line(file: Path) -> None:
    """Cut off a last line that a crash left without its end."""
    written = file.read_bytes()
    whole = written.rfind(b"\n") + 1
    if whole < len(written):
        os.truncate(file, whole)
