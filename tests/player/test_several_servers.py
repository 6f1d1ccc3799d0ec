"""Two players on one store, each of which may be asked by anybody; and nginx before them."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests
import websocket
from jupyter_server.services.kernels.connection.base import deserialize_msg_from_ws_v1

from segue.live.events import now
from segue.pipeline.stages import notebooks_folder
from segue.settings import Settings
from segue.store import open_store
from support.live_world import World, environment
from support.planted import FIRST_ID
from support.proxy import NAME, proxied
from support.visitor import PROTOCOL, Server, Visitor, beside, described, frames, message, serving
from support.waiting import wait_until

pytestmark = pytest.mark.slow

NOTEBOOK = notebooks_folder() / "05_player.ipynb"
SOON_S = 15.0
"""Within this what happened at one server is known at the other, which looks every five seconds."""


@pytest.fixture(scope="module")
def world(services: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A small data set with a worker."""
    home = tmp_path_factory.mktemp("several")
    with open_store(services.mongo_uri, f"segue_test_{uuid4().hex}") as store:
        built = World.build(services, home, store)
        with (home / "worker.log").open("w") as log:
            worker = subprocess.Popen(
                [sys.executable, "-m", "segue.cli", "worker"], env=environment(built), stdout=log, stderr=log
            )
        yield built
        worker.terminate()
        assert worker.wait(20) == 0, (home / "worker.log").read_text()
        store.client.drop_database(store.database)


@contextmanager
def player(world: World, name: str) -> Iterator[Server]:
    """A player with a home of its own, on the store, the broker, the run and the secret of all."""
    told = {"SEGUE_KAFKA": world.settings.kafka_bootstrap, "SEGUE_PLAYER_LOG_ADDRESSES": "true"}
    with serving(beside(world.settings, name), NOTEBOOK, told) as server:
        yield server


@pytest.fixture(scope="module")
def two(world: World) -> Iterator[tuple[Server, Server]]:
    with player(world, "one") as first, player(world, "other") as second:
        yield first, second


class Page:
    """A page of a visitor that speaks with its kernel."""

    def __init__(self, visitor: Visitor) -> None:
        self.seat = described(visitor.get("/"))
        self.socket = visitor.open_socket(self.seat["kernel"])
        self.told: list[dict[str, Any]] = []

    def __enter__(self) -> "Page":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.shutdown()

    def say(self, **content: Any) -> None:
        data = {"method": "custom", "content": content}
        self.socket.send_binary(message("comm_msg", {"comm_id": self.seat["model"], "data": data}))

    def wait(self, kind: str, **values: Any) -> dict[str, Any]:
        """Return the first message of a kind with these values that has come or comes."""
        for told in self.told:
            if told["type"] == kind and values.items() <= told.items():
                return told
        for frame in frames(self.socket, 30):
            _, parts = deserialize_msg_from_ws_v1(frame)
            if json.loads(parts[0])["msg_type"] != "comm_msg":
                continue
            told = json.loads(parts[3])["data"].get("content")
            if told:
                self.told.append(told)
                if told["type"] == kind and values.items() <= told.items():
                    return told
        raise AssertionError(f"the line was closed before {kind} came")

    def hello(self) -> dict[str, Any]:
        self.say(type="hello")
        return self.wait("welcome")

    def like(self, track_id: int) -> str:
        """Like a track and return the event's id when Kafka has it."""
        event_id = str(uuid4())
        self.say(type="act", event_id=event_id, track_id=track_id, kind="like", at=now().isoformat())
        self.wait("accepted", event_id=event_id)
        return event_id


def greeted(visitor: Visitor) -> str:
    """Open a page and return the name by which its kernel greets the visitor."""
    with Page(visitor) as page:
        return page.hello()["listener"]["name"]


def at(server: Server, visitor: Visitor) -> Visitor:
    """Return the same browser, asking another server."""
    moved = Visitor(server)
    moved.session.cookies.update(visitor.session.cookies)
    return moved


def test_a_login_at_one_holds_at_the_other(two: tuple[Server, Server]) -> None:
    first, second = two
    with Visitor(first) as mira, Visitor(second) as stranger:
        mira.sign_up()
        assert stranger.get("/").status_code == 302
        with at(second, mira) as there:
            assert there.get("/").status_code == 200
            assert greeted(there) == mira.name


def test_who_logs_out_everywhere_at_one_is_out_at_the_other(two: tuple[Server, Server]) -> None:
    first, second = two
    with Visitor(first) as mira, at(second, mira.sign_up()) as there, Page(there) as page:
        page.hello()
        form = re.search(r'name="_xsrf" value="([^"]+)"', mira.get("/account").text)
        assert form
        assert mira.post("/account/sessions", data={"_xsrf": form[1]}).status_code in (200, 303)
        began = time.monotonic()
        for _ in frames(page.socket, SOON_S):
            pass
        wait_until(lambda: there.get("/").status_code == 302, SOON_S, "the other server asks for a login")
        assert time.monotonic() - began < SOON_S


def test_a_like_at_one_is_seen_at_the_other(two: tuple[Server, Server]) -> None:
    first, second = two
    with (
        Visitor(first) as mira,
        at(second, mira.sign_up()) as there,
        Page(mira) as here,
        Page(there) as elsewhere,
    ):
        here.hello()
        elsewhere.hello()
        liked = FIRST_ID
        event_id = here.like(liked)
        changed = elsewhere.wait("recommendation", caused_by=event_id)
        assert liked not in {item["track"]["track_id"] for item in changed["items"]}
        with Page(there) as later:
            assert later.hello()["likes"] == [liked]


def guessed(guesser: Visitor, name: str) -> bool:
    """Try a wrong password; tell whether it was looked at."""
    return guesser.form("/login", name=name, password="not-the-password").status_code == 401


def test_guessing_at_one_is_slowed_at_the_other_and_locks_no_known_browser_out(
    two: tuple[Server, Server],
) -> None:
    with ExitStack() as stack:
        mira, *guessers = [stack.enter_context(Visitor(server)) for server in (two[0], *two)]
        there = stack.enter_context(at(two[1], mira.sign_up()))
        assert mira.log_out().headers["Location"] == "/login"
        began = time.monotonic()
        for turn in range(8):
            guesser = guessers[turn % 2]
            wait_until(lambda guesser=guesser: guessed(guesser, mira.name), 10, "the next guess is looked at")
        assert time.monotonic() - began >= 3, "the seventh waited a second, the eighth two"
        slowed = [guesser.form("/login", name=mira.name) for guesser in guessers]
        assert [answer.status_code for answer in slowed] == [429, 429]
        assert all(int(answer.headers["Retry-After"]) >= 1 for answer in slowed)
        there.session.cookies.pop("segue")
        assert there.form("/login", name=mira.name).status_code == 303
        wait_until(
            lambda: guessers[0].form("/login", name=mira.name).status_code == 303, 10, "the wait has an end"
        )


class Behind(Server):
    """Players as who comes through the proxy sees them."""

    def __init__(self, port: int) -> None:
        self.address = f"https://{NAME}:{port}/"


class Through(Visitor):
    """A browser that comes through the proxy and knows its certificate."""

    cookie_name = "__Host-segue"

    def __init__(self, server: Server, certificate: Path) -> None:
        super().__init__(server)
        self.certificate = certificate
        # An authority of the environment's would stand in for ours.
        self.session.trust_env = False
        self.session.verify = str(certificate)

    def open_socket(self, kernel_id: str, **options: Any) -> websocket.WebSocket:
        path = f"/api/kernels/{kernel_id}/channels?session_id={uuid4()}"
        return websocket.create_connection(
            self.server.url(path).replace("https", "wss"), cookie=self.cookies(), origin=self.server.url(""),
            subprotocols=[PROTOCOL], sslopt={"ca_certs": str(self.certificate)}, timeout=15, **options,
        )  # fmt: skip

    def sign_up(self) -> "Through":
        super().sign_up()
        return self

    def among(self, servers: Sequence[Server]) -> list[str]:
        """Return the servers that have had a request of this account."""
        return [server.host for server in servers if self.account_id in server.log()]


@pytest.fixture(scope="module")
def behind(
    two: tuple[Server, Server], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Behind, Path]]:
    folder = tmp_path_factory.mktemp("nginx")
    with proxied(folder, [server.host for server in two]) as port:
        yield Behind(port), folder / "tls" / "fullchain.pem"


def test_visitors_stay_with_one_player_each_and_are_spread(
    behind: tuple[Behind, Path], two: tuple[Server, Server]
) -> None:
    places = []
    for _ in range(8):
        with Through(*behind) as visitor:
            visitor.sign_up()
            assert greeted(visitor) == visitor.name
            places.append(visitor.among(two))
    assert [len(place) for place in places] == [1] * len(places)
    assert {place[0] for place in places} == {server.host for server in two}


def test_what_a_visitor_says_of_protocol_and_address_is_not_believed(
    behind: tuple[Behind, Path], two: tuple[Server, Server]
) -> None:
    with Through(*behind) as mira:
        mira.session.headers.update({"X-Forwarded-Proto": "http", "X-Forwarded-For": "192.0.2.7"})
        mira.sign_up()
        cookies = {each.name: each for each in mira.session.cookies}
        assert {"__Host-segue", "segue_place"} <= set(cookies)
        assert all(cookie.secure for cookie in cookies.values())
        answer = mira.get("/")
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        assert mira.get("/metrics").status_code == 404
        logged = "".join(server.log() for server in two)
    assert "127.0.0.1" in logged
    assert "192.0.2.7" not in logged


def test_when_a_player_dies_its_visitors_find_the_other(
    world: World, two: tuple[Server, Server], tmp_path: Path
) -> None:
    with (
        player(world, "mortal") as mortal,
        proxied(tmp_path, [two[0].host, mortal.host]) as port,
        ExitStack() as stack,
    ):
        certificate = tmp_path / "tls" / "fullchain.pem"
        comers = (stack.enter_context(Through(Behind(port), certificate)).sign_up() for _ in range(14))
        visitor = next(each for each in comers if each.get("/account").ok and each.among([mortal]))
        assert greeted(visitor) == visitor.name
        os.kill(mortal.process.pid, signal.SIGKILL)
        mortal.process.wait()
        assert visitor.post("/").status_code == 200
        assert greeted(visitor) == visitor.name
        assert visitor.among([two[0]])


def test_who_tries_to_get_in_too_often_is_held_up_before_the_players(tmp_path: Path) -> None:
    with proxied(tmp_path, ["127.0.0.1:9", "127.0.0.1:9"]) as port, requests.Session() as session:
        session.trust_env = False
        session.verify = str(tmp_path / "tls" / "fullchain.pem")
        statuses = [session.get(f"https://{NAME}:{port}/login").status_code for _ in range(30)]
    assert statuses[0] == 502
    assert 429 in statuses
