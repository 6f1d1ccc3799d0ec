"""Tracks that come after a run was fitted: who comes in, where they stand, and what looking costs."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from segue.audio.features import recipe
from segue.dataset.base import Track
from segue.etl.copies import find_copies
from segue.live import housekeeping, newcomers
from segue.live.activity import Activity
from segue.live.listener import ListenerState, apply
from segue.live.loading import Models, load
from segue.live.newcomers import Newcomers
from segue.models import create
from segue.models.data import TrainingData
from segue.models.space import SPACE
from segue.notebook import Run, read_catalogue, write_tables
from segue.notebook.cards import write_cards
from segue.settings import Settings
from segue.store import Store
from segue.store.features import Analysis
from support.live_world import event, until
from support.planted import blobs

pytestmark = pytest.mark.slow
COUNT, FIRST = 40, 1_000
RECIPE = recipe(Settings())
VECTORS = blobs(COUNT, 518, 4)[0] + 20


@dataclass
class Collection:
    """Forty tracks of four kinds of sound, and a run that was fitted on them."""

    store: Store
    run: Run
    data: TrainingData

    def add(self, track_id: int, like: int, *, moved: float = 0.0, vector: bool = True, **known) -> Track:
        """Write a track as the ETL does before it compares: its sound is ``moved`` away from another's."""
        track = Track(
            track_id, title=f"New {track_id}", artist="Nina", artist_id=77, sha256=f"content {track_id}",
            duration_s=3.0, path=f"{track_id}.wav", status="ok",
        )  # fmt: skip
        track = replace(track, **known)
        self.store.tracks.upsert([track])
        if vector:
            put(self.store, track, VECTORS[like] + np.float32(moved))
        return track

    def compare(self) -> None:
        """Do what the ETL does last."""
        find_copies(self.store, RECIPE)


def put(store: Store, track: Track, vector: np.ndarray) -> None:
    store.features.upsert([Analysis(track.sha256 or "", RECIPE, "ok", vector=vector)])


@pytest.fixture
def collection(store: Store, tmp_path: Path) -> Collection:
    tracks = [
        Track(FIRST + i, title=f"Song {i}", artist_id=i % 10, sha256=f"old {i}", duration_s=3.0, status="ok")
        for i in range(COUNT)
    ]
    store.tracks.upsert(tracks)
    for track, vector in zip(tracks, VECTORS, strict=True):
        put(store, track, vector)
    find_copies(store, RECIPE)
    run = Run(tmp_path / "run", "03_models")
    run.path.mkdir()
    about = {"kind": "folder", "database": store.database, "root": "", "title": "Forty"}
    (run.path / "dataset.json").write_text(json.dumps(about))
    rows = [track.to_document() | {"track_id": track.track_id} for track in store.tracks.all()]
    write_tables(run, pd.DataFrame(rows).drop(columns="_id"), store, Settings())
    catalogue = read_catalogue(run)
    data = catalogue.training_data()
    create("exact").fit(data).save(run.new_model("exact"))
    write_cards(run, catalogue, store)
    return Collection(store, run, data)


def test_a_new_track_is_recommended_by_its_sound_with_a_card(collection: Collection):
    found = Newcomers(collection.store, collection.run)
    assert not found.refresh()
    collection.add(5, like=7)
    collection.compare()
    assert found.refresh()
    assert found.found.track_ids.tolist() == [5]
    assert found.found.artist_ids.tolist() == [77]
    assert found.found.recording_ids[0] not in collection.data.recording_ids
    np.testing.assert_allclose(found.found.rows[0], collection.data.features[7], atol=1e-6)

    cards = collection.store.cards.by_ids([5, FIRST + 7])
    assert (cards[5].title, cards[5].text) == ("New 5", "new 5 nina")
    own, twin = cards[5].print, cards[FIRST + 7].print
    assert own[:12] == twin[:12]
    assert max(abs(a - b) for a, b in zip(own[12:], twin[12:], strict=True)) <= 1 / COUNT
    assert collection.store.cards.find("nina", 5)[1] == 1
    assert collection.store.meta.find_one({"_id": "newcomers"})["tracks"] == [5]

    serving = load(collection.run, collection.store)
    liked = apply(ListenerState(), event(FIRST + 7, "like"))
    before = [item.track_id for item in serving.recommend(liked, 10).items]
    serving.newcomers(*found.found.columns)
    after = serving.recommend(liked, 10).items
    assert 5 not in before
    # As near as can be: it shares the first place with the nearest that the run knew.
    (item,) = (item for item in after[:2] if item.track_id == 5)
    assert item.score == after[0].score
    assert "Song 7" in item.why.text


def test_copies_of_what_the_run_has_and_what_is_unfinished_stay_out(collection: Collection):
    store = collection.store
    # A better copy of an old track stands for both from now on; a plain one does not.
    collection.add(1, like=1, sha256="old 1", size=9)
    collection.add(2, like=2, sha256="old 2", size=-9)
    collection.add(3, like=3, status="silent")
    collection.add(4, like=4, vector=False)
    collection.add(5, like=5)
    collection.add(6, like=6, sha256="content 5")
    collection.compare()
    collection.add(7, like=7)
    nan = collection.add(8, like=8, recording=8)
    put(store, nan, np.full(518, np.nan, dtype=np.float32))
    found = Newcomers(store, collection.run)
    found.refresh()
    assert found.found.track_ids.tolist() == [5, 6]
    assert len(set(found.found.recording_ids.tolist())) == 1
    assert set(store.cards.by_ids(range(10))) == {5, 6}
    collection.compare()
    assert found.refresh()
    assert found.found.track_ids.tolist() == [5, 6, 7]


def test_a_moved_file_is_the_recording_that_the_run_knows(collection: Collection):
    collection.store.tracks.delete([FIRST + 3])
    collection.add(9, like=3, sha256="old 3")
    collection.compare()
    found = Newcomers(collection.store, collection.run)
    assert found.refresh()
    assert found.found.recording_ids.tolist() == [collection.data.recording_ids[3]]


def test_looking_again_costs_nothing_until_something_has_changed(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
):
    store = collection.store
    looks: list[int] = []
    read = newcomers.usable_tracks
    monkeypatch.setattr(newcomers, "usable_tracks", lambda store: looks.append(1) or read(store))
    found = Newcomers(store, collection.run)
    collection.add(5, like=5)
    collection.compare()
    told = [found.refresh() for _ in range(3)]
    assert (told, len(looks)) == ([True, False, False], 1)
    # Another run's cards without the newcomer: it gets its own back, and nobody's is written over.
    kept = list(store.cards.by_ids(collection.data.track_ids.tolist()).values())
    store.cards.replace(kept)
    assert not found.refresh()
    assert store.cards.count() == COUNT + 1
    store.client[store.database]["cards"].update_one({"_id": 5}, {"$set": {"title": "Fuller"}})
    collection.add(6, like=6)
    collection.compare()
    assert found.refresh()
    assert store.cards.by_ids([5])[5].title == "Fuller"
    store.tracks.delete([5])
    collection.compare()
    assert found.refresh()
    assert found.found.track_ids.tolist() == [6]


def test_a_run_from_before_waits_for_the_next_refit(collection: Collection, caplog: pytest.LogCaptureFixture):
    (collection.run.path / SPACE).write_bytes(b"not an archive")
    found = Newcomers(collection.store, collection.run)
    assert [found.refresh(), found.refresh()] == [False, False]
    assert caplog.text.count("wait for the next refit") == 1
    assert "space.npz is damaged" in caplog.text


def test_no_more_come_in_than_are_quickly_compared(collection: Collection, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(newcomers, "MOST", 2)
    for track in (3, 4, 5):
        collection.add(track, like=track)
    collection.compare()
    found = Newcomers(collection.store, collection.run)
    found.refresh()
    assert found.found.track_ids.tolist() == [3, 4]


def test_what_a_worker_serves_with_has_a_track_that_came_a_moment_ago(collection, tmp_path, monkeypatch):
    monkeypatch.setattr(housekeeping, "LOOK_S", 0.05)
    monkeypatch.setattr(housekeeping, "ARRIVALS_S", 0.1)
    store = collection.store
    models = Models(Settings(home=tmp_path), collection.run, store, store.database, follow=False)
    keeping = housekeeping.Housekeeping(models, store, Activity(store, "worker"))
    try:
        assert keeping.ready(30)
        liked = apply(ListenerState(), event(FIRST + 7, "like"))
        assert 5 not in [item.track_id for item in models.serving.recommend(liked, 10).items]
        collection.add(5, like=7)
        collection.compare()
        until(
            lambda: 5 in [item.track_id for item in models.serving.recommend(liked, 10).items],
            "the newcomer on the list",
        )
    finally:
        keeping.close()
