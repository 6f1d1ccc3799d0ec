"""A section that cannot be shown says why, and the notebook goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from segue.errors import SegueError, UsageError


@dataclass(frozen=True)
class NotShown:
    """Stands where a result would be; a notebook shows its reason.

    Its attributes, items and results are itself, so that what rests on it is not shown for the same reason.
    """

    why: str

    def _repr_markdown_(self) -> str:
        return f"*Not shown: {self.why}*"

    def __getattr__(self, name: str) -> NotShown:
        if name.startswith("_"):
            raise AttributeError(name)
        return self

    __iter__ = None  # Python would iterate over items without end.

    def __getitem__(self, item: object) -> NotShown:
        return self

    def __call__(self, *given: object, **named: object) -> NotShown:
        """Return itself: a method of what is not shown gives nothing to show."""
        return self


def attempt(step: Callable[..., Any], *given: Any, **named: Any) -> Any:
    """Return ``step(*given, **named)``, or `NotShown` where a small or bare collection does not allow it.

    A step that was given a `NotShown` passes it on. Only a `SegueError` is taken for a reason, as it says
    what is lacking; a wrong parameter (`UsageError`) and every other error are raised.
    """
    for value in (*given, *named.values()):
        if isinstance(value, NotShown):
            return value
    try:
        return step(*given, **named)
    except UsageError:
        raise
    except SegueError as error:
        return NotShown(str(error))
