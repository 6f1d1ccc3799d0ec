"""Live simulated listeners: events to Kafka by the clock, lists back from it."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable
from uuid import uuid4

import numpy as np
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from segue.errors import SegueError, UsageError
from segue.live.events import Malformed, PlayEvent, Recommendation, now
from segue.live.listener import PASSIVE
from segue.live.serving import POPULARITY
from segue.models.data import positions_in
from segue.pipeline.run import Run
from segue.services.topics import PLAYS, RECOMMENDATIONS
from segue.settings import Settings
from segue.simulate.answers import Answers
from segue.simulate.crowd import Crowd
from segue.simulate.latency import Latencies
from segue.simulate.outcome import Outcome
from segue.simulate.reaction import PLACES
from segue.simulate.taste import Tastes
from segue.simulate.world import world_of

LATE_S = 5.0
"""An act that could not begin within so many seconds after it was due is left out, and counted."""

ENDING_S = 5.0
"""Seconds that the end waits for acknowledgements, and then for lists."""

QUIET_S = 1.0
"""Seconds without a list after which the end waits for no more of them."""

MOST = 100_000
"""Listeners at most."""

_POLL_MS = 200
_NAME = re.compile(rb"simulated-live-(\d{4,6})")
_CONNECTING = {
    "bootstrap_timeout_ms": 5_000,
    "request_timeout_ms": 10_000,
    "reconnect_backoff_max_ms": 1_000,
    "allow_auto_create_topics": False,
}
_log = logging.getLogger(__name__)


def live_name(number: int) -> str:
    """Return the id of live listener ``number``, from 0."""
    return f"simulated-live-{number + 1:04d}"


class Driver:
    """Sends what simulated listeners do to the topic of plays, and reads the lists that come of it.

    Acts are due by the clock, whatever became of those before, and latency counts from when they were due: a
    slow answer slows nobody down. All memory is bounded by the number of listeners.

    Parameters
    ----------
    settings
        Where Kafka is.
    run
        Its usable tracks are the world; its data set is named in the events.
    listeners, rate
        How many, 1 to `MOST`, and how many events a second they send together, above 0.
    seed
        Of tastes, order and luck; of what they do, too, where equal lists come.

    Raises
    ------
    UsageError
        If a number is out of its range.
    SegueError
        If the run has no usable tracks.
    """

    def __init__(self, settings: Settings, run: Run, listeners: int, rate: float, seed: int) -> None:
        if not (1 <= listeners <= MOST and 0 < rate < float("inf") and seed >= 0):
            raise UsageError(
                f"listeners = {listeners}, rate = {rate}, seed = {seed}: "
                f"give 1 to {MOST:,}, a rate above 0, and a seed of at least 0"
            )
        self._bootstrap = settings.kafka_bootstrap.split(",")
        self._dataset = run.dataset["database"]
        self._listeners, self._rate = listeners, rate
        world = world_of(run, seed)
        self._ids = [track.track_id for track in world.tracks]
        self._answers = Answers({track: place for place, track in enumerate(self._ids)})
        popular = _popular(run, np.array(self._ids))
        self._crowd = Crowd(Tastes(world, seed), listeners, rate, self._answers.newest, popular, seed)
        self._lock = threading.Lock()
        self._sent = self._acknowledged = self._failed = self._missed = self._expected = 0
        self._acks, self._late = Latencies(), Latencies()

    def drive(
        self, seconds: float, stop: threading.Event, report: Callable[[str], object] = _log.info
    ) -> Outcome:
        """Act for so many seconds, or until ``stop`` is set, and return what became of it.

        Raises
        ------
        UsageError
            If ``seconds`` is not above 0.
        SegueError
            If Kafka does not answer, or has not the topics.
        """
        if not 0 < seconds < float("inf"):
            raise UsageError(f"seconds = {seconds}: give a number above 0")
        try:
            consumer = self._consumer()
            producer = self._producer()
        except KafkaError as error:
            raise SegueError(
                f"Kafka at {','.join(self._bootstrap)} does not answer: {error}; see `segue services status`"
            ) from None
        ended = threading.Event()
        reader = threading.Thread(target=self._read, args=(consumer, ended), name="segue-lists", daemon=True)
        reader.start()
        report(
            f"simulate: {self._listeners:,} simulated listeners send {self._rate:g} events a second "
            f"to {self._dataset}"
        )
        began = time.perf_counter()
        try:
            self._act_by_the_clock(producer, began, seconds, stop)
            lasted = time.perf_counter() - began
            self._finish(producer)
        finally:
            ended.set()
            producer.close(timeout=1)
            reader.join(ENDING_S)
        return self._outcome(lasted)

    def _act_by_the_clock(
        self, producer: KafkaProducer, began: float, seconds: float, stop: threading.Event
    ) -> None:
        turn = 0
        while (due := began + turn / self._rate) < began + seconds and not stop.is_set():
            turn += 1
            late = time.perf_counter() - due
            if late < 0 and stop.wait(-late):
                return
            if late > LATE_S:
                self._missed += 1
                continue
            self._late.add(max(0.0, late))
            self._act(producer, due)
        stop.wait(max(0.0, began + seconds - time.perf_counter()))

    def _act(self, producer: KafkaProducer, due: float) -> None:
        act = self._crowd.act()
        event = PlayEvent(
            event_id=uuid4(),
            dataset=self._dataset,
            listener_id=live_name(act.number),
            session_id=act.session_id,
            track_id=self._ids[act.track],
            kind=act.kind,
            position_s=act.position_s,
            source=act.source,
            at=now(),
            simulated=True,
        )
        if act.kind not in PASSIVE:
            self._expected += 1
            self._answers.expect(act.number, event.event_id, due)
        try:
            future = producer.send(PLAYS, key=event.listener_id.encode(), value=event.to_bytes())
        except KafkaError as error:
            self._not_taken(error)
            return
        self._sent += 1
        future.add_callback(lambda _: self._taken(due))
        future.add_errback(self._not_taken)

    def _taken(self, due: float) -> None:
        with self._lock:
            self._acknowledged += 1
            self._acks.add(time.perf_counter() - due)

    def _not_taken(self, error: BaseException) -> None:
        with self._lock:
            self._failed += 1
            first = self._failed == 1
        if first:
            _log.warning("Kafka has not taken an event: %s: %s", type(error).__name__, error)

    def _finish(self, producer: KafkaProducer) -> None:
        """Wait for what is on its way: acknowledgements, then lists."""
        try:
            producer.flush(timeout=ENDING_S)
        except KafkaError as error:
            _log.warning("not every event was acknowledged: %s", error)
        heard, quiet = self._answers.lists, time.perf_counter()
        until = quiet + ENDING_S
        while self._answers.waiting() and (at := time.perf_counter()) < min(until, quiet + QUIET_S):
            if self._answers.lists > heard:
                heard, quiet = self._answers.lists, at
            time.sleep(0.02)

    def _outcome(self, lasted: float) -> Outcome:
        answers, hits = self._answers, self._crowd.hits
        return Outcome(
            dataset=self._dataset,
            listeners=self._listeners,
            acted=len(self._crowd.seen),
            rate=self._rate,
            seconds=round(lasted, 3),
            sent=self._sent,
            acknowledged=self._acknowledged,
            failed=self._failed,
            missed=self._missed,
            lists=answers.lists,
            answered=answers.answered,
            unanswered=self._expected - answers.answered,
            list_ms=answers.latencies.to_json(),
            ack_ms=self._acks.to_json(),
            late_ms=self._late.to_json(),
            looked_at=hits.lists,
            hits=hits.to_json(),
        )

    # Kafka ---------------------------------------------------------------------------------------------

    def _producer(self) -> KafkaProducer:
        # One request at a time: what comes meanwhile goes with the next, and order is kept without more.
        return KafkaProducer(
            bootstrap_servers=self._bootstrap,
            client_id="segue-simulate",
            acks="all",
            enable_idempotence=False,
            max_in_flight_requests_per_connection=1,
            delivery_timeout_ms=10_000,
            max_block_ms=1_000,
            **_CONNECTING,
        )

    def _consumer(self) -> KafkaConsumer:
        """Return a reader of all lists that are made from now on."""
        consumer = KafkaConsumer(
            bootstrap_servers=self._bootstrap,
            client_id="segue-simulate",
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="latest",
            **_CONNECTING,
        )
        numbers = consumer.partitions_for_topic(RECOMMENDATIONS)
        if not numbers:
            consumer.close(autocommit=False)
            raise SegueError(f"Kafka has no topic {RECOMMENDATIONS}: run `segue services up`")
        parts = [TopicPartition(RECOMMENDATIONS, number) for number in sorted(numbers)]
        consumer.assign(parts)
        consumer.seek_to_end(*parts)
        for part in parts:
            consumer.position(part, timeout_ms=_CONNECTING["request_timeout_ms"])
        return consumer

    def _read(self, consumer: KafkaConsumer, ended: threading.Event) -> None:
        try:
            while not ended.is_set():
                try:
                    found = consumer.poll(_POLL_MS)
                except KafkaError as error:
                    _log.warning("no lists come from Kafka: %s: %s", type(error).__name__, error)
                    ended.wait(1.0)
                    continue
                at = time.perf_counter()
                for record in (record for records in found.values() for record in records):
                    self._take(record.key, record.value, at)
        finally:
            consumer.close(autocommit=False)

    def _take(self, key: bytes | None, value: bytes | None, at: float) -> None:
        match = _NAME.fullmatch(key or b"")
        number = int(match[1]) - 1 if match else -1
        if not 0 <= number < self._listeners:
            return
        try:
            made = Recommendation.from_bytes(value)
        except Malformed as error:
            _log.warning("a list for %s is malformed: %s", live_name(number), error)
            return
        if made.dataset == self._dataset:
            self._answers.take(number, made, at)


def _popular(run: Run, track_ids: np.ndarray) -> np.ndarray:
    """Return the positions of the most popular tracks, none where the run has no model of it."""
    if POPULARITY not in run.models():
        return np.zeros(0, dtype=np.int64)
    listed = [item.track_id for item in run.load_model(POPULARITY).recommend({}, PLACES)]
    places = positions_in(track_ids, listed)
    return places[places >= 0]
