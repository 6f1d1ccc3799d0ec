import base64
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from segue.dataset.base import Track
from segue.errors import SegueError
from segue.live import intake, listener
from segue.live.events import Recommendation
from segue.live.listener import ListenerState
from segue.services.topics import RECOMMENDATIONS, REJECTED
from support.live_world import (
    TRACKS,
    World,
    als_without_spark,
    catalogue,
    environment,
    fitted,
    read_topic,
    serving,
    start_command,
    until,
    write_run,
)

pytestmark = pytest.mark.slow


def tracks(recommendation) -> list[int]:
    return [item["track_id"] for item in recommendation["items"]]


def state_of(world: World, name: str) -> ListenerState:
    document = world.store.listeners.get(name)
    assert document is not None
    return listener.from_document(document.state)


def published(world: World, name: str) -> list[Recommendation]:
    records = read_topic(world.settings.kafka_bootstrap, RECOMMENDATIONS)
    return [Recommendation.from_bytes(record.value) for record in records if record.key == name.encode()]


def rejected_of(world: World, name: str) -> list[dict]:
    return [each for each in rejected(world, 0) if name.encode() in base64.b64decode(each["original"])]


def rejected(world: World, after: int) -> list[dict]:
    return [json.loads(r.value) for r in read_topic(world.settings.kafka_bootstrap, REJECTED)[after:]]


def name() -> str:
    return uuid4().hex


def test_a_like_changes_the_list_and_is_its_reason(world):
    me = name()
    with serving(world.worker()):
        first = world.event(me, TRACKS[12])
        world.send(first)
        before = world.list_after(first)
        second = world.event(me, TRACKS[13])
        world.send(second)
        after = world.list_after(second)
    assert tracks(before) != tracks(after)
    assert any("“Track 113”" in item["why"]["text"] for item in after["items"][:10])
    assert not {TRACKS[12], TRACKS[13]} & set(tracks(after))
    assert after["model"] == "exact+als"
    sent = published(world, me)
    assert [each.caused_by for each in sent] == [first.event_id, second.event_id]
    assert sent[-1].model_dump(mode="json") == after
    assert {play["_id"] for play in world.plays()} == {str(first.event_id), str(second.event_id)}


def test_likes_made_while_no_worker_runs_are_all_there_when_one_does(world):
    me = name()
    with serving(world.worker()):
        first = world.event(me, TRACKS[12])
        world.send(first)
        before = world.list_after(first)
    likes = [world.event(me, TRACKS[n]) for n in (13, 14, 15)]
    world.send(*likes)
    with serving(world.worker()):
        after = world.list_after(likes[-1])
    assert listener.liked(state_of(world, me)) == {TRACKS[n] for n in (12, 13, 14, 15)}
    assert tracks(before) != tracks(after)
    assert len(published(world, me)) == 2
    assert len(world.plays()) == 4


def test_an_event_sent_twice_counts_once_and_its_list_comes_again(world):
    me = name()
    event = world.event(me, TRACKS[12], "play")
    with serving(world.worker()):
        world.send(event)
        first = world.list_after(event)
        world.send(event)
        until(lambda: len(published(world, me)) == 2, "the list to come again")
    assert state_of(world, me).tracks[TRACKS[12]].plays == 1
    assert len(world.plays()) == 1
    one, two = published(world, me)
    assert one.recommendation_id == two.recommendation_id
    assert one.items == two.items
    assert tracks(first) == [item.track_id for item in two.items]


def test_progress_is_kept_and_makes_no_list(world):
    me = name()
    with serving(world.worker()):
        world.send(
            world.event(me, TRACKS[3], "progress", position_s=4.0), world.event(me, TRACKS[3], "impression")
        )
        like = world.event(me, TRACKS[12])
        world.send(like)
        world.list_after(like)
    assert len(published(world, me)) == 1
    assert {play["kind"] for play in world.plays()} == {"progress", "impression", "like"}


def test_malformed_messages_are_rejected_with_reasons_and_those_between_are_served(world):
    me = name()
    good = world.event(me, TRACKS[12])
    late = world.event("l", TRACKS[1]).model_copy(update={"at": good.at + timedelta(days=9999)})
    bad = {
        b"": "the message",
        b"\xff\x00not json": "the message",
        b'{"kind": "love"}': "event_id",
        world.event("x", TRACKS[1]).to_bytes(): "key: it is not the listener's id",
        late.to_bytes(): "at: ",
        b"9" * 900_000: "the message",
    }
    already = len(rejected(world, 0))
    with serving(world.worker(start="latest")):
        for value in bad:
            world.send_raw(value)
        world.send_raw(None)
        world.send(good)
        world.list_after(good)
        found = until(
            lambda: (r := rejected(world, already)) and len(r) > len(bad) and r, "the rejected messages"
        )
    originals = [base64.b64decode(each["original"]) for each in found]
    assert set(originals) == {value[: intake.ORIGINAL_BYTES] for value in bad}
    for each, original in zip(found, originals, strict=True):
        (expected,) = {why for value, why in bad.items() if value[: intake.ORIGINAL_BYTES] == original}
        assert each["reason"].startswith(expected)
        assert "love" not in each["reason"]
    assert [play["_id"] for play in world.plays()] == [str(good.event_id)]


def test_events_of_another_data_set_are_left_to_its_own_worker(world):
    me = name()
    other = world.event(me, TRACKS[12]).model_copy(update={"dataset": "segue_other", "event_id": uuid4()})
    like = world.event(me, TRACKS[13])
    with serving(world.worker()):
        world.send(other, like)
        world.list_after(like)
    assert set(state_of(world, me).tracks) == {TRACKS[13]}
    assert not rejected_of(world, me)


def test_a_track_is_known_to_the_models_or_to_the_store_or_its_events_are_refused(world):
    me, later = name(), 2**53 - 1
    world.store.tracks.upsert([Track(track_id=later, title="Later")])
    newer = world.event(me, later, "play")
    strange = world.event(me, 2**53 - 2, "play")
    like = world.event(me, TRACKS[12])
    with serving(world.worker()):
        world.send(newer, strange, like)
        found = world.list_after(like)
        (refused,) = until(lambda: rejected_of(world, me), "the refusal")
    assert refused["reason"] == intake.UNKNOWN_TRACK
    assert json.loads(base64.b64decode(refused["original"]))["event_id"] == str(strange.event_id)
    assert set(tracks(found)) <= set(TRACKS)
    assert {play["track_id"] for play in world.plays()} == {later, TRACKS[12]}
    assert set(state_of(world, me).tracks) == {later, TRACKS[12]}


def test_a_disliked_track_never_comes_back(world):
    me = name()
    with serving(world.worker()):
        event = world.event(me, TRACKS[12])
        for _ in range(8):
            world.send(event)
            found = world.list_after(event)
            event = world.event(me, tracks(found)[0], "dislike")
        world.send(event)
        found = world.list_after(event)
    assert len(listener.disliked(state_of(world, me))) == 8
    assert not listener.disliked(state_of(world, me)) & set(tracks(found))


def test_several_events_of_one_listener_read_at_once_make_one_list(world):
    me = name()
    events = [world.event(me, track, "play") for track in TRACKS[:40]]
    world.send(*events)
    with serving(world.worker()):
        world.list_after(events[-1])
    assert len(published(world, me)) < 10
    assert len(state_of(world, me).tracks) == 40


def test_a_worker_that_begins_at_the_end_leaves_old_events_alone(world):
    me = name()
    world.send(world.event(me, TRACKS[1]))
    with serving(world.worker(start="latest", group=f"g-{me}")):
        like = world.event(me, TRACKS[12])
        world.send(like)
        world.list_after(like)
    assert set(state_of(world, me).tracks) == {TRACKS[12]}


def test_what_comes_after_ready_is_served_even_if_the_worker_dies_first(world):
    """A place at the end is kept in the store as soon as it is taken."""
    me = name()
    with serving(world.worker(start="latest")):
        pass
    like = world.event(me, TRACKS[12])
    world.send(like)
    with serving(world.worker(start="latest")):
        world.list_after(like)


def test_the_heartbeat_says_who_serves_and_ends_with_the_worker(world):
    with serving(world.worker()):
        assert world.store.workers.serving()
        (beat,) = world.store.client[world.store.database]["workers"].find()
        assert (beat["run"], beat["pid"]) == ("first", os.getpid())
    assert not world.store.workers.serving()


def test_another_run_of_the_same_data_is_taken_up_between_batches(world):
    me = name()
    with serving(world.worker(follow=True)):
        like = world.event(me, TRACKS[12])
        world.send(like)
        before = world.list_after(like)
        write_run(world.settings.home, "second", world.store.database, {"exact": fitted(world.data)["exact"]})
        beats = world.store.client[world.store.database]["workers"]
        until(lambda: beats.find_one({"run": "second"}), "the second run")
        world.send(like)
        after = until(lambda: len(r := published(world, me)) == 2 and r[-1], "the new models' list")
    assert before["model"] == "exact+als"
    assert after.model == "exact"
    assert str(after.recommendation_id) != before["recommendation_id"]


def test_a_damaged_new_run_is_not_taken_up(world, caplog):
    me = name()
    models = {"als": als_without_spark(catalogue())}
    with serving(world.worker(follow=True)), caplog.at_level(logging.INFO, "segue.live"):
        run = write_run(world.settings.home, "second", world.store.database, models)
        (run.path / "models" / "als" / "arrays.npz").write_bytes(b"broken")
        until(lambda: "not taken up" in caplog.text or None, "the refusal")
        like = world.event(me, TRACKS[12])
        world.send(like)
        assert world.list_after(like)["model"] == "exact+als"


def test_a_run_of_another_data_set_ends_the_worker_with_what_to_do(world):
    worker = world.worker(follow=True)

    def switch() -> None:
        worker.ready.wait(20)
        write_run(world.settings.home, "else", "segue_else", {"exact": fitted(world.data)["exact"]})

    switching = threading.Thread(target=switch)
    switching.start()
    with pytest.raises(SegueError, match=r"holds segue_else .* start `segue worker` again"):
        worker.serve(threading.Event())
    switching.join()
    assert worker.ready.is_set()
    assert not world.store.workers.serving()


def test_a_run_without_models_is_refused(world):
    (world.settings.home / "runs" / "empty").mkdir()
    world.run = write_run(world.settings.home, "empty", world.store.database, {})
    with pytest.raises(SegueError, match="notebook 03"), serving(world.worker()):
        pass


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_says_when_it_is_ready_and_ends_in_order(world, number):
    with start_command(world) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "run first" in line
        assert "segue.plays to segue.recommendations" in line
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, "", "")
    assert not world.store.workers.serving()


def test_the_command_says_what_is_missing(world, tmp_path: Path):
    away = {"SEGUE_HOME": str(tmp_path / "nowhere")}
    done = subprocess.run(
        [sys.executable, "-m", "segue.cli", "worker"],
        env=environment(world) | away, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "segue: no run has finished here yet: make one with `segue run --dataset demo`\n"
