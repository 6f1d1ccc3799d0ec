"""A player's two ends of Kafka: events out, each with its acknowledgement, and lists in."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable
from uuid import UUID

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError, UnknownTopicOrPartitionError
from kafka.partitioner import murmur2

from segue.errors import SegueError
from segue.live.events import PlayEvent
from segue.services.topics import PLAYS, RECOMMENDATIONS

log = logging.getLogger(__name__)

DELIVERY_S = 5.0
"""Seconds after which an event that the broker has not acknowledged counts as not delivered."""

_AWAY = (KafkaError, SegueError, OSError)
_WAITING = 200
_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 3.0
_PROBE_S = 2.0
_POLL_MS = 500
_CONNECTING = {
    "bootstrap_timeout_ms": 2_000,
    "request_timeout_ms": 3_000,
    "reconnect_backoff_max_ms": 500,
    "allow_auto_create_topics": False,
}


class Sender:
    """Sends events from a thread of its own and tells what became of each; never blocks its caller.

    Parameters
    ----------
    bootstrap
        Gives Kafka's address; asked again before every event, as a broker may come back elsewhere.
    answered
        Called with an event and whether the broker has it, from any thread.
    waiting
        How many events may wait for the broker; more are answered as not delivered.
    """

    def __init__(
        self,
        bootstrap: Callable[[], str],
        answered: Callable[[PlayEvent, bool], None],
        waiting: int = _WAITING,
    ) -> None:
        self._bootstrap, self._answered = bootstrap, answered
        self._waiting: queue.Queue[PlayEvent | None] = queue.Queue(waiting)
        self._in_hand: set[tuple[str, UUID]] = set()
        self._producer: KafkaProducer | None = None
        self._address = ""
        self._down_until, self._pause_s = 0.0, _PAUSE_S
        self.thread = threading.Thread(target=self._run, name="segue-sender", daemon=True)
        self.thread.start()

    def send(self, event: PlayEvent) -> None:
        """Send an event; one that is on its way already is not sent twice."""
        if _name(event) in self._in_hand:
            return
        try:
            self._in_hand.add(_name(event))
            self._waiting.put_nowait(event)
        except queue.Full:
            self._answer(event, False)

    def close(self) -> None:
        """End the thread; what the broker has not acknowledged then gets no answer."""
        self._answered = lambda event, delivered: None
        try:
            self._waiting.put_nowait(None)
        except queue.Full:
            log.warning("the sender ends with its queue full")

    def _run(self) -> None:
        with contextlib.suppress(*_AWAY):
            self._connected()
        while (event := self._waiting.get()) is not None:
            try:
                self._send(event)
            except Exception:
                log.exception("an event could not be sent")
                self._answer(event, False)
        self._discard()

    def _send(self, event: PlayEvent) -> None:
        if time.monotonic() < self._down_until:
            self._answer(event, False)
            return
        try:
            future = self._connected().send(PLAYS, key=event.listener_id.encode(), value=event.to_bytes())
        except _AWAY as error:
            if self._pause_s == _PAUSE_S:
                log.warning("Kafka takes no events: %s", error)
            self._down_until = time.monotonic() + self._pause_s
            self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
            self._answer(event, False)
            return
        self._pause_s = _PAUSE_S
        future.add_callback(lambda _: self._answer(event, True))
        future.add_errback(lambda error: self._failed(event, error))

    def _connected(self) -> KafkaProducer:
        address = self._bootstrap()
        if self._producer is None or address != self._address:
            self._discard()
            # Events have ids of their own, so that a doubled one is counted once; an idempotent producer
            # did not deliver again after its broker had been frozen for longer than the delivery timeout.
            self._producer = KafkaProducer(
                bootstrap_servers=address.split(","),
                client_id="segue-player",
                acks="all",
                enable_idempotence=False,
                max_in_flight_requests_per_connection=1,
                delivery_timeout_ms=int(DELIVERY_S * 1000),
                max_block_ms=2_000,
                **_CONNECTING,
            )
            self._address = address
        return self._producer

    def _failed(self, event: PlayEvent, error: Exception) -> None:
        log.warning("an event was not delivered: %s", error)
        self._answer(event, False)

    def _answer(self, event: PlayEvent, delivered: bool) -> None:
        self._in_hand.discard(_name(event))
        self._answered(event, delivered)

    def _discard(self) -> None:
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            producer.close(timeout=0)
        except KafkaError as error:
            log.info("a producer was closed with events in hand: %s", error)


class Receiver:
    """Reads lists as they come, from a thread of its own.

    Parameters
    ----------
    bootstrap
        Gives Kafka's address, as for `Sender`.
    received
        Called with the key and the content of each message, as they stand in the topic.
    listener_id
        Whose lists; only the partition that holds them is read. None: everybody's.
    connected
        Called with True when reading has begun, anew after each interruption, and with False when it breaks
        off; what was published between the two must be looked up elsewhere.
    """

    def __init__(
        self,
        bootstrap: Callable[[], str],
        received: Callable[[bytes, bytes], None],
        connected: Callable[[bool], None],
        listener_id: str | None = None,
    ) -> None:
        self._bootstrap, self._received, self._connected = bootstrap, received, connected
        self._key = None if listener_id is None else listener_id.encode()
        self._pause_s = _PAUSE_S
        self._stop = threading.Event()
        self.thread = threading.Thread(target=self._run, name="segue-receiver", daemon=True)
        self.thread.start()

    def close(self) -> None:
        """End the thread, within `_POLL_MS`."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._read()
            except _AWAY as error:
                # Said once an outage.
                if self._pause_s == _PAUSE_S:
                    log.warning("no lists come from Kafka: %s", error)
            except Exception:
                log.exception("reading lists broke off")
            if not self._stop.is_set():
                self._connected(False)
                self._stop.wait(self._pause_s)
                self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)

    def _read(self) -> None:
        consumer = KafkaConsumer(
            bootstrap_servers=self._bootstrap().split(","),
            client_id="segue-player",
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="latest",
            **_CONNECTING,
        )
        try:
            places = partitions(consumer) if self._key is None else [partition_of(consumer, self._key)]
            consumer.assign(places)
            consumer.seek_to_end(*places)
            for place in places:
                consumer.position(place, timeout_ms=_CONNECTING["request_timeout_ms"])
            self._connected(True)
            self._pause_s = _PAUSE_S
            asked = time.monotonic()
            while not self._stop.is_set():
                for records in consumer.poll(_POLL_MS).values():
                    for record in records:
                        if self._key in (None, record.key):
                            self._received(record.key, record.value)
                if time.monotonic() - asked > _PROBE_S:
                    # A poll of a broker that is gone only returns nothing; this raises.
                    consumer.end_offsets(places[:1])
                    asked = time.monotonic()
        finally:
            consumer.close(autocommit=False)


def partitions(consumer: KafkaConsumer) -> list[TopicPartition]:
    """Return the partitions that hold lists.

    Raises
    ------
    UnknownTopicOrPartitionError
        If the topic is not there.
    """
    numbers = sorted(consumer.partitions_for_topic(RECOMMENDATIONS) or ())
    if not numbers:
        raise UnknownTopicOrPartitionError(f"there is no topic {RECOMMENDATIONS}")
    return [TopicPartition(RECOMMENDATIONS, number) for number in numbers]


def partition_of(consumer: KafkaConsumer, key: bytes) -> TopicPartition:
    """Return the partition in which a keyed producer puts the lists of a listener.

    Raises
    ------
    UnknownTopicOrPartitionError
        If the topic is not there.
    """
    found = partitions(consumer)
    return found[(murmur2(key) & 0x7FFFFFFF) % len(found)]


def _name(event: PlayEvent) -> tuple[str, UUID]:
    # Ids are the page's to choose: another listener's must not stand in the way.
    return event.listener_id, event.event_id
