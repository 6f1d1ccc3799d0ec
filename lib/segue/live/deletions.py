"""Listeners who have deleted their accounts, whose events may still wait in Kafka."""

from __future__ import annotations

import time

from segue.store import Store
from segue.store.accounts import DATABASE, DELETED
from segue.store.personal import remove

LOOK_S = 1.0
"""Seconds between two looks for more of them."""

_AGAIN_S = 60.0
_AT_ONCE = 1_000


class Deletions:
    """Knows them all, and removes what was written of one before that was known.

    `refresh` may be called from another thread than the rest.

    Parameters
    ----------
    store
        The data set's; the marks of deleted accounts are on the same server.

    Attributes
    ----------
    ids
        The listeners whose events have no effect any more.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._marks = store.client[DATABASE][DELETED]
        self.ids: frozenset[str] = frozenset()
        self._dealt_with: frozenset[str] | None = None
        self._next_look = self._next_reading = 0.0
        self._count = -1

    def refresh(self) -> None:
        """Read the marks if there may be others than before.

        Raises
        ------
        PyMongoError
            If the store does not answer.
        """
        now = time.monotonic()
        if now < self._next_look:
            return
        count = self._marks.estimated_document_count()
        if count != self._count or now >= self._next_reading:
            found = frozenset(mark["_id"] for mark in self._marks.find({}, {"_id": 1}).batch_size(_AT_ONCE))
            if found != self.ids:
                self.ids = found
            # Those of before this worker came are dealt with: it has read nothing yet.
            if self._dealt_with is None:
                self._dealt_with = self.ids
            self._count, self._next_reading = count, now + _AGAIN_S
        self._next_look = now + LOOK_S

    @property
    def waiting(self) -> bool:
        """Tell whether there is something to `remove`."""
        return self._dealt_with is not None and self.ids is not self._dealt_with

    def remove(self) -> None:
        """Remove what the store has of listeners who became known since the last call.

        Raises
        ------
        PyMongoError
            If the store does not answer: then call it again.
        """
        ids, before = self.ids, self._dealt_with
        if before is not None:
            for listener_id in ids - before:
                remove(self._store.client[self._store.database], listener_id)
            self._dealt_with = ids
