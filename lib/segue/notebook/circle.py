"""The whole circle for one rehearsed listener: Kafka, a worker of its own, a store that is dropped."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID, uuid4

from segue.errors import SegueError
from segue.live.events import Kind, PlayEvent, Recommendation, now
from segue.pipeline.run import Run
from segue.player.kafka_link import Receiver, Sender
from segue.settings import Settings
from segue.store import open_store

TOP = 10
"""Places of the list that are looked at."""

_START_S = 30.0
_ANSWER_S = 10.0


@dataclass(frozen=True)
class Step:
    """One thing that the listener did, and the list that it caused; ``ms`` lay between the two."""

    kind: Kind
    track_id: int
    ms: float
    answer: Recommendation

    @property
    def top(self) -> list[int]:
        """Return the first tracks of the list."""
        return [item.track_id for item in self.answer.items[:TOP]]


class Circle:
    """The two ends of the circle for one listener."""

    def __init__(self, settings: Settings, database: str, worker: threading.Thread, why: list[str]) -> None:
        self._database, self._worker, self._why = database, worker, why
        self._listener = f"rehearsal-{uuid4().hex[:12]}"
        self._lists: queue.Queue[bytes] = queue.Queue()
        self._connected = threading.Event()
        self._lost: queue.Queue[UUID] = queue.Queue()
        self._sender = Sender(lambda: settings.kafka_bootstrap, self._answered)
        self._receiver = Receiver(
            lambda: settings.kafka_bootstrap,
            lambda key, content: self._lists.put(content),
            self._listening,
            self._listener,
        )

    def _listening(self, connected: bool) -> None:
        if connected:
            self._connected.set()

    def _answered(self, event: PlayEvent, delivered: bool) -> None:
        if not delivered:
            self._lost.put(event.event_id)

    def wait(self) -> None:
        """Wait until lists would be heard."""
        if not self._connected.wait(_ANSWER_S):
            raise SegueError("Kafka does not answer: start the services with `segue services up`")

    def close(self) -> None:
        """End both ends."""
        self._sender.close()
        self._receiver.close()

    def act(self, kind: Kind, track_id: int) -> Step:
        """Do something and return it with the list that names it as its cause."""
        event = PlayEvent(
            event_id=uuid4(),
            dataset=self._database,
            listener_id=self._listener,
            session_id=self._listener,
            track_id=track_id,
            kind=kind,
            at=now(),
            simulated=True,
        )
        began = time.perf_counter()
        self._sender.send(event)
        until = began + _ANSWER_S
        while (left := until - time.perf_counter()) > 0:
            try:
                answer = Recommendation.from_bytes(self._lists.get(timeout=left))
            except queue.Empty:
                break
            if answer.caused_by == event.event_id:
                return Step(kind, track_id, 1000 * (time.perf_counter() - began), answer)
        if not self._worker.is_alive():
            raise SegueError(f"the worker ended: {self._why[0] if self._why else 'it gives no reason'}")
        if not self._lost.empty():
            raise SegueError("Kafka takes no events now: see `segue services status`")
        raise SegueError(f"no list came within {_ANSWER_S:.0f} s of a {kind}")


@contextmanager
def serve_circle(settings: Settings, run: Run, database: str) -> Iterator[Circle]:
    """Serve one rehearsal by a worker of its own, in a database that is dropped at the end."""
    from segue.live.worker import Worker

    with open_store(settings.mongo_uri, database) as store:
        store.client.drop_database(database)
        worker = Worker(settings, run, store, start="latest")
        stop = threading.Event()
        why: list[str] = []

        def serve() -> None:
            try:
                worker.serve(stop)
            except Exception as error:
                why.append(str(error))

        thread = threading.Thread(target=serve, name="segue-rehearsal", daemon=True)
        thread.start()
        try:
            _wait_for(worker.ready, thread, why)
            circle = Circle(settings, database, thread, why)
            try:
                circle.wait()
                yield circle
            finally:
                circle.close()
        finally:
            stop.set()
            thread.join(_ANSWER_S)
            store.client.drop_database(database)


def _wait_for(ready: threading.Event, thread: threading.Thread, why: Sequence[str]) -> None:
    until = time.monotonic() + _START_S
    while not ready.wait(0.05):
        if not thread.is_alive():
            raise SegueError(why[0] if why else "the worker ended before it served")
        if time.monotonic() > until:
            raise SegueError(f"no worker served within {_START_S:.0f} s: see `segue services status`")
