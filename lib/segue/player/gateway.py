"""The one way to Kafka of a player's server, which all its kernels share through a local socket."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import os
import secrets
import threading
from pathlib import Path

from segue.errors import SegueError
from segue.live.events import Malformed, PlayEvent
from segue.player.gateway_counts import GatewayCounts
from segue.player.gateway_frames import (
    FROM_KERNEL,
    HEAD_BYTES,
    MOST_BYTES,
    BadFrame,
    Dropped,
    Enter,
    Kind,
    head,
)
from segue.player.gateway_switchboard import Seat, Switchboard
from segue.settings import Settings

log = logging.getLogger(__name__)

_ENTER_S = 5.0
_AT_MOST = 512
_LONGEST_PATH = 100


class Gateway:
    """Lets kernels in, each for the listener whose ticket it has.

    It serves from a thread of its own, so that a page which is being made holds up no like.

    Parameters
    ----------
    settings
        Where Kafka and the store are.
    folder
        Where its socket will be: a folder that only this user can open.

    Attributes
    ----------
    counts
        What passed through it.
    """

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.path = folder / "gateway"
        self._settings = settings
        self._secret = secrets.token_bytes(32)
        self.counts = GatewayCounts()
        self._connections: set[asyncio.StreamWriter] = set()
        self._started = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="segue-gateway", daemon=True)

    def ticket(self, listener_id: str) -> str:
        """Return what a kernel proves by that it serves a listener."""
        return hmac.new(self._secret, listener_id.encode(), hashlib.sha256).hexdigest()

    def open(self) -> None:
        """Begin to serve.

        Raises
        ------
        SegueError
            If there can be no socket in the folder.
        """
        if len(os.fsencode(self.path)) > _LONGEST_PATH:
            raise SegueError(
                f"{self.path} is too long for a socket: set TMPDIR to a folder of a shorter path"
            )
        self._thread.start()
        self._started.wait()
        if self._failure is not None:
            raise SegueError(f"{self.path} cannot be listened on: {self._failure}")

    def close(self, timeout_s: float = 5.0) -> None:
        """End all connections and the thread."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:
            log.exception("the gateway ended")
            self._failure = error
        finally:
            self._started.set()

    async def _serve(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_unix_server(self._attend, self.path, limit=2 * MOST_BYTES[Kind.EVENT])
        self._board = Switchboard(self._settings, self._loop, self.counts)
        self._started.set()
        try:
            await self._ended.wait()
        finally:
            server.close()
            for writer in list(self._connections):
                writer.transport.abort()
            self.path.unlink(missing_ok=True)
            await asyncio.to_thread(self._board.close)

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connections) >= _AT_MOST:
            self.counts.refused += 1
            writer.transport.abort()
            return
        self._connections.add(writer)
        seat = None
        try:
            async with asyncio.timeout(_ENTER_S):
                seat = self._enter(*await _read(reader), writer)
            self.counts.kernels += 1
            while True:
                self._take(seat, *await _read(reader))
        except (BadFrame, Malformed, TimeoutError) as error:
            self.counts.refused += 1
            log.warning("a kernel was shown out: %s", error)
        except (asyncio.IncompleteReadError, OSError):
            log.debug("a kernel has gone")
        finally:
            self._connections.discard(writer)
            if seat is not None:
                self.counts.kernels -= 1
                self._board.leave(seat)
            writer.transport.abort()

    def _enter(self, kind: Kind, content: bytes, writer: asyncio.StreamWriter) -> Seat:
        if kind is not Kind.ENTER:
            raise BadFrame("a kernel does not say who it is")
        enter = Enter.from_bytes(content)
        if not hmac.compare_digest(enter.ticket, self.ticket(enter.listener_id)):
            raise BadFrame("a ticket is not its listener's")
        return self._board.enter(enter.listener_id, enter.database, writer)

    def _take(self, seat: Seat, kind: Kind, content: bytes) -> None:
        match kind:
            case Kind.EVENT:
                self._board.send(seat, PlayEvent.from_bytes(content))
            case Kind.DROPPED:
                counts = Dropped.from_bytes(content).counts
                self.counts.dropped.update(counts)
                log.warning("messages of a page of %s were dropped: %s", seat.listener_id, counts)
            case _:
                raise BadFrame("a kernel says twice who it is")


async def _read(reader: asyncio.StreamReader) -> tuple[Kind, bytes]:
    kind, length = head(await reader.readexactly(HEAD_BYTES), FROM_KERNEL)
    return kind, await reader.readexactly(length)
