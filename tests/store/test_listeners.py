from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from segue.live import listener
from segue.store.listeners import NEVER_MS, ListenerDocument, pack
from support.live_world import event

pytestmark = pytest.mark.slow

STATE = listener.to_document(listener.apply(listener.ListenerState(), event(2**53 - 1, "rate", value=4)))
FIRST = ListenerDocument("l", STATE, "log", 3, 17, pack([(b"e" * 16, 5)]), 4, "e1")
DONE: frozenset[str] = frozenset()
REFUSED = frozenset({"l"})


def test_a_listener_comes_back_as_written(store):
    assert store.listeners.get("l") is None
    assert store.listeners.advance([(FIRST, None)]) == DONE
    assert store.listeners.by_ids(["l", "other"]) == {"l": FIRST}
    later = replace(FIRST, offset=18, caused_by=None)
    assert store.listeners.advance([(later, FIRST.place)]) == DONE
    assert store.listeners.get("l") == later


def test_an_update_that_rests_on_an_older_document_is_refused(store):
    second, third = replace(FIRST, offset=18), replace(FIRST, offset=19)
    assert store.listeners.advance([(FIRST, None)]) == DONE
    assert store.listeners.advance([(second, None)]) == REFUSED
    assert store.listeners.advance([(second, FIRST.place)]) == DONE
    assert store.listeners.advance([(third, FIRST.place)]) == REFUSED
    assert store.listeners.get("l") == second


def test_a_document_never_goes_back_in_offset(store):
    assert store.listeners.advance([(FIRST, None)]) == DONE
    assert store.listeners.advance([(replace(FIRST, offset=16), FIRST.place)]) == REFUSED
    assert store.listeners.advance([(FIRST, FIRST.place)]) == REFUSED
    anew = replace(FIRST, log="another", offset=0)
    assert store.listeners.advance([(anew, FIRST.place)]) == DONE
    assert store.listeners.get("l") == anew


def test_of_many_updates_only_those_are_refused_whose_base_has_changed(store):
    first = {name: replace(FIRST, listener_id=name) for name in "abcdef"}
    assert store.listeners.advance([(first[name], None) for name in "abcd"]) == DONE
    moved = replace(first["b"], offset=20)
    assert store.listeners.advance([(moved, first["b"].place)]) == DONE
    second = {name: replace(each, offset=18) for name, each in first.items()}
    changes = [(second[name], first[name].place) for name in "abc"]
    changes += [(second[name], None) for name in "def"]
    assert store.listeners.advance(changes) == {"b", "d"}
    there = store.listeners.by_ids("abcdef")
    assert there == second | {"b": moved, "d": first["d"]}


def test_a_listener_of_the_first_segue_is_read(store):
    ids = [uuid4() for _ in range(3)]
    old = {"_id": "l", "state": STATE, "log": "log", "partition": 3, "offset": 17, "caused_by": str(ids[-1])}
    collection = store.client[store.database]["listeners"]
    collection.insert_one(old | {"recent_event_ids": [str(each) for each in ids]})
    found = store.listeners.get("l")
    assert found == ListenerDocument(
        "l", STATE, "log", 3, 17, pack((each.bytes, NEVER_MS) for each in ids), NEVER_MS, str(ids[-1])
    )
    assert store.listeners.advance([(replace(found, offset=18), found.place)]) == DONE


def test_a_resume_offset_never_goes_back_and_belongs_to_its_log(store):
    store.offsets.put("log", {3: 17, 1: 4})
    store.offsets.put("log", {3: 5, 0: 2**40})
    store.offsets.put("another", {3: 1})
    assert store.offsets.get("log") == {3: 17, 1: 4, 0: 2**40}
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


def test_more_than_one_command_holds_is_written_in_several(store):
    first = [replace(FIRST, listener_id=str(number), recent=bytes(2**20)) for number in range(20)]
    second = [replace(each, offset=18, recent=b"\1" * 2**20) for each in first]
    assert store.listeners.advance([(each, None) for each in first]) == DONE
    assert store.listeners.advance([(new, old.place) for new, old in zip(second, first, strict=True)]) == DONE
    assert store.listeners.by_ids(["0", "19"]) == {"0": second[0], "19": second[-1]}
