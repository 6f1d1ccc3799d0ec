"""A data set of 60 tracks with fitted models, cards and listeners: all that a live worker needs."""

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import numpy as np
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

# Compiled before a worker is waited for.
import segue.live.kernels  # noqa: F401
from segue.live import listener
from segue.live.events import PlayEvent
from segue.live.listener import ListenerState
from segue.live.worker import Worker
from segue.models import TrainingData, create
from segue.models.als import ALS, ALSConfig
from segue.models.base import Recommender
from segue.pipeline.run import Run
from segue.services.topics import PLAYS
from segue.settings import Settings
from segue.store import Store
from segue.store.cards import PRINT, Card
from support.planted import FIRST_ID, taste

SIZE = 60
TRACKS = range(FIRST_ID, FIRST_ID + SIZE)
EPOCH = datetime(2026, 3, 1, tzinfo=UTC)
T = TypeVar("T")


def event(track: int, kind: str, second: float = 0.0, value: int | None = None, number: int = 0) -> PlayEvent:
    """Return an event of the listener ``l``, so many seconds after `EPOCH`."""
    return PlayEvent(
        event_id=UUID(int=number), dataset="d", listener_id="l", session_id="s", track_id=track, kind=kind,
        value=value, at=EPOCH + timedelta(seconds=second),
    )  # fmt: skip


def catalogue() -> TrainingData:
    """Return 60 tracks of four kinds of sound by 20 artists, played by 40 listeners; two pairs are copies."""
    data = taste(SIZE)
    recordings = np.arange(SIZE)
    recordings[[4, 9]] = recordings[[0, 1]]
    return TrainingData(data.track_ids, data.features, data.artist_ids, recordings, data.interactions)


def als_without_spark(data: TrainingData, rank: int = 8) -> ALS:
    """Return ALS with factors from a truncated singular value decomposition of who played what."""
    _, values, right = np.linalg.svd(np.log1p(data.matrix.toarray().astype(float)), full_matrices=False)
    model = ALS(ALSConfig(rank=rank))
    model._catalogue(data.track_ids, data.artist_ids, data.recording_ids, data.popularity)
    model._restore({"factors": (right[:rank].T * np.sqrt(values[:rank])).astype(np.float32)})
    model._fingerprint = data.fingerprint
    return model


def fitted(data: TrainingData) -> dict[str, Recommender[Any]]:
    """Return the models that a worker serves."""
    models: dict[str, Recommender[Any]] = {name: create(name).fit(data) for name in ("exact", "popularity")}
    return models | {"als": als_without_spark(data)}


def cards(data: TrainingData) -> list[Card]:
    """Return a card a track; a sound print by the track's kind."""
    prints = np.random.default_rng(3).uniform(size=(4, len(PRINT))).round(3)
    return [
        Card(
            track_id=int(track), title=f"Track {track}", artist=f"Artist {artist}", album="", genre="",
            duration_s=30.0, licence="CC0", attribution_url="", composed=True,
            print=prints[i % 4].tolist(),
        )
        for i, (track, artist) in enumerate(zip(data.track_ids, data.artist_ids, strict=True))
    ]  # fmt: skip


def write_run(home: Path, run_id: str, database: str, models: dict[str, Recommender[Any]]) -> Run:
    """Write a run with fitted models and let ``runs/current`` point to it."""
    path = home / "runs" / run_id
    for name, model in models.items():
        model.save(path / "models" / name)
    described = {"kind": "demo", "database": database, "root": "", "title": "Small world"}
    (path / "dataset.json").write_text(json.dumps(described))
    link = home / "runs" / f"{run_id}.link"
    link.symlink_to(run_id)
    link.replace(home / "runs" / "current")
    return Run(path, "")


@dataclass
class World:
    """A data set in a store, a run of it, and a way to send events."""

    settings: Settings
    run: Run
    store: Store
    data: TrainingData
    clock: datetime = EPOCH
    _producers: list[KafkaProducer] = field(default_factory=list)

    @classmethod
    def build(cls, settings: Settings, home: Path, store: Store) -> "World":
        data = catalogue()
        store.cards.replace(cards(data))
        run = write_run(home, "first", store.database, fitted(data))
        return cls(settings.model_copy(update={"home": home, **_addresses(settings)}), run, store, data)

    def event(self, listener: str, track: int, kind: str = "like", **values: Any) -> PlayEvent:
        """Return an event, a second after the one before."""
        self.clock += timedelta(seconds=1)
        return PlayEvent(
            event_id=uuid4(), dataset=self.store.database, listener_id=listener, session_id="s",
            track_id=track, kind=kind, at=self.clock, **values,
        )  # fmt: skip

    @property
    def producer(self) -> KafkaProducer:
        if not self._producers:
            bootstrap = self.settings.kafka_bootstrap
            self._producers.append(KafkaProducer(bootstrap_servers=bootstrap, acks="all"))
        return self._producers[0]

    def send(self, *events: PlayEvent) -> None:
        """Send events and wait until the broker has them."""
        sent = [
            self.producer.send(PLAYS, key=event.listener_id.encode(), value=event.to_bytes())
            for event in events
        ]
        for future in sent:
            future.get(timeout=10)

    def send_raw(self, value: bytes | None, key: bytes | None = b"l") -> None:
        self.producer.send(PLAYS, key=key, value=value).get(timeout=10)

    def plays(self) -> list[dict[str, Any]]:
        """Return every stored event."""
        return list(self.store.client[self.store.database]["plays"].find())

    def worker(self, **options: Any) -> Worker:
        return Worker(self.settings, self.run, self.store, **options)

    def list_after(self, event: PlayEvent) -> dict[str, Any]:
        """Return the listener's list as soon as ``event`` has caused it."""

        def there() -> dict[str, Any] | None:
            found = self.store.recommendations.get(event.listener_id)
            return found if found and found["caused_by"] == str(event.event_id) else None

        return until(there, f"a list because of {event.kind} {event.track_id}")

    def close(self) -> None:
        for producer in self._producers:
            producer.close()


def _addresses(settings: Settings) -> dict[str, str]:
    return {"kafka": settings.kafka_bootstrap, "mongo": settings.mongo_uri}


def until(condition: Callable[[], T | None], what: str, seconds: float = 30.0) -> T:
    """Return what ``condition`` gives as soon as it is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError(f"waited {seconds} s in vain for {what}")


@contextmanager
def serving(worker: Worker) -> Iterator[Worker]:
    """Serve in a thread; whatever ends it too early is raised here."""
    stop = threading.Event()
    failures: list[BaseException] = []

    def serve() -> None:
        try:
            worker.serve(stop)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        until(lambda: worker.ready.is_set() or bool(failures), "the worker to be ready")
        if not failures:
            yield worker
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()
    if failures:
        raise failures[0]


def read_topic(bootstrap: str, topic: str) -> list[Any]:
    """Return every record of a topic, in the order of the offsets within each partition."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    try:
        parts = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        consumer.assign(parts)
        consumer.seek_to_beginning(*parts)
        ends = consumer.end_offsets(parts)
        records: list[Any] = []
        while any(consumer.position(part) < ends[part] for part in parts):
            records += [record for found in consumer.poll(1_000).values() for record in found]
        return records
    finally:
        consumer.close()


def environment(world: World) -> dict[str, str]:
    return os.environ | {
        "SEGUE_HOME": str(world.settings.home),
        "SEGUE_KAFKA": world.settings.kafka_bootstrap,
        "SEGUE_MONGO": world.settings.mongo_uri,
    }


def start_command(world: World) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "segue.cli", "worker"],
        env=environment(world), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def random_events(world: World, names: list[str], count: int, seed: int) -> list[PlayEvent]:
    choice = random.Random(seed)
    kinds = ("play", "complete", "skip", "like", "dislike", "progress", "clear")
    return [
        world.event(choice.choice(names), choice.choice(TRACKS), choice.choice(kinds)) for _ in range(count)
    ]


def replayed(events: list[PlayEvent]) -> ListenerState:
    state = ListenerState()
    for event in events:
        state = listener.apply(state, event)
    return state
