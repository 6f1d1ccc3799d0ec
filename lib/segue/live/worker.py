"""The live worker: plays in from Kafka, a listener's state and list into the store, the list out again."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal
from uuid import UUID, uuid4, uuid5

from kafka import TopicPartition
from kafka.errors import KafkaError
from pymongo.errors import PyMongoError

from segue.live import broker, intake, listener
from segue.live.events import Malformed, Recommendation, now
from segue.live.intake import Received
from segue.live.loading import Models
from segue.pipeline.run import Run
from segue.services.topics import PLAYS, RECOMMENDATIONS, REJECTED
from segue.settings import Settings
from segue.store import Store
from segue.store.listeners import ListenerDocument

HEARTBEAT_S = 3.0
"""Seconds between two signs of life, each after Kafka has answered a question."""

_POLL_MS = 250
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 2.0
_NAMESPACE = UUID("d1f9a3a2-6a0e-5c0c-8f0a-1f6f3d0b7c55")
_log = logging.getLogger(__name__)


class Worker:
    """Serves the listeners of one data set with the models of one run.

    Events of a listener are applied in the order of their offsets; one conditional update of the listener's
    document holds the state, the offset and the event ids, and the offset from which a partition goes on is
    written after the batch. Whatever dies in between, the same events come again and change nothing twice.

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
        self._plays: broker.Plays | None = None
        self._producer: Any = None
        self._log_name = ""
        self._away: list[str] = []
        self._wait_s = _FIRST_WAIT_S
        self._next_beat = 0.0

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
        try:
            while not stop.is_set():
                try:
                    self._turn()
                except KafkaError as error:
                    self._wait(stop, "Kafka", error)
                except PyMongoError as error:
                    self._wait(stop, "the document store", error)
        finally:
            self._leave()

    def _turn(self) -> None:
        self._models.refresh()
        plays = self._connected()
        self._place(plays)
        records = plays.poll(_POLL_MS)
        if records:
            self._batch(plays, records)
        if self._away or time.monotonic() >= self._next_beat:
            plays.check()
            self.store.workers.beat(self._id, self._models.run.path.name, os.getpid())
            self._next_beat = time.monotonic() + HEARTBEAT_S
            for who in self._away:
                _log.warning("%s answers again: going on", who)
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
        if self._plays is not None:
            with contextlib.suppress(KafkaError):
                self._plays.hold()
        stop.wait(self._wait_s)
        self._wait_s = min(2 * self._wait_s, _LONGEST_WAIT_S)

    # Kafka ---------------------------------------------------------------------------------------------

    def _connected(self) -> broker.Plays:
        if self._plays is None:
            self._log_name = broker.log_name(self._bootstrap)
            self._plays = broker.Plays(self._bootstrap, self.group)
        if self._producer is None:
            self._producer = broker.producer(self._bootstrap)
        return self._plays

    def _place(self, plays: broker.Plays) -> None:
        """Put each partition that is new to us, or that we let go, where the store says that it goes on."""
        parts = plays.unplaced()
        if not parts:
            return
        known = self.store.offsets.get(self._log_name)
        unknown = [part for part in parts if part.partition not in known]
        for part, offset in (plays.edge(unknown, self.start) if unknown else {}).items():
            self.store.offsets.put(self._log_name, part.partition, offset)
            known[part.partition] = offset
        for part in parts:
            plays.place(part, known[part.partition])

    def _leave(self) -> None:
        if self._producer is not None:
            with contextlib.suppress(KafkaError):
                self._producer.close(timeout=broker.GIVE_UP_S)
        if self._plays is not None:
            with contextlib.suppress(KafkaError):
                self._plays.close()
        with contextlib.suppress(PyMongoError):
            self.store.workers.leave(self._id)

    # One batch -----------------------------------------------------------------------------------------

    def _batch(self, plays: broker.Plays, records: Mapping[TopicPartition, Sequence[Any]]) -> None:
        """Give every record its effect; any error leaves the batch to be read again."""
        sent = []
        accepted: dict[tuple[str, int], list[Received]] = {}
        for record in (record for batch in records.values() for record in batch):
            try:
                event = intake.read(record)
            except Malformed as error:
                place = f"{record.partition}:{record.offset}".encode()
                sent.append(
                    self._producer.send(REJECTED, key=place, value=intake.rejection(record, str(error)))
                )
                continue
            if event.dataset == self.database:
                line = accepted.setdefault((event.listener_id, record.partition), [])
                line.append(Received(event, record.offset))
        if accepted:
            self.store.plays.upsert([r.event.to_document() for line in accepted.values() for r in line])
        known = self.store.listeners.by_ids({listener_id for listener_id, _ in accepted}) if accepted else {}
        for (listener_id, partition), line in accepted.items():
            if all(each.event.kind in listener.PASSIVE for each in line):
                continue
            document = self._advance(known.get(listener_id), listener_id, partition, line)
            known[listener_id] = document
            recommendation = self._recommend(document)
            self.store.recommendations.put(recommendation.model_dump(mode="json"))
            sent.append(
                self._producer.send(
                    RECOMMENDATIONS, key=listener_id.encode(), value=recommendation.to_bytes()
                )
            )
        for future in sent:
            future.get(timeout=broker.ANSWER_S)
        offsets = {part: batch[-1].offset + 1 for part, batch in records.items()}
        for part, offset in offsets.items():
            self.store.offsets.put(self._log_name, part.partition, offset)
        plays.commit(offsets)

    def _advance(
        self, base: ListenerDocument | None, listener_id: str, partition: int, line: Sequence[Received]
    ) -> ListenerDocument:
        """Apply events to a listener's document, again from its newest form when another worker was first."""
        while True:
            new = intake.advance(base, listener_id, self._log_name, partition, line)
            assert new is not None
            if new is base or self.store.listeners.advance(new, base):
                return new
            base = self.store.listeners.get(listener_id)

    def _recommend(self, document: ListenerDocument) -> Recommendation:
        """Return the list for a document; equal documents and models give an equal list of the same id."""
        serving = self._models.serving
        made = serving.recommend(listener.from_document(document.state), self.settings.list_length)
        name = "/".join(
            (self.database, document.listener_id, document.log, str(document.partition), str(document.offset))
        )
        return Recommendation(
            recommendation_id=uuid5(_NAMESPACE, f"{name}/{serving.fingerprint}"),
            dataset=self.database,
            listener_id=document.listener_id,
            made_at=now(),
            model=made.model,
            items=made.items,
            caused_by=None if document.caused_by is None else UUID(document.caused_by),
        )
