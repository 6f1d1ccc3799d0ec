"""A web server on loopback that serves one file and misbehaves in the ways that servers and networks do."""

from __future__ import annotations

import email.utils
import hashlib
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

Fault = Callable[["Handler"], bool]
"""What goes wrong with one request; returns True when it has answered itself."""


@dataclass
class Behaviour:
    """What the server does; a test changes it at any time.

    ``faults`` are used up one a request, then it serves well (or ``always`` goes wrong). ``piece`` bytes
    are sent at a time, ``pause_s`` apart. ``cut`` ends each answer after so many bytes.
    """

    content: bytes
    ranges: bool = True
    etag: bool = True
    modified: str = email.utils.formatdate(1_500_000_000, usegmt=True)
    length: bool = True
    announced: int | None = None
    encoding: str = ""
    extra: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    reset: bool = False
    piece: int = 1 << 16
    pause_s: float = 0.0
    faults: list[Fault] = field(default_factory=list)
    always: Fault | None = None
    seen: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    """Path, Range and If-Range of each request."""

    @property
    def tag(self) -> str:
        return f'"{hashlib.sha256(self.content).hexdigest()[:16]}"'


class Handler(BaseHTTPRequestHandler):
    """Answers as the server's behaviour says."""

    behaviour: Behaviour

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        now = self.behaviour
        now.seen.append((self.path, self.headers["Range"], self.headers["If-Range"]))
        fault = now.faults.pop(0) if now.faults else now.always
        if fault is None or not fault(self):
            self.serve()

    def serve(self) -> None:
        now = self.behaviour
        content, start = now.content, self._start()
        if start > len(content) or (start and start == len(content)):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if now.etag:
            self.send_header("ETag", now.tag)
        if now.modified:
            self.send_header("Last-Modified", now.modified)
        if now.encoding:
            self.send_header("Content-Encoding", now.encoding)
        for name, value in now.extra.items():
            self.send_header(name, value)
        if now.length:
            length = len(content) if now.announced is None else now.announced
            self.send_header("Content-Length", str(length - start))
        self.end_headers()
        self._send(content[start:] if now.cut is None else content[start : start + now.cut])

    def answer(self, status: int, **headers: str) -> bool:
        """Answer with a status and no file."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", "0")
        self.end_headers()
        return True

    def _start(self) -> int:
        now = self.behaviour
        found = re.fullmatch(r"bytes=(\d+)-", self.headers["Range"] or "")
        if not found or not now.ranges:
            return 0
        condition = self.headers["If-Range"]
        return int(found[1]) if condition in {None, now.tag if now.etag else None, now.modified} else 0

    def _send(self, data: bytes) -> None:
        now = self.behaviour
        try:
            for at in range(0, len(data), now.piece):
                self.wfile.write(data[at : at + now.piece])
                if now.pause_s:
                    time.sleep(now.pause_s)
        except OSError:
            return
        if now.reset:
            # Closing with nothing to wait for sends a reset instead of an end.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()


def status(code: int, **headers: str) -> Fault:
    """Answer with a status, such as an error or a redirect."""
    return lambda handler: handler.answer(code, **headers)


def silent(seconds: float) -> Fault:
    """Say nothing at all for a while, and then end."""

    def fault(handler: Handler) -> bool:
        time.sleep(seconds)
        return True

    return fault


def hang_up(handler: Handler) -> bool:
    """End without a word."""
    handler.connection.close()
    return True


def change(to: bytes) -> Fault:
    """Serve another content from now on."""

    def fault(handler: Handler) -> bool:
        handler.behaviour.content = to
        return False

    return fault


def only(**now: object) -> Fault:
    """Behave so for this request and normally after it."""

    def fault(handler: Handler) -> bool:
        handler.behaviour = replace(handler.behaviour, **now)
        handler.serve()
        return True

    return fault


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        pass  # Clients that hang up are what these tests are about.


@contextmanager
def misbehaving(
    content: bytes, certificate: tuple[Path, Path] | None = None
) -> Iterator[tuple[str, Behaviour]]:
    """Run the server on a port of its own, encrypted with a certificate and its key; yields its address."""
    behaviour = Behaviour(content)
    server = _Server(("127.0.0.1", 0), type("Bound", (Handler,), {"behaviour": behaviour}))
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http{'s' if certificate else ''}://127.0.0.1:{server.server_address[1]}", behaviour
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
