"""Parameters of the notebooks: read from their cells, checked before anything runs.

A parameter is one line of the cell tagged ``parameters``::

    tracks = 400  # tracks to compose [8..20000]; 24 for a small run

Its type is its default's. Square brackets in the comment hold what is allowed: a range ``[low..high]``
(for a list: of each element), or choices ``[demo | fma | folder]``.
"""

from __future__ import annotations

import ast
import difflib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segue.errors import SegueError, UsageError

_NUMBER = r"-?\d+(?:\.\d+)?(?:e-?\d+)?"
_RANGE = re.compile(rf"\[({_NUMBER})\.\.({_NUMBER})\]")
_CHOICES = re.compile(r"\[([^\[\]|]*(?:\|[^\[\]|]*)+)\]")
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True)
class Parameter:
    """One parameter of one notebook; ``low`` and ``high`` belong to the range."""

    name: str
    default: Any
    help: str
    choices: tuple[str, ...] = ()
    low: float = -math.inf
    high: float = math.inf

    @property
    def wanted(self) -> str:
        """Return in words what a value must be."""
        if self.choices:
            return "one of " + ", ".join(choice or "''" for choice in self.choices)
        many = isinstance(self.default, list)
        kind = type(self.default[0]) if many else type(self.default)
        names = {bool: "true or false", int: "whole number", float: "number", str: "text"}
        word = names.get(kind, kind.__name__)
        words = f"{word}s with commas between" if many else word if kind in (bool, str) else f"a {word}"
        if self.low == -math.inf:
            return words
        return f"{words} from {self.low:g} to {self.high:g}"

    def convert(self, text: str) -> Any:
        """Return the value that ``text`` means, of the default's type.

        Raises
        ------
        UsageError
            If it is not of that type, out of range, or none of the choices.
        """
        try:
            if isinstance(self.default, list):
                parts = [part for part in re.split(r"[\s,]+", text.strip().strip("[]").strip()) if part]
                if not parts:
                    raise ValueError("empty")
                return [self._one(part.strip("'\""), type(self.default[0])) for part in parts]
            return self._one(text, type(self.default))
        except ValueError:
            near = difflib.get_close_matches(text, self.choices, n=1, cutoff=0.0)
            hint = f"; the nearest is {near[0]!r}" if near and near[0] else ""
            raise UsageError(
                f"the parameter {self.name} must be {self.wanted}, not {text!r}{hint} ({self.help})"
            ) from None

    def _one(self, text: str, kind: type) -> Any:
        if kind is bool:
            if text.lower() not in _TRUTH:
                raise ValueError(text)
            return _TRUTH[text.lower()]
        value = kind(text)
        if kind in (int, float) and not self.low <= value <= self.high:
            raise ValueError(text)
        if kind is float and not math.isfinite(value):
            raise ValueError(text)
        if self.choices and value not in self.choices:
            raise ValueError(text)
        return value


def read(notebook: Path) -> dict[str, Parameter]:
    """Return a notebook's parameters by name, in the order of its cell.

    Raises
    ------
    SegueError
        If there is no such cell, or a default is not a plain value.
    """
    import papermill

    found = papermill.inspect_notebook(notebook)
    if not found:
        raise SegueError(f"{notebook} has no parameters: tag one of its cells `parameters`")
    return {name: _parameter(notebook, name, each["default"], each["help"]) for name, each in found.items()}


def _parameter(notebook: Path, name: str, default: str, words: str) -> Parameter:
    try:
        value = ast.literal_eval(default)
    except (ValueError, SyntaxError):
        raise SegueError(
            f"{notebook}: the default of {name} is not a plain value: {default}; write a number, text or list"
        ) from None
    low, high = -math.inf, math.inf
    choices: tuple[str, ...] = ()
    if bounds := _RANGE.search(words):
        low, high = float(bounds[1]), float(bounds[2])
    elif listed := _CHOICES.search(words):
        choices = tuple(choice.strip() for choice in listed[1].split("|"))
    return Parameter(name, value, words, choices, low, high)


def assign(
    known: Mapping[str, Mapping[str, Parameter]],
    given: Sequence[tuple[str, str]],
    others: Mapping[str, Iterable[str]] | None = None,
) -> dict[str, dict[str, Any]]:
    """Return for each notebook the values of its parameters: those given, the defaults of the rest.

    Parameters
    ----------
    known
        By notebook, its parameters by name.
    given
        Names and values as a person wrote them; each goes to every notebook that has the name.
    others
        Names of the parameters of notebooks that will not run, for the message only.

    Raises
    ------
    UsageError
        If a name belongs to none of them or stands twice with two values, or a value does not fit.
    """
    values = {
        notebook: {name: parameter.default for name, parameter in parameters.items()}
        for notebook, parameters in known.items()
    }
    seen: dict[str, str] = {}
    for name, text in given:
        if seen.setdefault(name, text) != text:
            raise UsageError(f"the parameter {name} is given twice, as {seen[name]!r} and as {text!r}")
        homes = [notebook for notebook, parameters in known.items() if name in parameters]
        if not homes:
            raise UsageError(_unknown(name, known, others or {}))
        for notebook in homes:
            values[notebook][name] = known[notebook][name].convert(text)
    return values


def _unknown(
    name: str, known: Mapping[str, Mapping[str, Parameter]], others: Mapping[str, Iterable[str]]
) -> str:
    left_out = [notebook for notebook, names in others.items() if name in names]
    if left_out:
        return f"the parameter {name} belongs to {', '.join(left_out)}, which --only leaves out"
    names = sorted({each for parameters in known.values() for each in parameters})
    nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.0)[0]
    homes = [notebook for notebook, parameters in known.items() if nearest in parameters]
    return (
        f"no parameter is called {name!r}; the nearest is {nearest!r} (of {', '.join(homes)}). "
        f"There are: {', '.join(names)}"
    )
