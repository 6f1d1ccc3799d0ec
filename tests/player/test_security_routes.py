"""Every route of the running server, whoever mounted it: shut without a login, and no way to other files."""

import contextlib
import json
import re
import socket
import time
import uuid
from collections.abc import Iterator

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from support.raw_http import Answer, request, send
from support.visitor import Server, Visitor

pytestmark = pytest.mark.slow

OPEN = {"LogIn", "SignUp", "Asset", "Health", "Metrics"}
"""Handlers that answer everybody; a new one is a decision to be made here."""

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
FORGED = {
    "X-Segue-Listener": "{account}", "x_segue_listener": "{account}", "X-SEGUE_LISTENER": "{account}",
    "Http-X-Segue-Listener": "{account}", "X-Segue-Name": "Eve", "X-Segue-Role": "operator",
    "X-Segue-Ticket": "x", "X-Forwarded-User": "{account}", "Remote-User": "{account}",
    "Authorization": "token {account}",
}  # fmt: skip

UP = (
    "../", "..\\", "%2e%2e/", "%2e%2e%2f", "%252e%252e%252f", "..%5c", "....//", "..;/",
    "%c0%ae%c0%ae%c0%af", "%e0%80%ae%e0%80%ae%e0%80%af", "\xc0\xae\xc0\xae/", "%uff0e%uff0e/",
)  # fmt: skip
TRICKS = (
    *(up * 6 + "etc/passwd" for up in UP), *(up + "secret.wav" for up in UP),
    *(up + "page.ipynb" for up in UP),
    "..", "%2fetc%2fpasswd", "/etc/passwd", "//etc/passwd", "file:///etc/passwd", "~root/.profile",
    "1%00.mp3", "%00", "1\x00", "1/../1/..", "page.ipynb", "login.css/../../server.py", "..%2f..%2fserver.py",
    "server.py", "__init__.py",
)  # fmt: skip
PRIZES = (b"root:x:0", b"RIFF secret", b"nbformat", b"from __future__", b"import ")


@pytest.fixture(scope="module")
def routes(player: Server) -> list[tuple[str, str]]:
    """Pattern and handler of every route."""
    found = json.loads((player.settings.home / "routes.json").read_text())
    assert len(found) >= 10
    return [(pattern, handler) for pattern, handler in found]


@pytest.fixture(scope="module")
def inside(player: Server) -> Iterator[Visitor]:
    """Somebody who is logged in and has a page."""
    with Visitor(player) as made:
        yield made.sign_up()


@pytest.fixture
def kernel(inside: Visitor) -> str:
    return inside.open_page()


def asked(
    server: Server, method: str, path: str, headers: dict[str, str] | None = None, body: str = ""
) -> Answer:
    return send(server.host, request(method, path, server.host, headers, body))


def examples(pattern: str, kernel: str) -> list[str]:
    """Return addresses that a route answers: two made up, and one of what is there."""
    fit = re.compile(pattern.removesuffix("$"))
    made = st.from_regex(fit, fullmatch=True)
    found: list[str] = []

    @seed(7)
    @settings(max_examples=2, database=None, deadline=None)
    @given(made)
    def collect(path: str) -> None:
        found.append(path)

    collect()
    real = [path for path in ("/audio/1", f"/api/kernels/{kernel}", f"/api/kernels/{kernel}/channels",
                              f"/voila/api/shutdown/{kernel}") if fit.fullmatch(path)]  # fmt: skip
    return [*found, *real]


def test_every_route_is_known_to_this_test(routes: list[tuple[str, str]]):
    """What is open is named here; what is not is tried below without a login."""
    assert {handler for _, handler in routes} >= OPEN
    assert len({pattern for pattern, _ in routes}) == len(routes)


def test_no_route_answers_without_a_login_whatever_headers_come(
    player: Server, routes: list[tuple[str, str]], inside: Visitor, kernel: str
):
    there = set(player.kernels())
    origin = {"Origin": player.address.rstrip("/"), "Upgrade": "websocket", "Connection": "Upgrade",
              "Sec-WebSocket-Key": "x" * 22 + "==", "Sec-WebSocket-Version": "13"}  # fmt: skip
    forged = {name: value.format(account=inside.account_id) for name, value in FORGED.items()}
    cookies = [{}, {"Cookie": f"segue={inside.account_id}"}, {"Cookie": "segue=2|1:0|10:1|5:segue|4:eHh4|00"}]
    tried = 0
    for pattern, handler in routes:
        if handler in OPEN:
            continue
        for path in examples(pattern, kernel):
            for method in METHODS:
                headers = origin | forged | cookies[tried % len(cookies)]
                answer = asked(player, method, path, headers)
                where = f"{method} {path} ({handler}): {answer.status}"
                assert answer.status in {302, 303, 403, 405}, where
                if answer.status in {302, 303}:
                    assert re.match(r"/login(\?next=|$)", answer.header("Location") or ""), where
                assert not answer.leaks(), where
                assert len(answer.body) < 2_000, where
                assert answer.header("Server") is None, where
                tried += 1
    assert tried > 100
    assert set(player.kernels()) <= there


def test_the_open_routes_give_strangers_no_more_than_they_are_for(visitor: Visitor, kernel: str):
    for path in ("/login", "/signup"):
        assert visitor.get(path).status_code == 200
        for method in ("PUT", "PATCH", "DELETE", "OPTIONS"):
            answer = visitor.session.request(method, visitor.server.url(path), timeout=10)
            assert answer.status_code in {403, 405}
    assert kernel not in visitor.get("/metrics").text


def test_no_trick_in_any_route_reaches_another_file(
    player: Server, routes: list[tuple[str, str]], inside: Visitor
):
    """Plain, encoded, twice encoded, with backslashes, NUL, and UTF-8 that is longer than it may be."""
    headers = {"Cookie": inside.cookies(), "Origin": player.address.rstrip("/")}
    starts = {"/"}
    for pattern, _ in routes:
        literal = re.match(r"[\w/.-]*", pattern.replace("\\", ""))
        assert literal is not None
        starts.add(literal[0].rstrip("/") + "/")
        starts.add(literal[0])
    tried = 0
    for start in sorted(starts):
        for trick in TRICKS:
            answer = asked(player, "GET", f"{start}{trick}".replace(" ", "%20"), headers)
            where = f"{start}{trick}: {answer.status}"
            assert answer.status in {0, 400, 403, 404, 405}, where
            assert not [prize for prize in PRIZES if prize in answer.body], where
            assert not answer.leaks(), where
            tried += 1
    assert tried > 300


def test_parts_of_the_page_are_reached_by_their_exact_names_only(inside: Visitor):
    addresses = set(
        re.findall(r"/page/[0-9a-f]{16}/[a-z.]+", inside.get("/").text + inside.get("/login").text)
    )
    assert addresses
    for address in addresses:
        assert inside.get(address).status_code == 200
        folder, name = address.rsplit("/", 1)
        other = f"/page/{'0' * 16}/{name}"
        for changed in (
            f"{folder}/..%2f{name}", f"{folder}/./{name}x", f"{folder}/{name}/", f"{folder}/%00{name}",
            f"{folder}/{name}%00", address.upper(), other,
        ):  # fmt: skip
            assert inside.get_raw(changed).status_code == 404, changed


def test_another_listeners_kernel_is_not_found_by_trying(player: Server, other: Visitor, kernel: str):
    """Neither by its own id, nor by ids beside it, nor with its owner's name in a header."""
    beside = kernel[:-1] + ("0" if kernel[-1] != "0" else "1")
    ids = [kernel, kernel.upper(), beside, *(str(uuid.uuid4()) for _ in range(20))]
    headers = {"Cookie": other.cookies(), "Origin": player.address.rstrip("/")}
    for each in ids:
        for method, path in (("GET", f"/api/kernels/{each}"), ("POST", f"/voila/api/shutdown/{each}")):
            assert asked(player, method, path, headers).status in {403, 404}, (method, each)
        shake = headers | {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                           "Sec-WebSocket-Key": "x" * 22 + "==", "Sec-WebSocket-Protocol":
                           "v1.kernel.websocket.jupyter.org"}  # fmt: skip
        assert asked(player, "GET", f"/api/kernels/{each}/channels", shake).status == 404


def test_a_forged_identity_is_not_believed(listener: Visitor, other: Visitor):
    told_wrongly = {name: value.format(account=other.account_id) for name, value in FORGED.items()}
    told = listener.server.told(listener.open_page(headers=told_wrongly))["env"]
    assert told["HTTP_X_SEGUE_LISTENER"] == listener.account_id
    assert other.account_id not in " ".join(told.values())
    assert "Eve" not in told.values()
    assert told.get("HTTP_X_SEGUE_ROLE", "listener") == "listener"


def test_nothing_is_changed_by_another_sites_page(
    player: Server, routes: list[tuple[str, str]], inside: Visitor, kernel: str
):
    """The browser sends the cookie along: each route looks where a request that changes something is from."""
    own = player.address.rstrip("/")
    tried = 0
    for headers in (
        {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Referer": "http://evil.example/"}, {},
        {"Origin": own, "Sec-Fetch-Site": "cross-site"}, {"Origin": own, "Sec-Fetch-Site": "same-site"},
        {"Origin": f"{own}.evil.example"}, {"Origin": f"http://evil.example/{own}"},
        {"Origin": "http://localhost"}, {"Origin": own, "Host": "evil.example"},
    ):  # fmt: skip
        sent = headers | {"Cookie": inside.cookies(), "Content-Type": "application/x-www-form-urlencoded"}
        for pattern, handler in routes:
            path = examples(pattern, kernel)[-1]
            answer = asked(player, "POST", path, sent, "name=eve&password=plum-harbour-lantern")
            refused = {403, 405} | ({404} if handler in {"Socket", "Health", "Metrics"} else set())
            assert answer.status in refused, f"{headers} {path} ({handler}): {answer.status}"
            tried += 1
    assert tried > 100


def test_others_are_served_amid_a_hundred_slow_connections(
    player: Server, listener: Visitor, other: Visitor, visitor: Visitor
):
    """Forty that never end their head, forty their body, twenty that do not take their clip."""
    name, port = player.host.split(":")
    clip = request("GET", "/audio/9", player.host, {"Cookie": "{}"}).decode()
    begun = [b"GET /login HTTP/1.1\r\nHost: x\r\nX: "] * 40
    begun += [request("POST", "/login", player.host, {"Content-Length": "9000"}) + b"name="] * 40
    begun += [clip.format(each.cookies()).encode() for each in (listener, other) for _ in range(10)]
    with contextlib.ExitStack() as stack:
        slow = []
        for first in begun:
            opened = stack.enter_context(socket.socket())
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            opened.connect((name, int(port)))
            opened.sendall(first)
            slow.append(opened)
        assert len(slow) == 100
        waits = []
        for _ in range(20):
            for opened in slow[:80]:
                with contextlib.suppress(OSError):
                    opened.sendall(b"x")
            began = time.monotonic()
            assert visitor.get("/login").status_code == 200
            assert len(listener.get("/audio/9", headers={"Range": "bytes=0-99999"}).content) == 100_000
            waits.append(time.monotonic() - began)
        assert sorted(waits)[10] < 1.0
        assert visitor.sign_up().open_page()
