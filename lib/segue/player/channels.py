"""The socket between a page and its kernel: one kind of message in each direction."""

from __future__ import annotations

import asyncio
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

from segue.player.gate import TokenBucket
from segue.player.kernels import PlayerKernels
from segue.player.web import Polite

MESSAGE_BYTES = 64 << 10
"""Largest message that a page may send."""

PROTOCOL = "v1.kernel.websocket.jupyter.org"

_TO_PAGE = frozenset({"comm_msg", "comm_close"})
_PARTS = 4
_LONGEST_WORD = 64
_SOCKETS = 4
_PINGS = 3
"""Pings that a page may leave without an answer."""

_RATE, _BURST = 40.0, 300
"""Messages a second that a socket passes on for long, and how many at once; the kernel's gate is stricter."""

_DROPPED_RATE, _DROPPED_BURST = 1.0, 200
"""Messages a second that may be dropped for long, and how many at once, before the socket is closed."""

_FLOOD, _PARTING_S = 1008, 0.2


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
        self._passing = TokenBucket(_RATE, _BURST)
        self._dropping = TokenBucket(_DROPPED_RATE, _DROPPED_BURST)
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
        """Pass a message on to the kernel, or drop it; a page that sends too much else is sent away."""
        if self.ws_connection is None:
            # It is closed, and what still arrives would be read by another protocol, at any length it names.
            return
        try:
            if not self._passing.take():
                raise Refused("too many")
            check(message, self.kernel_manager.model_id(self.kernel_id))
        except Refused as refused:
            self.settings["counts"].dropped[str(refused)] += 1
            if not self._dropping.take():
                self.log.warning("closed a page's socket: %s, and the like before", refused)
                # Who goes on sending would be read on until the farewell is answered.
                asyncio.get_running_loop().call_later(_PARTING_S, self.ws_connection.stream.close)
                self.close(_FLOOD)
            return
        self.kernel_manager.heard(self.kernel_id)
        super().on_message(message)


class Connection(ZMQChannelsWebsocketConnection):
    """Passes on to the page what the widget says: no output, no errors, no versions."""

    def handle_outgoing_message(self, stream: Any, outgoing_msg: list[Any]) -> None:
        """Send one message of the kernel, or drop it."""
        _, parts = self.session.feed_identities(outgoing_msg)
        if self.session.unpack(parts[1]).get("msg_type") in _TO_PAGE:
            super().handle_outgoing_message(stream, outgoing_msg)


def check(message: str | bytes, model_id: str) -> None:
    """Refuse what is not a message of the page's own making to its widget ``model_id``.

    Raises
    ------
    Refused
        If its form, type, channel or target is another; the text holds nothing that the page sent.
    """
    if isinstance(message, str):
        raise Refused("it is text")
    channel, parts = split(message)
    header, _, _, content = map(_object, parts)
    # ipykernel answers in a thread of its own what names a subshell.
    if channel != "shell" or header.get("msg_type") != "comm_msg" or "subshell_id" in header:
        raise Refused("its type is not that of a page")
    if not all(_is_word(header.get(name)) for name in ("msg_id", "session", "username")):
        raise Refused("its header is wrong")
    data, to = content.get("data"), content.get("comm_id")
    if not model_id or to != model_id or not isinstance(data, dict) or data.get("method") != "custom":
        raise Refused("it is for something else than the page's widget")


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
    if count != _PARTS + 2 or len(message) < 8 * (count + 1):
        raise Refused("its offsets are wrong")
    offsets = [int.from_bytes(message[8 * i : 8 * i + 8], "little") for i in range(1, count + 1)]
    if offsets[0] != 8 * (count + 1) or offsets[-1] != len(message) or offsets != sorted(offsets):
        raise Refused("its offsets are wrong")
    spans = [message[start:end] for start, end in itertools.pairwise(offsets)]
    return spans[0].decode("utf-8", "replace"), spans[1:]


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_WORD


def _object(part: bytes) -> dict[str, Any]:
    try:
        value = json.loads(part)
    except (ValueError, RecursionError):
        raise Refused("a part is not JSON") from None
    if not isinstance(value, dict):
        raise Refused("a part is no object")
    return value
