"""What was read of a test, so that no parameter is chosen by it."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from segue.errors import SegueError

Figures = dict[str, dict[str, float]]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


class Again(BaseModel):
    """A later reading by the same model with the same parameters that gave other figures."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    read_at: str
    figures: Figures


class Reading(BaseModel):
    """The first reading of one test under one label, and those that followed.

    ``split`` is the fingerprint of the test, ``model`` the registered name, ``figures`` has ``mean``, ``low``
    and ``high`` by metric, ``read_at`` is UTC in ISO 8601.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    split: str
    label: str
    model: str
    parameters: dict[str, Any]
    figures: Figures
    read_at: str = Field(default_factory=_now)
    again: list[Again] = []


_READINGS = TypeAdapter(list[Reading])


class Ledger:
    """Readings in a JSON file, or in memory where no file is given.

    Each addition replaces the file in one step under a lock, so that neither a kill nor another process
    loses a reading.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._readings: list[Reading] = []
        self._load()

    def readings(self, split: str) -> list[Reading]:
        """Return the readings of one test, in the order of their first reading."""
        return [reading for reading in self._load() if reading.split == split]

    def check(self, wanted: Reading) -> None:
        """Refuse a label that was read with another model or other parameters.

        Raises
        ------
        SegueError
            If so.
        """
        self._refuse(wanted, self._load())

    def add(self, new: Reading, *, refuse: bool = True) -> None:
        """Write a reading.

        A label that was read before keeps its first figures, and gets these beside them
        if they differ.

        Parameters
        ----------
        refuse
            Whether other parameters than the first ones are refused as `check` does.
        """
        with self._locked():
            readings = self._load()
            if refuse:
                self._refuse(new, readings)
            before = self._find(new, readings)
            if before is None:
                readings.append(new)
            elif new.figures not in [before.figures, *(later.figures for later in before.again)]:
                before.again.append(Again(read_at=new.read_at, figures=new.figures))
            self._store(readings)

    @staticmethod
    def _find(wanted: Reading, readings: list[Reading]) -> Reading | None:
        return next((r for r in readings if (r.split, r.label) == (wanted.split, wanted.label)), None)

    def _refuse(self, wanted: Reading, readings: list[Reading]) -> None:
        before = self._find(wanted, readings)
        if before is None:
            return
        if (before.model, before.parameters) != (wanted.model, wanted.parameters):
            raise SegueError(
                f"{wanted.label} has read this test on {before.read_at} as {_said(before, wanted)}, and now "
                f"comes as {_said(wanted, before)}: choose parameters on the validation part, or begin anew "
                "with another seed of the split"
            )

    def _load(self) -> list[Reading]:
        if self._path is None or not self._path.exists():
            return self._readings
        try:
            document = json.loads(self._path.read_text(encoding="utf-8"))
            return _READINGS.validate_python(document["readings"])
        except (ValueError, KeyError, TypeError, ValidationError) as error:
            raise SegueError(
                f"the ledger of test readings {self._path} is damaged ({type(error).__name__}): restore it "
                "from a copy; without it nobody knows what was read"
            ) from None

    def _store(self, readings: list[Reading]) -> None:
        if self._path is None:
            self._readings = readings
            return
        document = {"readings": [reading.model_dump(mode="json") for reading in readings]}
        draft = self._path.with_name(self._path.name + ".part")
        with draft.open("w", encoding="utf-8") as file:
            file.write(json.dumps(document, indent=1, sort_keys=True) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, self._path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        if self._path is None:
            yield
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_name(self._path.name + ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _said(one: Reading, other: Reading) -> str:
    """Return a reading's model and those of its parameters that differ from the other's."""
    differing = {
        name: value
        for name, value in one.parameters.items()
        if one.model != other.model or name not in other.parameters or other.parameters[name] != value
    }
    return f"{one.model}({', '.join(f'{name}={value!r}' for name, value in differing.items())})"
