"""A simulated listener's session through Kafka, worker and store, in a database of its own."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import numpy as np
import pandas as pd

from segue.errors import SegueError
from segue.live.events import Kind, PlayEvent, Recommendation, now
from segue.pipeline.run import Run
from segue.player.kafka_link import Receiver, Sender
from segue.settings import Settings
from segue.store import Store, open_store
from segue.store.cards import Card

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TOP = 10
"""Places of the list that are looked at."""

_START_S = 30.0
_ANSWER_S = 10.0
_SUFFIX = "_rehearsal"
_LONGEST = 63
_ENOUGH = 200


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


@dataclass(frozen=True)
class Session:
    """What became of the list.

    ``before`` is what everybody is offered; ``taste`` says in words what the listener likes; ``cards`` are
    those of all tracks that occur; ``note`` says what must be known of the catalogue.
    """

    taste: str
    before: list[int]
    steps: list[Step]
    cards: dict[int, Card]
    note: str

    def picture(self) -> Figure:
        """Draw how the list moved from step to step."""
        from segue import plots

        labels = ["before", *(f"{step.kind} “{self.cards[step.track_id].title}”" for step in self.steps)]
        names = {track: card.title for track, card in self.cards.items()}
        note = "; ".join(filter(None, ["simulated listener", self.note]))
        gone = {i: step.track_id for i, step in enumerate(self.steps) if step.kind == "dislike"}
        return plots.session(self._lists(), labels, names, self._headline(), note, gone)

    def table(self) -> pd.DataFrame:
        """Return the last list: title, artist, genre, and why each track is in it."""
        rows = [
            (card.title, card.artist, card.genre, item.why.text)
            for item in self.steps[-1].answer.items[:TOP]
            if (card := self.cards.get(item.track_id))
        ]
        index = pd.RangeIndex(1, len(rows) + 1, name="place")
        return pd.DataFrame(rows, columns=["title", "artist", "genre", "why"], index=index)

    def steps_table(self) -> pd.DataFrame:
        """Return for each step what was done, the milliseconds to the list, and how many of it are new."""
        lists = self._lists()
        rows = [
            (step.kind, self.cards[step.track_id].title, round(step.ms, 1), len(set(step.top) - set(old)))
            for step, old in zip(self.steps, lists, strict=False)
        ]
        return pd.DataFrame(rows, columns=["did", "track", "ms to the new list", f"new of {TOP}"])

    def figures(self) -> dict[str, Any]:
        """Return the numbers that a run keeps."""
        return {
            "ms": [round(step.ms, 2) for step in self.steps],
            "kinds": [step.kind for step in self.steps],
            "model": self.steps[-1].answer.model,
            "new_of_ten": self._new(),
            "named_of_ten": self._named(),
        }

    def record(self, run: Run) -> None:
        """Keep the numbers among a run's metrics."""
        run.record(rehearsal=self.figures())

    def findings(self) -> list[str]:
        """Return what was found, in sentences."""
        times = [step.ms for step in self.steps]
        size = len(self.steps[-1].top)
        said = [
            f"From what the listener did to the new list: {np.median(times):.0f} ms (median of {len(times)}; "
            f"slowest {max(times):.0f} ms), through Kafka to the worker and back.",
        ]
        if size:
            said += [
                f"{self._new()} of the first {size} places hold other tracks than before.",
                f"{self._named()} of {size} name a track that the listener played or liked as their reason.",
            ]
        else:
            said.append("In the end nothing was left to recommend: the listener had heard all there is.")
        gone = {step.track_id for step in self.steps if step.kind == "dislike"}
        if gone and not gone & {item.track_id for item in self.steps[-1].answer.items}:
            said.append("The disliked track left the list at once.")
        said.append("The listener is simulated; the events, the topics, the worker and the store are real.")
        return [*said, f"The catalogue: {self.note}."] if self.note else said

    def _lists(self) -> list[list[int]]:
        return [self.before, *(step.top for step in self.steps)]

    def _new(self) -> int:
        return len(set(self.steps[-1].top) - set(self.before))

    def _named(self) -> int:
        own = {step.track_id for step in self.steps if step.kind != "dislike"}
        return sum(bool(own & set(item.why.because_of)) for item in self.steps[-1].answer.items[:TOP])

    def _headline(self) -> str:
        likes = sum(step.kind == "like" for step in self.steps)
        count = f"{likes} like" + ("s" if likes != 1 else "")
        typical = float(np.median([step.ms for step in self.steps]))
        size = len(self.steps[-1].top)
        put = f"put {self._new()} new tracks among the first {size}" if size else "leave nothing to recommend"
        return f"{count} of {self.taste} {put}; a new list takes {typical:.0f} ms (median)"


def play_session(settings: Settings, run: Run, steps: int, seed: int) -> Session:
    """Play, like and dislike through the real topics, with a worker of its own, and wait for each list.

    Parameters
    ----------
    settings
        Where Kafka and the document store are.
    run
        Its models and cards are used; its database is only read.
    steps
        How many things the listener does, at least 1: a play, likes of tracks of one kind, a dislike.
    seed
        Chooses the kind and the tracks.

    Raises
    ------
    SegueError
        If Kafka, the store, cards or models are not there, or a list does not come within ten seconds.
    """
    database = run.dataset["database"]
    with open_store(settings.mongo_uri, database) as catalogue:
        shelves = catalogue.meta.find_one({"_id": "shelves"})
        if shelves is None or not shelves["popular"]:
            raise SegueError(
                "there are no cards of these tracks: run notebook 03; where it has run, it says why"
            )
        if shelves["tracks"] < 2:
            raise SegueError("a session needs at least two usable tracks, one to come after the other")
        taste, liked = _taste(catalogue, shelves["popular"], seed)
        with _circle(settings, run, f"{database[: _LONGEST - len(_SUFFIX)]}{_SUFFIX}") as circle:
            done = list(_play(circle, liked, steps, shelves["popular"]))
        before = shelves["popular"][:TOP]
        named = {step.track_id for step in done} | {t for step in done for t in step.top} | set(before)
        cards = catalogue.cards.by_ids(sorted(named))
    note = f"{shelves['composed']:,} of {shelves['tracks']:,} tracks composed by Segue"
    return Session(taste, before, done, cards, note if shelves["composed"] else "")


def _taste(store: Store, popular: Sequence[int], seed: int) -> tuple[str, list[int]]:
    """Return in words what the listener likes, and tracks of that kind in a random order."""
    rng = np.random.default_rng(seed)
    first = store.cards.by_ids([chosen := int(rng.choice(popular))])[chosen]
    if first.genre:
        found, _ = store.cards.find(first.genre, _ENOUGH)
        same = [card.track_id for card in found if card.genre == first.genre and card.track_id != chosen]
        return first.genre, [chosen, *rng.permutation(same).tolist()]
    return f"what sounds like “{first.title}”", [chosen, *first.neighbours.get("exact", [])]


def _play(circle: _Circle, liked: Sequence[int], steps: int, offered: Sequence[int]) -> Iterator[Step]:
    """Yield each step as its list arrives: what is liked comes from ``liked``, then from the list itself.

    The dislike goes to whatever stands first then; with an empty list the session is over.
    """
    likes: list[Kind] = ["like"] * (steps if steps < 3 else steps - 2)
    kinds: list[Kind] = likes if steps < 3 else ["play", *likes, "dislike"]
    wanted = list(liked)
    listed = list(offered)
    played = -1
    for kind in kinds:
        if not listed:
            return
        if kind == "dislike":
            track = listed[0]
        elif played >= 0:
            track = played
        else:
            track = wanted.pop(0) if wanted else listed[0]
        step = circle.act(kind, track)
        played = track if kind == "play" else -1
        listed = step.top
        yield step


class _Circle:
    """The two ends of the circle for one listener."""

    def __init__(self, settings: Settings, database: str, worker: threading.Thread, why: list[str]) -> None:
        self._database, self._worker, self._why = database, worker, why
        self._listener = f"rehearsal-{uuid4().hex[:12]}"
        self._lists: queue.Queue[bytes] = queue.Queue()
        self._connected = threading.Event()
        self._lost: queue.Queue[UUID] = queue.Queue()
        self._sender = Sender(lambda: settings.kafka_bootstrap, self._answered)
        self._receiver = Receiver(
            lambda: settings.kafka_bootstrap, self._listener, self._lists.put, self._listening
        )

    def _listening(self, connected: bool) -> None:
        if connected:
            self._connected.set()

    def _answered(self, event_id: UUID, delivered: bool) -> None:
        if not delivered:
            self._lost.put(event_id)

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
def _circle(settings: Settings, run: Run, database: str) -> Iterator[_Circle]:
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
            circle = _Circle(settings, database, thread, why)
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
