"""The gateway between kernels and Kafka: who is let in, what passes, what becomes of those who misbehave."""

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import psutil
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from segue.errors import SegueError
from segue.live.events import Item, PlayEvent, Recommendation, Why, now
from segue.player import gateway as served
from segue.player.gateway import Gateway
from segue.player.gateway_frames import Answer, BadFrame, Enter, Kind, Status, frame, head
from segue.player.gateway_link import GatewayLink
from segue.player.place import Place
from segue.services.topics import PLAYS, RECOMMENDATIONS
from segue.settings import Settings
from segue.store import open_store
from support.live_world import World, read_topic, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]

FROM_GATEWAY = frozenset({Kind.STATUS, Kind.ANSWER, Kind.LIST})


@pytest.fixture(scope="module")
def world(services: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_store(services.mongo_uri, f"segue_test_{uuid4().hex}") as store:
        built = World.build(services, tmp_path_factory.mktemp("world"), store)
        yield built
        built.close()
        store.client.drop_database(store.database)


@pytest.fixture
def listener() -> str:
    return f"l{uuid4().hex[:10]}"


class Peer:
    """A kernel's end, spoken by hand."""

    def __init__(self, gateway: Gateway) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(str(gateway.path))

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def enter(self, listener: str, ticket: str, database: str) -> "Peer":
        self.send(Kind.ENTER, Enter(listener_id=listener, ticket=ticket, database=database).to_bytes())
        return self

    def send(self, kind: Kind, content: bytes) -> None:
        self.socket.sendall(frame(kind, content))

    def read(self) -> tuple[Kind, bytes]:
        kind, length = head(self._exactly(5), FROM_GATEWAY)
        return kind, self._exactly(length)

    def wait(self, wanted: Kind) -> bytes:
        while True:
            kind, content = self.read()
            if kind is wanted:
                return content

    def shown_out(self) -> bool:
        """Tell whether the gateway closes the connection, within ten seconds."""
        with contextlib.suppress(ConnectionError):
            while True:
                self.read()
        return True

    def _exactly(self, count: int) -> bytes:
        content = b""
        while len(content) < count:
            part = self.socket.recv(count - len(content))
            if not part:
                raise ConnectionResetError
            content += part
        return content


def seated(gateway: Gateway, world: World, listener: str) -> Peer:
    """Return a kernel that was let in and knows that lists come."""
    peer = Peer(gateway).enter(listener, gateway.ticket(listener), world.store.database)
    while not Status.from_bytes(peer.wait(Kind.STATUS)).kafka:
        pass
    return peer


def recommendation(world: World, listener: str, text: str = "") -> Recommendation:
    items = [Item(track_id=100 + i, score=1.0, why=Why(kind="sound", text=text)) for i in range(100)]
    return Recommendation(
        recommendation_id=uuid4(), dataset=world.store.database, listener_id=listener, made_at=now(),
        model="test", items=items,
    )  # fmt: skip


def publish(world: World, sent: Recommendation) -> None:
    key = sent.listener_id.encode()
    world.producer.send(RECOMMENDATIONS, key=key, value=sent.to_bytes()).get(timeout=10)


def plays_of(world: World, listener: str) -> list[dict]:
    records = read_topic(world.settings.kafka_bootstrap, PLAYS)
    return [json.loads(record.value) for record in records if record.key == listener.encode()]


def test_an_event_is_answered_when_it_is_in_the_topic(gateway: Gateway, world: World, listener: str):
    with seated(gateway, world, listener) as peer:
        event = world.event(listener, 110)
        peer.send(Kind.EVENT, event.to_bytes())
        answer = Answer.from_bytes(peer.wait(Kind.ANSWER))
        assert (answer.event_id, answer.delivered) == (event.event_id, True)
        assert [PlayEvent(**play) for play in plays_of(world, listener)] == [event]


def test_lists_go_to_every_page_of_their_listener_and_to_nobody_else(
    gateway: Gateway, world: World, listener: str
):
    with (
        seated(gateway, world, listener) as first,
        seated(gateway, world, listener) as second,
        seated(gateway, world, "another") as other,
    ):
        mine, theirs = recommendation(world, listener), recommendation(world, "another")
        publish(world, mine)
        publish(world, theirs)
        assert first.wait(Kind.LIST) == second.wait(Kind.LIST) == mine.to_bytes()
        assert other.wait(Kind.LIST) == theirs.to_bytes()
        publish(world, theirs)
        for peer in (first, second):
            peer.socket.settimeout(0.5)
            with pytest.raises(TimeoutError):
                peer.wait(Kind.LIST)


def test_what_two_pages_of_a_listener_send_at_once_is_sent_once_and_answered_to_both(
    gateway: Gateway, world: World, listener: str
):
    with seated(gateway, world, listener) as first, seated(gateway, world, listener) as second:
        events = [world.event(listener, 110 + i) for i in range(20)]
        for event in events:
            first.send(Kind.EVENT, event.to_bytes())
            second.send(Kind.EVENT, event.to_bytes())
        for peer in (first, second):
            answers = {Answer.from_bytes(peer.wait(Kind.ANSWER)) for _ in events}
            assert {(each.event_id, each.delivered) for each in answers} == {
                (event.event_id, True) for event in events
            }
    sent = [UUID(play["event_id"]) for play in plays_of(world, listener)]
    assert set(sent) == {event.event_id for event in events}
    # Some may come after the broker had the first: the worker counts those once.
    assert len(sent) < 2 * len(events)


@pytest.mark.parametrize("ticket", ["", "0" * 64, "another's", "capital"])
def test_nobody_gets_in_without_the_ticket_of_the_listener(
    gateway: Gateway, world: World, listener: str, ticket: str
):
    own = gateway.ticket(listener)
    given = {"another's": gateway.ticket("another"), "capital": own.upper()}.get(ticket, ticket)
    content = {"listener_id": listener, "ticket": given, "database": world.store.database}
    with Peer(gateway) as peer:
        peer.send(Kind.ENTER, json.dumps(content).encode())
        peer.socket.settimeout(10)
        assert peer.socket.recv(1) == b""


def test_a_kernel_speaks_for_its_own_listener_and_data_set_only(
    gateway: Gateway, world: World, listener: str
):
    forged = [
        world.event("another", 110),
        world.event(listener, 110).model_copy(update={"dataset": "segue_other"}),
    ]
    for event in forged:
        refused = gateway.counts.refused
        with seated(gateway, world, listener) as peer:
            peer.send(Kind.EVENT, event.to_bytes())
            assert peer.shown_out()
            assert gateway.counts.refused == refused + 1
    in_topic = {record.value for record in read_topic(world.settings.kafka_bootstrap, PLAYS)}
    assert not in_topic & {event.to_bytes() for event in forged}


def nonsense() -> Iterator[bytes]:
    """Yield what no kernel of ours sends."""
    yield b"GET / HTTP/1.1\r\n\r\n"
    yield b"\xff" * 64
    yield b"E\xff\xff\xff\xff"
    yield b"E" + (2_049).to_bytes(4, "big")
    for kind, content in [
        (Kind.EVENT, b""), (Kind.EVENT, b"{}"), (Kind.EVENT, b'{"kind":NaN}'), (Kind.EVENT, b"[" * 2_000),
        (Kind.DROPPED, b'{"counts":{"x":-1}}'), (Kind.DROPPED, b'{"counts":{"\\u0000":1}}'),
        (Kind.DROPPED, json.dumps({"counts": {chr(97 + i): 1 for i in range(9)}}).encode()),
        (Kind.STATUS, b'{"kafka":true,"worker":true,"store":true}'), (Kind.LIST, b"{}"), (Kind.ENTER, b"{}"),
    ]:  # fmt: skip
        yield frame(kind, content)


@pytest.mark.parametrize("sent", list(nonsense()), ids=range(14))
def test_nonsense_ends_its_own_connection_and_no_other(
    gateway: Gateway, world: World, listener: str, sent: bytes
):
    with seated(gateway, world, "bystander") as other:
        with seated(gateway, world, listener) as peer:
            peer.socket.sendall(sent)
            assert peer.shown_out()
        with Peer(gateway) as stranger:
            stranger.socket.sendall(sent)
            assert stranger.socket.recv(1) == b""
        event = world.event("bystander", 110)
        other.send(Kind.EVENT, event.to_bytes())
        assert Answer.from_bytes(other.wait(Kind.ANSWER)).delivered


def test_who_does_not_say_who_it_is_is_shown_out(gateway: Gateway, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(served, "_ENTER_S", 0.2)
    with Peer(gateway) as silent, Peer(gateway) as half:
        half.socket.sendall(b"N\0\0")
        assert silent.socket.recv(1) == half.socket.recv(1) == b""


def test_there_is_an_end_to_how_many_connect(gateway: Gateway, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(served, "_AT_MOST", 0)
    with Peer(gateway) as peer:
        assert peer.socket.recv(1) == b""


def test_only_a_few_data_sets_are_played_from(gateway: Gateway, world: World, listener: str):
    with contextlib.ExitStack() as stack:
        for i in range(4):
            peer = stack.enter_context(Peer(gateway))
            peer.enter(listener, gateway.ticket(listener), f"segue_test_none_{i}")
            assert peer.wait(Kind.STATUS)
        one_more = stack.enter_context(Peer(gateway))
        one_more.enter(listener, gateway.ticket(listener), "segue_test_none_5")
        assert one_more.shown_out()
    with seated(gateway, world, listener):
        pass


def test_a_kernel_that_does_not_read_is_shown_out_and_holds_nobody_up(
    gateway: Gateway, world: World, listener: str
):
    with seated(gateway, world, listener) as deaf, seated(gateway, world, "bystander") as other:
        large = recommendation(world, listener, "x" * 300).to_bytes()
        for _ in range(8 * (1 << 20) // len(large)):
            world.producer.send(RECOMMENDATIONS, key=listener.encode(), value=large)
        world.producer.flush(timeout=20)
        until(lambda: gateway.counts.kernels == 1, "the deaf one's end")
        last = recommendation(world, "bystander")
        publish(world, last)
        assert other.wait(Kind.LIST) == last.to_bytes()
        assert deaf.shown_out()


def test_a_kernel_that_sends_too_much_is_put_off(gateway: Gateway, world: World, listener: str):
    with seated(gateway, world, listener) as peer:
        for i in range(1_000):
            event = world.event(listener, 110).model_copy(update={"event_id": UUID(int=i)})
            peer.send(Kind.EVENT, event.to_bytes())
        answers = [Answer.from_bytes(peer.wait(Kind.ANSWER)).delivered for _ in range(1_000)]
    assert 300 < sum(answers) < 700
    assert len(plays_of(world, listener)) == sum(answers)


def test_all_kernels_share_one_way_to_kafka(gateway: Gateway, world: World):
    port = int(world.settings.kafka_bootstrap.rpartition(":")[2])

    def connections() -> int:
        found = psutil.Process().net_connections("tcp")
        return sum(bool(each.raddr) and each.raddr.port == port for each in found)

    with contextlib.ExitStack() as stack:
        peers = [stack.enter_context(seated(gateway, world, f"many{i}")) for i in range(40)]
        for i, peer in enumerate(peers):
            peer.send(Kind.EVENT, world.event(f"many{i}", 110).to_bytes())
        assert all(Answer.from_bytes(peer.wait(Kind.ANSWER)).delivered for peer in peers)
        # The test's own producer has one or two of them.
        assert connections() < 8
        assert gateway.counts.kernels == 40
    until(lambda: gateway.counts.kernels == 0, "the kernels' end")


def test_what_passed_can_be_read_as_metrics(gateway: Gateway, world: World, listener: str):
    dropped = gateway.counts.dropped["odd"]
    with seated(gateway, world, listener) as peer:
        peer.send(Kind.DROPPED, b'{"counts":{"odd":3}}')
        peer.send(Kind.EVENT, world.event(listener, 110).to_bytes())
        peer.wait(Kind.ANSWER)
        registry = CollectorRegistry()
        registry.register(gateway.counts)
        told = generate_latest(registry).decode()
    assert f'segue_page_messages_dropped_total{{reason="odd"}} {dropped + 3:.1f}' in told
    assert 'segue_gateway_events_total{answer="accepted"}' in told


def test_a_status_tells_of_worker_and_store(gateway: Gateway, world: World, listener: str):
    with seated(gateway, world, listener) as peer:
        world.store.workers.beat("w", "first", 1)
        try:
            while True:
                status = Status.from_bytes(peer.wait(Kind.STATUS))
                if status.worker:
                    break
            assert status.store
        finally:
            world.store.workers.leave("w")
        assert not Status.from_bytes(peer.wait(Kind.STATUS)).worker


def test_a_folder_too_deep_for_a_socket_is_said(world: World, tmp_path: Path):
    with pytest.raises(SegueError, match="TMPDIR"):
        Gateway(world.settings, tmp_path / ("x" * 100)).open()
    with pytest.raises(SegueError, match="cannot be listened on"):
        Gateway(world.settings, tmp_path / "gone").open()


def test_a_frame_that_is_too_large_is_not_sent():
    with pytest.raises(BadFrame):
        frame(Kind.EVENT, bytes(2_049))


class Heard:
    """What a desk hears of its link."""

    def __init__(self) -> None:
        self.answers: list[tuple[UUID, bool]] = []
        self.lists: list[bytes] = []
        self.resumes = 0
        self.status: dict[str, bool] = {}

    def answered(self, event_id: UUID, delivered: bool) -> None:
        self.answers.append((event_id, delivered))

    def listed(self, content: bytes) -> None:
        self.lists.append(content)

    def resumed(self) -> None:
        self.resumes += 1

    def noted(self, **now: bool) -> None:
        self.status |= now


@contextlib.contextmanager
def linked(world: World, path: Path, listener: str, ticket: str) -> Iterator[tuple[GatewayLink, Heard]]:
    heard = Heard()
    place = Place(world.settings, world.run, listener, "Mira", False, "", str(path), ticket)
    link = GatewayLink(place, heard)
    try:
        yield link, heard
    finally:
        link.close()
        link.threads[0].join(5)
        assert not link.threads[0].is_alive()


def test_when_the_gateway_goes_events_are_for_later(world: World, tmp_path: Path, listener: str):
    gateway = Gateway(world.settings, tmp_path)
    gateway.open()
    with linked(world, gateway.path, listener, gateway.ticket(listener)) as (link, heard):
        until(lambda: heard.resumes, "lists")
        gateway.close()
        until(lambda: not heard.status["kafka"], "the news")
        event = world.event(listener, 110)
        link.send(event)
        assert heard.answers == [(event.event_id, False)]


def test_a_link_comes_back_by_itself_and_answers_for_what_it_had_in_hand(
    world: World, tmp_path: Path, listener: str
):
    path = tmp_path / "gateway"
    there = Status(kafka=True, worker=True, store=True).to_bytes()
    with socket.socket(socket.AF_UNIX) as server:
        server.settimeout(10)
        server.bind(str(path))
        server.listen()
        with linked(world, path, listener, "0" * 64) as (link, heard):
            for turn in (1, 2):
                connection, _ = server.accept()
                with connection:
                    assert connection.recv(1_000).startswith(b"N")
                    connection.sendall(frame(Kind.STATUS, there))
                    until(lambda turn=turn: heard.resumes == turn, "lists")
                    event = world.event(listener, 110)
                    link.send(event)
                    assert connection.recv(5_000)[5:] == event.to_bytes()
                until(lambda event=event: (event.event_id, False) in heard.answers, "an answer")
            assert len(heard.answers) == 2


def test_a_gateway_that_takes_nothing_does_not_hold_the_desk_up(world: World, tmp_path: Path, listener: str):
    path = tmp_path / "gateway"
    with socket.socket(socket.AF_UNIX) as server:
        server.settimeout(10)
        server.bind(str(path))
        server.listen()
        with linked(world, path, listener, "0" * 64) as (link, heard):
            connection, _ = server.accept()
            with connection:
                began = time.monotonic()
                while not any(delivered is False for _, delivered in heard.answers):
                    link.send(world.event(listener, 110))
                    assert time.monotonic() - began < 20
