"""Activity and Home as the kernel answers them: one's own numbers, everybody's for an operator alone."""

import json
import tracemalloc
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from segue.live import overview
from segue.live.events import Malformed, now
from segue.live.tallies import Tally
from segue.pipeline.run import current_run
from segue.player import activity
from segue.player.activity import NOT_YOURS, all_activity, my_activity
from segue.player.answers import Asked
from segue.player.home import home
from segue.player.messages import AllActivity, Home, MyActivity, read
from segue.player.place import Place, find_place
from segue.settings import Settings
from segue.store import Store
from segue.store.cards import Card
from segue.store.clusters import Cluster
from segue.store.personal import remove
from support.page_end import PageEnd
from support.visitor import write_run

pytestmark = pytest.mark.slow


@pytest.fixture
def settings(services: Settings, store: Store, tmp_path: Path) -> Settings:
    made = Settings(home=tmp_path, mongo=services.mongo_uri, kafka=services.kafka_bootstrap)
    write_run(made, store.database, str(tmp_path))
    return made


@pytest.fixture
def place(settings: Settings) -> Place:
    return Place(settings, current_run(settings), "mira", "Mira", False, "/audio/")


@pytest.fixture
def asked(place: Place, store: Store) -> Asked:
    store.cards.replace(card(number) for number in range(1, 31))
    return Asked(place, store, set())


def card(number: int, **values) -> Card:
    given = {
        "track_id": number, "title": f"Title {number}", "artist": f"Artist {number % 3}", "album": "",
        "genre": "Folk", "duration_s": 30.0, "licence": "CC0", "attribution_url": "", "composed": False,
        "print": [0.5] * 20,
    }  # fmt: skip
    return Card(**given | values)


def played(store: Store, track: int, at: datetime, kind: str = "play", listener: str = "mira") -> None:
    play = {"event_id": str(uuid.uuid4()), "listener_id": listener, "track_id": track, "kind": kind, "at": at}
    store.plays.upsert([play])


# Mine -----------------------------------------------------------------------------------------------------


def test_mine_counts_my_own_events_of_these_days_and_nobody_elses(asked: Asked):
    store, at = asked.store, now()
    for track, times in [(4, 3), (5, 1), (7, 2)]:
        for _ in range(times):
            played(store, track, at)
    played(store, 4, at, "complete")
    played(store, 5, at, "skip")
    played(store, 7, at, "like")
    played(store, 7, at, "impression")
    played(store, 8, at, listener="noor")
    played(store, 9, at - timedelta(days=8))
    played(store, 77, at)
    told = my_activity(MyActivity(type="my_activity", request=3, days=7), asked)
    assert (told["type"], told["request"], told["operator"], told["more"]) == ("my_activity", 3, False, False)
    assert told["kinds"] == {"play": 7, "complete": 1, "skip": 1, "like": 1, "dislike": 0, "rate": 0}
    assert told["share_skipped"] == 0.5
    assert [each["plays"] for each in told["by_day"]] == [0] * 6 + [7]
    assert [(each["track"]["track_id"], each["plays"]) for each in told["top_tracks"]] == [
        (4, 3),
        (7, 2),
        (5, 1),
    ]
    assert told["top_artists"] == [{"artist": "Artist 1", "plays": 5}, {"artist": "Artist 2", "plays": 1}]
    assert asked.known >= {4, 5, 7}
    json.dumps(told)


def test_a_day_is_one_of_the_pages_clock(asked: Asked):
    at = now()
    half_past_midnight = (30 - at.hour * 60 - at.minute + 720) % 1440 - 720
    played(asked.store, 4, at - timedelta(hours=1))
    told = my_activity(
        MyActivity(type="my_activity", request=1, days=7, offset_min=half_past_midnight), asked
    )
    assert [each["plays"] for each in told["by_day"]] == [0, 0, 0, 0, 0, 1, 0]
    assert told["by_day"][-1]["day"] == (at + timedelta(minutes=half_past_midnight)).date().isoformat()


def test_who_played_nothing_is_told_so_and_who_played_too_much_too(asked: Asked, monkeypatch):
    told = my_activity(MyActivity(type="my_activity", request=1, days=365), asked)
    assert (len(told["by_day"]), told["tracks"], told["artists"]) == (365, 0, 0)
    assert (told["top_tracks"], told["top_artists"], told["share_skipped"]) == ([], [], None)
    monkeypatch.setattr(activity, "MOST_EVENTS", 2)
    for track in (1, 2, 3):
        played(asked.store, track, now())
    assert my_activity(MyActivity(type="my_activity", request=1, days=7), asked)["more"]


def test_a_long_history_takes_no_more_memory_than_a_short_one(asked: Asked):
    peaks = []
    for more in (500, 5_000):
        play = {"listener_id": "mira", "track_id": 4, "kind": "play", "at": now()}
        asked.store.plays.upsert([{**play, "event_id": str(uuid.uuid4())} for _ in range(more)])
        question = MyActivity(type="my_activity", request=1, days=7)
        my_activity(question, asked)
        tracemalloc.start()
        told = my_activity(question, asked)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert told["kinds"]["play"] == 5_500
    assert peaks[1] < 1.5 * peaks[0], peaks


def test_what_is_counted_goes_with_the_account(asked: Asked):
    played(asked.store, 4, now())
    remove(asked.store.client[asked.store.database], "mira")
    assert my_activity(MyActivity(type="my_activity", request=1), asked)["kinds"]["play"] == 0


# Everybody's ----------------------------------------------------------------------------------------------


def counted(store: Store) -> None:
    """Write the counts of two minutes, as a worker does."""
    tally = Tally()
    tally.real.kinds.update(play=3, skip=1, complete=1)
    tally.real.listeners.add("mira")
    tally.real.plays.add(4)
    tally.simulated.kinds.update(play=5)
    tally.simulated.listeners.add("sim-1")
    tally.simulated.plays.add(5)
    tally.rejected.update(at=2)
    tally.listed("fusion", 0.02)
    this = now().replace(second=0, microsecond=0)
    document = tally.to_document()
    store.activity.put("w", {this: document, this - timedelta(minutes=1): document})
    state = {"run": "r", "address": "", "lag": {"0": 7, "1": 2}, "away": ["store"], "lost": 0, "since": this}
    store.activity.put_worker("w", now(), state)


def test_an_operator_is_told_the_numbers_of_segue_activity(asked: Asked, place: Place):
    counted(asked.store)
    boss = Asked(Place(place.settings, place.run, "boss", "Boss", False, operator=True), asked.store, set())
    told = all_activity(AllActivity(type="all_activity", request=5, minutes=30), boss)
    same = overview.read(asked.store, now(), 30).to_json()
    assert told["type"] == "all_activity"
    assert told["lag"] == same["lag"] == 9
    assert told["top_tracks"] == same["top_tracks"]
    assert told["rejected"] == {"at": 4}
    assert len(told["by_minute"]) == 30
    assert told["total"]["real"]["plays"] == 6
    assert told["total"]["simulated"] == {"events": 10, "plays": 10, "listeners": 1, "share_skipped": None}
    assert told["total"]["real"]["share_skipped"] == 0.5
    assert told["total"]["p95_s"] == same["total"]["latency"]["p95_s"]
    assert [(each["lag"], each["away"]) for each in told["workers"]] == [(9, ["store"])]
    assert len(json.dumps(told)) < 30_000


@pytest.mark.parametrize(
    "forged",
    [{"operator": True}, {"role": "operator"}, {"listener_id": "boss"}, {"minutes": 1}, {"minutes": 10**6},
     {"minutes": [60]}, {"minutes": None}, {"request": -1}],
)  # fmt: skip
def test_a_forged_message_is_none_of_ours(forged: dict):
    with pytest.raises(Malformed):
        read({"type": "all_activity", "request": 1} | forged)


@pytest.mark.parametrize(
    "wrong", [{"days": 8}, {"days": "7"}, {"offset_min": 841}, {"listener_id": "noor"}, {"liked": [1]}]
)
def test_mine_cannot_be_asked_of_another_or_without_bounds(wrong: dict):
    with pytest.raises(Malformed):
        read({"type": "my_activity", "request": 1} | wrong)


VOILA = {"SERVER_SOFTWARE": "voila/0.5.13", "HTTP_X_SEGUE_LISTENER": "a" * 32}


@pytest.mark.parametrize(
    ("role", "operator"), [("operator", True), ("listener", False), ("", False), ("Operator", False)]
)
def test_only_the_servers_word_makes_an_operator(settings: Settings, role: str, operator: bool):
    assert find_place("demo", "r", settings, VOILA | {"HTTP_X_SEGUE_ROLE": role}).operator is operator
    assert not find_place("demo", "r", settings, VOILA).operator


@pytest.fixture
def page(asked: Asked) -> Iterator[PageEnd]:
    opened = PageEnd().open(asked.place)
    yield opened
    opened.close()


def test_a_listener_gets_nothing_of_everybodys_whatever_is_said(asked: Asked, page: PageEnd):
    counted(asked.store)
    for number, forged in enumerate([{}, {"operator": True}, {"role": "operator"}, {"minutes": 180}], 1):
        page.say(type="all_activity", request=number, **forged)
    page.say(type="my_activity", request=9, days=7)
    page.wait("my_activity")
    told = [each for each in page.told if each.get("request") in {1, 2, 3, 4}]
    assert told == [{"type": "failed", "request": number, "text": NOT_YOURS} for number in (1, 4)]
    assert page.desk is not None
    assert page.desk.gate.dropped["malformed"] == 2


# Home -----------------------------------------------------------------------------------------------------


def test_home_is_told_what_is_near_what_one_liked_what_came_last_and_the_moods(asked: Asked):
    store = asked.store
    near = {"als": [8, 9], "exact": [5, 404, 6]}
    store.cards.replace([card(1, neighbours=near), card(2), card(5), card(6), card(8), card(9)])
    store.meta.insert_one({"_id": "newcomers", "tracks": [9]})
    store.meta.insert_one({"_id": "shelves", "newest": [9, 8, 404, 2]})
    store.clusters.replace([Cluster(3, "slow and dark", 3, "Folk", 1.0, [0.5] * 20, [5, 6, 404])])
    told = home(Home(type="home", request=2, liked=[1, 2, 404]), asked)
    (because,) = told["because"]
    assert (because["track"]["title"], because["model"]) == ("Title 1", "exact")
    assert [each["track_id"] for each in because["tracks"]] == [5, 6]
    assert [each["track_id"] for each in told["newest"]] == [9, 8, 2]
    assert told["moods"] == [{"number": 3, "words": "slow and dark", "size": 3, "print": [0.5] * 20}]
    assert asked.known >= {1, 5, 6, 8, 9}
    json.dumps(told)


def test_home_of_a_bare_collection_is_empty(asked: Asked):
    told = home(Home(type="home", request=2, liked=[1]), asked)
    assert (told["because"], told["newest"], told["moods"]) == ([], [], [])


@pytest.mark.parametrize("liked", [[1, 2, 3, 4], [-1], ["one"], 7])
def test_home_asks_for_a_few_tracks_and_nothing_else(liked):
    with pytest.raises(Malformed):
        read({"type": "home", "request": 1, "liked": liked})
