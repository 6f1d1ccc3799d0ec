"""Events at a steady rate, and what comes back: one process, a C client, so that the load weighs little."""

from __future__ import annotations

import gc
import random
import re
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.live.world import DATABASE, HISTORY, Crowd
from segue.live.events import PlayEvent, new_event_id
from segue.services.topics import PLAYS, RECOMMENDATIONS

ECHO = "segue.benchmark.echo"
ECHOES_PER_S = 20
_KINDS = ("play", "complete", "complete", "complete", "skip", "like", "like", "dislike", "play", "progress")
_PASSIVE = "progress"
_CAUSED_BY = re.compile(rb'"caused_by":"([0-9a-f-]{36})"')


class Ready(NamedTuple):
    """An event as it goes to a partition."""

    event: PlayEvent
    content: bytes
    partition: int


@dataclass
class Sent:
    """An event that was sent: when (seconds of the performance counter) and what it was."""

    at: float
    event: PlayEvent
    answered: float | None = None


@dataclass
class Load:
    """Sends events of a crowd and notes when the list that holds each of them could be read.

    An event is answered by the first list of its listener that was caused by it or by a later one.
    """

    bootstrap: str
    crowd: Crowd
    seed: int = 0
    sent: list[Sent] = field(default_factory=list)
    refused: int = 0
    echoes: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self.counted: dict[str, Counter[tuple[int, str]]] = defaultdict(Counter)
        self.said: dict[str, dict[int, str]] = defaultdict(dict)
        self._next = np.full(len(self.crowd.names), HISTORY)
        self._partitions = [partition(name, 8) for name in self.crowd.names]
        self._waiting: dict[str, dict[bytes, Sent]] = defaultdict(dict)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._producer = Producer(
            {
                "bootstrap.servers": self.bootstrap,
                "acks": "all",
                "linger.ms": 0,
                "queue.buffering.max.messages": 500_000,
            }
        )
        self._consumer = Consumer(
            {"bootstrap.servers": self.bootstrap, "group.id": "segue-benchmark", "enable.auto.commit": False,
             "auto.offset.reset": "latest", "fetch.wait.max.ms": 100}
        )  # fmt: skip
        places = []
        for topic in (RECOMMENDATIONS, ECHO):
            for number in self._consumer.list_topics(topic, 10).topics[topic].partitions:
                end = self._consumer.get_watermark_offsets(TopicPartition(topic, number), 10)[1]
                places.append(TopicPartition(topic, number, end))
        self._consumer.assign(places)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def event(self, kind: str | None = None, after_s: float = 0.0) -> Ready:
        """Return the next event of a random listener: what they do with the next track that they hear.

        Its time is so many seconds from now; its kind is drawn unless it is given.
        """
        number = self._random.randrange(len(self.crowd.names))
        track = self.crowd.heard[number, self._next[number] % self.crowd.heard.shape[1]]
        self._next[number] += 1
        event = PlayEvent(
            event_id=new_event_id(), dataset=DATABASE, listener_id=self.crowd.names[number],
            session_id="now", track_id=int(track), kind=kind or self._random.choice(_KINDS),
            at=datetime.now(UTC) + timedelta(seconds=after_s), simulated=True,
        )  # fmt: skip
        return Ready(event, event.to_bytes(), self._partitions[number])

    def send(self, ready: Ready) -> None:
        """Send one event."""
        event = ready.event
        sent = Sent(time.perf_counter(), event)
        if event.kind != _PASSIVE:
            with self._lock:
                self._waiting[event.listener_id][str(event.event_id).encode()] = sent
        self.sent.append(sent)
        if event.kind in ("like", "dislike"):
            self.said[event.listener_id][event.track_id] = event.kind
        elif event.kind != _PASSIVE:
            self.counted[event.listener_id][event.track_id, event.kind] += 1
        self._producer.produce(
            PLAYS, key=event.listener_id.encode(), value=ready.content, on_delivery=self._delivered,
            partition=ready.partition,
        )  # fmt: skip

    def steady(self, rate: float, seconds: float) -> float:
        """Send at a rate by the clock, with echoes between; return the seconds by which the last was late.

        The events are made beforehand, and garbage is left: what both cost would be taken from what is
        measured.
        """
        coming = [self.event(after_s=number / rate) for number in range(int(rate * seconds))]
        gc.collect()
        gc.disable()
        begin = time.perf_counter()
        late = 0.0
        next_echo = begin
        for number, ready in enumerate(coming):
            due = begin + number / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            late = time.perf_counter() - due
            self._producer.poll(0)
            self.send(ready)
            if due >= next_echo:
                self._producer.produce(ECHO, value=repr(time.perf_counter()).encode())
                next_echo += 1 / ECHOES_PER_S
        self._producer.poll(0)
        gc.enable()
        return late

    def flood(self, count: int) -> None:
        """Send so many events as fast as the broker takes them."""
        for number in range(count):
            self.send(self.event())
            if number % 1_000 == 0:
                self._producer.poll(0)
        self._producer.flush()

    def wait(self, seconds: float) -> int:
        """Wait until every event is answered, and return how many are not."""
        self._producer.flush()
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            with self._lock:
                left = sum(map(len, self._waiting.values()))
            if not left:
                return 0
            time.sleep(0.02)
        return left

    def latencies_ms(self) -> np.ndarray:
        """Return float[n]: the milliseconds from sending to reading of the events that are answered."""
        return 1000 * np.array([sent.answered - sent.at for sent in self.sent if sent.answered is not None])

    def close(self) -> None:
        """Stop reading, and leave no connection."""
        self._producer.flush()
        self._stop.set()
        self._reader.join()
        self._consumer.close()

    def _delivered(self, error: object, _: object) -> None:
        self.refused += error is not None

    def _read(self) -> None:
        while not self._stop.is_set():
            message = self._consumer.poll(0.1)
            now = time.perf_counter()
            if message is None or message.error():
                continue
            if message.topic() == ECHO:
                self.echoes.append(1000 * (now - float(message.value())))
            elif caused := _CAUSED_BY.search(message.value()):
                self._answered(message.key().decode(), caused[1], now)

    def _answered(self, name: str, caused_by: bytes, now: float) -> None:
        with self._lock:
            waiting = self._waiting.get(name, {})
            if caused_by not in waiting:
                return
            # Events of a listener wait in the order in which they were sent.
            for event, sent in list(waiting.items()):
                sent.answered = now
                del waiting[event]
                if event == caused_by:
                    break


def partition(key: str, count: int) -> int:
    """Return the partition that Kafka's own clients choose for a key."""
    from kafka.partitioner import murmur2

    return (murmur2(key.encode()) & 0x7FFFFFFF) % count
