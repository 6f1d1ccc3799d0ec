"""Connections: how many there may be, how slow they may be, and which proxies are believed."""

from __future__ import annotations

import asyncio
import copy
import ipaddress
import resource
import socket
from collections import Counter
from collections.abc import Awaitable
from typing import Any

from tornado.http1connection import HTTP1ConnectionParameters
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate
from tornado.iostream import IOStream, StreamClosedError, UnsatisfiableReadError
from tornado.netutil import is_valid_ip
from tornado.web import Application

from segue.errors import UsageError
from segue.player.web import HEADERS, render

MOST_EACH = 200
"""Connections that one address may have at once; a proxy speaks for many and may have all."""

HEAD_S, BODY_S, PROXY_IDLE_S = 20.0, 15.0, 75.0
"""Seconds that the head and the body of a request may take, and that a proxy may keep an idle connection."""

UNREAD_S = 60
"""Seconds after which a connection that takes nothing of what was sent is ended."""

_HEAD_BYTES = 16 << 10
_BODY_BYTES = 64 << 10
_READ_BYTES = 1 << 20
_UNSENT_BYTES, _SYSTEM_BYTES = 8 << 20, 128 << 10
"""What may wait to be taken by one connection: here, and in the system, which would keep megabytes."""

_REFUSED_S = 2.0
_REFUSED_AT_ONCE = 100
_FILES = 65_536


class Networks:
    """Addresses, such as those of proxies.

    >>> trusted = Networks("127.0.0.0/8, ::1")
    >>> "127.0.0.1" in trusted, "::ffff:127.0.0.1" in trusted, "192.0.2.1" in trusted
    (True, True, False)

    Parameters
    ----------
    text
        Addresses or networks, separated by commas.

    Raises
    ------
    UsageError
        If one is neither.
    """

    def __init__(self, text: str) -> None:
        self._networks = []
        for each in filter(None, map(str.strip, text.split(","))):
            try:
                self._networks.append(ipaddress.ip_network(each, strict=False))
            except ValueError:
                raise UsageError(
                    f"SEGUE_PLAYER_PROXIES names {each!r}, which is no address and no network (10.0.0.0/8)"
                ) from None

    def __contains__(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
            found = found.ipv4_mapped
        return any(found in network for network in self._networks)


LOOPBACK = Networks("127.0.0.0/8, ::1")


def forwarded(headers: HTTPHeaders, proxies: Networks, address: str, protocol: str) -> tuple[str, str]:
    """Return address and protocol of who asked a proxy, as the proxies that are believed say.

    >>> headers = HTTPHeaders({"X-Forwarded-For": "forged, 192.0.2.7, 127.0.0.9"})
    >>> forwarded(headers, LOOPBACK, "127.0.0.1", "http")
    ('192.0.2.7', 'http')

    Parameters
    ----------
    headers
        Of the request: ``X-Forwarded-For`` and ``X-Forwarded-Proto`` are read, which a proxy must set itself.
    address, protocol
        What the connection itself says.
    """
    for told in reversed(headers.get("X-Forwarded-For", "").split(",")):
        if not is_valid_ip(told.strip()):
            break
        address = told.strip()
        if address not in proxies:
            break
    told = headers.get("X-Forwarded-Proto", "").split(",")[-1].strip().lower()
    return address, told if told in {"http", "https"} else protocol


def files_allowed() -> int:
    """Return how many files and connections this process may have open, after asking for more."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if most == resource.RLIM_INFINITY else min(most, _FILES)
    if allowed != resource.RLIM_INFINITY and allowed < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
        allowed = wanted
    return _FILES if allowed == resource.RLIM_INFINITY else allowed


class Server(HTTPServer):
    """An HTTP server that keeps the slow from the others' seats.

    Made with the application, the proxies that are believed, and how many connections there may be in all
    (sockets to kernels have limits of their own). The next is answered with 503 and closed.
    """

    conn_params: HTTP1ConnectionParameters

    def initialize(self, application: Application, proxies: Networks, most: int) -> None:
        """Take what the server was made with."""
        super().initialize(
            application, max_header_size=_HEAD_BYTES, max_body_size=_BODY_BYTES, max_buffer_size=_READ_BYTES,
            body_timeout=BODY_S, idle_connection_timeout=HEAD_S,
        )  # fmt: skip
        self._proxies, self._most = proxies, most
        self._impatient = self.conn_params
        self._patient = copy.copy(self._impatient)
        self._patient.header_timeout = PROXY_IDLE_S
        self._by_address: Counter[str] = Counter()
        self._refusals: set[asyncio.Task[None]] = set()
        self._refusal = _refusal()

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        """Serve a connection, or say that there are too many."""
        who = address[0]
        is_proxy = who in self._proxies
        if len(self._connections) >= self._most or (not is_proxy and self._by_address[who] >= MOST_EACH):
            self._refuse(stream)
            return
        self._by_address[who] += 1
        stream.max_write_buffer_size = _UNSENT_BYTES
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SYSTEM_BYTES)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            stream.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1_000 * UNREAD_S)
        self.conn_params = self._patient if is_proxy else self._impatient
        super().handle_stream(stream, address)

    def on_close(self, server_conn: Any) -> None:
        """Give a connection's place back."""
        super().on_close(server_conn)
        who = server_conn.context.address[0]
        self._by_address[who] -= 1
        if not self._by_address[who]:
            del self._by_address[who]

    def start_request(self, server_conn: Any, request_conn: Any) -> HTTPMessageDelegate:
        """Begin a request; what a proxy says is believed of a proxy only."""
        delegate = super().start_request(server_conn, request_conn)
        if request_conn.context.address[0] not in self._proxies:
            return delegate
        return _Forwarded(delegate, request_conn.context, self._proxies)

    def _refuse(self, stream: IOStream) -> None:
        if len(self._refusals) >= _REFUSED_AT_ONCE:
            stream.close()
            return
        task = asyncio.ensure_future(self._answer_full(stream))
        self._refusals.add(task)
        task.add_done_callback(self._refusals.discard)

    async def _answer_full(self, stream: IOStream) -> None:
        try:
            async with asyncio.timeout(_REFUSED_S):
                # An answer that goes before the question is read would be lost with the connection.
                await stream.read_until(b"\r\n\r\n", max_bytes=_HEAD_BYTES)
                await stream.write(self._refusal)
        except (StreamClosedError, UnsatisfiableReadError, TimeoutError):
            pass
        finally:
            stream.close()


class _Forwarded(HTTPMessageDelegate):
    """Makes a request the one of whom a proxy speaks for."""

    def __init__(self, delegate: HTTPMessageDelegate, context: Any, proxies: Networks) -> None:
        self._delegate, self._context, self._proxies = delegate, context, proxies

    def headers_received(self, start_line: Any, headers: HTTPHeaders) -> Awaitable[None] | None:
        context = self._context
        own = context.remote_ip, context.protocol
        context.remote_ip, context.protocol = forwarded(headers, self._proxies, *own)
        try:
            return self._delegate.headers_received(start_line, headers)
        finally:
            context.remote_ip, context.protocol = own

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return self._delegate.data_received(chunk)

    def finish(self) -> None:
        self._delegate.finish()

    def on_connection_close(self) -> None:
        self._delegate.on_connection_close()


def _refusal() -> bytes:
    text = "Many are here just now. Try again in a minute."
    page = render("error.html", title="Full house", text=text).encode()
    headers = HEADERS | {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Length": str(len(page)),
        "Cache-Control": "no-store",
        "Retry-After": "60",
        "Connection": "close",
    }
    lines = [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(["HTTP/1.1 503 Service Unavailable", *lines, "", ""]).encode() + page
