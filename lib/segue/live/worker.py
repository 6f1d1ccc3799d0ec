"""The live worker: plays in from Kafka, a listener's state and list into the store, the list out again."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from typing import Literal
from uuid import uuid4

from kafka.errors import KafkaError
from pymongo.errors import PyMongoError

from segue.live import broker
from segue.live.activity import Activity
from segue.live.deletions import Deletions
from segue.live.exposition import Endpoint
from segue.live.housekeeping import Housekeeping
from segue.live.loading import Models
from segue.live.outbox import Outbox
from segue.live.processing import Processing
from segue.live.seat import Seat
from segue.pipeline.run import Run
from segue.services.topics import PLAYS, RECOMMENDATIONS, REJECTED
from segue.settings import Settings
from segue.store import Store

HEARTBEAT_S = 3.0
"""Seconds between two signs of life, each after Kafka has answered a question."""

COMMIT_S = 1.0
"""Seconds between two times that Kafka is told how far we are."""

_POLL_MS = 250
_MODELS_S = 0.25
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 2.0
_log = logging.getLogger(__name__)


class Worker:
    """Serves the listeners of one data set with the models of one run (see `Processing`).

    Workers of one group share the partitions of ``segue.plays``; one that ends or dies leaves its own to the
    others, and one that comes back after its death has them again at once.

    Parameters
    ----------
    settings
        Where Kafka is (``kafka_bootstrap``) and how long a list is (``list_length``).
    run
        Whose models and cards are used; the cards are read from ``run.dataset["database"]``.
    store
        Where state, plays and lists go, and whose heartbeat collection is used.
    database
        Only events of this ``dataset`` are served; by default ``store.database``.
    group
        Kafka's consumer group; by default ``segue-worker-<database>``.
    start
        Where to begin in a partition that ``store`` has no offset of: with the oldest event that Kafka still
        has, or with those that come after ``ready``.
    follow
        Whether to take up another run of the data set as soon as ``runs/current`` points to it.
    report
        Told one line when the worker is ready.

    Attributes
    ----------
    ready
        Set once the worker reads from its place in every partition: an event sent after that is served.
    """

    def __init__(
        self,
        settings: Settings,
        run: Run,
        store: Store,
        *,
        database: str | None = None,
        group: str | None = None,
        start: Literal["earliest", "latest"] = "earliest",
        follow: bool = False,
        report: Callable[[str], object] = _log.info,
    ) -> None:
        self.settings, self.store = settings, store
        self.database = database or store.database
        self.group = group or f"segue-worker-{self.database}"
        self.start = start
        self.ready = threading.Event()
        self._report = report
        self._id = f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"
        self._models = Models(settings, run, store, self.database, follow=follow)
        self._activity = Activity(store, self._id, run=run.path.name, days=settings.activity_days)
        self._plays: broker.Plays | None = None
        self._outbox: Outbox | None = None
        self._processing: Processing | None = None
        self._log_name = ""
        self._moves = 0
        self._away: list[str] = []
        self._wait_s = _FIRST_WAIT_S
        self._next_beat = self._next_commit = 0.0
        self._uncommitted: dict[int, int] = {}

    def serve(self, stop: threading.Event) -> None:
        """Serve until ``stop`` is set, finish the batch in hand, and leave in order.

        While Kafka or the store is away it waits, says so once, and goes on when it is back.

        Raises
        ------
        SegueError
            If the run has no model to serve, no address of Kafka is known, Kafka has no topic of plays, or
            ``runs/current`` moves on to another data set.
        """
        self._bootstrap = self.settings.kafka_bootstrap
        endpoint = Endpoint(self._activity, self.settings, self.database)
        housekeeping = Housekeeping(self._models, self.store, self._activity)
        with Seat(self.settings.var / "worker") as self._seat, contextlib.ExitStack() as ending:
            ending.callback(self._activity.close)
            ending.callback(endpoint.close)
            ending.callback(housekeeping.close)
            ending.callback(self._leave)
            while not stop.is_set():
                try:
                    self._turn(housekeeping)
                except KafkaError as error:
                    self._wait(stop, "Kafka", error)
                except PyMongoError as error:
                    self._wait(stop, "the document store", error)
            with contextlib.suppress(KafkaError, PyMongoError):
                self._finish()

    def _turn(self, housekeeping: Housekeeping) -> None:
        housekeeping.check()
        plays = self._connected()
        # Models are loaded while Kafka is asked; nothing is read before both are there.
        if not housekeeping.ready(_MODELS_S):
            return
        processing = self._at_work(housekeeping.deletions)
        if housekeeping.deletions.waiting:
            plays.hold()
            processing.remove_deleted()
        self._place(plays)
        records = plays.poll(0 if processing.owes else _POLL_MS)
        self._keep_to(plays, processing)
        if records or processing.owes:
            processing.turn(records)
        self._uncommitted |= processing.written()
        now = time.monotonic()
        if now >= self._next_commit:
            self._commit(plays)
            self._next_commit = now + COMMIT_S
        if self._away or now >= self._next_beat:
            plays.check()
            self.store.workers.beat(self._id, self._models.run.path.name, os.getpid())
            self._next_beat = now + HEARTBEAT_S
            for who in self._away:
                _log.warning("%s answers again: going on", who)
                self._activity.away(_SHORT[who], False)
            self._away, self._wait_s = [], _FIRST_WAIT_S
        if plays.ours() and not self.ready.is_set():
            self._report(
                f"worker: serving {self.database} with the run {self._models.run.path.name}, "
                f"from {PLAYS} to {RECOMMENDATIONS} (refused: {REJECTED})"
            )
            self.ready.set()

    def _wait(self, stop: threading.Event, who: str, error: Exception) -> None:
        """Say once who is away, read again from where the store says, and wait twice as long as last time."""
        if who not in self._away:
            _log.warning("%s does not answer, waiting for it: %s: %s", who, type(error).__name__, error)
            self._away.append(who)
            self._activity.away(_SHORT[who], True)
        if self._processing is not None:
            self._processing.restart()
        if self._plays is not None:
            with contextlib.suppress(KafkaError):
                self._plays.hold()
        if isinstance(error, broker.Ended):
            self._disconnect()
        stop.wait(self._wait_s)
        self._wait_s = min(2 * self._wait_s, _LONGEST_WAIT_S)

    # Kafka ---------------------------------------------------------------------------------------------

    def _connected(self) -> broker.Plays:
        if self._plays is None:
            self._log_name = broker.log_name(self._bootstrap)
            self._plays = broker.Plays(self._bootstrap, self.group, self._seat.name, self._leaving)
            self._moves = self._plays.moves
        return self._plays

    def _leaving(self) -> None:
        """Let no list of ours come after one of the worker that is about to get its partition."""
        if self._processing is not None:
            self._processing.settle_lists()

    def _at_work(self, deletions: Deletions) -> Processing:
        if self._outbox is None:
            self._outbox = Outbox(self._bootstrap)
        if self._processing is None:
            self._processing = Processing(
                self.store,
                self.database,
                self._log_name,
                self._outbox,
                self._models,
                self._activity,
                self.settings.list_length,
                deletions,
            )
        return self._processing

    def _place(self, plays: broker.Plays) -> None:
        """Put each partition that is new to us, or that we let go, where the store says that it goes on."""
        parts = plays.unplaced()
        if not parts:
            return
        known = self.store.offsets.get(self._log_name)
        unknown = [part for part in parts if part not in known]
        if unknown:
            edges = plays.edge(unknown, self.start)
            self.store.offsets.put(self._log_name, edges)
            known |= edges
        for part in parts:
            plays.place(part, known[part])

    def _keep_to(self, plays: broker.Plays, processing: Processing) -> None:
        if plays.moves != self._moves:
            processing.keep_to(plays.mine())
            self._moves = plays.moves

    def _commit(self, plays: broker.Plays) -> None:
        self._activity.lag(plays.lag())
        if self._uncommitted:
            plays.commit(self._uncommitted)
            self._uncommitted = {}

    def _finish(self) -> None:
        """Write what is left of the last batch, so that the next worker need not read it again."""
        if self._processing is not None:
            self._processing.finish()

    def _leave(self) -> None:
        if self._processing is not None:
            self._processing.close()
        if self._outbox is not None:
            self._outbox.close()
        self._disconnect(leave=True)
        with contextlib.suppress(PyMongoError):
            self.store.workers.leave(self._id)

    def _disconnect(self, *, leave: bool = False) -> None:
        plays, self._plays = self._plays, None
        if plays is not None:
            with contextlib.suppress(KafkaError):
                plays.close(leave=leave)


_SHORT = {"Kafka": "kafka", "the document store": "store"}
