"""Live simulated listeners: by the clock, through real topics, in bounded memory."""

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from uuid import uuid4

import numpy as np
import pytest

from segue.dataset.base import Track
from segue.dataset.listening import SIMULATED
from segue.dataset.tastes import Habits
from segue.dataset.tastes import World as Catalogue
from segue.errors import UsageError
from segue.live.events import Item, Recommendation, Why, now
from segue.services.topics import RECOMMENDATIONS
from segue.simulate.answers import Answers, Offer
from segue.simulate.crowd import Crowd
from segue.simulate.driver import Driver, live_name
from segue.simulate.latency import Latencies
from segue.simulate.taste import Tastes
from support.live_world import World, environment, serving

CATALOGUE = Catalogue(
    [Track(100 + i, artist=f"artist {i % 9}", genre_top=f"kind {i % 4}") for i in range(60)], 0, Habits()
)
TASTES = Tastes(CATALOGUE, 0)


def crowd(listeners: int, rate: float, newest=lambda number: None, seed: int = 0) -> Crowd:
    return Crowd(TASTES, listeners, rate, newest, np.arange(10), seed)


def deeds(acts) -> list[tuple]:
    return [(act.number, act.kind, act.track, act.position_s) for act in acts]


def test_quantiles_are_exact_to_a_percent():
    latencies = Latencies()
    for ms in range(1, 1001):
        latencies.add(ms / 1000)
    assert latencies.count == 1000
    assert latencies.to_json() == pytest.approx({"median": 500, "p95": 950, "p99": 990}, rel=0.011)
    for extreme in (0.0, 1e9):
        latencies.add(extreme)
    assert Latencies().to_json() == {"median": None, "p95": None, "p99": None}


def test_listeners_take_turns_and_each_comes_once_before_any_comes_again():
    # At 1 event a second and 20 s between two acts of one listener twenty of the fifty are there.
    own = crowd(50, 1.0)
    acts = [own.act() for _ in range(2_000)]
    assert len({act.number for act in acts[:20]}) == 20
    sessions: dict[str, int] = {act.session_id: act.number for act in acts}
    arrived = list(sessions.values())
    assert sorted(arrived[:50]) == sorted(arrived[50:100]) == list(range(50))
    assert len(own.seen) == 50
    again, other = crowd(50, 1.0), crowd(50, 1.0, seed=1)
    assert deeds(acts) == deeds([again.act() for _ in acts])
    assert deeds(acts) != deeds([other.act() for _ in acts])


def test_each_play_is_begun_then_heard_out_or_skipped():
    own = crowd(1, 1.0)
    acts = [own.act() for _ in range(500)]
    for first, then in itertools.pairwise(acts):
        assert (first.kind == "play") == (then.kind in ("complete", "skip"))
        if then.kind in ("like", "dislike"):
            assert first.kind == {"like": "complete", "dislike": "skip"}[then.kind]
        if then.kind == "complete":
            assert (then.track, then.position_s) == (first.track, 30.0)
    assert {act.source.list for act in acts} == {"own-mind"}


def test_a_list_is_looked_at_once_and_led_to_the_plays_from_it():
    offer = Offer(tuple(range(20, 30)), "exact+als", uuid4())
    own = crowd(1, 1.0, lambda number: offer)
    acts = [own.act() for _ in range(300)]
    shown = [act for act in acts if act.kind == "impression"]
    assert len(shown) == len({act.session_id for act in shown}) == own.hits.lists
    assert all(act.track == 20 for act in shown)
    led = [act for act in acts if act.kind == "play" and act.source.list == "for-you"]
    assert led
    assert all(act.track in offer.tracks for act in led)
    assert {act.source.recommendation_id for act in led} == {offer.recommendation_id}
    fits = TASTES.of(0).fits(np.arange(20, 30)).mean()
    assert own.hits.to_json() == pytest.approx(
        {"hit_rate": fits, "popularity": TASTES.of(0).fits(np.arange(10)).mean(), "random": TASTES.share(0)},
        abs=1e-4,
    )


def made(caused_by, tracks=(100, 7, 102)) -> Recommendation:
    items = [Item(track_id=track, score=0, why=Why(kind="sound", text="")) for track in tracks]
    return Recommendation(
        recommendation_id=uuid4(), dataset="d", listener_id="l", made_at=now(), model="exact", items=items,
        caused_by=caused_by,
    )  # fmt: skip


def test_a_list_answers_all_acts_up_to_the_one_that_caused_it():
    answers = Answers({100: 0, 101: 1, 102: 2})
    ids = [uuid4() for _ in range(3)]
    for i, event_id in enumerate(ids):
        answers.expect(4, event_id, due=float(i))
    answers.take(4, made(uuid4()), at=9.0)
    assert (answers.lists, answers.answered, answers.waiting()) == (1, 0, 3)
    answers.take(4, made(ids[1]), at=3.0)
    assert (answers.answered, answers.waiting()) == (2, 1)
    assert answers.latencies.quantile(0) == pytest.approx(2.0, rel=0.01)
    assert answers.latencies.quantile(1) == pytest.approx(3.0, rel=0.01)
    assert answers.newest(4).tracks == (0, 2)
    assert answers.newest(5) is None
    for _ in range(100):
        answers.expect(4, uuid4(), due=0.0)
    assert answers.waiting() == 16


@pytest.mark.slow
def test_the_circle_through_kafka_and_worker(world: World):
    driver = Driver(world.settings, world.run, listeners=12, rate=60.0, seed=1)
    with serving(world.worker()):
        # Neither a malformed list nor one of another data set ends the reading.
        world.producer.send(RECOMMENDATIONS, key=live_name(0).encode(), value=b"{")
        world.producer.send(RECOMMENDATIONS, key=b"somebody", value=b"{")
        found = driver.drive(3.0, threading.Event())
    assert found.sent == found.acknowledged == 180
    assert (found.failed, found.missed, found.unanswered) == (0, 0, 0)
    assert found.acted == 12
    assert 0 < found.lists <= found.answered
    assert 0 < found.ack_ms["median"] < found.list_ms["median"] < found.list_ms["p99"]
    plays = world.plays()
    assert len(plays) == 180
    assert all(play["simulated"] and play["listener_id"].startswith("simulated-live-00") for play in plays)
    assert world.store.plays.count_real() == 0
    led = [play for play in plays if play["source"]["list"] == "for-you" and play["kind"] == "play"]
    assert led
    assert found.looked_at == sum(play["kind"] == "impression" for play in plays)
    # What notebook 01 takes away before it simulates anew is another kind of listener's.
    world.store.plays.delete_simulated(SIMULATED)
    assert world.store.plays.count() == 180


@pytest.mark.slow
def test_ctrl_c_ends_it_in_order_and_tells_what_came_of_it(world: World):
    process = subprocess.Popen(
        [sys.executable, "-m", "segue.cli", "simulate", "--listeners", "3", "--rate", "40", "--json"],
        env=environment(world), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    assert "3 simulated listeners send 40 events a second" in process.stderr.readline()
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    told = json.loads(out)
    assert told["simulated"] is True
    assert told["acknowledged"] == told["sent"]
    assert told["seconds"] < 10
    assert (told["lists"], told["list_ms"]["median"]) == (0, None)


@pytest.mark.slow
def test_what_cannot_be_is_refused(world: World):
    for wrong in ({"listeners": 0}, {"rate": 0.0}, {"rate": float("nan")}, {"seed": -1}):
        with pytest.raises(UsageError, match="give 1 to"):
            Driver(world.settings, world.run, **{"listeners": 1, "rate": 1.0, "seed": 0} | wrong)
    with pytest.raises(UsageError, match="seconds = 0"):
        Driver(world.settings, world.run, 1, 1.0, 0).drive(0, threading.Event())
