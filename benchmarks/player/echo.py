"""A loopback echo as a process of its own: what a socket costs on this machine without Segue."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application
from tornado.websocket import WebSocketHandler, websocket_connect

_MESSAGE = b"x" * 500


class _Echo(WebSocketHandler):
    def open(self, *args: str, **kwargs: str) -> None:
        self.set_nodelay(True)

    def on_message(self, message: str | bytes) -> None:
        self.write_message(message, binary=True)


@contextlib.contextmanager
def echoing() -> Iterator[str]:
    """Run the echo and give its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.player.echo"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield f"ws://127.0.0.1:{int(process.stdout.readline())}/"
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


async def echoes_ms(address: str, count: int, pause_s: float = 0.0) -> list[float]:
    """Return the milliseconds of ``count`` echoes through one socket."""
    socket = await websocket_connect(address)
    times = []
    for _ in range(count):
        began = time.perf_counter()
        await socket.write_message(_MESSAGE, binary=True)
        await socket.read_message()
        times.append(1_000 * (time.perf_counter() - began))
        await asyncio.sleep(pause_s)
    socket.close()
    return times


async def _serve() -> None:
    sockets = bind_sockets(0, "127.0.0.1")
    HTTPServer(Application([("/", _Echo)])).add_sockets(sockets)
    print(sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve())
