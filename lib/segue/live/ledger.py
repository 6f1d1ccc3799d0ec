"""What is written behind the batches: plays, and where each partition goes on once they are there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from segue.live import broker
from segue.live.events import PlayEvent
from segue.live.outbox import Sent
from segue.store import Store

MOST_PLAYS = 20_000
"""Plays that may wait to be written before a batch has to wait."""

_GATHER_S = 0.1


@dataclass(frozen=True, slots=True)
class Entry:
    """What a batch leaves to be done.

    Plays to store, messages that the broker has yet to acknowledge, lists that are being published, each of
    which gives such messages, and by partition the offset from which it goes on once all of that is done.
    """

    events: Sequence[PlayEvent]
    sent: Sequence[Sent]
    published: Sequence[Future[list[Sent]]]
    offsets: dict[int, int]


Written = tuple[dict[int, int], Sequence[PlayEvent]]
"""Offsets by partition and the events before them."""


class Ledger:
    """Writes entries in their order, from a thread of its own, so that no listener waits for it.

    An error stops it: `check` and `settle` raise it, and the worker reads again from the offsets that were
    written, which are never ahead of the plays.

    Parameters
    ----------
    store, log
        Where plays and offsets go, and under which name of the topic.
    written
        Told the offsets and events of entries once all of it is in the store, from the ledger's thread.
    """

    def __init__(self, store: Store, log: str, written: Callable[[Written], object]) -> None:
        self._store, self._log, self._written = store, log, written
        self._changed = threading.Condition()
        self._entries: list[Entry] = []
        self._in_hand = False
        self._hurry = False
        self._ended = False
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="segue-ledger", daemon=True)
        self._thread.start()

    def put(self, entry: Entry) -> None:
        """Leave an entry to be written; waits while too many plays are waiting.

        Raises
        ------
        KafkaError, PyMongoError
            What stopped the ledger, as a rule one of these.
        """
        with self._changed:
            while self._error is None and self._waiting() > MOST_PLAYS:
                self._changed.wait()
            self._raise()
            self._entries.append(entry)
            self._changed.notify_all()

    def settle(self) -> None:
        """Wait until every entry is written; raises as `put` does."""
        with self._changed:
            self._hurry = True
            self._changed.notify_all()
            while self._error is None and (self._entries or self._in_hand):
                self._changed.wait()
            self._hurry = False
            self._raise()

    def check(self) -> None:
        """Raise what stopped the ledger, if anything did."""
        with self._changed:
            self._raise()

    def close(self) -> None:
        """End the thread after what it has in hand; what is waiting is left for the next who reads."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._thread.join()

    def _waiting(self) -> int:
        return sum(len(entry.events) for entry in self._entries)

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        while (entries := self._next()) is not None:
            error = None
            try:
                self._write(entries)
            except Exception as raised:
                error = raised
            with self._changed:
                self._in_hand, self._error = False, error
                self._changed.notify_all()
            if error is not None:
                return

    def _next(self) -> list[Entry] | None:
        with self._changed:
            while not (self._entries or self._ended):
                self._changed.wait()
            # One command for many batches costs the store a fraction of as many commands.
            self._changed.wait_for(lambda: self._ended or self._hurry, _GATHER_S)
            if self._ended:
                return None
            entries, self._entries, self._in_hand = self._entries, [], True
            self._changed.notify_all()
            return entries

    def _write(self, entries: Sequence[Entry]) -> None:
        events = [event for entry in entries for event in entry.events]
        if events:
            self._store.plays.upsert([event.to_document() for event in events])
        for entry in entries:
            for sent in (*entry.sent, *(each for lists in entry.published for each in lists.result())):
                sent.get(broker.ANSWER_S)
        offsets: dict[int, int] = {}
        for entry in entries:
            offsets |= entry.offsets
        if offsets:
            self._store.offsets.put(self._log, offsets)
        self._written((offsets, events))
