"""Clips for a player outside the server: the same handler, on loopback, for those who hold a token."""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
import threading
from collections.abc import Callable

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from segue.player.audio import AudioHandler, Clips, Source
from segue.player.peaks import Peaks, PeaksHandler

log = logging.getLogger(__name__)

_LOOPBACK = "127.0.0.1"
_START_S = 10.0


class _OpenPeaks(PeaksHandler):
    def set_default_headers(self) -> None:
        """Let the notebook's page, which has the token, read what another port answers."""
        self.set_header("Access-Control-Allow-Origin", "*")


class LocalAudio:
    """Serves clips at a loopback port that the system chooses, from a thread of its own.

    The token is random, stands in the address that only the page is told, and ends with the player.

    Parameters
    ----------
    source
        Names the data set's folder and tracks; asked for each clip that is not known yet.

    Attributes
    ----------
    prefix, suffix
        A clip's address is ``prefix + track id + suffix``.
    """

    def __init__(self, source: Callable[[], Source]) -> None:
        self._token = secrets.token_urlsafe(32)
        self._source = source
        self._peaks = Peaks()
        (self._socket,) = bind_sockets(0, _LOOPBACK)
        self.prefix = f"http://{_LOOPBACK}:{self._socket.getsockname()[1]}/audio/"
        self.suffix = f"?token={self._token}"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="segue-audio", daemon=True)
        self._thread.start()

    def address(self) -> dict[str, str]:
        """Return the prefix and suffix as a page is told them."""
        return {"prefix": self.prefix, "suffix": self.suffix}

    def close(self) -> None:
        """End the server and its connections."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_START_S)
        self._peaks.close()

    def _allowed(self, handler: RequestHandler) -> bool:
        given = handler.get_query_argument("token", "").encode()
        return hmac.compare_digest(given, self._token.encode())

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        options = {"clips": Clips(self._source), "allowed": self._allowed}
        routes = [
            (r"/audio/(\d{1,16})", AudioHandler, options),
            (r"/audio/(\d{1,16})/peaks", _OpenPeaks, options | {"peaks": self._peaks}),
        ]
        server = HTTPServer(Application(routes, log_function=lambda handler: None))
        try:
            server.add_socket(self._socket)
            self._loop.run_forever()
            server.stop()
            self._loop.run_until_complete(server.close_all_connections())
        except Exception:
            log.exception("the clips are not served any more")
        finally:
            self._socket.close()
            self._loop.close()
