"""The lists that are owed: one a listener, however many events of theirs were read."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from segue.live.standing import Received


@dataclass(frozen=True, slots=True)
class Due:
    """A list that is owed.

    ``first`` is the offset of the first event without a list in its ``partition``, ``newest`` the last one,
    whose message was sent at ``sent_ms`` (milliseconds since 1970).
    """

    partition: int
    first: int
    newest: Received
    sent_ms: int


class Owed:
    """Which listeners wait for a list; those who did something last come first, as they are here.

    While a list is owed its partition is not read on from behind the event that it is owed for, so that a
    worker that dies owes it again when it reads the event again.
    """

    def __init__(self) -> None:
        self._due: dict[str, Due] = {}

    def __len__(self) -> int:
        return len(self._due)

    def add(self, listener_id: str, due: Due) -> None:
        """Owe a listener a list, for what was owed before and ``due``."""
        before = self._due.get(listener_id)
        self._due[listener_id] = due if before is None else replace(due, first=before.first)

    def due(self, listener_id: str) -> Due:
        """Return what is due to a listener."""
        return self._due[listener_id]

    def next(self, most: int) -> list[str]:
        """Return up to ``most`` listeners, those whose last event is the newest first; they stay owed."""
        if len(self._due) <= most:
            return list(self._due)
        return heapq.nlargest(most, self._due, key=lambda name: self._due[name].newest.event.at)

    def pay(self, listener_id: str) -> None:
        """Take a listener's list off."""
        del self._due[listener_id]

    def resume(self, offsets: Mapping[int, int]) -> dict[int, int]:
        """Return by partition where to read on, given up to where each was read."""
        found = dict(offsets)
        for due in self._due.values():
            found[due.partition] = min(found.get(due.partition, due.first), due.first)
        return found

    def keep_to(self, partitions: Collection[int]) -> None:
        """Owe nothing for other partitions: they are another's, or read again from where the store says."""
        self._due = {name: due for name, due in self._due.items() if due.partition in partitions}
