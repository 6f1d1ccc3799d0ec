"""The server's end of a kernel's leash."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import Callable, Mapping
from typing import Any

from segue.errors import SegueError
from segue.player.leash import LARGEST

_MODEL_ID = re.compile(r"[0-9a-f]{32}")


class SeatFailed(SegueError):
    """A kernel that is no use to a page: it died, took too long, or showed no widget."""


class Holder:
    """Hears how far a kernel is, and tells it who sits down.

    Parameters
    ----------
    connection
        The server's end of the leash.
    gone
        Called once when the kernel is gone.

    Attributes
    ----------
    model_id, state
        The widget that the notebook showed, once it has run: its model's id and its own traits.
    """

    def __init__(self, connection: socket.socket, gone: Callable[[], object]) -> None:
        self._connection, self._gone = connection, gone
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._lost = self._ran = self._waits = self._seated = False
        self.model_id, self.state = "", dict[str, Any]()
        connection.setblocking(False)
        self._loop.add_reader(connection, self._read)

    @property
    def is_lost(self) -> bool:
        """Tell whether the kernel is gone, or is not to be used."""
        return self._lost

    async def usable(self) -> None:
        """Return when the notebook has run, or waits to be told who listens."""
        await self._until(lambda: self._waits or self._ran)

    async def seat(self, environment: Mapping[str, str]) -> None:
        """Tell the kernel who listens, and return when it is their player."""
        try:
            self._connection.send(json.dumps(dict(environment)).encode())
        except OSError:
            self._lose()
        await self._until(lambda: self._ran and self._seated)

    def close(self) -> None:
        """Let go; a kernel that still lives ends by that."""
        if self._connection.fileno() >= 0:
            self._loop.remove_reader(self._connection)
            self._connection.close()
        self._lost = True
        self._tell()

    async def _until(self, reached: Callable[[], bool]) -> None:
        while not reached():
            if self._lost:
                raise SeatFailed("a kernel ended before its page was there")
            await self._news.wait()

    def _read(self) -> None:
        try:
            content = self._connection.recv(LARGEST)
        except BlockingIOError:
            return
        except OSError:
            content = b""
        if not content:
            self._lose()
            return
        said = json.loads(content)
        self._waits |= "waits" in said
        self._seated |= "seated" in said
        if "ran" in said:
            self._note_widget(said["ran"])
        self._tell()

    def _note_widget(self, shown: dict[str, Any] | None) -> None:
        if shown is None or not _MODEL_ID.fullmatch(shown["model_id"]):
            self._lose()
            return
        self._ran = True
        self.model_id, self.state = shown["model_id"], shown["state"]

    def _lose(self) -> None:
        self.close()
        self._gone()

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()
