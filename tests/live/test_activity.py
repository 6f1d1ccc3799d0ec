"""What a worker counts: bounded, written once whatever is repeated, the same for Prometheus and the view."""

import json
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families
from pymongo import MongoClient

from segue.cli import app
from segue.commands import activity as view
from segue.errors import SegueError
from segue.live import activity as module
from segue.live import overview
from segue.live.activity import Activity
from segue.live.events import PlayEvent, Source, now
from segue.live.exposition import Endpoint
from segue.live.tallies import BOUNDS_S, HASHES, OTHER, TRACKS, Distinct, Latency, Tally, TrackPlays
from segue.services.ports import any_free
from segue.settings import Settings
from segue.store import Store
from support.live_world import TRACKS as CATALOGUE
from support.live_world import World, environment, serving, until

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Clock:
    """Seconds since 1970 that a test sets."""

    def __init__(self) -> None:
        self.at = NOON.timestamp()

    def __call__(self) -> float:
        return self.at


def event(listener: str, track: int, kind: str = "play", *, simulated: bool = False) -> PlayEvent:
    return PlayEvent(
        event_id=uuid4(), dataset="d", listener_id=listener, session_id="s", track_id=track, kind=kind,
        at=NOON, simulated=simulated,
    )  # fmt: skip


# Counting in bounded memory ---------------------------------------------------------------------------------


def test_listeners_are_counted_exactly_while_there_are_few_and_closely_when_many():
    few, many, others = Distinct(), Distinct(), Distinct()
    for number in range(HASHES - 1):
        few.add(f"listener-{number}")
        few.add(f"listener-{number}")
    assert (few.count(), few.is_exact) == (HASHES - 1, True)
    for number in range(40_000):
        (many if number % 3 else others).add(f"listener-{number}")
        many.add(f"listener-{number // 2}")
    many.update(others)
    many = Distinct.from_bytes(many.to_bytes())
    assert not many.is_exact
    assert many.count() == pytest.approx(40_000, rel=0.09), "three standard errors"
    assert len(many.to_bytes()) == 8 * HASHES


def test_tracks_are_bounded_and_the_most_played_ones_stay():
    plays = TrackPlays()
    for track in range(5 * TRACKS):
        plays.add(track)
        plays.add(7)
    assert len(plays.counts) < 2 * TRACKS
    assert plays.top(1) == [(7, 5 * TRACKS + 1)]
    assert 0 < plays.missed < 10, "what any other track may lack"


def test_quantiles_are_those_of_prometheus():
    latency = Latency()
    assert latency.quantile(0.5) is None
    for seconds in (0.010, 0.012, 0.014, 0.015):
        latency.observe(seconds)
    # One of four is at most 10 ms, the others lie in the bucket up to 15 ms.
    assert latency.quantile(0.25) == pytest.approx(0.010)
    assert latency.quantile(0.5) == pytest.approx(0.010 + 0.005 / 3)
    assert latency.quantile(1) == pytest.approx(0.015)
    latency.observe(3_600)
    assert latency.quantile(0.99) == BOUNDS_S[-1]


def test_models_and_reasons_stay_few_whatever_is_sent():
    counted = Activity(Store(MongoClient(connect=False), "d"), "w", clock=Clock())
    for number in range(100):
        counted.listed(f"model-{number}", -0.5)
        counted.rejected(f"field-{number}: what a sender has made up")
    counted.rejected("source.list: too long")
    counted.rejected("the message: Invalid JSON")
    total = counted.snapshot().total
    assert total.rejected == {OTHER: 100, "source": 1, "message": 1}
    assert len(total.latency) == 33
    assert total.latency[OTHER].buckets[0] == 68
    counted.store.client.close()


# Into the store ---------------------------------------------------------------------------------------------


def minutes(store: Store) -> list[tuple[str, int, int]]:
    """Return time, real and simulated events of the stored minutes."""
    found = [(each["at"], Tally.from_document(each)) for each in store.activity.minutes(NOON)]
    return [(f"{at:%H:%M}", t.real.kinds.total(), t.simulated.kinds.total()) for at, t in found]


@pytest.mark.slow
def test_minutes_are_written_once_however_often_and_late(store: Store):
    clock = Clock()
    counted = Activity(store, "w", clock=clock)
    counted.events([event("a", 1), event("b", 2, simulated=True)])
    assert counted.flush()
    assert counted.flush()
    counted.events([event("a", 1, "skip")])
    clock.at += 60
    counted.events([event("a", 1)])
    clock.at -= 60  # A clock that is set back opens no minute again.
    counted.events([event("a", 1)])
    clock.at += 300
    assert counted.flush()
    assert counted.flush()
    assert minutes(store) == [("12:00", 2, 1), ("12:01", 2, 0)]
    assert counted.snapshot().total.real.kinds == {"play": 3, "skip": 1}
    clock.at += 8 * 86_400
    counted.events([event("a", 1)])
    counted.flush()
    assert [at for at, *_ in minutes(store)] == ["12:05"], "a week is kept"
    assert [each["_id"] for each in store.activity.workers(datetime.fromtimestamp(clock.at, UTC))] == ["w"]
    counted.close()
    assert not store.activity.workers(datetime.fromtimestamp(clock.at, UTC))


@pytest.mark.slow
def test_what_is_counted_while_the_store_is_away_is_kept_for_it(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(module, "_WAITING", 2)
    clock = Clock()
    with closing(MongoClient("127.0.0.1", any_free())) as nobody, monkeypatch.context() as hasty:
        hasty.setattr(module, "_PATIENCE_S", 0.05)
        counted = Activity(Store(nobody, "d"), "w", clock=clock)
        for _ in range(4):
            counted.events([event("a", 1)])
            assert not counted.flush()
            clock.at += 60
        assert (counted.snapshot().waiting, counted.snapshot().lost) == (2, 2)
        assert len(caplog.messages) == 1
    counted.store = store
    counted.close()
    assert minutes(store) == [("12:02", 1, 0), ("12:03", 1, 0)]
    assert counted.snapshot().waiting == 0


# Prometheus -------------------------------------------------------------------------------------------------


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, metrics_port=any_free())


@pytest.fixture
def counted() -> Iterator[Activity]:
    with closing(MongoClient(connect=False)) as client:
        yield Activity(Store(client, "d"), "w", clock=Clock())


def scraped(address: str | None) -> dict[tuple[str, ...], float]:
    """Return every sample of an endpoint by name and the values of its labels, in their names' order."""
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as answer:
        families = text_string_to_metric_families(answer.read().decode())
    samples = [sample for family in families for sample in family.samples]
    return {(each.name, *(value for _, value in sorted(each.labels.items()))): each.value for each in samples}


def test_two_workers_of_a_machine_are_both_found_and_end_without_a_trace(
    settings: Settings, counted: Activity
):
    folder = settings.var / "metrics"
    folder.mkdir(parents=True)
    killed = [{"targets": ["127.0.0.1:1"], "labels": {"__meta_segue_pid": str(2**22 + 1)}}]
    (folder / "killed.json").write_text(json.dumps(killed))
    before = threading.enumerate()
    other = Activity(counted.store, "other")
    one, two = Endpoint(counted, settings, "d"), Endpoint(other, settings, "d")
    assert one.address == counted.address == f"127.0.0.1:{settings.metrics_port}"
    assert two.address not in (None, one.address)
    found = {file.stem: json.loads(file.read_text())[0]["targets"] for file in folder.iterdir()}
    assert found == {"w": [one.address], "other": [two.address]}
    assert ("segue_worker_info", "d", "", "0.1.0", "w") in scraped(one.address)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"http://{one.address}/", timeout=5)
    one.close()
    two.close()
    assert (threading.enumerate(), list(folder.iterdir()), counted.address) == (before, [], None)


def test_a_client_that_says_nothing_is_let_go(settings: Settings, counted: Activity, capfd, monkeypatch):
    monkeypatch.setattr("segue.live.exposition._Handler.timeout", 0.1)
    endpoint = Endpoint(counted, settings, "d")
    with socket.create_connection(("127.0.0.1", settings.metrics_port)) as silent:
        assert scraped(endpoint.address)
        assert silent.recv(1) == b""
        endpoint.close()
    assert capfd.readouterr().err == ""


def test_metrics_can_be_off_and_an_address_of_elsewhere_is_refused(settings: Settings, counted: Activity):
    off = Endpoint(counted, settings.model_copy(update={"metrics_port": 0}), "d")
    assert off.address is None
    off.close()
    with pytest.raises(SegueError, match="SEGUE_METRICS_HOST"):
        Endpoint(counted, settings.model_copy(update={"metrics_host": "192.0.2.1"}), "d")


# Endpoint and view ------------------------------------------------------------------------------------------


def agree(each: list[dict[tuple[str, ...], float]], told: dict) -> None:
    """Check that the samples of all workers together say what the view says."""

    def summed(*key: str) -> float:
        return sum(samples.get(key, 0) for samples in each)

    total = told["total"]
    for origin in ("real", "simulated"):
        kinds = {key[1] for samples in each for key in samples if key[0] == "segue_events_total"}
        assert len(kinds) == 9
        for kind in kinds:
            assert summed("segue_events_total", kind, origin) == total[origin]["kinds"].get(kind, 0)
    for field in module.REJECTED_FIELDS:
        assert summed("segue_rejected_messages_total", field) == total["rejected"].get(field, 0)
    for model, latency in total["latency_by_model"].items():
        name = "segue_recommendation_latency_seconds"
        assert summed(f"{name}_count", model) == latency["count"] == sum(latency["buckets"])
        assert summed(f"{name}_sum", model) == pytest.approx(latency["sum_s"], rel=1e-12)
        for place, bound in enumerate([*map(str, BOUNDS_S), "+Inf"]):
            assert summed(f"{name}_bucket", bound, model) == sum(latency["buckets"][: place + 1])
    assert summed("segue_batch_duration_seconds_count") == total["batches"]
    assert summed("segue_batch_records_total") == total["records"]
    lag = [samples[key] for samples in each for key in samples if key[0] == "segue_consumer_lag_events"]
    assert sum(lag) == told["lag"]


@pytest.mark.slow
def test_prometheus_and_the_view_agree_after_what_two_workers_have_counted(world: World):
    settings = world.settings.model_copy(update={"metrics_port": any_free()})
    one, two = Activity(world.store, "one", run="first"), Activity(world.store, "two", run="first")
    endpoints = [Endpoint(each, settings, world.store.database) for each in (one, two)]
    one.events([event("a", CATALOGUE[3]), event("a", CATALOGUE[3], "skip"), event("b", CATALOGUE[4])])
    two.events([event("a", CATALOGUE[3]), event("c", CATALOGUE[5], "like"), event("s", 1, simulated=True)])
    two.events([event("a", CATALOGUE[3], "complete")])
    for number in range(40):
        one.listed("exact+als", number / 1000)
        two.listed("popularity", number / 10)
    one.batch(3, 0.25)
    two.batch(4, 0.5)
    two.rejected("kind")
    one.lag({0: 5, 1: 2})
    two.lag({2: 1})
    two.away("store", True)
    assert one.flush()
    assert two.flush()
    try:
        done = CliRunner().invoke(app, ["activity", "--json", "--models"], env=environment(world))
        assert done.exit_code == 0, done.output
        told = json.loads(done.stdout)
        agree([scraped(each.address) for each in endpoints], told)
        assert scraped(endpoints[1].address)["segue_dependency_up", "store"] == 0
    finally:
        for endpoint in endpoints:
            endpoint.close()
    total = told["total"]
    assert total["real"]["kinds"] == {"play": 3, "skip": 1, "like": 1, "complete": 1}
    assert (total["real"]["listeners"], total["real"]["listeners_exact"]) == (3, True), "a was at both"
    assert total["real"]["skip_share"] == 0.5
    assert total["simulated"]["kinds"] == {"play": 1}
    assert (told["lag"], total["latency"]["count"], total["batches"], total["records"]) == (8, 80, 2, 7)
    (first, second) = told["top_tracks"]["real"]
    assert (first["title"], first["plays"], second["plays"]) == (f"Track {CATALOGUE[3]}", 2, 1)
    assert [(each["worker"], each["away"]) for each in told["workers"]] == [("one", []), ("two", ["store"])]
    assert told["models"] == told["sources"] == []

    source = Source(list="for-you", model="exact+als", recommendation_id=uuid4())
    seen = [event("a", 1, kind).model_copy(update={"source": source}) for kind in ("impression", "play")]
    world.store.plays.upsert([each.to_document() for each in seen])
    shown = CliRunner().invoke(app, ["activity", "--models"], env=environment(world)).output
    assert "  3. " not in shown
    for words in ("waits for: store", "1.     2  Track", "kind 1", "real listeners", "of 1 plays began in a"):
        assert words in shown
    (line,) = [line for line in shown.splitlines() if line.startswith("exact+als, real")]
    assert (
        line.split()
        == "exact+als, real 1 1 100 % (100 to 100) 1.00 (1.00 to 1.00) one listener: no interval".split()
    )


def test_a_watch_goes_on_while_the_store_is_away_and_ends_at_ctrl_c(monkeypatch, capsys):
    monkeypatch.setattr(view, "_REFRESH_S", 0)
    answers = iter(["before", SegueError("nobody answers"), "after", KeyboardInterrupt()])

    def tell() -> str:
        answer = next(answers)
        if isinstance(answer, str):
            return answer
        raise answer

    view._show(tell, watch=True, as_json=True)
    told = capsys.readouterr()
    assert (told.out, told.err) == ("before\nafter\n", "segue: nobody answers\n")


@pytest.mark.slow
def test_prometheus_and_the_view_agree_on_what_a_real_worker_did(world: World):
    world.settings = world.settings.model_copy(update={"metrics_port": any_free()})
    names = [uuid4().hex for _ in range(3)]
    with serving(world.worker(start="latest", group=f"g-{names[0]}")):
        sent = [world.event(who, track, "play") for who in names for track in (CATALOGUE[3], CATALOGUE[4])]
        sent += [world.event(names[0], CATALOGUE[3], kind) for kind in ("skip", "progress", "impression")]
        world.send(*sent)
        world.send_raw(b"not JSON")
        world.send_raw(sent[0].to_bytes().replace(b'"play"', b'"love"'), key=names[0].encode())
        like = world.event(names[1], CATALOGUE[12], simulated=True)
        world.send(like)
        world.list_after(like)
        (file,) = (world.settings.var / "metrics").iterdir()
        ((address,),) = [each["targets"] for each in json.loads(file.read_text())]

        def counted() -> bool:
            found = scraped(address)
            lag = [found[key] for key in found if key[0] == "segue_consumer_lag_events"]
            done = sum(found[key] for key in found if key[0] == "segue_events_total")
            return done == len(sent) + 1 and found["segue_batch_records_total",] == done + 2 and not sum(lag)

        until(counted, "everything to be counted")
        samples = scraped(address)
    # What ends writes the last of it.
    told = overview.read(world.store, now()).to_json()
    agree([samples], told)
    total = told["total"]
    assert total["real"]["kinds"] == {"play": 6, "skip": 1, "progress": 1, "impression": 1}
    assert total["simulated"]["kinds"] == {"like": 1}
    assert (total["real"]["listeners"], total["simulated"]["listeners"]) == (3, 1)
    assert total["rejected"] == {"message": 1, "kind": 1}
    assert total["latency"]["count"] >= 3
    assert list(total["latency_by_model"]) == ["exact+als"]
    assert told["top_tracks"]["real"][0]["plays"] == 3
    assert not list((world.settings.var / "metrics").iterdir())
