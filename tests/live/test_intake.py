import base64
import json
import time
from dataclasses import dataclass
from datetime import timedelta
from uuid import RFC_4122

import pytest

from segue.live import intake
from segue.live.events import Malformed, new_event_id
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


def test_ids_of_events_are_of_version_7_and_in_the_order_of_time():
    before = time.time_ns() // 1_000_000
    first = new_event_id()
    time.sleep(0.002)
    second = new_event_id()
    assert first < second
    assert (first.version, first.variant) == (7, RFC_4122)
    assert before <= first.int >> 80 < second.int >> 80
