import re

import numpy as np
import pytest

from segue.dataset.base import Track
from segue.errors import SegueError
from segue.store import open_store
from segue.store.features import Analysis

pytestmark = pytest.mark.slow


def test_track_comes_back_as_it_was_written(store):
    track = Track(7, title="Ü <b>", genres=["Rock"], path="a/b.mp3", size=3, mtime_ns=2**60, status="ok")
    store.tracks.upsert([track])
    store.tracks.upsert([track])
    assert list(store.tracks.all()) == [track]
    assert store.tracks.by_ids([7, 8]) == {7: track}
    assert store.tracks.count_by_status() == {"ok": 1}


def test_features_are_kept_to_the_bit(store):
    vector = np.random.default_rng(0).standard_normal(518).astype(np.float32)
    analysis = Analysis("ab" * 32, "fma/1", "ok", duration_s=30.0, warnings=["truncated"], vector=vector)
    store.features.upsert([analysis, Analysis("cd" * 32, "fma/1", "silent")])
    ((sha256, read),) = store.features.vectors("fma/1")
    assert sha256 == "ab" * 32
    assert read.tobytes() == vector.tobytes()
    known = store.features.known(["ab" * 32, "ef" * 32], "fma/1")
    assert known["ab" * 32].warnings == ["truncated"]
    assert known["ab" * 32].vector is None
    assert set(store.features.known_all("fma/1")) == {"ab" * 32, "cd" * 32}
    assert not store.features.known(["ab" * 32], "another recipe")


def test_plays_are_counted_once(store):
    play = {"event_id": "e1", "listener_id": "l", "track_id": 2, "kind": "play", "simulated": True, "at": 1}
    store.plays.upsert([play, play])
    store.plays.upsert([play | {"event_id": "e2", "simulated": False}])
    assert store.plays.count() == 2
    assert store.plays.count_real() == 1
    store.plays.upsert([play | {"event_id": "e3", "listener_id": "l-live"}])
    store.plays.delete_simulated(re.compile("l|m"))
    assert store.plays.frame()["event_id"].tolist() == ["e2", "e3"]


def test_another_collection_is_refused(store):
    store.claim(kind="folder", root="/music/a", title="a")
    store.claim(kind="folder", root="/music/a", title="a")
    with pytest.raises(SegueError, match=r"holds /music/a, not /music/b.*-p name"):
        store.claim(kind="folder", root="/music/b", title="b")


def test_another_schema_is_refused(store):
    store.claim(kind="folder", root="/music/a", title="a")
    store.meta.update_one({"_id": "dataset"}, {"$set": {"schema": 999}})
    with pytest.raises(SegueError, match="schema 999"):
        store.claim(kind="folder", root="/music/a", title="a")


def test_no_server_and_no_uri_are_said_plainly():
    with pytest.raises(SegueError, match="segue services up"):
        open_store("mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200", "x")
    with pytest.raises(SegueError, match="not a MongoDB URI"):
        open_store("http://127.0.0.1", "x")
