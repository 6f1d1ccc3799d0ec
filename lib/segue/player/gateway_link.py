"""A kernel's link with Kafka through the server's gateway: one socket and one thread, no client of Kafka."""

from __future__ import annotations

import logging
import socket
import struct
import threading
from collections.abc import Mapping
from uuid import UUID

from segue.live.events import PlayEvent
from segue.player.gateway_frames import (
    FROM_GATEWAY,
    HEAD_BYTES,
    Answer,
    BadFrame,
    Dropped,
    Enter,
    Kind,
    Status,
    frame,
    head,
)
from segue.player.link import Ears
from segue.player.place import Place

log = logging.getLogger(__name__)

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 2.0
_SEND_S = 2


class GatewayLink:
    """Connects in a thread of its own, and again with growing pauses whenever the gateway is gone.

    Parameters
    ----------
    place
        Whose link this is, with the gateway's socket and the ticket that the server gave for it.
    ears
        What hears of it.
    """

    def __init__(self, place: Place, ears: Ears) -> None:
        self._path, self._ears = place.gateway, ears
        self._enter = Enter.model_construct(
            listener_id=place.listener_id, ticket=place.ticket, database=place.database
        ).to_bytes()
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._in_hand: set[UUID] = set()
        self._kafka = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="segue-link", daemon=True)
        self._thread.start()

    @property
    def threads(self) -> tuple[threading.Thread, ...]:
        """Return the threads that work for it."""
        return (self._thread,)

    def send(self, event: PlayEvent) -> None:
        """Hand an event to the gateway; it is answered as not delivered when there is none."""
        self._in_hand.add(event.event_id)
        if not self._write(Kind.EVENT, event.to_bytes()):
            self._answer(event.event_id, False)

    def report(self, dropped: Mapping[str, int]) -> None:
        """Tell the gateway what was dropped."""
        self._write(Kind.DROPPED, Dropped(counts=dict(dropped)).to_bytes())

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        with self._lock:
            if self._socket is not None:
                _shut(self._socket)

    def _run(self) -> None:
        pause = _FIRST_PAUSE_S
        while not self._stop.is_set():
            try:
                with socket.socket(socket.AF_UNIX) as opened:
                    self._open(opened)
                    while True:
                        self._hear(*_read(opened))
                        pause = _FIRST_PAUSE_S
            except (OSError, BadFrame) as error:
                if not self._stop.is_set() and pause == _FIRST_PAUSE_S:
                    log.warning("no gateway: %s", error)
            except Exception:
                log.exception("the gateway said something that could not be taken")
            if not self._stop.is_set():
                self._lost()
            self._stop.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    def _open(self, opened: socket.socket) -> None:
        # A gateway that takes nothing must not hold up the desk.
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", _SEND_S, 0))
        opened.connect(self._path)
        with self._lock:
            opened.sendall(frame(Kind.ENTER, self._enter))
            self._socket = opened
        if self._stop.is_set():
            _shut(opened)

    def _hear(self, kind: Kind, content: bytes) -> None:
        match kind:
            case Kind.LIST:
                self._ears.listed(content)
            case Kind.ANSWER:
                answer = Answer.from_bytes(content)
                self._answer(answer.event_id, answer.delivered)
            case _:
                status = Status.from_bytes(content)
                self._ears.noted(**dict(status))
                if status.kafka and not self._kafka:
                    self._ears.resumed()
                self._kafka = status.kafka

    def _lost(self) -> None:
        with self._lock:
            self._socket = None
        self._kafka = False
        self._ears.noted(kafka=False)
        for event_id in list(self._in_hand):
            self._answer(event_id, False)

    def _answer(self, event_id: UUID, delivered: bool) -> None:
        self._in_hand.discard(event_id)
        self._ears.answered(event_id, delivered)

    def _write(self, kind: Kind, content: bytes) -> bool:
        with self._lock:
            if self._socket is None or self._stop.is_set():
                return False
            try:
                self._socket.sendall(frame(kind, content))
            except (OSError, BadFrame) as error:
                log.warning("the gateway takes nothing: %s", error)
                # Part of a frame may have gone out: nothing can follow it.
                _shut(self._socket)
                return False
        return True


def _read(opened: socket.socket) -> tuple[Kind, bytes]:
    kind, length = head(_exactly(opened, HEAD_BYTES), FROM_GATEWAY)
    return kind, _exactly(opened, length)


def _exactly(opened: socket.socket, count: int) -> bytes:
    content = bytearray()
    while len(content) < count:
        part = opened.recv(count - len(content))
        if not part:
            raise ConnectionResetError("it has closed the connection")
        content += part
    return bytes(content)


def _shut(opened: socket.socket) -> None:
    """End a connection so that its reader notices."""
    try:
        opened.shutdown(socket.SHUT_RDWR)
    except OSError as error:
        log.info("a connection was gone already: %s", error)
