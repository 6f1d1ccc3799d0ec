"""A thousand messages that are no events, and good ones between them."""

import base64
import json
import random
from datetime import timedelta
from uuid import uuid4

import pytest

from segue.live import broker, intake
from segue.services.topics import PLAYS, REJECTED
from support.live_world import TRACKS, World, read_topic, serving, until

pytestmark = pytest.mark.slow


class Fuzz:
    """Makes messages of which none is an event, each kind of wrong about equally often."""

    def __init__(self, world: World, seed: int) -> None:
        self._world, self._random = world, random.Random(seed)
        self._wrongs = [
            self._noise, self._cut, self._wrong_type, self._missing, self._extra, self._unknown_track,
            self._future, self._negative, self._not_a_number, self._giant, self._deep, self._strange_id,
            self._other_key, self._doubled, self._nothing, self._rating,
        ]  # fmt: skip

    def message(self, number: int) -> tuple[bytes | None, bytes | None]:
        """Return key and value."""
        return self._wrongs[number % len(self._wrongs)]()

    def _fields(self) -> dict:
        return json.loads(self._world.event("l", self._random.choice(TRACKS), "play").to_bytes())

    def _with(self, **changes) -> tuple[bytes, bytes]:
        return b"l", json.dumps(self._fields() | changes).encode()

    def _noise(self):
        return b"l", self._random.randbytes(self._random.randrange(1, 300))

    def _cut(self):
        content = json.dumps(self._fields()).encode()
        return b"l", content[: self._random.randrange(1, len(content))]

    def _wrong_type(self):
        field = self._random.choice(
            ["event_id", "track_id", "kind", "position_s", "at", "session_id", "source"]
        )
        return self._with(**{field: self._random.choice([None, [], True, -1.5e300, {"a": "b"}])})

    def _missing(self):
        fields = self._fields()
        del fields[
            self._random.choice(["event_id", "dataset", "listener_id", "session_id", "track_id", "at"])
        ]
        return b"l", json.dumps(fields).encode()

    def _extra(self):
        return self._with(**{self._random.choice(["admin", "__class__", "$where", "_id"]): 1})

    def _unknown_track(self):
        return self._with(track_id=self._random.choice([0, 1, 99, 10**9, 2**53 - 1]))

    def _future(self):
        years = timedelta(days=self._random.choice([1, 400, 365 * 5_000]))
        return self._with(at=(self._world.clock + timedelta(days=900) + years).isoformat())

    def _negative(self):
        return self._with(position_s=-self._random.random() * 10 ** self._random.randrange(9))

    def _not_a_number(self):
        return b"l", json.dumps(
            self._fields() | {"position_s": float(self._random.choice(["nan", "inf"]))}
        ).encode()

    def _giant(self):
        return self._with(session_id="x" * self._random.choice([65, 10_000, 700_000]))

    def _deep(self):
        return b"l", b"[" * self._random.choice([10, 1_000, 200_000])

    def _strange_id(self):
        name = self._random.choice(["../../etc", "a b", "é", "x" * 65, "", "$ne"])
        return name.encode(), self._with(listener_id=name)[1]

    def _other_key(self):
        return self._random.choice([b"m", b"", None, b"\xff"]), self._with()[1]

    def _doubled(self):
        content = json.dumps(self._fields()).encode()
        return b"l", content + content

    def _nothing(self):
        return b"l", self._random.choice([None, b"", b"null", b"0", b'"like"', b"{}"])

    def _rating(self):
        return self._with(
            **self._random.choice([{"kind": "rate"}, {"value": 3}, {"kind": "rate", "value": 9}])
        )


def test_a_thousand_malformed_messages_are_rejected_and_those_between_are_served(world):
    fuzz, names = Fuzz(world, 7), [uuid4().hex for _ in range(5)]
    wrong = [fuzz.message(number) for number in range(1_000)]
    good = [world.event(names[number % 5], TRACKS[number % 50], "play") for number in range(100)]
    already = len(read_topic(world.settings.kafka_bootstrap, REJECTED))
    with serving(world.worker(start="latest")) as worker:
        for number, (key, value) in enumerate(wrong):
            world.producer.send(PLAYS, key=key, value=value)
            if number % 10 == 0:
                world.send(good[number // 10])
        world.producer.flush()
        for event in good[-5:]:
            world.list_after(event)
        assert worker.ready.is_set()
        like = world.event(names[0], TRACKS[3])
        world.send(like)
        world.list_after(like)
        bootstrap = world.settings.kafka_bootstrap
        log, count = broker.log_name(bootstrap), len(read_topic(bootstrap, PLAYS))
        until(lambda: sum(world.store.offsets.get(log).values()) == count, "the end of every partition")
    found = read_topic(world.settings.kafka_bootstrap, REJECTED)[already:]
    told = [json.loads(record.value) for record in found]
    assert sorted(base64.b64decode(each["original"]) for each in told) == sorted(
        (value or b"")[: intake.ORIGINAL_BYTES] for _, value in wrong
    )
    assert all(each["reason"] and len(each["reason"]) < 300 for each in told)
    assert {play["_id"] for play in world.plays()} == {str(event.event_id) for event in [*good, like]}
