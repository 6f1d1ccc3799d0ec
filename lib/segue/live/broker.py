"""The plays that a worker reads from Kafka."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Literal, NamedTuple

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from confluent_kafka import KafkaError as ClientError
from kafka.admin import MemberToRemove
from kafka.errors import KafkaError, UnknownTopicOrPartitionError

from segue.errors import SegueError
from segue.services import topics

ANSWER_S = 5.0
"""Seconds after which a broker that has not acknowledged counts as away."""

MOST = 40_000
"""Records that are read at once: of a backlog, many of one listener make one state and one list."""

# The shortest that a broker takes unless told otherwise: so long the partitions of a dead worker wait.
_SESSION_MS = 6_000
_LONGEST_BATCH_MS = 60_000
_FETCHED = 2 << 20
_QUEUED_KIB = 32 << 10
# Under load the store takes a few events together for little more than one. After a pause nothing waits.
_PACE_S = 0.005
_UNHEARD = logging.getLogger(f"{__name__}.client")
_UNHEARD.disabled = True
# A question about offsets waits behind the one for records, on the same connection.
_FETCH_WAIT_MS = 100


class Ended(KafkaError):
    """The client has ended for good, as when another took its seat: make a new one."""


class Record(NamedTuple):
    """A message of a topic; ``timestamp`` is when it was sent, in milliseconds since 1970."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int | None


def log_name(bootstrap: str) -> str:
    """Return the identity of the topic of plays: a topic that was made anew has another one.

    Raises
    ------
    SegueError
        If the topic does not exist.
    KafkaError
        If no broker answers.
    """
    with topics.connect(bootstrap) as admin:
        found = [topic for topic in admin.describe_topics() if topic["name"] == topics.PLAYS]
    if not found:
        raise SegueError(f"Kafka at {bootstrap} has no topic {topics.PLAYS}: run `segue services up`")
    return str(found[0].get("topic_id") or topics.PLAYS)


class Plays:
    """The plays of the partitions that the group gives to this worker, each from a place that is set here.

    A partition yields nothing before `place` has put it somewhere, nor after `hold`. The client is one in C:
    it has the next records at hand when they are asked for, beside the threads of Python that make lists.

    Parameters
    ----------
    bootstrap, group
        Kafka's address and the consumer group.
    seat
        Name of this member: one that died and comes back by the same name goes on at once.
    leaving
        Called before partitions go to another worker.

    Raises
    ------
    KafkaError
        If no broker answers, or it does not know the topic yet; from every method that asks it.
    Ended
        Likewise, from then on.
    """

    def __init__(self, bootstrap: str, group: str, seat: str, leaving: Callable[[], object]) -> None:
        self._bootstrap, self._group, self._seat, self._leaving = bootstrap, group, seat, leaving
        self.moves = 0
        """Grows whenever partitions come or go."""
        self._assigned: set[int] = set()
        self._next: dict[int, int] = {}
        self._read_at = 0.0
        self._is_placed_anew = False
        self._fatal: ClientError | None = None
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "client.id": "segue-worker",
                "group.id": group,
                "group.instance.id": seat,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": _FETCH_WAIT_MS,
                "max.partition.fetch.bytes": _FETCHED,
                "queued.max.messages.kbytes": _QUEUED_KIB,
                "fetch.queue.backoff.ms": 10,
                "max.poll.interval.ms": _LONGEST_BATCH_MS,
                "session.timeout.ms": _SESSION_MS,
                "heartbeat.interval.ms": _SESSION_MS // 4,
                "reconnect.backoff.max.ms": 1_000,
                "error_cb": self._failed,
                # The worker says itself, once, that Kafka is away.
                "logger": _UNHEARD,
            }
        )
        try:
            with self._told():
                known = self._consumer.list_topics(topics.PLAYS, ANSWER_S).topics[topics.PLAYS]
            if known.error is not None or not known.partitions:
                raise UnknownTopicOrPartitionError(topics.PLAYS)
        except KafkaError:
            self.close()
            raise
        self._consumer.subscribe([topics.PLAYS], on_assign=self._on_assign, on_revoke=self._on_revoke)

    def unplaced(self) -> list[int]:
        """Return the partitions that are ours and wait for `place`."""
        return sorted(self._assigned - self._next.keys())

    def mine(self) -> set[int]:
        """Return the partitions that are ours and in their place."""
        return set(self._next)

    def ours(self) -> bool:
        """Tell whether the group has given us partitions and each is in its place."""
        return bool(self._assigned) and self._assigned == self._next.keys()

    def place(self, partition: int, offset: int) -> None:
        """Read on from an offset."""
        self._next[partition] = offset
        self._is_placed_anew = True

    def edge(self, partitions: Collection[int], which: Literal["earliest", "latest"]) -> dict[int, int]:
        """Return by partition the first offset there is, or the next one to be written."""
        with self._told():
            found = {
                number: self._consumer.get_watermark_offsets(_part(number), ANSWER_S) for number in partitions
            }
        return {number: edges[which == "latest"] for number, edges in found.items()}

    def lag(self) -> dict[int, int]:
        """Return by partition how many records were there, when Kafka last told, that are not read yet."""
        with self._told():
            ends = {
                number: self._consumer.get_watermark_offsets(_part(number), cached=True)[1]
                for number in self._next
            }
        return {number: max(0, end - self._next[number]) for number, end in ends.items() if end >= 0}

    def check(self) -> None:
        """Raise KafkaError if the broker does not answer."""
        self.edge(sorted(self._assigned)[:1], "latest")

    def hold(self) -> None:
        """Forget where we are in every partition and stay in the group."""
        self._next.clear()
        self._is_placed_anew = True
        self.poll(0)

    def poll(self, timeout_ms: int) -> dict[int, list[Record]]:
        """Return the next records by partition, as soon as there are any.

        What was read of a partition that came or went meanwhile is left out: `place` says where it goes on.
        """
        self._read_from_places()
        with self._told():
            first = self._consumer.poll(timeout_ms / 1000)
            rest_s = max(0.0, self._read_at + _PACE_S - time.monotonic())
            messages = [] if first is None else [first, *self._consumer.consume(MOST - 1, rest_s)]
            self._read_at = time.monotonic()
        errors = [error for message in messages if (error := message.error()) is not None]
        if problem := next(iter(errors), self._fatal):
            raise self._error(problem)
        found: dict[int, list[Record]] = {}
        for message in messages:
            record = _record(message)
            if record.offset >= self._next.get(record.partition, record.offset + 1):
                found.setdefault(record.partition, []).append(record)
                self._next[record.partition] = record.offset + 1
        return found

    def commit(self, offsets: Mapping[int, int]) -> None:
        """Tell the group how far we are, for those who watch its lag; nothing depends on it."""
        told = [_part(number, offset) for number, offset in offsets.items() if number in self._next]
        if told:
            with self._told():
                self._consumer.commit(offsets=told, asynchronous=True)

    def close(self, *, leave: bool = False) -> None:
        """Close the connection, and with ``leave`` let others of the group have the partitions at once."""
        self._consumer.close()
        if leave:
            # A static member says nothing when it goes: its partitions would wait for its session's end.
            with topics.connect(self._bootstrap) as admin:
                admin.remove_group_members(self._group, [MemberToRemove(group_instance_id=self._seat)])

    def _read_from_places(self) -> None:
        """Let the client forget what it has at hand, and read from where each partition goes on."""
        if self._is_placed_anew:
            self._is_placed_anew = False
            with self._told():
                self._consumer.assign([_part(number, offset) for number, offset in self._next.items()])

    def _on_assign(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        """Hold new partitions until they are placed."""
        self.moves += 1
        self._assigned = {part.partition for part in partitions}
        self._next.clear()
        self._consumer.assign([])

    def _on_revoke(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        """Forget partitions that go to another worker."""
        self._leaving()
        self.moves += 1
        self._assigned.clear()
        self._next.clear()
        self._consumer.unassign()

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Raise the errors of the client as those that the worker knows."""
        try:
            yield
        except KafkaException as error:
            raise self._error(error.args[0]) from None

    def _error(self, error: ClientError) -> KafkaError:
        self._failed(error)
        return (KafkaError if self._fatal is None else Ended)(f"{error.name()}: {error.str()}")

    def _failed(self, error: ClientError) -> None:
        """Remember that the client has ended: it is told once, and who asks thereafter may get nothing."""
        if error.fatal() or error.code() == ClientError._FATAL:
            self._fatal = error


def _part(number: int, offset: int = -1) -> TopicPartition:
    return TopicPartition(topics.PLAYS, number, offset)


def _record(message: Message) -> Record:
    kind, at_ms = message.timestamp()
    return Record(
        message.topic(), message.partition(), message.offset(), message.key(), message.value(),
        at_ms if kind else None,
    )  # fmt: skip
