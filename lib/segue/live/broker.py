"""The plays that a worker reads from Kafka."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal

from kafka import ConsumerRebalanceListener, KafkaConsumer, TopicPartition
from kafka.admin import MemberToRemove
from kafka.errors import UnknownTopicOrPartitionError
from kafka.structs import OffsetAndMetadata

from segue.errors import SegueError
from segue.services import topics

ANSWER_S = 5.0
"""Seconds after which a broker that has not acknowledged counts as away."""

MOST = 40_000
"""Records that are read at once: of a backlog, many of one listener make one state and one list."""

_TIMEOUT_MS = int(ANSWER_S * 1000)
# The shortest that a broker takes unless told otherwise: so long the partitions of a dead worker wait.
_SESSION_MS = 6_000
_LONGEST_BATCH_MS = 60_000
_FETCHED = 2 << 20


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

    A partition yields nothing before `place` has put it somewhere, nor after `hold`.

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
        If no broker answers, or it does not know the topic yet.
    """

    def __init__(self, bootstrap: str, group: str, seat: str, leaving: Callable[[], object]) -> None:
        self._bootstrap, self._group, self._seat, self._leaving = bootstrap, group, seat, leaving
        self.moves = 0
        """Grows whenever partitions come or go."""
        self._placed: set[TopicPartition] = set()
        self._consumer = KafkaConsumer(
            bootstrap_servers=bootstrap.split(","),
            client_id="segue-worker",
            group_id=group,
            group_instance_id=seat,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_min_bytes=1,
            max_partition_fetch_bytes=_FETCHED,
            max_poll_records=MOST,
            max_poll_interval_ms=_LONGEST_BATCH_MS,
            metrics_enabled=False,
            session_timeout_ms=_SESSION_MS,
            heartbeat_interval_ms=_SESSION_MS // 4,
            request_timeout_ms=_TIMEOUT_MS * 2,
            bootstrap_timeout_ms=_TIMEOUT_MS,
            reconnect_backoff_max_ms=1_000,
            allow_auto_create_topics=False,
        )
        # Without the topic's metadata at hand the client may assign no partition to anyone, for minutes.
        if not self._consumer.partitions_for_topic(topics.PLAYS):
            self.close()
            raise UnknownTopicOrPartitionError(topics.PLAYS)
        self._consumer.subscribe([topics.PLAYS], listener=_Rebalance(self))

    def unplaced(self) -> list[TopicPartition]:
        """Return the partitions that are ours and wait for `place`."""
        return sorted(self._consumer.assignment() - self._placed)

    def mine(self) -> set[int]:
        """Return the partitions that are ours and in their place."""
        return {part.partition for part in self._placed & self._consumer.assignment()}

    def ours(self) -> bool:
        """Tell whether the group has given us partitions and each is in its place."""
        assigned = self._consumer.assignment()
        return bool(assigned) and assigned <= self._placed

    def place(self, partition: TopicPartition, offset: int) -> None:
        """Read on from an offset."""
        self._consumer.seek(partition, offset)
        self._consumer.resume(partition)
        self._placed.add(partition)

    def edge(self, partitions: Collection[TopicPartition], which: Literal["earliest", "latest"]) -> Any:
        """Return by partition the first offset there is, or the next one to be written."""
        of = self._consumer.beginning_offsets if which == "earliest" else self._consumer.end_offsets
        return of(list(partitions), timeout_ms=_TIMEOUT_MS)

    def lag(self) -> dict[int, int]:
        """Return by partition how many records were there, when Kafka last told, that are not read yet."""
        lag = {}
        for part in self._placed & self._consumer.assignment():
            end = self._consumer.highwater(part)
            if end is not None:
                lag[part.partition] = max(0, end - self._consumer.position(part))
        return lag

    def check(self) -> None:
        """Raise KafkaError if the broker does not answer."""
        if assigned := self._consumer.assignment():
            self.edge(assigned, "latest")

    def hold(self) -> None:
        """Forget where we are in every partition and stay in the group."""
        self._placed.clear()
        self._consumer.pause(*self._consumer.assignment())
        self._consumer.poll(0)

    def poll(self, timeout_ms: int) -> dict[TopicPartition, list[Any]]:
        """Return the next records by partition, as soon as there are any.

        What was read of a partition that came or went meanwhile is left out: `place` says where it goes on.
        """
        found = self._consumer.poll(timeout_ms)
        return {part: records for part, records in found.items() if part in self._placed}

    def commit(self, offsets: Mapping[int, int]) -> None:
        """Tell the group how far we are, for those who watch its lag; nothing depends on it."""
        mine = self.mine()
        self._consumer.commit_async(
            {
                TopicPartition(topics.PLAYS, partition): OffsetAndMetadata(offset, "", -1)
                for partition, offset in offsets.items()
                if partition in mine
            }
        )

    def close(self, *, leave: bool = False) -> None:
        """Close the connection, and with ``leave`` let others of the group have the partitions at once."""
        self._consumer.close(autocommit=False, timeout_ms=2_000)
        if leave:
            # A static member says nothing when it goes: its partitions would wait for its session's end.
            with topics.connect(self._bootstrap) as admin:
                admin.remove_group_members(self._group, [MemberToRemove(group_instance_id=self._seat)])

    def assigned(self, partitions: Collection[TopicPartition]) -> None:
        """Hold new partitions until they are placed."""
        self.moves += 1
        self._placed.difference_update(partitions)
        self._consumer.pause(*partitions)

    def revoked(self, partitions: Collection[TopicPartition]) -> None:
        """Forget partitions that go to another worker."""
        self._leaving()
        self.moves += 1
        self._placed.difference_update(partitions)


class _Rebalance(ConsumerRebalanceListener):
    def __init__(self, plays: Plays) -> None:
        self._plays = plays

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        self._plays.assigned(assigned)

    def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        self._plays.revoked(revoked)
