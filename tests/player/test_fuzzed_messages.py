"""A hostile page before the real player: whatever it says, it learns nothing and does no harm."""

import itertools
import json
import random
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
import websocket
from jupyter_server.services.kernels.connection.base import (
    deserialize_msg_from_ws_v1,
    serialize_msg_to_ws_v1,
)

from segue.settings import Settings
from segue.store import open_store
from support.fuzz import comm_messages, encoded
from support.live_world import World, until
from support.visitor import Server, Visitor, described, frames, serving, write_notebook

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

UNLIMITED = "import segue.player.gate as gate; gate.RATE, gate.BURST = 1e9, 10**9"
"""The kernel's limit of the rate would hide nearly all of it; what is tested here is what passes."""

PLAYER = """
from segue.player.app import open_player

player = open_player()
player
"""
TO_PAGE = {
    "welcome", "recommendation", "status", "found", "failed", "accepted", "refused", "later", "home",
    "my_activity", "all_activity", "ratings", "history", "playlists", "playlist", "radio", "map", "map_tile",
    "map_places", "map_path", "track", "artist", "clusters", "cluster",
}  # fmt: skip
TELLING = (b"Traceback", b".py", b"site-packages", b"Error", b"segue.", b"/lib/", b"python")
PER_SOCKET = 150
"""Of one socket the server takes a few hundred messages at once."""


@pytest.fixture(scope="module")
def player(services: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("player")
    with open_store(services.mongo_uri, f"segue_test_{uuid4().hex}") as store:
        world = World.build(services, home, store)
        notebook = write_notebook(home / "page.ipynb", UNLIMITED, PLAYER)
        kafka = {"SEGUE_KAFKA": world.settings.kafka_bootstrap}
        with serving(world.settings, notebook, kafka, alone_s=30.0) as server:
            yield server
        world.close()
        store.client.drop_database(store.database)


class Page:
    """A page whose socket is opened anew whenever it wants to."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor
        seen = described(visitor.get("/"))
        self.kernel, self.model = seen["kernel"], seen["model"]
        self.socket = visitor.open_socket(self.kernel)
        self.heard: list[bytes] = []

    def __enter__(self) -> "Page":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def renew(self) -> None:
        """Open another socket when all that this one was to say has been said."""
        self.ask()
        self.socket.close()
        self.socket = self._visitor.open_socket(self.kernel)

    def send(self, kind: str, content: object, buffers: list[bytes], header: dict | None = None) -> None:
        given = {"msg_id": uuid4().hex, "msg_type": kind, "session": "s", "username": "u", "version": "5.3"}
        parts = [encoded(given | (header or {})), b"{}", b'{"version":"2.1.0"}', encoded(content), *buffers]
        self.socket.send_binary(serialize_msg_to_ws_v1(parts, "shell"))

    def ask(self) -> None:
        """Ask something, and return when it is answered."""
        request = random.randrange(2**53)
        question = {"type": "find", "request": request, "among": [110]}
        self.send("comm_msg", {"comm_id": self.model, "data": {"method": "custom", "content": question}}, [])
        for frame in frames(self.socket):
            self.heard.append(frame)
            _, parts = deserialize_msg_from_ws_v1(frame)
            told = json.loads(parts[3]).get("data", {}).get("content", {})
            if told.get("type") == "found" and told["request"] == request:
                assert told["total"] == 1
                return
        raise AssertionError("the server has closed the socket")


@pytest.mark.parametrize("count", [1_000, pytest.param(10_000, marks=pytest.mark.soak)])
def test_no_comm_message_shows_a_traceback_or_ends_the_kernel(player: Server, count: int):
    with Visitor(player) as visitor, Page(visitor.sign_up()) as page:
        before = player.kernels()
        rng = random.Random(count)
        for number, (kind, content, buffers) in enumerate(
            itertools.islice(comm_messages(count, page.model), count)
        ):
            if number % PER_SOCKET == PER_SOCKET - 1:
                page.renew()
            odd = rng.choice(
                [{}] * 20 + [{"msg_id": 7}, {"session": None}, {"subshell_id": "x"}, {"date": []}]
            )
            page.send(kind, content, buffers, odd)
        page.renew()
        page.ask()
        assert player.kernels() == before
    told = [json.loads(deserialize_msg_from_ws_v1(frame)[1][3]) for frame in page.heard]
    assert {each["data"]["content"]["type"] for each in told} <= TO_PAGE
    assert len(page.heard) > count / 20
    telling = [frame for frame in page.heard for word in TELLING if word in frame]
    assert not telling, telling[0]


def test_the_operator_sees_what_was_dropped(player: Server):
    def dropped() -> float:
        text = visitor.get("/metrics").text
        found = [line for line in text.splitlines() if line.startswith("segue_page_messages_dropped_total{")]
        return sum(float(line.split()[-1]) for line in found)

    def settled() -> tuple[float] | None:
        """Return the count once it stands: what earlier tests' kernels dropped is told a second later."""
        first = dropped()
        time.sleep(1.5)
        return (first,) if dropped() == first else None

    with Visitor(player) as visitor, Page(visitor.sign_up()) as page:
        (before,) = until(settled, "what earlier tests have said")
        for _ in range(3):
            content = {"comm_id": page.model, "data": {"method": "custom", "content": {"type": "exec"}}}
            page.send("comm_msg", content, [])
        until(lambda: dropped() == before + 3, "the counts")


@pytest.mark.parametrize("size", [20_000, 60_000, 70_000])
def test_a_large_or_deep_message_is_dropped_and_the_page_goes_on(player: Server, size: int):
    with Visitor(player) as visitor, Page(visitor.sign_up()) as page:
        for text in ('"' + "x" * size + '"', "[" * (size // 2) + "]" * (size // 2)):
            content = f'{{"comm_id":"{page.model}","data":{{"method":"custom","content":{text}}}}}'
            header = {
                "msg_id": "m",
                "msg_type": "comm_msg",
                "session": "s",
                "username": "u",
                "version": "5.3",
            }
            parts = [encoded(header), b"{}", b"{}", content.encode()]
            try:
                page.socket.send_binary(serialize_msg_to_ws_v1(parts, "shell"))
                page.ask()
            except (AssertionError, websocket.WebSocketConnectionClosedException, ConnectionError):
                assert size > 64 << 10, "a message that is not too large for the socket closed it"
            page.socket.close()
            page.socket = visitor.open_socket(page.kernel)
            page.ask()
