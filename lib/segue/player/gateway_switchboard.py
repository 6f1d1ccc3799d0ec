"""Who is at the gateway: events of many kernels to one producer, lists of one consumer to their listeners."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID

from segue.live.events import PlayEvent
from segue.player.gate import TokenBucket
from segue.player.gateway_counts import GatewayCounts
from segue.player.gateway_frames import MOST_BYTES, Answer, BadFrame, Kind, Status, frame
from segue.player.kafka_link import Receiver, Sender
from segue.player.store_link import StoreLink
from segue.player.watch import Watch
from segue.settings import Settings

log = logging.getLogger(__name__)

_RATE, _BURST = 40.0, 400
"""Events a second of one kernel: above what its gate lets pass, so that only a broken one is held back."""

_DATABASES = 4
_UNANSWERED = 400
_WAITING = 8_192
_UNREAD_BYTES = 4 << 20
_JOIN_S = 2.0


class Seat:
    """A kernel that was let in."""

    def __init__(self, listener_id: str, watched: Watched, writer: asyncio.StreamWriter) -> None:
        self.listener_id, self.watched, self._writer = listener_id, watched, writer
        self.key = listener_id.encode()
        self.unanswered = 0
        self.bucket = TokenBucket(_RATE, _BURST)

    def tell(self, kind: Kind, content: bytes) -> None:
        """Send a frame; one who does not read is shown out, and looks its list up when it is back."""
        if self._writer.transport.get_write_buffer_size() > _UNREAD_BYTES:
            self._writer.transport.abort()
            return
        self._writer.write(frame(kind, content))


class Watched:
    """A data set that is played from, how it is, and who plays."""

    def __init__(
        self, settings: Settings, database: str, noted: Callable[[Watched, dict[str, bool]], None]
    ) -> None:
        self.database = database
        self.found = {"worker": False, "store": False}
        self.seats: set[Seat] = set()
        self.watch = Watch(StoreLink(settings, database), lambda **found: noted(self, found))


class Switchboard:
    """Joins seats and Kafka; all but `close` belongs to the loop's thread.

    Parameters
    ----------
    settings
        Where Kafka and the store are.
    loop
        The gateway's loop.
    counts
        Where answers and lists are counted.
    """

    def __init__(self, settings: Settings, loop: asyncio.AbstractEventLoop, counts: GatewayCounts) -> None:
        self._settings, self._loop, self._counts = settings, loop, counts
        self._seats: dict[bytes, list[Seat]] = {}
        self._waiting: dict[tuple[str, UUID], list[Seat]] = {}
        self._watched: dict[str, Watched] = {}
        self._kafka = False

        def bootstrap() -> str:
            return settings.kafka_bootstrap

        self._sender = Sender(bootstrap, self._from_sender, _WAITING)
        self._receiver = Receiver(bootstrap, self._from_topic, lambda now: self._soon(self._note_kafka, now))

    def close(self) -> None:
        """End its threads; what is not acknowledged by then gets no answer."""
        self._receiver.close()
        self._sender.close()
        for watched in list(self._watched.values()):
            watched.watch.close()
        self._sender.thread.join(_JOIN_S)
        self._receiver.thread.join(_JOIN_S)

    def enter(self, listener_id: str, database: str, writer: asyncio.StreamWriter) -> Seat:
        """Give a kernel its seat and tell it how things are.

        Raises
        ------
        BadFrame
            If too many data sets are played from already.
        """
        watched = self._watched.get(database)
        if watched is None:
            if len(self._watched) >= _DATABASES:
                raise BadFrame("a kernel plays from one data set too many")
            watched = self._watched[database] = Watched(self._settings, database, self._found)
        seat = Seat(listener_id, watched, writer)
        watched.seats.add(seat)
        self._seats.setdefault(seat.key, []).append(seat)
        seat.tell(Kind.STATUS, self._status(watched))
        return seat

    def leave(self, seat: Seat) -> None:
        """Take a kernel's seat away."""
        others = self._seats[seat.key]
        others.remove(seat)
        if not others:
            del self._seats[seat.key]
        watched = seat.watched
        watched.seats.discard(seat)
        if not watched.seats:
            del self._watched[watched.database]
            watched.watch.close()

    def send(self, seat: Seat, event: PlayEvent) -> None:
        """Take an event of a kernel; its answer follows.

        Raises
        ------
        BadFrame
            If the event is of another listener or another data set.
        """
        if (event.listener_id, event.dataset) != (seat.listener_id, seat.watched.database):
            raise BadFrame("an event is another listener's")
        if seat.unanswered >= _UNANSWERED or not seat.bucket.take():
            self._counts.answers["later"] += 1
            seat.tell(Kind.ANSWER, Answer(event_id=event.event_id, delivered=False).to_bytes())
            return
        seat.unanswered += 1
        name = (event.listener_id, event.event_id)
        if name in self._waiting:
            # A page that came back may send what its former kernel has in hand: both are answered.
            self._waiting[name].append(seat)
        else:
            self._waiting[name] = [seat]
            self._sender.send(event)

    def _from_sender(self, event: PlayEvent, delivered: bool) -> None:
        self._soon(self._answer, (event.listener_id, event.event_id), delivered)

    def _answer(self, name: tuple[str, UUID], delivered: bool) -> None:
        content = Answer(event_id=name[1], delivered=delivered).to_bytes()
        for seat in self._waiting.pop(name, ()):
            self._counts.answers["accepted" if delivered else "later"] += 1
            seat.unanswered -= 1
            seat.tell(Kind.ANSWER, content)

    def _from_topic(self, key: bytes | None, content: bytes | None) -> None:
        # Most lists are of listeners who are not here: the loop does not wake for them.
        if key in self._seats and content is not None:
            self._soon(self._hand_out, key, content)

    def _hand_out(self, key: bytes, content: bytes) -> None:
        if len(content) > MOST_BYTES[Kind.LIST]:
            log.warning("a list of %d bytes was passed over", len(content))
            return
        for seat in self._seats.get(key, ()):
            self._counts.lists += 1
            seat.tell(Kind.LIST, content)

    def _note_kafka(self, now: bool) -> None:
        self._kafka = now
        for watched in self._watched.values():
            self._tell_status(watched)

    def _found(self, watched: Watched, found: dict[str, bool]) -> None:
        if found != watched.found:
            self._soon(self._note_found, watched, found)

    def _note_found(self, watched: Watched, found: dict[str, bool]) -> None:
        watched.found = found
        self._tell_status(watched)

    def _tell_status(self, watched: Watched) -> None:
        content = self._status(watched)
        for seat in watched.seats:
            seat.tell(Kind.STATUS, content)

    def _status(self, watched: Watched) -> bytes:
        return Status(kafka=self._kafka, **watched.found).to_bytes()

    def _soon(self, do: Callable[..., None], *given: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(do, *given)
        except RuntimeError:
            log.debug("the gateway has ended")
