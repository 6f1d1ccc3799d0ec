"""Plays of an imported history on their way through Kafka: each once, whatever was sent before."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from uuid import UUID, uuid5

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError
from kafka.partitioner import murmur2

from segue.dataset.exports.history import Play
from segue.errors import SegueError
from segue.live import broker
from segue.live.events import Malformed, PlayEvent, Source
from segue.services.topics import PLAYS
from segue.store import Store

SOURCE = "import"
"""What an imported event names as the list that led to it."""

_NAMESPACE = UUID("5a0f3e0c-7f0d-5b3a-9f43-9f7a5f1f6c11")
_AT_ONCE = 1_000
_TIMEOUT_MS = 5_000
_DELIVERY_S = 15.0


def event_of(play: Play, dataset: str, listener_id: str) -> PlayEvent:
    """Return the event of a play: the same play gives the same event, whatever export it comes from.

    A listen of another service counts as heard to the end: ListenBrainz and Last.fm keep a listen when half
    of the track, or four minutes of it, were heard. Its session is its day (UTC).
    """
    at = datetime.fromtimestamp(play.at, UTC)
    name = f"{dataset}/{listener_id}/{play.kind}/{play.track_id}/{play.identity}"
    return PlayEvent(
        event_id=uuid5(_NAMESPACE, name),
        dataset=dataset,
        listener_id=listener_id,
        session_id=f"{SOURCE}-{at:%Y%m%d}",
        track_id=play.track_id,
        kind=play.kind,
        source=Source(list=SOURCE),
        at=at,
    )


class Road:
    """The way of one listener's plays into the topic ``segue.plays``.

    What the store has, and what waits in Kafka for a worker, is not sent again. Two imports for one listener
    at the same moment do not see each other; the worker then counts once what came twice, by the events' ids.

    Parameters
    ----------
    bootstrap
        Kafka's address.
    store
        Of the data set; its ``plays`` and the workers' offsets are read.
    listener_id
        Whose plays.

    Attributes
    ----------
    sent, known
        How many events Kafka has acknowledged, and how many were there before.

    Raises
    ------
    SegueError
        If Kafka does not answer, or has no topic of plays.
    """

    def __init__(self, bootstrap: str, store: Store, listener_id: str) -> None:
        self.sent = self.known = 0
        self._store, self._listener_id, self._bootstrap = store, listener_id, bootstrap
        try:
            self._producer = _producer(bootstrap)
            try:
                served = store.offsets.get(broker.log_name(bootstrap))
                self._waiting = set(self._read_waiting(served))
            except BaseException:
                self.close()
                raise
        except KafkaError as error:
            raise self._away(error) from None

    def send(self, plays: Iterable[Play]) -> None:
        """Send plays in their order and wait until Kafka has acknowledged them.

        Raises
        ------
        SegueError
            If Kafka does not acknowledge; what it did acknowledge stays, and is not sent again.
        """
        dataset, rest = self._store.database, iter(plays)
        while some := list(islice(rest, _AT_ONCE)):
            events = [event_of(play, dataset, self._listener_id) for play in some]
            there = self._there([str(event.event_id) for event in events])
            new = [event for event in events if str(event.event_id) not in there]
            self.known += len(events) - len(new)
            try:
                sent = [
                    self._producer.send(PLAYS, key=self._listener_id.encode(), value=event.to_bytes())
                    for event in new
                ]
                for future in sent:
                    # The producer itself gives up before that, on this event and on those behind it.
                    future.get(timeout=2 * _DELIVERY_S)
                    self.sent += 1
            except KafkaError as error:
                raise self._away(error) from None

    def close(self) -> None:
        """Close the connection; what Kafka has not acknowledged by then is dropped."""
        with contextlib.suppress(KafkaError):
            self._producer.close(timeout=_DELIVERY_S)

    def _there(self, event_ids: list[str]) -> set[str]:
        """Return which events the store has, or Kafka keeps for a worker."""
        return self._store.plays.there(event_ids) | self._waiting.intersection(event_ids)

    def _read_waiting(self, served: dict[int, int]) -> Iterator[str]:
        """Yield the ids of the listener's events that no worker has stored yet, by ``served`` offsets."""
        key = self._listener_id.encode()
        consumer = KafkaConsumer(
            bootstrap_servers=self._bootstrap.split(","),
            client_id="segue-import",
            group_id=None,
            enable_auto_commit=False,
            bootstrap_timeout_ms=_TIMEOUT_MS,
            request_timeout_ms=2 * _TIMEOUT_MS,
            allow_auto_create_topics=False,
        )
        try:
            partitions = sorted(consumer.partitions_for_topic(PLAYS) or ())
            place = TopicPartition(PLAYS, partitions[(murmur2(key) & 0x7FFF_FFFF) % len(partitions)])
            consumer.assign([place])
            first = consumer.beginning_offsets([place], timeout_ms=_TIMEOUT_MS)[place]
            end = consumer.end_offsets([place], timeout_ms=_TIMEOUT_MS)[place]
            start = max(first, served.get(place.partition, first))
            consumer.seek(place, min(start, end))
            while consumer.position(place) < end:
                records = consumer.poll(_TIMEOUT_MS).get(place, [])
                if not records:
                    # A poll of a broker that is gone only returns nothing; this raises.
                    consumer.end_offsets([place], timeout_ms=_TIMEOUT_MS)
                for record in records:
                    if record.key == key:
                        yield from self._id_of(record)
        finally:
            consumer.close(autocommit=False)

    def _id_of(self, record: Any) -> Iterator[str]:
        try:
            event = PlayEvent.from_bytes(record.value)
        except Malformed:
            return
        if event.dataset == self._store.database:
            yield str(event.event_id)

    def _away(self, error: KafkaError) -> SegueError:
        return SegueError(
            f"Kafka at {self._bootstrap} does not answer ({type(error).__name__}): start it with `segue "
            f"services up`, then give the same command again; it has acknowledged {self.sent:,} plays, which "
            "are not sent twice"
        )


def _producer(bootstrap: str) -> KafkaProducer:
    # A batch of some forty events may come twice when its acknowledgement is lost, and a worker sees that by
    # their ids; an idempotent producer neither delivers nor gives up once its broker is gone.
    return KafkaProducer(
        bootstrap_servers=bootstrap.split(","),
        client_id="segue-import",
        acks="all",
        enable_idempotence=False,
        max_in_flight_requests_per_connection=1,
        linger_ms=5,
        request_timeout_ms=_TIMEOUT_MS,
        delivery_timeout_ms=int(_DELIVERY_S * 1000),
        max_block_ms=_TIMEOUT_MS,
        bootstrap_timeout_ms=_TIMEOUT_MS,
        allow_auto_create_topics=False,
    )
