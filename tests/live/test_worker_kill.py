import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from segue.live import listener
from segue.live.events import PlayEvent
from segue.services import status, up
from segue.services.process import is_gone
from segue.services.topics import PLAYS
from segue.settings import Settings
from segue.store import open_store
from support.live_world import World, random_events, read_topic, replayed, start_command, until
from support.own_services import own_services

pytestmark = pytest.mark.slow


def states_are(world: World, events: list[PlayEvent]) -> bool:
    """Tell whether every listener's state is that of an undisturbed replay of ``events``."""
    for name in {event.listener_id for event in events}:
        document = world.store.listeners.get(name)
        own = [event for event in events if event.listener_id == name]
        if document is None or listener.from_document(document.state) != replayed(own):
            return False
    return True


def check_lists(world: World, events: list[PlayEvent]) -> None:
    """Wait until each listener has the list that their last act caused."""
    acts = [event for event in events if event.kind not in listener.PASSIVE]
    for event in {event.listener_id: event for event in acts}.values():
        world.list_after(event)


def test_kill_9_of_the_worker_amid_200_events_changes_nothing(world):
    names = [uuid4().hex for _ in range(5)]
    events = random_events(world, names, 200, 1)
    with start_command(world) as process:
        assert process.stdout is not None
        process.stdout.readline()
        for event in events[:120]:
            world.send(event)
        until(lambda: world.store.plays.count() >= 60, "sixty plays")
        process.kill()
    for event in events[120:]:
        world.send(event)
    assert world.store.plays.count() < 200
    with start_command(world) as process:
        until(lambda: states_are(world, events), "the states of an undisturbed replay")
        check_lists(world, events)
        until(lambda: len(world.plays()) == len(events), "all plays")
        process.terminate()
        assert process.wait(10) == 0


@pytest.fixture
def own(services: Settings, tmp_path: Path) -> Iterator[Settings]:
    with own_services(services, tmp_path / "services") as settings:
        yield settings


class Sender:
    """A process that sends events one after the other, each until the broker has acknowledged it."""

    def __init__(self, world: World, events: list[PlayEvent]) -> None:
        self.accepted: list[str] = []
        script = Path(__file__).with_name("sender.py")
        command = [sys.executable, str(script), world.settings.kafka_bootstrap, PLAYS]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._threads = [
            threading.Thread(target=self._give, args=(events,)),
            threading.Thread(target=self._take),
        ]
        for thread in self._threads:
            thread.start()

    def _give(self, events: list[PlayEvent]) -> None:
        assert self.process.stdin is not None
        with self.process.stdin as lines:
            lines.writelines(event.to_bytes().decode() + "\n" for event in events)

    def _take(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            self.accepted.extend(line.strip() for line in lines)

    def until(self, count: int) -> None:
        until(lambda: len(self.accepted) >= count, f"{count} accepted events", seconds=60)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for thread in self._threads:
            thread.join()


def kill(own: Settings, which: int) -> None:
    pid = status(own)[which].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: is_gone(pid), "the service to be gone")


class Log(threading.Thread):
    """What a process has said on its standard error."""

    def __init__(self, process: subprocess.Popen) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._stream = process.stderr
        self.start()

    def run(self) -> None:
        assert self._stream is not None
        self.lines.extend(self._stream)

    def count(self, text: str) -> int:
        return sum(text in line for line in self.lines)


def test_kill_9_of_kafka_and_of_the_store_loses_and_doubles_nothing(own: Settings, tmp_path: Path) -> None:
    with open_store(own.mongo_uri, "segue_killed") as store:
        world = World.build(own, tmp_path / "home", store)
        names = [uuid4().hex for _ in range(4)]
        events = random_events(world, names, 900, 2)
        with start_command(world) as process:
            assert process.stdout is not None
            process.stdout.readline()
            log, sender = Log(process), Sender(world, events)
            try:
                for which, who, count in ((0, "Kafka", 150), (1, "the document store", 450)):
                    sender.until(count)
                    kill(own, which)
                    until(lambda who=who: log.count(f"{who} does not answer"), f"a word about {who}")
                    up(own, lambda line: None)
                sender.until(len(events))
                in_topic = [PlayEvent.from_bytes(r.value) for r in read_topic(own.kafka_bootstrap, PLAYS)]
                assert {event.event_id for event in in_topic} == {event.event_id for event in events}
                until(lambda: states_are(world, events), "the states of an undisturbed replay")
                check_lists(world, events)
                until(lambda: len(world.plays()) == len(events), "all plays")
                until(lambda: store.workers.serving() or None, "a heartbeat")
            finally:
                sender.close()
                process.terminate()
                process.wait(20)
                log.join()
        world.close()
    assert process.returncode == 0
    assert len(log.lines) == 4, "".join(log.lines)
    for who in ("Kafka", "the document store"):
        assert log.count(f"{who} does not answer") == log.count(f"{who} answers again") == 1
