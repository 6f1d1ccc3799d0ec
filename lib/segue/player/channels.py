"""The socket between a page and its kernel: a closed set of messages in both directions."""

from __future__ import annotations

import contextlib
import itertools
import json
import time
from typing import Any

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from tornado.ioloop import PeriodicCallback
from tornado.web import HTTPError
from tornado.websocket import WebSocketClosedError
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from segue.player.kernels import PlayerKernels
from segue.player.web import Polite

MESSAGE_BYTES = 64 << 10
"""Largest message that a page may send."""

PROTOCOL = "v1.kernel.websocket.jupyter.org"

_FROM_PAGE = {
    "comm_open": "shell", "comm_close": "shell", "comm_msg": "shell", "comm_info_request": "shell",
    "kernel_info_request": "shell",
}  # fmt: skip
"""What a page may send, and on which channel."""

_TO_PAGE = frozenset(
    {"comm_open", "comm_close", "comm_msg", "comm_info_reply", "kernel_info_reply", "status"}
)
_TARGET = "jupyter.widget.control"
"""The one comm that a page opens: it asks which widgets are there."""

_PARTS = (4, 20)
_SOCKETS = 4
_PINGS = 3
"""Pings that a page may leave without an answer."""


class Refused(ValueError):
    """A message that no page of ours sends."""


class Socket(VoilaKernelWebsocketHandler):
    """``/api/kernels/<id>/channels``: for the kernel's owner, from the player's own page."""

    write_error = Polite.write_error
    log_exception = Polite.log_exception
    set_default_headers = Polite.set_default_headers

    def check_origin(self, origin: str | None = None) -> bool:
        """Tell whether our own page opens the socket; a missing origin is no proof of it."""
        given = self.get_origin()
        host = self.request.headers.get("Host", "").lower()
        return bool(host) and (given or "").lower() in {f"http://{host}", f"https://{host}"}

    async def get(self, kernel_id: str) -> None:
        """Open the socket for the kernel's owner.

        Raises
        ------
        HTTPError
            If the kernel is another's or not there, or has enough sockets.
        """
        if not self.check_origin():
            raise HTTPError(403)
        kernels: PlayerKernels = self.kernel_manager
        if kernels.owner(kernel_id) != self.current_user.username:
            raise HTTPError(404)
        if kernels.connections(kernel_id) >= _SOCKETS:
            raise HTTPError(429)
        if PROTOCOL not in self.request.headers.get("Sec-WebSocket-Protocol", ""):
            raise HTTPError(400)
        await super().get(kernel_id)

    async def open(self, kernel_id: str) -> None:
        """Send small messages at once, and notice a page that is gone without a word."""
        self.set_nodelay(True)
        self._answered = time.monotonic()
        self._pings = PeriodicCallback(self._ask, 1_000 * self.kernel_manager.silence_s / _PINGS)
        self._pings.start()
        self.kernel_manager.connect(kernel_id, self)
        await super().open(kernel_id)

    def on_pong(self, data: bytes) -> None:
        """Note that the page's browser is there."""
        self._answered = time.monotonic()

    def on_close(self) -> None:
        """Leave the kernel to the reaper."""
        self._pings.stop()
        self.kernel_manager.disconnect(self.kernel_id, self)
        super().on_close()

    def _ask(self) -> None:
        if time.monotonic() - self._answered > self.kernel_manager.silence_s:
            # Closing waits some seconds for an answer that will not come.
            self.kernel_manager.disconnect(self.kernel_id, self)
            self.close()
            return
        with contextlib.suppress(WebSocketClosedError):
            self.ping(b"")

    def on_message(self, message: str | bytes) -> None:
        """Pass a message on to the kernel, or drop it."""
        try:
            check(message)
        except Refused as error:
            self.log.warning("dropped a message of a page: %s", error)
            self.settings["counts"].dropped[str(error)] += 1
            return
        super().on_message(message)


class Connection(ZMQChannelsWebsocketConnection):
    """Passes on to the page what belongs to widgets: no output, no errors, no versions."""

    def handle_outgoing_message(self, stream: Any, outgoing_msg: list[Any]) -> None:
        """Send one message of the kernel, or drop it."""
        _, parts = self.session.feed_identities(outgoing_msg)
        kind = self.session.unpack(parts[1]).get("msg_type")
        if kind not in _TO_PAGE:
            return
        if kind == "kernel_info_reply":
            content = self.session.unpack(parts[4])
            told = {name: content[name] for name in ("status", "protocol_version") if name in content}
            told |= {"implementation": "", "implementation_version": "", "banner": "", "help_links": []}
            told |= {"language_info": {"name": "python", "version": "", "mimetype": "", "file_extension": ""}}
            place = len(outgoing_msg) - len(parts) + 4
            outgoing_msg = [*outgoing_msg[:place], self.session.pack(told), *outgoing_msg[place + 1 :]]
        super().handle_outgoing_message(stream, outgoing_msg)


def check(message: str | bytes) -> None:
    """Refuse what is not one of the messages that a page sends.

    Raises
    ------
    Refused
        If its form, type, channel or target is another; the text holds nothing that the page sent.
    """
    if isinstance(message, str):
        raise Refused("it is text")
    channel, parts = split(message)
    header, _, _, content = (_object(part) for part in parts[:4])
    kind = header.get("msg_type")
    if not isinstance(kind, str) or _FROM_PAGE.get(kind) != channel:
        raise Refused("its type is not among those of a page")
    if kind == "comm_open" and content.get("target_name") != _TARGET:
        raise Refused("it opens a comm of another kind")


def split(message: bytes) -> tuple[str, list[bytes]]:
    """Return channel and parts of a message in Jupyter's binary form, version 1.

    It begins with the number of offsets, then the offsets, each 8 bytes, little-endian: where the channel's
    name and each part begins, and where the last one ends.

    Raises
    ------
    Refused
        If the offsets do not describe the message.
    """
    count = int.from_bytes(message[:8], "little")
    least, most = _PARTS
    if not least <= count - 2 <= most or len(message) < 8 * (count + 1):
        raise Refused("its offsets are wrong")
    offsets = [int.from_bytes(message[8 * i : 8 * i + 8], "little") for i in range(1, count + 1)]
    if offsets[0] != 8 * (count + 1) or offsets[-1] != len(message) or offsets != sorted(offsets):
        raise Refused("its offsets are wrong")
    spans = [message[start:end] for start, end in itertools.pairwise(offsets)]
    return spans[0].decode("utf-8", "replace"), spans[1:]


def _object(part: bytes) -> dict[str, Any]:
    try:
        value = json.loads(part)
    except (ValueError, RecursionError):
        raise Refused("a part is not JSON") from None
    if not isinstance(value, dict):
        raise Refused("a part is no object")
    return value
