"""A line between a browser and a server on this machine, which can be cut and joined again."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any


class Cable:
    """Passes every byte on to ``host:port`` from an address of its own, unless it is cut."""

    def __init__(self, host: str) -> None:
        name, _, port = host.partition(":")
        self._far = name, int(port)
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    @contextmanager
    def joined(self) -> Iterator["Cable"]:
        """Carry until the block ends."""
        thread = threading.Thread(target=self._loop.run_forever, name="cable")
        thread.start()
        try:
            self._do(self._listen())
            yield self
        finally:
            self._do(self._break())
            self._do(self._rest())
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.close()

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Break every connection, and refuse new ones, until the block ends."""
        self._do(self._break())
        try:
            yield
        finally:
            self._do(self._listen())

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _break(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._open:
            writer.transport.abort()

    async def _rest(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)

    async def _carry(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, forth = await asyncio.open_connection(*self._far)
        ends = {back, forth}
        self._open |= ends
        try:
            await asyncio.gather(_pass_on(near, forth), _pass_on(far, back))
        finally:
            self._open -= ends
            for end in ends:
                end.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while content := await reader.read(65_536):
            writer.write(content)
            await writer.drain()
    writer.close()
