"""One player's desk: what its page asks is done in order by one thread, and what is new is told to it."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from pydantic import ValidationError

from segue.live.events import Malformed, Recommendation
from segue.player import lists
from segue.player.acts import event_of
from segue.player.gate import Gate
from segue.player.kafka_link import Receiver, Sender
from segue.player.messages import Act, Find, Hello
from segue.player.place import Place
from segue.player.store_link import AWAY, StoreLink
from segue.player.welcome import read_shelves, read_state, welcome
from segue.store import Store
from segue.store.cards import Card

log = logging.getLogger(__name__)

_WAITING = 256
_REMEMBERED = 2_000
_WATCH_S = 2.0
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
    look_after
        Called every two seconds with the store while it answers, for what else the player needs.
    """

    def __init__(
        self,
        place: Place,
        stores: StoreLink,
        tell: Callable[[dict[str, Any]], object],
        audio: Callable[[], dict[str, str]],
        look_after: Callable[[Store], object] = lambda store: None,
    ) -> None:
        self.place, self._stores, self._audio, self._look_after = place, stores, audio, look_after
        self.gate = Gate()
        self._tell_page, self._telling = tell, threading.Lock()
        self._session = uuid4().hex
        self._jobs: queue.Queue[Callable[[], object]] = queue.Queue(_WAITING)
        self._known: set[int] = set()
        self._accepted: OrderedDict[UUID, None] = OrderedDict()
        self._newest: Recommendation | None = None
        self._greeted = self._owes_welcome = self._owes_list = False
        self._status = {"kafka": False, "worker": False, "store": False}
        self._told_status: dict[str, bool] = {}
        self._closed = threading.Event()
        self._sender = Sender(lambda: place.settings.kafka_bootstrap, self._answered)
        self._receiver = Receiver(
            lambda: place.settings.kafka_bootstrap, place.listener_id, self._received, self._connected
        )
        self._thread = threading.Thread(target=self._run, name="segue-desk", daemon=True)
        self._thread.start()

    def receive(self, content: Any, buffers: Any = None) -> None:
        """Take a message of the page, on the kernel's main thread: check it, put it down, return."""
        if self._closed.is_set():
            return
        message = self.gate.admit(content, buffers)
        if message is not None and not self._put(lambda: self._handle(message)):
            self.gate.dropped["too many"] += 1

    def close(self) -> None:
        """End the threads and connections; nothing is told to the page after this."""
        self._closed.set()
        self._receiver.close()
        self._sender.close()
        self._put(lambda: None)

    def join(self, timeout_s: float) -> None:
        """Wait until the threads have ended, at most ``timeout_s`` seconds."""
        until = time.monotonic() + timeout_s
        for thread in self.threads:
            thread.join(max(0.0, until - time.monotonic()))

    @property
    def threads(self) -> tuple[threading.Thread, ...]:
        """Return the threads that work for this desk."""
        return self._thread, self._sender.thread, self._receiver.thread

    def _put(self, job: Callable[[], object]) -> bool:
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            return False
        return True

    def _run(self) -> None:
        watched = -_WATCH_S
        while not self._closed.is_set():
            if time.monotonic() - watched >= _WATCH_S:
                self._do(self._watch)
                watched = time.monotonic()
            with contextlib.suppress(queue.Empty):
                self._do(self._jobs.get(timeout=_WATCH_S))
        self._stores.close()

    def _do(self, job: Callable[[], object]) -> None:
        try:
            job()
        except Exception:
            log.exception("the player could not do something")

    # What the page asks -------------------------------------------------------------------------------

    def _handle(self, message: Hello | Find | Act) -> None:
        match message:
            case Hello():
                self._welcome()
            case Find():
                self._find(message)
            case Act():
                self._act(message)

    def _welcome(self) -> None:
        self._greeted = True
        try:
            store = self._stores.open()
            shelves = read_shelves(store, self.place.run.dataset["title"])
            state = read_state(store, self.place.listener_id)
            told = welcome(self.place, store, shelves, state, self._audio())
            self._newest = self._later_of(self._stored(store))
            listed = self._list(store)
        except AWAY as error:
            log.warning("no welcome: %s", error)
            self._owes_welcome = True
            self._status["store"] = False
            self._tell({"type": "failed", "request": None, "text": _NO_STORE})
            self._tell_status(always=True)
            return
        self._owes_welcome = self._owes_list = False
        self._known.update(card["track_id"] for shelf in _SHELVES for card in told[shelf])
        self._tell(told)
        self._tell(listed)
        if not shelves.tracks:
            self._tell({"type": "failed", "request": None, "text": _NO_CARDS})
        self._tell_status(always=True)

    def _find(self, find: Find) -> None:
        try:
            cards, total = _found(find, self._stores.open())
        except AWAY as error:
            log.warning("no search: %s", error)
            self._tell({"type": "failed", "request": find.request, "text": _NO_STORE})
            return
        self._known.update(card.track_id for card in cards)
        tracks = [card.to_page() for card in cards]
        told = {"request": find.request, "tracks": tracks, "total": total, "offset": find.offset}
        self._tell({"type": "found", **told})

    def _act(self, act: Act) -> None:
        if act.event_id in self._accepted:
            self._tell({"type": "accepted", "event_id": str(act.event_id)})
            return
        if not self._has(act.track_id):
            self._refuse(act, "This track is not in the collection any more.")
            return
        try:
            event = event_of(act, self.place, self._session)
        except ValidationError:
            self._refuse(act, "A rating has one to five stars, and nothing else has any.")
            return
        self._sender.send(event)

    def _has(self, track_id: int) -> bool:
        """Tell whether a track has a card; while the store is away it is taken for granted."""
        if track_id not in self._known and self._status["store"]:
            try:
                self._known.update(self._stores.open().cards.by_ids([track_id]))
            except AWAY:
                return True
            return track_id in self._known
        return True

    def _refuse(self, act: Act, why: str) -> None:
        self._tell({"type": "refused", "event_id": str(act.event_id), "why": why})

    # What comes from Kafka, on its threads --------------------------------------------------------------

    def _answered(self, event_id: UUID, delivered: bool) -> None:
        if delivered:
            self._put(lambda: self._remember(event_id))
        self._tell({"type": "accepted" if delivered else "later", "event_id": str(event_id)})

    def _remember(self, event_id: UUID) -> None:
        self._accepted[event_id] = None
        if len(self._accepted) > _REMEMBERED:
            self._accepted.popitem(last=False)

    def _received(self, content: bytes) -> None:
        try:
            found = Recommendation.from_bytes(content)
        except Malformed as error:
            log.warning("a list was passed over: %s", error)
            return
        if (found.listener_id, found.dataset) == (self.place.listener_id, self.place.database):
            self._put(lambda: self._take(found))

    def _connected(self, connected: bool) -> None:
        self._put(lambda: self._note(kafka=connected))
        if connected:
            # What was published while nobody read is not read again, but stands in the store.
            self._put(lambda: self._take(self._stored(self._stores.open())))

    # Lists ----------------------------------------------------------------------------------------------

    def _take(self, found: Recommendation | None) -> None:
        """Show a list unless the page has it, or a later one."""
        later = self._later_of(found)
        if later is self._newest:
            return
        self._newest = later
        self._owes_list = self._greeted
        self._show()

    def _show(self) -> None:
        """Tell the page the list that it is owed, unless the store is away: then later."""
        if not self._owes_list or self._owes_welcome:
            return
        try:
            self._tell(self._list(self._stores.open()))
            self._owes_list = False
        except AWAY as error:
            log.warning("a list cannot be shown yet: %s", error)

    def _later_of(self, found: Recommendation | None) -> Recommendation | None:
        shown = self._newest
        if found is None or shown is None:
            return found or shown
        same = found.recommendation_id == shown.recommendation_id
        return shown if same or found.made_at < shown.made_at else found

    def _stored(self, store: Store) -> Recommendation | None:
        found = store.recommendations.get(self.place.listener_id)
        try:
            return Recommendation.model_validate(found) if found else None
        except ValidationError:
            log.warning("the stored list of this listener is not one of this version")
            return None

    def _list(self, store: Store) -> dict[str, Any]:
        """Return the newest list as a page is told of it, or what is popular when there is none yet."""
        if self._newest is not None:
            cards = store.cards.by_ids(lists.tracks_of(self._newest))
            told = lists.recommended(self._newest, cards)
        else:
            shelves = read_shelves(store, "")
            cards = store.cards.by_ids(shelves.popular)
            told = lists.for_everybody(
                shelves.popular, cards, played=shelves.played, simulated=shelves.simulated
            )
        self._known.update(cards)
        return told

    # How things are -------------------------------------------------------------------------------------

    def _watch(self) -> None:
        try:
            store = self._stores.open()
            self._note(worker=store.workers.serving(), store=True)
        except AWAY as error:
            log.warning("the document store does not answer: %s", error)
            self._note(worker=False, store=False)
            return
        if self._owes_welcome:
            self._welcome()
        self._show()
        self._look_after(store)

    def _note(self, **now: bool) -> None:
        self._status |= now
        self._tell_status()

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


_SHELVES = ("starters", "popular", "recent")


def _found(find: Find, store: Store) -> tuple[list[Card], int]:
    """Return the cards that a page asks for, and how many there are in all."""
    if find.among is None:
        return store.cards.find(find.text, lists.PAGE_OF_CARDS, find.offset)
    there = store.cards.by_ids(find.among)
    cards = [there[track] for track in dict.fromkeys(find.among) if track in there]
    return cards, len(cards)
