"""The lists that are owed: one a listener, however many events of theirs were read."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Due:
    """A list that is owed.

    ``first`` is the offset of the first event without a list in its ``partition``; the message of the last
    one was sent at ``sent_ms`` (milliseconds since 1970).
    """

    partition: int
    first: int
    sent_ms: int


class Owed:
    """Which listeners wait for a list: first those who are here, in their turn, then the others.

    While a list is owed its partition is not read on from behind the event that it is owed for, so that a
    worker that dies owes it again when it reads the event again.
    """

    def __init__(self) -> None:
        self._here: dict[str, Due] = {}
        self._others: dict[str, Due] = {}

    def __len__(self) -> int:
        return len(self._here) + len(self._others)

    def add(self, listener_id: str, due: Due, *, here: bool) -> None:
        """Owe a listener a list, for what was owed before and ``due``; ``here``: they did it just now."""
        for waiting in (self._here, self._others):
            if before := waiting.get(listener_id):
                due = replace(due, first=before.first)
        if here or listener_id in self._here:
            self._others.pop(listener_id, None)
            self._here[listener_id] = due
        else:
            self._others[listener_id] = due

    def next(self, most: int) -> list[str]:
        """Return up to ``most`` listeners whose turn it is; they stay owed."""
        return list(itertools.islice(itertools.chain(self._here, self._others), most))

    def pay(self, listener_id: str) -> Due:
        """Owe a listener no list any more, and return what was due."""
        return self._here.pop(listener_id, None) or self._others.pop(listener_id)

    def resume(self, offsets: Mapping[int, int]) -> dict[int, int]:
        """Return by partition where to read on, given up to where each was read."""
        found = dict(offsets)
        for due in itertools.chain(self._here.values(), self._others.values()):
            if due.first < found.get(due.partition, due.first + 1):
                found[due.partition] = due.first
        return found

    def keep_to(self, partitions: Collection[int]) -> None:
        """Owe nothing for other partitions: they are another's, or read again from where the store says."""
        self._here, self._others = (
            {name: due for name, due in waiting.items() if due.partition in partitions}
            for waiting in (self._here, self._others)
        )
