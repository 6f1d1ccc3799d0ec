"""The typed configuration that every model has: frozen, checked, its faults told as usage errors."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator

from segue.errors import UsageError


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the known name most like ``name``, else the list of all."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(names) or 'none'}"


class Config(BaseModel):
    """Parameters of a model; a subclass names its own with type, default and limits.

    Raises
    ------
    UsageError
        If a parameter is unknown (the nearest name is given) or its value is out of its limits.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="wrap")
    @classmethod
    def _faults_as_usage_errors(cls, values: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(values)
        except ValidationError as error:
            raise UsageError("; ".join(_told(cls, fault) for fault in error.errors())) from None


def _told(config: type[Config], fault: Any) -> str:
    name = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"{config.__name__} has no parameter {name!r}{nearest(name, config.model_fields)}"
    return f"{config.__name__}.{name} = {fault['input']!r}: {fault['msg'][0].lower()}{fault['msg'][1:]}"
