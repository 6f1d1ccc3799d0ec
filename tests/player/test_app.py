"""The kernel's side of the player, against a real Kafka, a real store and a worker."""

import gc
import json
import os
import signal
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka.partitioner import murmur2

from segue import services as local
from segue.live.events import Item, Recommendation, Why, now
from segue.player.gate import Gate
from segue.player.gateway import Gateway
from segue.player.kafka_link import partition_of
from segue.player.place import Place
from segue.services.topics import PLAYS, RECOMMENDATIONS
from segue.settings import Settings
from segue.store import Store, open_store
from support.live_world import World, read_topic, serving, until
from support.own_services import own_services
from support.page_end import PageEnd

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]

MARKUP = '<img src=x onerror=alert(1)> & "quoted"'
SHELVES = {
    "_id": "shelves", "run": "first", "title": "Small world", "tracks": 60, "composed": 60, "played": True,
    "simulated": True, "popular": list(range(130, 150)), "starters": [100, 101, 102, 103],
}  # fmt: skip


@pytest.fixture
def dead_broker() -> Iterator[None]:
    """For a test that stops Kafka: kafka-python leaves the sockets of vain attempts to the collector."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


unclosed = pytest.mark.filterwarnings(
    "ignore:unclosed <socket:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


def place_of(world: World, listener: str = "") -> Place:
    return Place(world.settings, world.run, listener or f"l{uuid4().hex[:10]}", "Mira", False, "/audio/")


def small_world(settings: Settings, store: Store, home: Path) -> World:
    world = World.build(settings, home, store)
    world.store.meta.replace_one({"_id": "shelves"}, SHELVES, upsert=True)
    (odd,) = world.store.cards.by_ids([117]).values()
    changed = replace(odd, title=MARKUP, artist=MARKUP, text=MARKUP.casefold())
    others = [card for card in world.store.cards.find("", 100)[0] if card.track_id != 117]
    world.store.cards.replace([*others, changed])
    return world


@pytest.fixture(scope="module")
def world(services: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A small world with a worker that serves it."""
    with open_store(services.mongo_uri, f"segue_test_{uuid4().hex}") as store:
        built = small_world(services, store, tmp_path_factory.mktemp("world"))
        with serving(built.worker()):
            yield built
        built.close()
        store.client.drop_database(store.database)


def through(gateway: Gateway, place: Place) -> Place:
    """Return a place whose kernel speaks with Kafka through a gateway."""
    return replace(place, gateway=str(gateway.path), ticket=gateway.ticket(place.listener_id))


@pytest.fixture(params=["direct", "gateway"])
def place(request: pytest.FixtureRequest, world: World) -> Place:
    found = place_of(world)
    return found if request.param == "direct" else through(request.getfixturevalue("gateway"), found)


@pytest.fixture
def page(place: Place) -> Iterator[PageEnd]:
    opened = PageEnd().open(place)
    yield opened
    opened.close()


def connected(page: PageEnd) -> PageEnd:
    """Return the page when it has said hello and hears from Kafka."""
    page.hello()
    page.wait("status", lambda message: message["kafka"] and message["worker"] and message["store"])
    return page


def recommendation(world: World, listener: str, **values) -> Recommendation:
    given = {
        "recommendation_id": uuid4(), "dataset": world.store.database, "listener_id": listener,
        "made_at": now(), "model": "test",
        "items": [Item(track_id=105, score=1.0, why=Why(kind="sound", because_of=[117, 9_999], text=MARKUP))],
    }  # fmt: skip
    return Recommendation(**given | values)


def test_hello_is_answered_with_everything_the_page_begins_with(page: PageEnd):
    welcome = page.hello()
    kinds = [message["type"] for message in page.told]
    assert kinds[:3] == ["welcome", "recommendation", "status"]
    assert welcome["listener"] == {"id": page.desk.place.listener_id, "name": "Mira", "local": False}
    assert welcome["dataset"] == {"title": "Small world", "composed": 60, "tracks": 60, "simulated": True}
    assert welcome["audio"] == {"prefix": "/audio/", "suffix": ""}
    assert (welcome["likes"], welcome["dislikes"], welcome["recent"]) == ([], [], [])
    assert welcome["first_visit"]
    assert [card["track_id"] for card in welcome["starters"]] == [100, 101, 102]
    assert [card["track_id"] for card in welcome["popular"]] == list(range(130, 142))
    listed = page.told[1]
    assert (listed["recommendation_id"], listed["made_at"], listed["caused_by"]) == (None, None, None)
    assert [item["track"]["track_id"] for item in listed["items"]] == SHELVES["popular"]
    assert listed["items"][0]["why"] == {
        "kind": "popular", "text": "played by many simulated listeners here", "because_of": [],
    }  # fmt: skip
    json.dumps(page.told)


def test_a_like_is_accepted_and_comes_back_as_a_list_that_names_it(page: PageEnd, world: World):
    connected(page)
    liked = page.act(110)
    assert page.answer(liked)["type"] == "accepted"
    listed = page.wait("recommendation", lambda message: message["caused_by"] == liked)
    assert listed["recommendation_id"]
    assert [each["type"] for each in page.told if "id" in each] == [], "ipykernel keeps every message's id"
    tracks = [item["track"]["track_id"] for item in listed["items"]]
    assert 110 not in tracks
    titles = {each["title"] for item in listed["items"] for each in item["why"]["because_of"]}
    assert titles == {"Track 110"}
    page.act(111, "dislike")
    page.act(112, "play")
    last = page.act(112, "complete", position_s=30.0)
    page.wait("recommendation", lambda message: message["caused_by"] == last)
    welcome = page.hello()
    assert (welcome["likes"], welcome["dislikes"], welcome["first_visit"]) == ([110], [111], False)
    assert [card["track_id"] for card in welcome["recent"]] == [112]
    assert welcome["starters"] == []
    own = page.desk.place.listener_id.encode()
    stored = [
        json.loads(record.value)
        for record in read_topic(world.settings.kafka_bootstrap, PLAYS)
        if record.key == own
    ]
    assert [play["kind"] for play in stored] == ["like", "dislike", "play", "complete"]
    assert {play["listener_id"] for play in stored} == {page.desk.place.listener_id}
    assert len({play["session_id"] for play in stored}) == 1


def test_search_finds_words_in_any_case_a_page_at_a_time(page: PageEnd):
    page.hello()
    page.say(type="find", request=1, text="TRCAK 112")
    assert page.wait("found", lambda message: message["request"] == 1)["total"] == 1
    page.say(type="find", request=2, text="<IMG onerror")
    found = page.wait("found", lambda message: message["request"] == 2)
    assert [card["title"] for card in found["tracks"]] == [MARKUP]
    page.say(type="find", request=3)
    whole = page.wait("found", lambda message: message["request"] == 3)
    page.say(type="find", request=4, offset=40)
    rest = page.wait("found", lambda message: message["request"] == 4)
    assert (len(whole["tracks"]), len(rest["tracks"]), rest["offset"], rest["total"]) == (40, 20, 40, 60)
    assert not {t["track_id"] for t in whole["tracks"]} & {t["track_id"] for t in rest["tracks"]}


def test_markup_passes_as_the_text_that_it_is(page: PageEnd, world: World):
    connected(page)
    sent = recommendation(world, page.desk.place.listener_id)
    world.producer.send(RECOMMENDATIONS, key=sent.listener_id.encode(), value=sent.to_bytes())
    told = page.wait("recommendation", lambda message: message["model"] == "test")
    (item,) = told["items"]
    assert item["why"]["text"] == MARKUP
    assert item["why"]["because_of"] == [{"track_id": 117, "title": MARKUP}]


def test_only_the_listeners_own_lists_of_this_data_set_are_shown_and_no_older_one(
    page: PageEnd, world: World
):
    connected(page)
    own = page.desk.place.listener_id
    partitions = world.settings.plays_partitions
    neighbour = next(
        f"n{i}" for i in range(1_000)
        if murmur2(f"n{i}".encode()) % partitions == (murmur2(own.encode()) & 0x7FFFFFFF) % partitions
    )  # fmt: skip
    at = now()

    def publish(key: str, value: bytes) -> None:
        world.producer.send(RECOMMENDATIONS, key=key.encode(), value=value).get(timeout=10)

    publish(neighbour, recommendation(world, neighbour, model="another's").to_bytes())
    publish(own, recommendation(world, neighbour, model="another's under this key").to_bytes())
    publish(own, recommendation(world, own, model="other data", dataset="segue_other").to_bytes())
    publish(own, b"{")
    publish(own, b"\xff")
    publish(own, recommendation(world, own, model="new", made_at=at).to_bytes())
    publish(own, recommendation(world, own, model="old", made_at=at - timedelta(seconds=1)).to_bytes())
    publish(own, recommendation(world, own, model="last", made_at=at + timedelta(seconds=1)).to_bytes())
    page.wait("recommendation", lambda message: message["model"] == "last")
    models = [message["model"] for message in page.told if message["type"] == "recommendation"]
    assert models == ["popularity", "new", "last"]


def test_an_event_is_dated_between_thirty_days_ago_and_now(page: PageEnd, world: World):
    connected(page)
    begun = datetime.now(UTC).replace(tzinfo=None)
    ids = [
        page.act(120, at=datetime.now(UTC) + timedelta(days=3)),
        page.act(121, at=datetime.now(UTC) - timedelta(days=31)),
        page.act(122, at=datetime.now(UTC) - timedelta(days=2)),
    ]  # fmt: skip
    for event_id in ids:
        assert page.answer(event_id)["type"] == "accepted"
    page.wait("recommendation", lambda message: message["caused_by"] == ids[-1])
    # Plays are stored behind the lists.
    until(lambda: {play["event_id"] for play in world.plays()} >= set(ids), "the plays")
    at = {play["event_id"]: play["at"].replace(tzinfo=None) for play in world.plays()}
    assert begun - timedelta(seconds=1) < at[ids[0]] <= datetime.now(UTC).replace(tzinfo=None)
    assert begun - timedelta(seconds=1) < at[ids[1]]
    assert timedelta(days=1.9) < begun - at[ids[2]] < timedelta(days=2.1)


def test_what_can_never_be_taken_is_refused_in_plain_words(page: PageEnd):
    page.hello()
    unknown = page.answer(page.act(99))
    assert unknown["type"] == "refused"
    assert "collection" in unknown["why"]
    rated = page.answer(page.act(110, "rate"))
    assert rated["type"] == "refused"
    assert "stars" in rated["why"]
    assert page.answer(page.act(110, "rate", value=4))["type"] == "accepted"
    assert page.answer(page.act(110, "like", value=4))["type"] == "refused"


def bad_messages() -> Iterator[tuple[object, object]]:
    """Yield what a hostile page may send: content and buffers."""
    act = {
        "type": "act", "event_id": str(uuid4()), "track_id": 110, "kind": "like",
        "at": "2026-11-01T00:00:00Z",
    }  # fmt: skip
    odd = [
        None, True, -1, 2**63, 1.5, float("nan"), float("inf"), "", "x" * 300, "\ud800", "\0", [], [[[]]], {},
        {"$gt": ""}, "../../etc/passwd", MARKUP, b"bytes", object(), {"__proto__": {}}, "2026-13-45", 10**400,
    ]  # fmt: skip
    yield from ((value, []) for value in odd)
    for field in ("type", "event_id", "track_id", "kind", "position_s", "value", "source", "at"):
        yield from ((act | {field: value}, []) for value in odd if not _fits(field, value))
    yield from (
        ({"type": "find", "request": value}, []) for value in odd if not isinstance(value, bool | int)
    )
    yield from (({"type": "find", "request": 1, "offset": value}, []) for value in (-1, 10**9, "x", [], {}))
    yield from (({"type": "find", "request": 1, "text": value}, []) for value in ("x" * 201, "\ud800", 5, []))
    yield from (({"type": kind}, []) for kind in ("welcome", "accepted", "exec", "Hello", "hello\0"))
    yield from ((act | {extra: "x"}, []) for extra in ("listener_id", "dataset", "session_id", "simulated"))
    yield {"type": "hello", "listener_id": "another"}, []
    yield {"type": "hello"}, [b"buffer"]
    yield act | {"source": {"list": "x" * 41}}, []
    yield {"type": "hello", "x": "y" * 20_000}, []
    deep: list = []
    for _ in range(5_000):
        deep = [deep]
    yield {"type": deep}, []


def _fits(field: str, value: object) -> bool:
    return {
        "value": value is None or value is True,
        "position_s": value is True or value == 1.5,
        "source": value == {},
        "at": value in (-1, 1.5),
        "track_id": value is True,
    }.get(field, False)


def test_no_bad_message_gets_an_answer_or_does_harm(page: PageEnd, world: World):
    page.hello()
    told = len(page.told)
    sent = 0
    for content, buffers in bad_messages():
        if sent % 90 == 0:
            page.desk.gate = Gate()  # What is tested here is not the rate.
        dropped = page.desk.gate.dropped.total()
        page.desk.receive(content, buffers)
        assert page.desk.gate.dropped.total() == dropped + 1, content
        sent += 1
    assert sent > 200
    page.say(type="find", request=77, text="\0 [.*(+")
    page.wait("found", lambda message: message["request"] == 77)
    kinds = [message["type"] for message in page.told[told:]]
    assert set(kinds) <= {"found", "status"}
    assert connected(page)


def test_a_page_that_says_too_much_is_not_heard(page: PageEnd):
    page.hello()
    for request in range(1_000):
        page.say(type="find", request=request, text="nothing has this")
    assert page.desk.gate.dropped["too many"] > 800
    time.sleep(1)
    page.say(type="find", request=5_000)
    page.wait("found", lambda message: message["request"] == 5_000)


@unclosed
@pytest.mark.usefixtures("dead_broker")
def test_while_kafka_is_stopped_acts_are_for_later_and_none_is_lost_or_doubled(
    services: Settings, tmp_path: Path
):
    with own_services(services, tmp_path / "own") as own, open_store(own.mongo_uri, "segue_own") as store:
        world = small_world(own, store, tmp_path / "own")
        # Its addresses are read from its files, as they are after a restart.
        places = [replace(place_of(world), settings=own) for _ in range(3)]
        gateway = Gateway(own, tmp_path)
        gateway.open()
        places[1:] = [through(gateway, place) for place in places[1:]]
        pages = [PageEnd().open(place) for place in places]
        with serving(world.worker()):
            try:
                _kafka_goes_and_comes([connected(page) for page in pages], world, own)
            finally:
                for page in pages:
                    page.close()
                gateway.close()
                world.close()


def _kafka_goes_and_comes(pages: list[PageEnd], world: World, settings: Settings) -> None:
    first = [page.act(110) for page in pages]
    for page, event_id in zip(pages, first, strict=True):
        assert page.answer(event_id)["type"] == "accepted"
        page.wait("recommendation", lambda message, event_id=event_id: message["caused_by"] == event_id)
    kafka = next(each for each in local.status(settings) if each.name == "kafka")
    os.kill(kafka.pid, signal.SIGKILL)
    waiting = [_acts_without_kafka(page) for page in pages]
    since = [len(page.told) for page in pages]
    for page in pages:
        missed = recommendation(world, page.desk.place.listener_id, model="missed")
        world.store.recommendations.put({missed.listener_id: missed.to_bytes()})
    local.up(settings, lambda line: None)
    for page, event_ids, told in zip(pages, waiting, since, strict=True):
        page.wait("recommendation", lambda message: message["model"] == "missed", since=told)
        page.wait("status", lambda message: message["kafka"], since=told)
        _sends_again(page, event_ids)
    until(lambda: len(world.plays()) >= 4 * len(pages), "the plays")
    likes = [(play["listener_id"], play["track_id"]) for play in world.plays() if play["kind"] == "like"]
    expected = [(page.desk.place.listener_id, track) for page in pages for track in (110, 111, 112, 113)]
    assert sorted(likes) == sorted(expected)
    in_topic = {
        json.loads(record.value)["event_id"] for record in read_topic(settings.kafka_bootstrap, PLAYS)
    }
    assert in_topic == {*first, *(event_id for event_ids in waiting for event_id in event_ids)}


def _acts_without_kafka(page: PageEnd) -> list[str]:
    page.wait("status", lambda message: not message["kafka"])
    since = len(page.told)
    began = time.perf_counter()
    waiting = [page.act(track) for track in (111, 112, 113)]
    assert time.perf_counter() - began < 0.2
    assert {page.answer(event_id)["type"] for event_id in waiting} == {"later"}
    page.say(type="find", request=1, text="114")
    page.wait("found", since=since, seconds=3)
    return waiting


def _sends_again(page: PageEnd, waiting: list[str]) -> None:
    since = len(page.told)
    for _ in range(2):
        for event_id, track in zip(waiting, (111, 112, 113), strict=True):
            page.act(track, event_id=event_id)
    assert {page.answer(event_id, since)["type"] for event_id in waiting} == {"accepted"}
    page.wait("recommendation", lambda message: message["caused_by"] == waiting[-1], since=since)
    again = page.act(113, event_id=waiting[-1])
    assert page.answer(again, since)["type"] == "accepted"


@unclosed
@pytest.mark.usefixtures("dead_broker")
def test_a_player_that_opens_while_nothing_runs_says_so_and_begins_when_it_does(
    services: Settings, tmp_path: Path
):
    with own_services(services, tmp_path / "own") as own, open_store(own.mongo_uri, "segue_own") as store:
        world = small_world(own, store, tmp_path / "own")
        place = replace(place_of(world), settings=own)
        local.down(own, lambda line: None)
        page = PageEnd().open(place)
        try:
            page.say(type="hello")
            failed = page.wait("failed")
            assert failed["request"] is None
            status = page.wait("status")
            assert status == {"type": "status", "kafka": False, "worker": False, "store": False}
            page.say(type="find", request=3, text="x")
            assert page.wait("failed", lambda message: message["request"] == 3)
            assert page.answer(page.act(110))["type"] == "later"
            local.up(own, lambda line: None)
            page.wait("welcome", seconds=30)
            page.wait("status", lambda message: message["kafka"] and message["store"], seconds=30)
            assert page.answer(page.act(110), since=len(page.told))["type"] == "accepted"
        finally:
            page.close()
            world.close()


def test_a_closed_player_tells_nothing_and_leaves_no_thread(world: World):
    page = connected(PageEnd().open(place_of(world)))
    threads = page.desk.threads
    page.close()
    assert not any(thread.is_alive() for thread in threads)
    told = len(page.told)
    sent = recommendation(world, page.desk.place.listener_id)
    world.producer.send(RECOMMENDATIONS, key=sent.listener_id.encode(), value=sent.to_bytes()).get(timeout=10)
    page.say(type="hello")
    page.act(110)
    until(lambda: not page.desk.threads[0].is_alive(), "the desk's end")
    assert len(page.told) == told


def test_the_partition_is_the_keyed_producers_own(world: World):
    consumer = KafkaConsumer(bootstrap_servers=world.settings.kafka_bootstrap)
    producer = KafkaProducer(bootstrap_servers=world.settings.kafka_bootstrap)
    try:
        for i in range(40):
            key = f"listener-{i}".encode()
            sent = producer.send(RECOMMENDATIONS, key=key, value=b"{}").get(timeout=10)
            assert sent.partition == partition_of(consumer, key).partition
    finally:
        consumer.close()
        producer.close()
