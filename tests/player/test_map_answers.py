"""What the page Map is told, out of a real store."""

import json
import uuid
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from segue.live.listener import ListenerState, apply
from segue.live.state_document import to_document
from segue.notebook.maps import map_documents
from segue.player.answers import ANSWERS, Asked
from segue.player.messages import Question, read
from segue.settings import Settings
from segue.store import Store, open_store
from segue.store.cards import PRINT, Card
from segue.store.clusters import Cluster
from segue.store.listeners import ListenerDocument
from support.live_world import event

pytestmark = pytest.mark.slow


def line(number: int) -> Card:
    """Return a track on a line: each is near the one before it, but none leads from 105 to 106."""
    return Card(
        track_id=number, title=f"Track {number}", artist="", album="", genre="Folk", duration_s=30.0,
        licence="", attribution_url="", composed=False, print=[0.5] * len(PRINT),
        xy=[float(number), 0.0], cluster=0,
        neighbours={} if number in (100, 106) else {"exact": [number - 1]},
    )  # fmt: skip


def around() -> Card:
    """Return a track off the line that is near 101 and 103, as 102 is."""
    found = line(120)
    found.xy, found.neighbours = [102.0, 2.0], {"exact": [101, 103]}
    return found


@pytest.fixture
def store(services: Settings) -> Iterator[Store]:
    with open_store(services.mongo_uri, f"segue_test_{uuid.uuid4().hex}") as opened:
        cards = [*(line(number) for number in range(100, 110)), around()]
        opened.cards.replace(cards)
        opened.maps.replace(map_documents(cards))
        yield opened
        opened.client.drop_database(opened.database)


def ask(store: Store, kind: str, **fields) -> dict:
    question = read({"type": kind, "request": 5, **fields})
    assert isinstance(question, Question)
    place = SimpleNamespace(listener_id="mira")
    return ANSWERS[type(question)](question, Asked(place, store, set()))


def test_the_map_names_its_clusters_by_their_words(store: Store):
    told = ask(store, "map")
    assert (told["type"], told["request"], told["tracks"], told["tiles"]) == ("map", 5, 11, [])
    assert [each["name"] for each in told["genres"]] == ["Folk"]
    assert [each["name"] for each in told["clusters"]] == ["Cluster 1"]
    store.clusters.replace([Cluster(0, "dark and slow", 11, "Folk", 1.0, [0.5] * len(PRINT), [100])])
    assert [each["name"] for each in ask(store, "map")["clusters"]] == ["dark and slow"]
    json.dumps(told)


def test_without_a_map_the_page_is_told_that_there_is_none(store: Store):
    store.maps.replace([])
    assert ask(store, "map") == {"type": "map", "request": 5, "tracks": 0}
    assert ask(store, "map_places", tracks=[100])["places"] == []
    assert ask(store, "map_path", first=100, last=101)["type"] == "failed"


def test_places_are_those_of_the_map(store: Store):
    places = ask(store, "map_places", tracks=[109, 100, 104, 777])["places"]
    assert sorted(places) == [[100, 0, 14_563], [104, 29_127, 14_563], [109, 65_535, 14_563]]


def test_a_path_leads_from_neighbour_to_neighbour_and_says_where_it_leaps(store: Store):
    told = ask(store, "map_path", first=100, last=104)
    assert [each["track_id"] for each in told["tracks"]] == [100, 101, 102, 103, 104]
    assert [track for track, *_ in told["places"]] == [100, 101, 102, 103, 104]
    assert (told["model"], told["leaps"]) == ("exact", [])
    back = ask(store, "map_path", first=109, last=104)
    assert [each["track_id"] for each in back["tracks"]] == [109, 108, 107, 106, 105, 104]
    assert back["leaps"] == [3]


def test_a_path_goes_around_what_the_listener_dislikes(store: Store):
    state = apply(ListenerState(), event(102, "dislike"))
    store.listeners.advance([(ListenerDocument("mira", to_document(state), "log", 0, 1), None)])
    told = ask(store, "map_path", first=100, last=104)
    assert [each["track_id"] for each in told["tracks"]] == [100, 101, 120, 103, 104]
    aimed = ask(store, "map_path", first=102, last=103)
    assert [each["track_id"] for each in aimed["tracks"]] == [102, 103], "what one asks for is not closed"


@pytest.mark.parametrize(("first", "last"), [(100, 100), (100, 777), (777, 100), (2**52, 0)])
def test_what_is_no_path_is_told_in_words(store: Store, first: int, last: int):
    told = ask(store, "map_path", first=first, last=last)
    assert (told["type"], told["request"]) == ("failed", 5)
    assert "track" in told["text"]


def test_more_points_come_with_the_tile_of_this_version_only(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("segue.notebook.maps.SHOWN_AT_ONCE", 4)
    cards = [line(number) for number in range(100, 110)]
    store.maps.replace(map_documents(cards))
    told = ask(store, "map")
    assert (told["points"]["count"], [tile[4] for tile in told["tiles"]]) == (4, [6])
    tile = ask(store, "map_tile", tile=0, version=told["version"])
    assert tile["points"]["count"] == 6
    assert ask(store, "map_tile", tile=0, version="0" * 16)["points"] is None
    assert ask(store, "map_tile", tile=1, version=told["version"])["points"] is None
    store.maps.replace(map_documents(cards[:3]))
    assert ask(store, "map_tile", tile=0, version=told["version"])["points"] is None
