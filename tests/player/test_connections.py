"""Connections: the slow and the many do not keep others out, and only named proxies are believed."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future

import pytest
from tornado.httputil import HTTPHeaders
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from segue.errors import UsageError
from segue.player import connections
from segue.player.connections import LOOPBACK, Networks, Server, files_allowed, forwarded
from support.waiting import wait_until

MOST = 8


class Who(RequestHandler):
    """Says who asks, and by which protocol."""

    def get(self) -> None:
        self.finish(f"{self.request.remote_ip} {self.request.protocol}")

    def post(self) -> None:
        self.finish(str(len(self.request.body)))


class Much(RequestHandler):
    """Writes so many bytes at once."""

    def get(self, size: str) -> None:
        self.write(b"x" * int(size))


class Running:
    """The player's kind of server on two small pages, on a loop of its own."""

    def __init__(self, proxies: str) -> None:
        (self.socket,) = bind_sockets(0, "127.0.0.1")
        self.port = self.socket.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(proxies),))
        self._thread.start()

    async def _serve(self, proxies: str) -> None:
        application = Application([("/who", Who), ("/much/([0-9]+)", Much)], log_function=lambda _: None)
        server = Server(application, proxies=Networks(proxies), most=MOST)
        server.add_socket(self.socket)
        await self._stop.wait()
        server.stop()
        await server.close_all_connections()

    def close(self) -> None:
        done: Future[None] = asyncio.run_coroutine_threadsafe(self._end(), self._loop)
        done.result(5)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        self._stop.set()

    def connect(self, sent: bytes = b"") -> socket.socket:
        opened = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        opened.sendall(sent)
        return opened

    def ask(self, *headers: str) -> bytes:
        """Return the whole answer to ``GET /who``."""
        with self.connect(request("/who", *headers)) as opened:
            return whole(opened)


def request(path: str, *headers: str, method: str = "GET") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: player.test", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


def whole(opened: socket.socket) -> bytes:
    """Return everything until the server closes the connection."""
    pieces = []
    with contextlib.suppress(ConnectionResetError):
        while piece := opened.recv(65_536):
            pieces.append(piece)
    return b"".join(pieces)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little patience, so that a test has to wait little."""
    for name, seconds in (("HEAD_S", 0.6), ("BODY_S", 0.6), ("PROXY_IDLE_S", 3.0), ("UNREAD_S", 1)):
        monkeypatch.setattr(connections, name, seconds)
    monkeypatch.setattr(connections, "MOST_EACH", 4)


@pytest.fixture
def server(quick: None) -> Iterator[Running]:
    """A server that believes no proxy."""
    running = Running("192.0.2.0/24")
    yield running
    running.close()


@pytest.fixture
def proxied(quick: None) -> Iterator[Running]:
    """A server for which whoever connects from this machine is a proxy."""
    running = Running("127.0.0.1")
    yield running
    running.close()


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ({}, ("127.0.0.1", "http")),
        ({"X-Forwarded-For": "192.0.2.7"}, ("192.0.2.7", "http")),
        ({"X-Forwarded-For": "1.2.3.4, 192.0.2.7, 127.0.0.9"}, ("192.0.2.7", "http")),
        ({"X-Forwarded-For": "1.2.3.4, nonsense, 127.0.0.9"}, ("127.0.0.9", "http")),
        ({"X-Forwarded-For": "<script>"}, ("127.0.0.1", "http")),
        ({"X-Forwarded-For": "2001:db8::1"}, ("2001:db8::1", "http")),
        ({"X-Forwarded-Proto": "https"}, ("127.0.0.1", "https")),
        ({"X-Forwarded-Proto": "http, HTTPS"}, ("127.0.0.1", "https")),
        ({"X-Forwarded-Proto": "gopher"}, ("127.0.0.1", "http")),
        ({"X-Real-Ip": "192.0.2.7", "X-Scheme": "https"}, ("127.0.0.1", "http")),
    ],
)
def test_of_a_chain_of_proxies_the_first_that_is_none_is_who_asks(
    told: dict[str, str], found: tuple[str, str]
):
    assert forwarded(HTTPHeaders(told), LOOPBACK, "127.0.0.1", "http") == found


def test_what_is_no_network_is_named():
    with pytest.raises(UsageError, match=r"SEGUE_PLAYER_PROXIES names 'proxy\.local'"):
        Networks("10.0.0.0/8, proxy.local")
    assert "10.1.2.3" not in Networks("")
    assert "fe80::1%eth0" in Networks("fe80::/10")


def test_a_proxys_word_counts_from_a_proxy_only(server: Running, proxied: Running):
    headers = ("X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: https", "X-Real-Ip: 192.0.2.8")
    assert server.ask(*headers).endswith(b"127.0.0.1 http")
    assert proxied.ask(*headers).endswith(b"192.0.2.7 https")
    assert proxied.ask().endswith(b"127.0.0.1 http")


@pytest.mark.parametrize(
    ("begun", "trickle"),
    [
        (b"GET /who HTTP/1.1\r\n", b"X: x\r\n"),
        (request("/who", "Content-Length: 1000", method="POST"), b"x"),
        (request("/who", "Transfer-Encoding: chunked", method="POST"), b"1\r\nx\r\n"),
    ],
    ids=["head", "body", "chunks"],
)
def test_who_sends_by_drops_is_cut_off(server: Running, begun: bytes, trickle: bytes):
    began = time.monotonic()
    with server.connect(begun) as slow:
        slow.settimeout(0.05)
        while time.monotonic() - began < 5:
            try:
                slow.sendall(trickle)
                if slow.recv(100) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                break
    assert 0.5 < time.monotonic() - began < 3


def test_a_proxy_may_keep_a_connection_for_longer(proxied: Running):
    with proxied.connect(b"GET /who HTTP/1.1\r\nHost: player.test\r\n\r\n") as kept:
        assert kept.recv(1_000).endswith(b"127.0.0.1 http")
        time.sleep(1.5)
        kept.sendall(request("/who"))
        assert whole(kept).endswith(b"127.0.0.1 http")


def test_one_address_has_so_many_connections_and_a_proxy_all(server: Running, proxied: Running):
    with contextlib.ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(server.connect())
            stack.enter_context(proxied.connect())
        wait_until(lambda: server.ask().startswith(b"HTTP/1.1 503 "), 5, "the fifth is refused")
        assert proxied.ask().endswith(b"127.0.0.1 http")
    wait_until(lambda: server.ask().endswith(b"127.0.0.1 http"), 5, "the places are free again")


def test_beyond_all_places_there_is_a_friendly_page(proxied: Running):
    with contextlib.ExitStack() as stack:
        for _ in range(MOST):
            stack.enter_context(proxied.connect())
        answer = wait_until(
            lambda: (said := proxied.ask()).startswith(b"HTTP/1.1 503 ") and said, 5, "it is full"
        )
        head, _, page = answer.partition(b"\r\n\r\n")
        assert b"Retry-After: 60" in head
        assert b"frame-ancestors 'none'" in head
        assert f"Content-Length: {len(page)}\r\n".encode() in head
        assert b"Many are here just now" in page
        silent = stack.enter_context(proxied.connect())
        assert whole(silent) == b""


@pytest.mark.parametrize(("size", "patient_s"), [(6 << 20, 3.0), (30 << 20, 0.2)])
def test_who_takes_nothing_is_cut_off_and_fills_no_memory(server: Running, size: int, patient_s: float):
    """The system ends a connection that stays shut for a second; what may wait here has an end too."""
    opened = socket.socket()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    opened.connect(("127.0.0.1", server.port))
    with opened:
        opened.sendall(request(f"/much/{size}"))
        time.sleep(patient_s)
        assert len(whole(opened)) < size


def test_who_takes_what_is_sent_gets_all_of_it(server: Running):
    with server.connect(request(f"/much/{6 << 20}")) as opened:
        assert len(whole(opened)) > 6 << 20


@pytest.mark.parametrize(
    "odd",
    [
        request("/who", "Content-Length: 4", "Transfer-Encoding: chunked", method="POST") + b"0\r\n\r\n",
        request("/who", "Content-Length: 4", "Content-Length: 5", method="POST") + b"abcd",
        request("/who", "Content-Length: +4", method="POST") + b"abcd",
        request("/who", "Content-Length: 0x4", method="POST") + b"abcd",
        request("/who", "Content-Length: -1", method="POST"),
        request("/who", "Content-Length: 4 4", method="POST") + b"abcd",
        request("/who", "Content-Length: 99999999999", method="POST"),
        request("/who", "Transfer-Encoding: identity, chunked", method="POST") + b"0\r\n\r\n",
        request("/who", "Transfer-Encoding: xchunked", method="POST") + b"0\r\n\r\n",
        request("/who", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
        request("/who", "Transfer-Encoding : chunked", method="POST") + b"0\r\n\r\n",
        request("/who", "Transfer-Encoding: chunked", method="POST") + b"0x1\r\na\r\n0\r\n\r\n",
        request("/who", "Transfer-Encoding: chunked", method="POST") + b"-1\r\na\r\n0\r\n\r\n",
        request("/who", "Transfer-Encoding: chunked", method="POST") + b"1\r\nab\r\n0\r\n\r\n",
        request("/who", "Transfer-Encoding: chunked", method="POST") + b"11111\r\n" + b"a" * 0x11111,
        request("/who", "X: " + "x" * 20_000),
        request("/who", "X: a\0b"),
        request("/who", " folded: x"),
        request("/who", "Host: other.test"),
        b"GET /who HTTP/1.1\r\n\r\n",
        b"GET /who HTTP/9.9\r\nHost: player.test\r\n\r\n",
        b"GET /who\r\nHost: player.test\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
    ids=range(24),
)  # fmt: skip
def test_a_request_whose_end_is_not_clear_is_refused_and_hides_no_other(server: Running, odd: bytes):
    """What follows could be taken for a request of its own by one of two servers in a row."""
    with server.connect() as opened, contextlib.suppress(ConnectionError):
        opened.sendall(odd + request("/who"))
        answer = whole(opened)
        assert answer.count(b"HTTP/1.1") <= 1
        assert not answer or answer.startswith(b"HTTP/1.1 400 ")


def test_a_body_is_never_read_as_a_request(server: Running):
    hidden = request("/who")
    with server.connect() as opened:
        opened.sendall(request("/who", f"Content-Length: {len(hidden)}") + hidden)
        assert whole(opened).count(b"HTTP/1.1") == 1


def test_the_process_asks_for_more_files():
    assert files_allowed() >= 1_024
