"""The values among which tuning looks for a model's parameters; a model names them in its `search`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Real:
    """A number from ``low`` to ``high``, both included; ``log`` looks evenly over orders of magnitude."""

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class Whole:
    """A whole number from ``low`` to ``high``, both included; ``log`` as for `Real`."""

    low: int
    high: int
    log: bool = False


@dataclass(frozen=True)
class Choice:
    """One of some named values."""

    options: tuple[str | int | float | bool, ...]


Search = Real | Whole | Choice
