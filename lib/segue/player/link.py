"""What connects a desk with Kafka: directly, or through the server's gateway."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Protocol
from uuid import UUID

from segue.live.events import PlayEvent


class Ears(Protocol):
    """What a desk hears from its link, on the link's threads."""

    def answered(self, event_id: UUID, delivered: bool) -> None:
        """Hear what became of an event: whether the broker has it."""

    def listed(self, content: bytes) -> None:
        """Hear a list of this listener's, as it stands in the topic."""

    def resumed(self) -> None:
        """Hear that lists come from now on; what was published before must be looked up in the store."""

    def noted(self, **now: bool) -> None:
        """Hear whether ``kafka``, ``worker`` and ``store`` are there; each may be said many times."""


class Link(Protocol):
    """One listener's way to Kafka and back."""

    @property
    def threads(self) -> tuple[threading.Thread, ...]:
        """Return the threads that work for it."""

    def send(self, event: PlayEvent) -> None:
        """Send an event and never wait for it; each gets an answer, unless the link is closed first."""

    def report(self, dropped: Mapping[str, int]) -> None:
        """Say how many of the page's messages were dropped since the last report, by reason."""

    def close(self) -> None:
        """End the threads; nothing is heard after this."""


Connect = Callable[[Ears], Link]
"""Makes a desk's link."""
