"""What a live worker counts of its own work: cheap where it works, written away every few seconds."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pymongo
from pymongo.errors import PyMongoError

from segue.live.events import PlayEvent
from segue.live.tallies import OTHER, Tally
from segue.store import Store

AWAY = ("kafka", "store")
"""Whom a worker may have to wait for."""

REJECTED_FIELDS = (*PlayEvent.model_fields, "key", "message", OTHER)
"""What may be wrong with a message; a closed list, as the names in a message are its sender's."""

DAYS = 7
"""Days that counted minutes are kept, unless told otherwise."""

_MINUTE_S = 60
_WAITING = 180
_PATIENCE_S, _LAST_PATIENCE_S = 1.0, 5.0
_FORGET_EVERY_S = 3_600
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How a worker is, and all that it has counted since it began.

    ``active`` has by origin the listeners of the last minute that is over; ``lag`` by partition the events
    that are not read yet; ``away`` whom the worker waits for; ``waiting`` counts the minutes
    that the store has yet to be told of, ``lost`` those that it never will be.
    """

    worker_id: str
    run: str
    since: datetime
    total: Tally
    active: dict[str, int]
    lag: dict[int, int]
    away: tuple[str, ...]
    waiting: int
    lost: int


class Activity:
    """Counts what one worker reads, makes and waits for, by the minute in which the worker did it.

    Give an event once it has had its effect, so that a batch which is read again is not counted twice. One
    thread may count, another `flush`, and any ask for a `snapshot`.

    Parameters
    ----------
    store
        Where `flush` writes.
    worker_id
        Different at each start of a worker: what it has counted is known by it.
    run
        Whose models serve; set `run` when another takes over.
    days
        How long minutes are kept; `flush` removes older ones of every worker at times.
    clock
        Gives seconds since 1970.
    """

    def __init__(
        self,
        store: Store,
        worker_id: str,
        *,
        run: str = "",
        days: float = DAYS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.worker_id, self.run = worker_id, run
        self.address: str | None = None
        """``host:port`` where Prometheus finds this worker, while it is served (see `exposition`)."""
        self.store, self._days, self._clock = store, days, clock
        self._lock = threading.Lock()
        self._since = datetime.fromtimestamp(clock(), UTC)
        self._minute = int(clock()) // _MINUTE_S
        self._current, self._changed = Tally(), False
        self._over = Tally()
        self._active: dict[str, int] = {"real": 0, "simulated": 0}
        self._unwritten: dict[int, dict[str, Any]] = {}
        self._lost = 0
        self._lag: dict[int, int] = {}
        self._away: set[str] = set()
        self._forgotten_at = float("-inf")
        self._told = False

    # What the worker tells ------------------------------------------------------------------------------

    def events(self, events: Sequence[PlayEvent]) -> None:
        """Count events that have had their effect."""
        if not events:
            return
        with self._lock:
            tally = self._now()
            for event in events:
                counts = tally.simulated if event.simulated else tally.real
                counts.kinds[event.kind] += 1
                counts.listeners.add(event.listener_id)
                if event.kind == "play":
                    counts.plays.add(event.track_id)

    def rejected(self, field: str) -> None:
        """Count a message that is no event by the field that is wrong: a reason's text will do.

        A name that the schema does not have comes from the sender: it is counted as ``other``.
        """
        name = field.partition(":")[0].partition(".")[0].removeprefix("the ").strip()
        with self._lock:
            self._now().rejected[name if name in REJECTED_FIELDS else OTHER] += 1

    def listed(self, model: str, latency_s: float) -> None:
        """Count a list and the seconds from the message that caused it to its being published."""
        with self._lock:
            self._now().listed(model, max(0.0, latency_s))

    def batch(self, records: int, seconds: float) -> None:
        """Count a batch of records and the seconds of work on it."""
        with self._lock:
            tally = self._now()
            tally.batches += 1
            tally.records += records
            tally.busy_s += seconds

    def lag(self, by_partition: Mapping[int, int]) -> None:
        """Note how many events each partition of this worker still holds for it; others are not its own."""
        with self._lock:
            self._lag = dict(by_partition)

    def away(self, who: str, is_away: bool) -> None:
        """Note whether the worker waits for ``kafka`` or the ``store``."""
        with self._lock:
            (self._away.add if is_away else self._away.discard)(who)

    # What others are told -------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """Return all that was counted so far, from any thread."""
        with self._lock:
            self._now(changes=False)
            total = Tally()
            total.update(self._over)
            total.update(self._current)
            return Snapshot(
                worker_id=self.worker_id,
                run=self.run,
                since=self._since,
                total=total,
                active=dict(self._active),
                lag=dict(self._lag),
                away=tuple(sorted(self._away)),
                waiting=len(self._unwritten) + self._changed,
                lost=self._lost,
            )

    def flush(self) -> bool:
        """Write what is new to the store, and tell whether that went well; what did not is kept for later.

        The store is given a second. At most three hours of minutes are kept for it.
        """
        return self._flush(_PATIENCE_S)

    def close(self) -> None:
        """Write the last of it, within some seconds, and take this worker off the list of those at work."""
        if self._flush(_LAST_PATIENCE_S):
            try:
                with pymongo.timeout(_LAST_PATIENCE_S):
                    self.store.activity.leave(self.worker_id)
            except PyMongoError as error:
                _log.warning("the store was not told that the counting ended: %s", error)

    def _flush(self, patience_s: float) -> bool:
        with self._lock:
            self._now(changes=False)
            minutes = dict(self._unwritten)
            if self._changed:
                minutes[self._minute] = self._current.to_document()
            self._changed = False
            at = datetime.fromtimestamp(self._clock(), UTC)
            state = self._state()
        try:
            with pymongo.timeout(patience_s):
                self._write(minutes, at, state)
        except PyMongoError as error:
            self._keep(minutes, error)
            return False
        with self._lock:
            for minute, written in minutes.items():
                if self._unwritten.get(minute) is written:
                    del self._unwritten[minute]
        self._told = False
        return True

    def _now(self, *, changes: bool = True) -> Tally:
        """Return the tally of this minute, after putting an earlier one away; time never goes back in it."""
        minute = int(self._clock()) // _MINUTE_S
        if minute > self._minute:
            if self._changed:
                self._put_away(self._minute, self._current.to_document())
            last = self._current if minute == self._minute + 1 else Tally()
            self._active = {
                "real": last.real.listeners.count(), "simulated": last.simulated.listeners.count(),
            }  # fmt: skip
            self._over.update(self._current)
            self._current, self._changed, self._minute = Tally(), False, minute
        self._changed |= changes
        return self._current

    def _put_away(self, minute: int, counted: dict[str, Any]) -> None:
        self._unwritten[minute] = counted
        if len(self._unwritten) > _WAITING:
            del self._unwritten[min(self._unwritten)]
            self._lost += 1

    def _state(self) -> dict[str, Any]:
        return {
            "since": self._since,
            "run": self.run,
            "address": self.address,
            "lag": {str(partition): events for partition, events in sorted(self._lag.items())},
            "away": sorted(self._away),
            "lost": self._lost,
        }

    def _write(self, minutes: Mapping[int, dict[str, Any]], at: datetime, state: dict[str, Any]) -> None:
        kept = self.store.activity
        kept.put(
            self.worker_id,
            {datetime.fromtimestamp(minute * _MINUTE_S, UTC): each for minute, each in minutes.items()},
        )
        kept.put_worker(self.worker_id, at, state)
        if at.timestamp() - self._forgotten_at >= _FORGET_EVERY_S:
            kept.forget(at - timedelta(days=self._days))
            self._forgotten_at = at.timestamp()

    def _keep(self, minutes: Mapping[int, dict[str, Any]], error: PyMongoError) -> None:
        with self._lock:
            for minute, unwritten in minutes.items():
                if minute == self._minute:
                    self._changed = True
                elif minute not in self._unwritten:
                    self._put_away(minute, unwritten)
        if not self._told:
            _log.warning("what was counted waits for the store: %s", type(error).__name__)
            self._told = True
