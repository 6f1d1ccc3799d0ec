"""One player's desk: what its page asks is done in order by one thread, and what is new is told to it."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import UUID

from segue.live.events import Recommendation
from segue.player.acts import Acts
from segue.player.answers import ANSWERS, Asked
from segue.player.gate import Gate
from segue.player.link import Connect
from segue.player.messages import Act, Hello, Message, Question
from segue.player.newest import Newest
from segue.player.place import Place
from segue.player.store_link import AWAY, StoreLink
from segue.player.welcome import read_shelves, read_state, welcome

log = logging.getLogger(__name__)

_WAITING = 256
_AGAIN_S = 2.0
_IDLE_S = 60.0
_REPORT_S = 1.0
_SHELVES = ("starters", "popular", "recent")
_NO_STORE = "The catalogue cannot be reached just now. It will be tried again."
_NO_CARDS = "There is nothing to play yet: this collection has not been prepared for the player."


class Desk:
    """Answers one page.

    Parameters
    ----------
    place
        Whose player it is.
    stores
        Opens the data set's store.
    tell
        Sends a message to the page; called from several threads, one at a time.
    audio
        Gives ``prefix`` and ``suffix`` of a clip's address around its track id.
    connect
        Makes the link with Kafka.
    gate
        Admits what the page says.
    """

    def __init__(
        self,
        place: Place,
        stores: StoreLink,
        tell: Callable[[dict[str, Any]], object],
        audio: Callable[[], dict[str, str]],
        connect: Connect,
        gate: Gate | None = None,
    ) -> None:
        self.place, self._stores, self._audio = place, stores, audio
        self.gate = gate or Gate()
        self._tell_page, self._telling = tell, threading.Lock()
        self._jobs: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._known: set[int] = set()
        self._newest, self._acts = Newest(place), Acts(place, self._has)
        self._greeted = self._owes_welcome = self._owes_look = self._owes_list = False
        self._status = {"kafka": False, "worker": False, "store": False}
        self._told_status: dict[str, bool] = {}
        self._reported: Counter[str] = Counter()
        self._reported_at = -_REPORT_S
        self._closed = threading.Event()
        self._link = connect(self)
        self._thread = threading.Thread(target=self._run, name="segue-desk", daemon=True)
        self._thread.start()

    def receive(self, content: Any, buffers: Any = None) -> None:
        """Take a message of the page, on the kernel's main thread: check it, put it down, return."""
        if self._closed.is_set():
            return
        message = self.gate.admit(content, buffers)
        if self._jobs.qsize() >= _WAITING:
            self.gate.dropped["too many"] += message is not None
        else:
            # A dropped message wakes the desk's thread too: it reports it.
            self._jobs.put(_nothing if message is None else lambda: self._handle(message))

    def close(self) -> None:
        """End the threads and connections; nothing is told to the page after this."""
        self._closed.set()
        self._link.close()
        self._jobs.put(_nothing)

    def join(self, timeout_s: float) -> None:
        """Wait until the threads have ended, at most ``timeout_s`` seconds."""
        until = time.monotonic() + timeout_s
        for thread in self.threads:
            thread.join(max(0.0, until - time.monotonic()))

    @property
    def threads(self) -> tuple[threading.Thread, ...]:
        """Return the threads that work for this desk."""
        return self._thread, *self._link.threads

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                self._do(self._jobs.get(timeout=self._patience_s()))
            except queue.Empty:
                self._do(self._pay if self._owing() else self._stores.close)
            if self._unreported() and time.monotonic() - self._reported_at >= _REPORT_S:
                self._do(self._report)
        self._stores.close()

    def _patience_s(self) -> float:
        """Return how long to wait for something to do."""
        if self._unreported():
            return _REPORT_S
        return _AGAIN_S if self._owing() else _IDLE_S

    def _do(self, job: Callable[[], object]) -> None:
        try:
            job()
        except Exception:
            log.exception("the player could not do something")

    # What the page asks -------------------------------------------------------------------------------

    def _handle(self, message: Message) -> None:
        match message:
            case Hello():
                self._welcome()
            case Act():
                self._act(message)
            case Question():
                self._answer(message)

    def _welcome(self) -> None:
        self._greeted = True
        try:
            store = self._stores.open()
            shelves = read_shelves(store, self.place.run.dataset["title"])
            state = read_state(store, self.place.listener_id)
            told = welcome(self.place, store, shelves, state, self._audio())
            self._newest.take(self._newest.stored(store))
            listed = self._newest.told(store, self._known)
        except AWAY as error:
            log.warning("no welcome: %s", error)
            self._status["store"] = False
            if not self._owes_welcome:
                self._tell({"type": "failed", "request": None, "text": _NO_STORE})
                self._tell_status(always=True)
            self._owes_welcome = True
            return
        self._owes_welcome = self._owes_look = self._owes_list = False
        self._known.update(card["track_id"] for shelf in _SHELVES for card in told[shelf])
        self._tell(told)
        self._tell(listed)
        if not shelves.tracks:
            self._tell({"type": "failed", "request": None, "text": _NO_CARDS})
        self._status["store"] = True
        self._tell_status(always=True)

    def _answer(self, question: Question) -> None:
        try:
            asked = Asked(self.place, self._stores.open(), self._known)
            told = ANSWERS[type(question)](question, asked)
        except AWAY as error:
            log.warning("no answer: %s", error)
            told = {"type": "failed", "request": question.request, "text": _NO_STORE}
        self._tell(told)

    def _act(self, act: Act) -> None:
        judged = self._acts.judge(act)
        if isinstance(judged, dict):
            self._tell(judged)
        else:
            self._link.send(judged)

    def _has(self, track_id: int) -> bool:
        """Tell whether a track has a card; while the store is away it is taken for granted."""
        if track_id not in self._known and self._status["store"]:
            try:
                self._known.update(self._stores.open().cards.by_ids([track_id]))
            except AWAY:
                return True
            return track_id in self._known
        return True

    # What the link says, on its threads -----------------------------------------------------------------

    def answered(self, event_id: UUID, delivered: bool) -> None:
        """Pass on what became of an event."""
        if delivered:
            self._jobs.put(lambda: self._acts.accepted(event_id))
        self._tell({"type": "accepted" if delivered else "later", "event_id": str(event_id)})

    def listed(self, content: bytes) -> None:
        """Show a list if it is this listener's, and the newest."""
        found = self._newest.parse(content)
        if found is not None:
            self._jobs.put(lambda: self._take(found))

    def resumed(self) -> None:
        """Look up what was published while nobody listened: it stands in the store."""
        self._jobs.put(self._look_up)

    def noted(self, **now: bool) -> None:
        """Pass on how things are."""
        self._jobs.put(lambda: self._note(**now))

    # What the page is told ------------------------------------------------------------------------------

    def _take(self, found: Recommendation | None) -> None:
        """Show a list unless the page has it, or a later one."""
        if self._newest.take(found):
            self._owes_list = self._greeted
            self._pay()

    def _look_up(self) -> None:
        self._owes_look = True
        self._pay()

    def _owing(self) -> bool:
        return self._owes_welcome or self._owes_look or self._owes_list

    def _pay(self) -> None:
        """Give the page what it is owed, unless the store is away: then later."""
        if self._owes_welcome:
            self._welcome()
            return
        try:
            store = self._stores.open()
            if self._owes_look:
                self._owes_list |= self._newest.take(self._newest.stored(store)) and self._greeted
                self._owes_look = False
            if self._owes_list:
                self._tell(self._newest.told(store, self._known))
                self._owes_list = False
        except AWAY as error:
            log.warning("a list cannot be shown yet: %s", error)

    def _note(self, **now: bool) -> None:
        back = now.get("store", False) and not self._status["store"]
        self._status |= now
        self._tell_status()
        if back:
            self._pay()

    def _unreported(self) -> bool:
        return self.gate.dropped.total() > self._reported.total()

    def _report(self) -> None:
        """Say what was dropped since the last time."""
        now = Counter(self.gate.dropped)
        self._link.report(now - self._reported)
        self._reported, self._reported_at = now, time.monotonic()

    def _tell_status(self, *, always: bool = False) -> None:
        if self._greeted and (always or self._status != self._told_status):
            self._told_status = dict(self._status)
            self._tell({"type": "status", **self._status})

    def _tell(self, message: dict[str, Any]) -> None:
        if self._closed.is_set():
            return
        try:
            with self._telling:
                self._tell_page(message)
        except Exception:
            log.exception("the page could not be told")


def _nothing() -> None:
    """Wake the desk's thread."""
