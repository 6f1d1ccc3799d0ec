"""What a page is told about a track, an artist and the clusters, from a real store."""

from collections.abc import Callable
from typing import Any

import pytest

from segue.dataset.base import Track
from segue.player.answers import ANSWERS, Asked
from segue.player.messages import read
from segue.store import Store
from segue.store.cards import PRINT, Card
from segue.store.clusters import TYPICAL, Cluster

pytestmark = pytest.mark.slow

MARKUP = '<img src=x onerror=alert(1)> & "quoted"'
Ask = Callable[..., dict[str, Any]]


def card(number: int, **values: Any) -> Card:
    given = {
        "title": f"Song {number:03d}", "artist": MARKUP if number % 2 else "Nobody", "album": "", "genre": "",
        "duration_s": 30.0, "licence": "CC0", "attribution_url": "https://example.org/", "composed": False,
        "print": [0.5] * len(PRINT),
    }  # fmt: skip
    return Card(track_id=number, **given | values)


@pytest.fixture
def ask(store: Store) -> Ask:
    """Answers a message as a desk does; what the page then knows is in ``ask.known``."""
    near = {"exact": [2, 3, 999], "als": [4]}
    store.cards.replace([card(1, neighbours=near, cluster=7), *(card(number) for number in range(2, 90))])
    store.tracks.upsert([Track(1, genres=["Folk", MARKUP])])
    many = list(range(1, 90))
    store.clusters.replace(
        [
            Cluster(7, "dark and quiet", 89, "Folk", 0.5, [0.1] * 20, many),
            Cluster(2, "loud", 1, "", None, [0.9] * 20, [4]),
        ]
    )

    def answer(**message: Any) -> dict[str, Any]:
        question = read({"request": 5, **message})
        told = ANSWERS[type(question)](question, Asked(None, store, known))  # type: ignore[arg-type, index]
        assert told["request"] == 5
        return told

    known: set[int] = set()
    answer.known = known  # type: ignore[attr-defined]
    return answer


def ids(cards: list[dict[str, Any]]) -> list[int]:
    return [each["track_id"] for each in cards]


def test_a_track_is_told_with_what_each_model_finds_near_it(ask: Ask):
    told = ask(type="track", track_id=1)
    assert told["type"] == "track"
    assert (told["track"]["title"], told["track"]["artist"]) == ("Song 001", MARKUP)
    assert told["genres"] == ["Folk", MARKUP]
    assert told["cluster"] == {"number": 7, "words": "dark and quiet"}
    assert {each["model"]: ids(each["tracks"]) for each in told["near"]} == {"exact": [2, 3], "als": [4]}
    assert ask.known == {1, 2, 3, 4}  # type: ignore[attr-defined]
    assert "neighbours" not in told["track"]


def test_a_track_that_no_model_knows_is_told_alone_and_one_that_is_not_there_is_not(ask: Ask):
    alone = ask(type="track", track_id=5)
    assert (alone["near"], alone["cluster"], alone["genres"]) == ([], None, [])
    assert ask(type="track", track_id=12345) == {"type": "track", "request": 5, "track": None}


def test_an_artists_tracks_come_by_title_and_by_pages(ask: Ask):
    first = ask(type="artist", name=MARKUP)
    assert first["total"] == 45
    assert ids(first["tracks"]) == list(range(1, 80, 2))
    assert ids(ask(type="artist", name=MARKUP, offset=40)["tracks"]) == list(range(81, 90, 2))
    assert ask(type="artist", name="nobody")["total"] == 0


def test_clusters_are_told_in_words_and_their_tracks_by_pages(ask: Ask, store: Store):
    told = ask(type="clusters")["clusters"]
    assert [(each["number"], each["words"], each["size"], each["share"]) for each in told] == [
        (7, "dark and quiet", 89, 0.5), (2, "loud", 1, None),
    ]  # fmt: skip
    assert "tracks" not in told[0]
    page = ask(type="cluster", number=7)
    assert (page["words"], page["total"]) == ("dark and quiet", 89)
    assert ids(page["tracks"]) == list(range(1, 41))
    assert ids(ask(type="cluster", number=7, offset=80)["tracks"]) == list(range(81, 90))
    gone = ask(type="cluster", number=3)
    assert (gone["type"], gone["words"], gone["total"], gone["tracks"]) == ("cluster", None, 0, [])
    assert store.clusters.all()[0].tracks == list(range(1, TYPICAL + 1))


def test_clusters_of_an_earlier_run_are_gone(ask: Ask, store: Store):
    store.clusters.replace([Cluster(2, "loud", 2, "", None, [0.9] * 20, [4, 5])])
    assert [each["number"] for each in ask(type="clusters")["clusters"]] == [2]
    assert store.clusters.tracks(7) == []
    store.clusters.replace([])
    assert ask(type="clusters")["clusters"] == []
    assert ask(type="track", track_id=1)["cluster"] is None
