import base64
import json
import random
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from segue.live import intake, listener
from segue.live.events import Malformed
from segue.live.intake import Received
from segue.store.listeners import RECENT_EVENTS, ListenerDocument
from support.live_world import EPOCH, event


@dataclass
class Record:
    value: bytes | None
    key: bytes | None = b"l"
    timestamp: int = int(EPOCH.timestamp() * 1000)
    topic: str = "segue.plays"
    partition: int = 3
    offset: int = 17


def test_a_good_record_is_read():
    good = event(7, "like")
    assert intake.read(Record(good.to_bytes())) == good


def good_fields(**changes):
    return json.dumps(json.loads(event(7, "like").to_bytes()) | changes).encode()


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (Record(None), "the message"),
        (Record(b""), "the message"),
        (Record(b"\xff\xfe\x00"), "the message"),
        (Record(b"[1, 2]"), "the message"),
        (Record(b"[" * 100_000), "the message"),
        (Record(good_fields(track_id="seven")), "track_id"),
        (Record(good_fields(track_id=-1)), "track_id"),
        (Record(good_fields(track_id=2**60)), "track_id"),
        (Record(good_fields(kind="love")), "kind"),
        (Record(good_fields(position_s=-1)), "position_s"),
        (Record(good_fields(position_s=float("nan"))), "position_s"),
        (Record(good_fields(at="yesterday")), "at"),
        (Record(good_fields(at="2026-03-01T00:00:00")), "at"),
        (Record(good_fields(at=(EPOCH + timedelta(hours=2)).isoformat())), "at: it lies after"),
        (Record(good_fields(value=3)), "the message: Value error, a rating"),
        (Record(good_fields(kind="rate")), "the message: Value error, a rating"),
        (Record(good_fields(version=2)), "version"),
        (Record(good_fields(extra=1)), "extra"),
        (Record(good_fields(listener_id="../x")), "listener_id"),
        (Record(event(7, "like").to_bytes(), key=b"another"), "key: it is not the listener's id"),
        (Record(event(7, "like").to_bytes(), key=None), "key: it is not the listener's id"),
    ],
)
def test_a_bad_record_is_refused_with_the_field(record, reason):
    with pytest.raises(Malformed, match=f"^{reason}"):
        intake.read(record)


def test_a_rejection_holds_the_reason_the_place_and_the_original():
    told = json.loads(intake.rejection(Record(b"\x00\xffhello"), "kind: wrong"))
    assert told.pop("original") == base64.b64encode(b"\x00\xffhello").decode()
    assert told == {
        "reason": "kind: wrong", "topic": "segue.plays", "partition": 3, "offset": 17, "bytes": 7,
    }  # fmt: skip
    giant = intake.rejection(Record(b"x" * 1_000_000), "too long")
    assert len(giant) < 1_000_000
    assert json.loads(giant)["bytes"] == 1_000_000


def random_events(seed: int, count: int) -> list[Received]:
    choice = random.Random(seed)
    kinds = ["play", "complete", "skip", "like", "dislike", "progress"]
    return [
        Received(event(choice.randrange(30), choice.choice(kinds), number, number=number + 1), 3 * number)
        for number in range(count)
    ]


def run(batches: list[list[Received]], document: ListenerDocument | None = None) -> ListenerDocument | None:
    for batch in batches:
        document = intake.advance(document, "l", "log", 3, batch)
    return document


@pytest.mark.parametrize("seed", range(5))
def test_batches_cut_anywhere_and_read_again_give_the_same_document(seed):
    events = random_events(seed, 120)
    whole = run([events])
    choice = random.Random(seed)
    batches, place = [], 0
    while place < len(events):
        end = place + choice.randrange(1, 15)
        batches.append(events[place:end])
        place = max(0, min(end, len(events)) - choice.choice([0, 0, 3, 8])) if end < len(events) else end
    assert sum(map(len, batches)) > len(events)
    assert run(batches) == whole
    assert whole is not None
    assert run([events], whole) is whole


def test_an_event_sent_again_counts_once():
    first, again = Received(event(7, "play", number=1), 0), Received(event(7, "play", number=1), 5)
    document = run([[first], [again]])
    assert document is not None
    assert listener.from_document(document.state).tracks[7].plays == 1
    assert (document.offset, document.recent_event_ids) == (0, (str(first.event.event_id),))
    assert run([[first, again]]) == document


def test_the_ids_kept_are_bounded_and_the_newest():
    document = run([random_events(1, 2 * RECENT_EVENTS)])
    assert document is not None
    assert len(document.recent_event_ids) == RECENT_EVENTS
    assert document.recent_event_ids[-1] == document.caused_by


def test_events_of_a_topic_made_anew_count_although_their_offsets_are_low():
    old = run([random_events(1, 50)])
    assert old is not None
    fresh = Received(event(99, "like", 500, number=900), 0)
    new = intake.advance(old, "l", "another log", 3, [fresh])
    assert new is not None
    assert (new.log, new.offset) == ("another log", 0)
    assert 99 in listener.liked(listener.from_document(new.state))
    assert intake.advance(old, "l", "log", 3, [fresh]) is old
    assert intake.advance(replace(old, partition=4), "l", "log", 3, [fresh]) is not old


def test_passive_events_change_no_document():
    assert run([[Received(event(7, "progress", number=1), 0)]]) is None
