"""One run: the folder ``runs/<id>/`` with tables, metrics, models and executed notebooks."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue.errors import SegueError, UsageError
from segue.pipeline.files import read_json, write_json

if TYPE_CHECKING:
    import pandas as pd

    from segue.dataset.base import Dataset
    from segue.models import Recommender
    from segue.settings import Settings

BY_HAND = "by-hand"
"""The run id that the notebooks have outside the pipeline: one folder for each kind of data set."""

CURRENT = "current"
SERVING = "serving.json"
"""Where a run says which of its models the player's lists are made with."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def check_id(run_id: str) -> str:
    """Return ``run_id`` if it can be a folder's name.

    Raises
    ------
    UsageError
        If it is empty, too long, has characters that a folder should not have, or is reserved.
    """
    if not _ID.fullmatch(run_id) or run_id == CURRENT:
        raise UsageError(
            f"{run_id!r} cannot be a run id: use up to 100 letters, digits, dots, dashes and underscores, "
            f"beginning with a letter or digit, and not {CURRENT!r}"
        )
    return run_id


@dataclass(frozen=True)
class Run:
    """A run as one notebook sees it.

    ``fallback`` is a finished run of the same data set: a notebook opened by hand reads there what the
    notebooks before it have not written here.
    """

    path: Path
    notebook: str
    fallback: Path | None = None

    def record(self, **values: Any) -> None:
        """Add named values to this notebook's metrics; a name that is there already is replaced.

        numpy's numbers become plain ones, a table a list of rows, NaN null; a value that
        JSON cannot hold raises `TypeError`.
        """
        file = self.path / "metrics" / f"{self.notebook}.json"
        write_json(file, (read_json(file) or {}) | {name: _plain(value) for name, value in values.items()})

    def metrics(self, notebook: str | None = None) -> dict[str, Any]:
        """Return what a notebook recorded, by default this one."""
        return read_json(self._find(f"metrics/{notebook or self.notebook}.json"))

    def save_table(self, name: str, frame: pd.DataFrame) -> pd.DataFrame:
        """Write a table as ``tables/<name>.parquet``, whole or not at all, and return it."""
        file = self.path / "tables" / f"{name}.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        frame.to_parquet(part)
        part.replace(file)
        return frame

    def table(self, name: str) -> pd.DataFrame:
        """Return the table that this or an earlier notebook wrote.

        Raises
        ------
        SegueError
            If no notebook has written it yet.
        """
        import pandas as pd

        return pd.read_parquet(self._find(f"tables/{name}.parquet"))

    def new_model(self, name: str) -> Path:
        """Return the folder ``models/<name>`` that a model may be saved to."""
        folder = self.path / "models" / name
        folder.parent.mkdir(parents=True, exist_ok=True)
        return folder

    def model(self, name: str) -> Path:
        """Return the folder of a model that this or an earlier notebook saved."""
        return self._find(f"models/{name}")

    def load_model(self, name: str) -> Recommender[Any]:
        """Return a model that this or an earlier notebook saved.

        Raises
        ------
        SegueError
            If none of this name was saved, or its files are damaged.
        """
        from segue import models

        return models.load(self.model(name))

    def models(self) -> list[str]:
        """Return the names of the saved models, in alphabetical order."""
        folder = self._find("models")
        return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))

    def choose_serving(self, name: str, figures: Mapping[str, Any]) -> None:
        """Make a saved model the one that the player's lists are made with, in ``serving.json``.

        Parameters
        ----------
        name
            Name of the saved model, such as ``best``.
        figures
            What it was chosen by; kept beside the name, in the plain form of `record`.

        Raises
        ------
        SegueError
            If the run has no model of this name, its manifest cannot be read, or it makes no lists.
        """
        from segue.models import MODELS, Capability
        from segue.models.persist import read_manifest

        saved = self.models()
        if name not in saved:
            raise SegueError(
                f"the run {self.path.name} has no model {name!r} to serve with; "
                f"saved are {', '.join(saved) or 'none'}"
            )
        if name not in MODELS or Capability.RECOMMEND not in MODELS[name].can:
            raise SegueError(f"the model {name} makes no lists for listeners: choose another to serve with")
        fingerprint = read_manifest(self.model(name))["data"]["fingerprint"]
        chosen = {"model": name, "fingerprint": fingerprint, "figures": _plain(dict(figures))}
        write_json(self.path / SERVING, chosen)

    def serving(self) -> str | None:
        """Return the name of the model chosen by `choose_serving`; None where none was, as in older runs."""
        try:
            found = read_json(self._find(SERVING))
        except SegueError:
            return None
        except ValueError:
            raise SegueError(f"{self._find(SERVING)} is damaged: run notebook 04 again") from None
        if not (isinstance(found, dict) and isinstance(found.get("model"), str)):
            raise SegueError(f"{self._find(SERVING)} names no model: run notebook 04 again")
        return found["model"]

    def describe(self, dataset: Dataset) -> None:
        """Record which data set this run is of; called by the first notebook.

        Raises
        ------
        SegueError
            If the run holds another data set.
        """
        file = self.path / "dataset.json"
        known = read_json(file)
        if known and known["database"] != dataset.database:
            raise SegueError(
                f"the run {self.path.name} holds {known['database']}, not {dataset.database}: "
                "give this one another run_id"
            )
        fields = ("kind", "database", "root", "title", "citation", "licence")
        write_json(file, {field: str(getattr(dataset, field)) for field in fields})

    @property
    def dataset(self) -> dict[str, str]:
        """Return the data set's kind, database, root, title, citation and licence."""
        return read_json(self._find("dataset.json"))

    def _find(self, relative: str) -> Path:
        for folder in (self.path, self.fallback):
            if folder is not None and (folder / relative).exists():
                return folder / relative
        raise SegueError(
            f"the run {self.path.name} has no {relative} yet: run the notebooks before {self.notebook} "
            "first, or all of them with `segue run`; where they have run, they say why it is not there"
        )

    def _repr_markdown_(self) -> str:
        read = f", reading `{self.fallback.resolve().name}` where it has nothing yet" if self.fallback else ""
        return f"Results go to the run `{self.path.name}`{read}."


def open_run(
    dataset: str, run_id: str = BY_HAND, notebook: str = "", settings: Settings | None = None
) -> Run:
    """Open or begin the run that a notebook works on.

    Parameters
    ----------
    dataset
        Kind of the data set: ``demo``, ``fma`` or ``folder``.
    run_id
        The pipeline's run, or ``by-hand``: then the results go to ``runs/by-hand-<dataset>/``, and what the
        earlier notebooks did not write there is read from the last finished run of the same kind.
    notebook
        Name of the notebook, such as ``02_features``: its metrics are kept under it.

    Raises
    ------
    UsageError
        If ``run_id`` cannot be a folder's name.
    """
    from segue.settings import Settings

    runs = (settings or Settings()).runs
    by_hand = run_id == BY_HAND
    path = runs / (f"{BY_HAND}-{dataset}" if by_hand else check_id(run_id))
    path.mkdir(parents=True, exist_ok=True)
    current = runs / CURRENT
    of_same_kind = (read_json(current / "dataset.json") or {}).get("kind") == dataset
    return Run(path, notebook, current if by_hand and of_same_kind else None)


def current_run(settings: Settings, notebook: str = "") -> Run:
    """Return the run that ``runs/current`` points to now: what the worker and the player serve.

    Raises
    ------
    SegueError
        If no run has finished yet.
    """
    current = settings.runs / CURRENT
    if not (current / "dataset.json").is_file():
        raise SegueError("no run has finished here yet: make one with `segue run --dataset demo`")
    return Run(current.resolve(), notebook)


def _plain(value: Any) -> Any:
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        value = value.to_dict("records")
    if hasattr(value, "why"):
        return {"not_shown": value.why}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(each) for each in value]
    if isinstance(value, float) and math.isnan(value):
        return None
    return value
