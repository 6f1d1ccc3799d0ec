"""The index's file: made once, shared, made anew when cards change, and what a page is told from it."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from segue.live import listener
from segue.live.events import PlayEvent, now
from segue.live.listener import to_document
from segue.pipeline.run import Run
from segue.player import search_file
from segue.player.answers import Asked
from segue.player.messages import Find
from segue.player.place import Place
from segue.player.search import found
from segue.player.search_file import file_of, index_for, keep, make, opened
from segue.settings import Settings
from segue.store import Store
from segue.store.cards import PRINT, Card
from segue.store.listeners import ListenerDocument

pytestmark = pytest.mark.slow


def card(number: int, title: str, **values) -> Card:
    given = {
        "artist": "Mira", "album": "", "genre": "Folk", "duration_s": 200.0, "licence": "CC0",
        "attribution_url": "", "composed": False, "print": [0.5] * len(PRINT),
    }  # fmt: skip
    return Card(track_id=number, title=title, **given | values)


@pytest.fixture
def place(services: Settings, store: Store, tmp_path: Path) -> Place:
    run = tmp_path / "runs" / "r"
    run.mkdir(parents=True)
    (run / "dataset.json").write_text(json.dumps({"database": store.database}))
    settings = Settings(home=tmp_path, mongo=services.mongo_uri, kafka=services.kafka_bootstrap)
    return Place(settings, Run(run, ""), "l1", "Mira", False)


def ask(place: Place, store: Store, **wanted) -> dict:
    return found(Find(type="find", request=1, **wanted), Asked(place, store, set()))


def test_a_page_is_told_cards_counts_and_how_many_there_are(place: Place, store: Store):
    store.cards.replace([card(n, f"Night {n}", genre="Jazz" if n % 2 else "Folk") for n in range(1, 61)])
    told = ask(place, store, text="nihgt", genre="Jazz")
    assert (told["type"], told["request"], told["total"], told["offset"]) == ("found", 1, 30, 0)
    assert {track["genre"] for track in told["tracks"]} == {"Jazz"}
    assert told["facets"]["genre"] == [("Folk", 30), ("Jazz", 30)]
    assert "listeners" not in told["tracks"][0]
    pages = [ask(place, store, offset=offset)["tracks"] for offset in (0, 40, 80)]
    assert [len(page) for page in pages] == [40, 20, 0]
    assert len({track["track_id"] for page in pages for track in page}) == 60
    among = ask(place, store, among=[7, 99, 3, 7])
    assert [track["track_id"] for track in among["tracks"]] == [7, 3]
    assert (among["total"], among["facets"]) == (2, None)


def test_what_was_never_heard_is_told_by_the_listeners_own_state(place: Place, store: Store):
    store.cards.replace([card(n, f"Night {n}") for n in range(1, 6)])
    state = listener.ListenerState()
    for track, kind in ((1, "play"), (2, "like"), (3, "skip")):
        state = listener.apply(
            state,
            PlayEvent(
                event_id=uuid4(), dataset=store.database, listener_id="l1", session_id="s", track_id=track,
                kind=kind, at=now(),
            ),
        )  # fmt: skip
    store.listeners.advance([(ListenerDocument("l1", to_document(state), "log", 0, 0), None)])
    told = ask(place, store, text="night", unheard=True)
    assert sorted(track["track_id"] for track in told["tracks"]) == [2, 4, 5]
    assert ask(place, store, text="night")["total"] == 5


def test_the_file_is_shared_and_only_a_notebook_makes_it_anew(place: Place, store: Store):
    store.cards.replace([card(1, "Night")])
    first = index_for(place, store)
    assert index_for(place, store) is first
    assert make(file_of(place.settings, place.database), store) is first
    store.cards.add([card(1, "Night"), card(2, "Day")])
    assert index_for(place, store) is first
    local = Place(place.settings, place.run, "local", "You", True)
    assert sorted(index_for(local, store).track_ids.tolist()) == [1, 2]
    store.cards.replace([card(3, "Noon")])
    assert index_for(local, store).track_ids.tolist() == [3]
    assert first.track_ids.tolist() == [1], "who uses the former file keeps it"
    # A track that has gone meanwhile is left out.
    store.cards.replace([])
    assert ask(place, store, text="noon")["tracks"] == []


def test_a_broken_file_is_made_anew(place: Place, store: Store):
    store.cards.replace([card(1, "Night")])
    path = file_of(place.settings, place.database)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"PK")
    assert opened(path) is None
    assert index_for(place, store).track_ids.tolist() == [1]


def test_the_server_follows_the_cards_by_processes_of_its_own(
    place: Place, store: Store, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(search_file, "_REST", 0.0)
    path = file_of(place.settings, place.database)

    async def until(holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not holds():
                await asyncio.sleep(0.05)

    async def case() -> None:
        store.cards.replace([card(1, "Night")])
        keeping = asyncio.create_task(keep(place.settings, lambda: store))
        await until(lambda: (index := opened(path)) is not None and len(index) == 1)
        store.cards.add([card(2, "Day")])
        await until(lambda: (index := opened(path)) is not None and len(index) == 2)
        keeping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await keeping

    asyncio.run(case())
