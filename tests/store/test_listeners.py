from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from segue.live import listener
from segue.store.listeners import RECENT_EVENTS, ListenerDocument
from support.live_world import event

pytestmark = pytest.mark.slow

STATE = listener.to_document(listener.apply(listener.ListenerState(), event(2**53 - 1, "rate", value=4)))
FIRST = ListenerDocument("l", STATE, "log", 3, 17, ("e1",), "e1")


def test_a_listener_comes_back_as_written(store):
    assert store.listeners.get("l") is None
    assert store.listeners.advance(FIRST, None)
    assert store.listeners.by_ids(["l", "other"]) == {"l": FIRST}
    kept = replace(FIRST, offset=18, recent_event_ids=tuple(map(str, range(300))))
    assert store.listeners.advance(kept, FIRST)
    assert store.listeners.get("l").recent_event_ids == tuple(map(str, range(300 - RECENT_EVENTS, 300)))


def test_an_update_that_rests_on_an_older_document_is_refused(store):
    second, third = replace(FIRST, offset=18), replace(FIRST, offset=19)
    assert store.listeners.advance(FIRST, None)
    assert not store.listeners.advance(second, None)
    assert store.listeners.advance(second, FIRST)
    assert not store.listeners.advance(third, FIRST)
    assert store.listeners.get("l") == second


def test_a_document_never_goes_back_in_offset(store):
    assert store.listeners.advance(FIRST, None)
    assert not store.listeners.advance(replace(FIRST, offset=16), FIRST)
    assert not store.listeners.advance(FIRST, FIRST)
    anew = replace(FIRST, log="another", offset=0)
    assert store.listeners.advance(anew, FIRST)
    assert store.listeners.get("l") == anew


def test_a_resume_offset_never_goes_back_and_belongs_to_its_log(store):
    store.offsets.put("log", 3, 17)
    store.offsets.put("log", 3, 5)
    store.offsets.put("log", 0, 2**40)
    store.offsets.put("another", 3, 1)
    assert store.offsets.get("log") == {3: 17, 0: 2**40}
    assert store.offsets.get("another") == {3: 1}
    assert store.offsets.get("none") == {}


def test_a_worker_serves_while_it_beats(store):
    assert not store.workers.serving()
    store.workers.beat("w1", "run", 7)
    store.workers.beat("w1", "run", 7)
    assert store.workers.serving()
    assert not store.workers.serving(within_s=-1)
    store.client[store.database]["workers"].insert_one(
        {"_id": "w0", "at": datetime.now(UTC) - timedelta(days=2)}
    )
    store.workers.leave("w1")
    assert not store.workers.serving(within_s=10**6)
