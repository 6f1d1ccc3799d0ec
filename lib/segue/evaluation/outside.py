"""How good a model is on listening data from outside: the figures of `segue evaluate`."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from segue.dataset.listening_csv import read_listening
from segue.errors import UsageError
from segue.evaluation.held_out import HeldOut
from segue.evaluation.pairs import Pairs, pairs_of
from segue.evaluation.tuning import NothingToValidate, Tuned, tune
from segue.models import MODELS, Capability, Need, Recommender, create
from segue.models.best import Best
from segue.models.config import nearest

YARDSTICKS = ("random", "popularity")


@dataclass(frozen=True)
class Search:
    """How much tuning there may be: ``trials`` at most, none begun after ``seconds``, kept in ``folder``."""

    trials: int = 10
    seconds: float = 240.0
    folder: Path | None = None


def model_for_plays(name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters as their configuration takes them, for a model that can learn from plays alone.

    Raises
    ------
    UsageError
        If there is no such model, it needs more than plays, or a parameter is not its own.
    """
    if name not in MODELS:
        raise UsageError(f"there is no model {name!r}{nearest(name, _for_plays())}")
    model = MODELS[name]
    more = sorted(need for need in model.needs if need != Need.INTERACTIONS)
    if more or Capability.RECOMMEND not in model.can:
        needed = f"learns from {' and '.join(more)} and there are none in a file of user and item"
        why = needed if more else "makes no lists for listeners"
        raise UsageError(f"{name} {why}: choose one of {', '.join(_for_plays())}")
    config = model.config_type(**parameters)
    return {key: getattr(config, key) for key in parameters}


def _for_plays() -> list[str]:
    return sorted(
        name
        for name, model in MODELS.items()
        if not model.needs - {Need.INTERACTIONS} and Capability.RECOMMEND in model.can
    )


def evaluate_files(
    train: str | Path,
    test: str | Path,
    name: str,
    parameters: Mapping[str, Any],
    search: Search | None = None,
    *,
    seed: int = 0,
    report: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Fit a model on one file and ask it for the other, read once, beside random and popularity.

    The catalogue is every item that either file names. Every user of the test with a row in training is
    ranked the whole catalogue without their training items; relevance is binary. See `read_listening` for
    what a file must be, and `pairs_of` for what is done with rows that cannot be taken as they stand.

    Parameters
    ----------
    train, test
        CSV files of ``user,item[,weight]``.
    name
        Of a model that learns from plays.
    parameters
        Those that are not tuned, by name.
    search
        How much the others are tuned, on a validation part of the training rows; None: not at all.
    seed
        Of everything drawn at random, and the model's own unless ``parameters`` has another.
    report
        Is told what goes on.

    Returns
    -------
    dict
        ``model``; ``parameters``, all of them; ``chosen``, how; every metric as ``mean``, ``low`` and
        ``high`` (95 % bootstrap interval over users), or one number where it is of all lists together;
        ``users`` ranked, ``items`` of the catalogue, ``train_rows``, ``test_rows`` of the files,
        ``train_pairs``, ``test_pairs`` used; ``treatments``; ``seconds``; ``yardsticks``; ``artists``;
        ``seed``.

    Raises
    ------
    UsageError
        As `model_for_plays` does.
    SegueError
        If a file cannot be read, or the model not be fitted.
    """
    fixed = model_for_plays(name, parameters)
    if "seed" in MODELS[name].config_type.model_fields:
        fixed = {"seed": seed} | fixed
    clock = _Clock()
    report(f"reading {train} and {test}")
    pairs = pairs_of(read_listening(train), read_listening(test, weights=False))
    clock.lap("read")
    tuned = _tuned(name, pairs, fixed, search, seed, report)
    if tuned:
        clock.lap("tune")
    model = create(name, **(tuned.parameters if tuned else fixed))
    report(f"fitting {name} on {len(pairs.train.interactions):,} pairs")  # type: ignore[arg-type]
    model.fit(pairs.train)
    clock.lap("fit")
    held_out = HeldOut(pairs.train, pairs.test)
    report(f"ranking {pairs.train.size:,} items for {held_out.listeners:,} users")
    rows = held_out.evaluate({name: model}, seed).table.set_index("model").to_dict("index")
    clock.seconds["rank"] = rows[name]["ms_per_listener"] * rows[name]["listeners"] / 1000
    return _told(pairs, model, rows, _chosen(model, tuned, search, parameters), clock.seconds, seed)


def _tuned(
    name: str, pairs: Pairs, fixed: Mapping[str, Any], search: Search | None, seed: int,
    report: Callable[[str], None],
) -> Tuned | None:  # fmt: skip
    """Return what tuning chose, or None where there is nothing to tune, or nothing to tune by."""
    if search is None or not set(MODELS[name].search) - set(fixed):
        return None
    try:
        return tune(
            name,
            pairs.train,
            trials=search.trials,
            seconds=search.seconds,
            seed=seed,
            fixed=fixed,
            folder=search.folder,
            report=report,
        )
    except NothingToValidate as error:
        report(f"{error}; the defaults are taken")
        return None


def _told(
    pairs: Pairs, model: Recommender[Any], rows: Mapping[Any, Any], chosen: dict[str, Any],
    seconds: dict[str, float], seed: int,
) -> dict[str, Any]:  # fmt: skip
    return {
        "model": model.name,
        "parameters": model.config.model_dump(mode="json"),
        "chosen": chosen,
        **_figures(rows[model.name]),
        "users": rows[model.name]["listeners"],
        "items": pairs.train.size,
        "train_rows": pairs.train_rows,
        "test_rows": pairs.test_rows,
        "train_pairs": int(pairs.train.matrix.nnz),
        "test_pairs": len(pairs.test),
        "treatments": [asdict(each) for each in pairs.treatments],
        "seconds": seconds,
        "yardsticks": {label: _figures(rows[label]) for label in YARDSTICKS},
        "artists": "not named",
        "seed": seed,
    }


def _figures(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return each metric of a row of the comparison, with its interval where it has one."""
    names = [key.removesuffix("_low") for key in row if key.endswith("_low")]
    means = {
        name: {"mean": row[name], "low": row[f"{name}_low"], "high": row[f"{name}_high"]} for name in names
    }
    return means | {name: row[name] for name in ("coverage_at_10", "gini_at_10")}


def _chosen(
    model: Recommender[Any], tuned: Tuned | None, search: Search | None, given: Mapping[str, Any]
) -> dict[str, Any]:
    if isinstance(model, Best):
        return {
            "by": "the model itself, as it was fitted, on held-out parts of the training rows",
            "given": sorted(given),
            "trials": len(model.tried),
            "mix": [
                trial._asdict() | {"ndcg_at_10": None if math.isnan(trial.ndcg_at_10) else trial.ndcg_at_10}
                for trial in model.tried
                if trial.weight > 0
            ],
            "validation_ndcg_at_10": None,
        }
    if tuned is None or search is None:
        return {"by": "defaults", "given": sorted(given), "trials": 0, "validation_ndcg_at_10": None}
    return {
        "by": "the best of the trials on a random fifth of each user's training rows",
        "given": sorted(given),
        "searched": sorted(tuned.search),
        "trials": len(tuned.trials),
        "failed_trials": int((tuned.trials["state"] == "failed").sum()),
        "at_most": {"trials": search.trials, "seconds": search.seconds},
        "validation_ndcg_at_10": tuned.value,
    }


class _Clock:
    """Seconds of each part of the work, by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name] = now - self._last
        self._last = now
