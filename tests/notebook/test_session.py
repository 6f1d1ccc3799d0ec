"""A rehearsed session: through the real topics, in a database of its own, told in figures."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from segue.errors import SegueError
from segue.live.events import Item, Recommendation, Why, now
from segue.notebook import NotShown, open_run
from segue.notebook.circle import Step
from segue.notebook.session import Session, play_session
from segue.player import findings
from segue.player.rehearsal import rehearse
from segue.player.silent import Silent
from segue.settings import Settings
from segue.store import Store
from segue.store.cards import Card
from support.live_world import World


@pytest.fixture
def world(services: Settings, store: Store, tmp_path: Path) -> Iterator[World]:
    built = World.build(services, tmp_path / "home", store)
    yield built
    built.close()


def shelve(world: World, popular: list[int]) -> None:
    shelves = {"_id": "shelves", "popular": popular, "tracks": 60, "composed": 60}
    world.store.meta.replace_one({"_id": "shelves"}, shelves, upsert=True)


@pytest.mark.slow
def test_a_session_goes_through_kafka_and_leaves_nothing_behind(world: World):
    shelve(world, list(range(130, 150)))
    session = play_session(world.settings, world.run, 5, seed=1)
    assert [step.kind for step in session.steps] == ["play", "like", "like", "like", "dislike"]
    played, liked, *_ = session.steps
    assert played.track_id == liked.track_id
    disliked = session.steps[-1].track_id
    assert disliked == session.steps[-2].top[0]
    done = {step.track_id for step in session.steps}
    assert not done & set(session.steps[-1].top)
    assert all(0 < step.ms < 10_000 for step in session.steps)
    assert session.before == list(range(130, 140))
    assert {"place", "new of 10"} & {session.table().index.name, *session.steps_table().columns}
    again = play_session(world.settings, world.run, 2, seed=1)
    assert [step.kind for step in again.steps] == ["like", "like"]
    assert again.steps[0].track_id == played.track_id
    assert not [name for name in world.store.client.list_database_names() if name.endswith("_rehearsal")]
    assert world.plays() == []
    assert not list(world.store.client[world.store.database]["listeners"].find())
    assert not world.store.workers.serving()


@pytest.mark.slow
def test_what_is_lacking_is_the_reason(world: World, tmp_path: Path):
    with pytest.raises(SegueError, match="no cards of these tracks: run notebook 03"):
        play_session(world.settings, world.run, 3, 0)
    shelve(world, [130])
    world.store.meta.update_one({"_id": "shelves"}, {"$set": {"tracks": 1}})
    with pytest.raises(SegueError, match="at least two usable tracks"):
        play_session(world.settings, world.run, 3, 0)
    shelve(world, [130])
    nowhere = Settings(home=tmp_path, mongo=world.settings.mongo_uri)
    with pytest.raises(SegueError, match="no kafka is running here"):
        play_session(nowhere, world.run, 3, 0)
    (world.run.path / "models" / "exact" / "manifest.json").unlink()
    (world.run.path / "models" / "popularity" / "manifest.json").unlink()
    (world.run.path / "models" / "als" / "manifest.json").unlink()
    with pytest.raises(SegueError, match="no saved model"):
        play_session(world.settings, world.run, 3, 0)


def card(track: int, genre: str) -> Card:
    return Card(track, f"Song {track}", f"Artist {track}", "", genre, 30.0, "CC0", "", True, [0.5] * 20)


def answer(*tracks: tuple[int, list[int]]) -> Recommendation:
    items = [
        Item(track_id=track, score=1.0, why=Why(kind="sound", because_of=because, text=f"why {track}"))
        for track, because in tracks
    ]
    return Recommendation(
        recommendation_id=UUID(int=1), dataset="d", listener_id="l", made_at=now(), model="exact+als",
        items=items,
    )  # fmt: skip


SESSION = Session(
    taste="Jazz",
    before=[1, 2, 3],
    steps=[
        Step("play", 9, 30.0, answer((4, [9]), (1, []), (2, []))),
        Step("like", 9, 10.04, answer((4, [9]), (5, [9]), (1, []))),
        Step("dislike", 4, 20.0, answer((5, [9]), (6, [8]), (1, []))),
    ],
    cards={track: card(track, "Jazz") for track in (1, 2, 3, 4, 5, 6, 9)},
    note="7 of 7 tracks composed by Segue",
)


def test_a_session_is_told_in_figures_and_sentences():
    assert SESSION.steps_table().to_dict("list") == {
        "did": ["play", "like", "dislike"],
        "track": ["Song 9", "Song 9", "Song 4"],
        "ms to the new list": [30.0, 10.0, 20.0],
        "new of 10": [1, 1, 1],
    }
    assert SESSION.table()["why"].tolist() == ["why 5", "why 6", "why 1"]
    assert SESSION.figures() == {
        "ms": [30.0, 10.04, 20.0], "kinds": ["play", "like", "dislike"], "model": "exact+als",
        "new_of_ten": 2, "named_of_ten": 1,
    }  # fmt: skip
    said = findings.of_player(SESSION).data
    assert "to the new list: 20 ms (median of 3; slowest 30 ms)" in said
    assert "2 of the first 3 places hold other tracks than before." in said
    assert "1 of 3 name a track that the listener played or liked" in said
    assert "The disliked track left the list at once." in said
    assert "The listener is simulated" in said
    assert "The catalogue: 7 of 7 tracks composed by Segue." in said
    drawn = SESSION.picture()
    assert drawn.get_suptitle().replace("\n", " ") == (
        "1 like of Jazz put 2 new tracks among the first 3; a new list takes 20 ms (median)"
    )
    assert drawn.get_supxlabel() == "simulated listener; 7 of 7 tracks composed by Segue"


def test_a_session_that_hears_everything_ends_with_an_empty_list():
    end = replace(SESSION, steps=[*SESSION.steps[:2], Step("like", 5, 12.0, answer())])
    assert "In the end nothing was left to recommend" in findings.of_player(end).data
    assert end.table().empty
    assert "2 likes of Jazz leave nothing to recommend" in end.picture().get_suptitle().replace("\n", " ")


def test_the_figures_go_to_the_run(tmp_path: Path):
    run = open_run("demo", "r", "05_player", Settings(home=tmp_path))
    SESSION.record(run)
    assert run.metrics()["rehearsal"]["new_of_ten"] == 2


def test_without_a_session_the_reason_is_given():
    assert findings.of_player(NotShown("no Kafka")).data == "No session was rehearsed: no Kafka"


def test_while_somebody_listens_nothing_is_rehearsed_or_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.13")
    silent = rehearse(Silent(), 3, 0)
    assert isinstance(silent, Silent)
    assert findings.of_player(silent) is silent
    assert silent.record("run").table().anything is silent
    assert silent._ipython_display_() is None
