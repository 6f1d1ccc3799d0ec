"""Kill -9 of worker, broker and store amid events: nothing is lost, nothing is counted twice."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
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

RATE = 150
BACK_S = 5.0
"""Seconds after a restart in which every listener must have a list again."""


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


@pytest.fixture
def own(services: Settings, tmp_path: Path) -> Iterator[Settings]:
    with own_services(services, tmp_path / "services") as settings:
        yield settings


class Sender:
    """A process that sends events one after the other, each until the broker has acknowledged it."""

    def __init__(self, world: World, events: list[PlayEvent]) -> None:
        self.accepted: list[str] = []
        self._stop = threading.Event()
        script = Path(__file__).with_name("sender.py")
        command = [sys.executable, str(script), world.settings.kafka_bootstrap, PLAYS, str(RATE)]
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
            for event in events:
                if self._stop.is_set():
                    return
                lines.write(event.to_bytes().decode() + "\n")
                lines.flush()

    def _take(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            self.accepted.extend(line.strip() for line in lines)

    def end(self) -> list[str]:
        """Send what is in hand and no more; return the ids of all that was accepted."""
        self._stop.set()
        self.process.wait(60)
        for thread in self._threads:
            thread.join()
        return self.accepted

    def kill(self) -> None:
        self.process.kill()
        self.end()


def kill_service(own: Settings, which: int) -> None:
    pid = status(own)[which].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: is_gone(pid), "the service to be gone")


class Workers:
    """One worker command after the other."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        process = start_command(self._world)
        self._log = threading.Thread(target=process.communicate, daemon=True)
        self._log.start()
        return process

    def replace(self) -> None:
        self.process.kill()
        self.process.wait()
        self._log.join()
        self.process = self._start()

    def end(self) -> int:
        self.process.terminate()
        code = self.process.wait(30)
        self._log.join()
        return code


@pytest.mark.parametrize("kills", [3, pytest.param(30, marks=[pytest.mark.soak, pytest.mark.timeout(1_800)])])
def test_kill_9_of_worker_broker_and_store_at_random_moments(own: Settings, tmp_path: Path, kills) -> None:
    choice = random.Random(kills)
    with open_store(own.mongo_uri, "segue_killed") as store:
        world = World.build(own, tmp_path / "home", store)
        names = [uuid4().hex for _ in range(20)]
        events = random_events(world, names, kills * 15 * RATE, 2)
        workers, sender = Workers(world), Sender(world, events)
        away = []
        try:
            until(lambda: store.plays.count() > RATE, "events of a second")
            for number in range(kills):
                time.sleep(choice.uniform(0.2, 2.0))
                began = time.monotonic()
                if number % 3 == 0:
                    workers.replace()
                else:
                    kill_service(own, number % 3 - 1)
                    up(own, lambda line: None)
                restarted = time.monotonic()
                acts = len(sender.accepted)
                until(lambda acts=acts: everybody_is_served(world, names, events, sender.accepted[acts:]),
                      "lists for everybody", 60)  # fmt: skip
                away.append((("worker", "broker", "store")[number % 3], restarted - began,
                             time.monotonic() - restarted))  # fmt: skip
            accepted = sender.end()
            in_topic = {
                PlayEvent.from_bytes(r.value).event_id for r in read_topic(own.kafka_bootstrap, PLAYS)
            }
            sent = [event for event in events if event.event_id in in_topic]
            assert {str(event.event_id) for event in sent} >= set(accepted)
            until(lambda: states_are(world, sent), "the states of an undisturbed replay")
            check_lists(world, sent)
            until(lambda: store.plays.count() == len(sent), "all plays")
        finally:
            sender.kill()
            code = workers.end()
            world.close()
    print(f"{len(sent):,} events; served again after: {away}")
    assert code == 0
    if kills > 3:
        assert max(after for _, _, after in away) < BACK_S, away


def everybody_is_served(world: World, names: list[str], events: list[PlayEvent], accepted: list[str]) -> bool:
    """Tell whether each listener's list was caused by one of the events accepted lately."""
    lately = set(accepted)
    for name in names:
        found = world.store.recommendations.get(name)
        if found is None or found["caused_by"] not in lately:
            return False
    return True


def test_two_workers_share_and_the_one_that_is_left_serves_everybody(world: World) -> None:
    names = [uuid4().hex for _ in range(20)]
    events = random_events(world, names, 60 * RATE, 5)
    begun, first, second = time.monotonic(), Workers(world), Workers(world)
    sender = Sender(world, events)
    try:
        until(lambda: shares(world) == [4, 4], "both to have their share", 60)
        until(lambda: everybody_is_served(world, names, events, sender.accepted), "lists", 60)
        print(f"shared after {time.monotonic() - begun:.1f} s")
        first.process.kill()
        began, acts = time.monotonic(), len(sender.accepted)
        until(lambda: everybody_is_served(world, names, events, sender.accepted[acts:]), "lists again", 60)
        moved_s = time.monotonic() - began
        accepted = set(sender.end())
        sent = [event for event in events if str(event.event_id) in accepted]
        until(lambda: states_are(world, sent), "the states of an undisturbed replay")
        check_lists(world, sent)
        until(lambda: world.store.plays.count() == len(sent), "all plays")
    finally:
        sender.kill()
        codes = [workers.end() for workers in (first, second)]
    print(f"listeners moved after {moved_s:.1f} s")
    assert codes == [-signal.SIGKILL, 0]
    assert moved_s < 10


def shares(world: World) -> list[int]:
    """Return how many partitions each worker has, by what it says of their lag."""
    documents = world.store.client[world.store.database]["activity_workers"].find()
    return sorted(len(document["lag"]) for document in documents)
