"""From a play to the list that can be read, through the real broker and store.

`python -m benchmarks.live [--quick] [--home DIR]` starts services of its own, a simulated catalogue of
106,574 tracks with HNSW and weighted ALS, 10,000 listeners with histories, and `segue worker` as a process of
its own; broker, store, worker and load share this machine. The load generator is a C client, so that what is
measured is Segue. Latency runs from handing an event to the client to reading, from the topic that players
read, a list that holds it; the list stands in the store before. Echoes through the broker in the same run
calibrate it. The last line is one JSON object. `--home` keeps the fitted models for another run.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from kafka.admin import KafkaAdminClient

from benchmarks.calibration import matrix_product_ms
from benchmarks.generated import FMA_FULL
from benchmarks.live import check, world
from benchmarks.live.load import ECHO, Load
from benchmarks.live.world import Crowd
from segue import services
from segue.settings import Settings
from segue.store import Store, open_store

_MIB = 2**20
_READERS, _READS_PER_S = 32, 10
_STEP = 50.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a fiftieth of the tracks, under a minute")
    parser.add_argument("--home", type=Path, help="folder to keep, with the models that were fitted")
    parser.add_argument("--seconds", type=float, help="of the steady part")
    parser.add_argument("--rate", type=float, help="events a second of the steady part")
    parser.add_argument("--only", default="steady,read,reload,rates,catchup,two", help="parts to run")
    options = parser.parse_args()
    sys.setswitchinterval(0.0005)
    with tempfile.TemporaryDirectory() as folder:
        measure(options, (options.home or Path(folder)).resolve())


def measure(options: argparse.Namespace, home: Path) -> None:
    quick = options.quick
    tracks, listeners = (FMA_FULL // 50, 500) if quick else (FMA_FULL, 10_000)
    rate, seconds = options.rate or (100 if quick else 500), options.seconds or (10 if quick else 180)
    only = options.only.split(",")
    settings = Settings(home=home, kafka=None, mongo=None, kafka_port=0, mongo_port=0)
    print(f"{tracks:,} tracks, {listeners:,} simulated listeners, {os.cpu_count()} cores, "
          f"load {os.getloadavg()[0]:.1f}", flush=True)  # fmt: skip
    crowd = world.build(home, tracks, listeners)
    print(world.describe(home), flush=True)
    world.forget(home)
    services.up(settings, lambda line: print(f"  {line}", flush=True))
    figures: dict[str, Any] = {"tracks": tracks, "listeners": listeners, "rate_per_s": rate}
    try:
        with KafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap) as admin:
            if ECHO not in admin.list_topics():
                admin.create_topics({ECHO: {"num_partitions": 1}})
        with open_store(settings.mongo_uri, world.DATABASE) as store:
            world.fill(store, crowd, tracks)
            load = Load(settings.kafka_bootstrap, crowd)
            try:
                figures |= _parts(only, settings, store, crowd, load, rate, seconds, quick=quick)
                figures |= check.effects(store, crowd, load)
            finally:
                load.close()
    finally:
        services.down(settings, lambda line: None)
    figures["matrix_product_ms"] = round(matrix_product_ms(), 2)
    print(json.dumps(figures))


def _parts(
    only: list[str], settings: Settings, store: Store, crowd: Crowd, load: Load, rate: float, seconds: float,
    *, quick: bool,
) -> dict[str, Any]:  # fmt: skip
    figures: dict[str, Any] = {}
    with worker(settings) as one:
        figures |= first_answer(one, load)
        load.steady(rate, 3 if quick else 20)
        load.wait(20)
        if "steady" in only:
            figures |= steady(one, load, rate, seconds)
        if "read" in only:
            figures |= reading(store, crowd)
        if "reload" in only:
            figures |= reloading(settings, load, rate, 4 if quick else 20)
        if "rates" in only:
            figures["events_per_s"] = highest_rate(load, 3 if quick else 10)
    if "catchup" in only:
        figures |= catching_up(settings, store, load, 5_000 if quick else 200_000)
    if "two" in only:
        with worker(settings) as first, worker(settings) as second:
            ready(first)
            ready(second)
            load.steady(rate, 3)
            load.wait(20)
            figures["events_per_s_two"] = highest_rate(load, 3 if quick else 10)
    return figures


@contextmanager
def worker(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    """Run `segue worker` as a process of its own."""
    environment = os.environ | {
        "SEGUE_HOME": str(settings.home), "SEGUE_KAFKA": settings.kafka_bootstrap,
        "SEGUE_MONGO": settings.mongo_uri,
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "segue.cli", "worker"], env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)
        assert process.stdout is not None
        process.stdout.close()


def ready(process: subprocess.Popen[str]) -> None:
    """Wait until a worker says that it serves."""
    assert process.stdout is not None
    if not process.stdout.readline():
        raise SystemExit("the worker ended before it was ready")


def first_answer(process: subprocess.Popen[str], load: Load) -> dict[str, float]:
    """Return how long after the worker's start its first list could be read; the event waits for it."""
    began = psutil.Process(process.pid).create_time()
    load.send(load.event("like"))
    load.wait(60)
    seconds = time.time() - began
    ready(process)
    print(f"first answer {seconds:.2f} s after the worker's start", flush=True)
    return {"first_answer_s": round(seconds, 2)}


def steady(process: subprocess.Popen[str], load: Load, rate: float, seconds: float) -> dict[str, float]:
    """Measure latency at a steady rate, beside echoes of the same minutes."""
    load.sent.clear()
    load.echoes.clear()
    used = _used()
    late = load.steady(rate, seconds)
    spent = {name: round((now - used.get(name, 0)) / seconds, 2) for name, now in _used().items()}
    left = load.wait(20)
    figures = _percentiles(load) | {
        "late_ms": round(1000 * late, 1), "unanswered": left, "refused": load.refused,
        "worker_mib": round(psutil.Process(process.pid).memory_info().rss / _MIB),
    }  # fmt: skip
    print(f"{rate:.0f} a second for {seconds:.0f} s: {figures}, cores used: {spent}", flush=True)
    return figures


def _percentiles(load: Load) -> dict[str, float]:
    times = load.latencies_ms()
    echo = np.array(load.echoes)
    return {
        "median_ms": round(float(np.median(times)), 2), "p99_ms": round(float(np.quantile(times, 0.99)), 2),
        "p95_ms": round(float(np.quantile(times, 0.95)), 2), "worst_ms": round(float(times.max()), 1),
        "echo_median_ms": round(float(np.median(echo)), 2),
        "echo_p99_ms": round(float(np.quantile(echo, 0.99)), 2),
    }  # fmt: skip


def _used() -> dict[str, float]:
    """Return the seconds of processor that each part of it all has used."""
    used: dict[str, float] = {}
    for process in [psutil.Process(), *psutil.process_iter()]:
        try:
            line, times = " ".join(process.cmdline()), process.cpu_times()
        except psutil.Error:
            continue
        name = next((name for key, name in _PARTS.items() if key in line), "")
        if name:
            used[name] = used.get(name, 0) + times.user + times.system
    return used


_PARTS = {
    "kafka.Kafka": "broker", "Store": "store", "mongod": "store", "segue.cli worker": "worker",
    "benchmarks.live": "load",
}  # fmt: skip


def reading(store: Store, crowd: Crowd) -> dict[str, float]:
    """Measure how long 32 readers at once wait for a listener's list, each reading ten a second."""
    times: list[float] = []
    limit = time.monotonic() + 5

    def read(seed: int) -> None:
        choice = random.Random(seed)
        time.sleep(choice.random() / _READS_PER_S)
        while time.monotonic() < limit:
            name = choice.choice(crowd.names)
            began = time.perf_counter()
            store.recommendations.get(name)
            times.append(1000 * (time.perf_counter() - began))
            time.sleep(1 / _READS_PER_S)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(_READERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    figures = {"read_median_ms": round(statistics.median(times), 2), "readers": _READERS}
    print(f"{len(times)} lists read: {figures}", flush=True)
    return figures


def reloading(settings: Settings, load: Load, rate: float, seconds: float) -> dict[str, float]:
    """Measure latency while the worker takes up another run in the middle of it."""
    world.copy_current(settings.home)
    load.sent.clear()
    load.echoes.clear()
    switch = threading.Timer(seconds / 4, world.switch_current, [settings.home])
    switch.start()
    load.steady(rate, seconds)
    switch.join()
    load.wait(20)
    found = _percentiles(load)
    figures = {"reload_median_ms": found["median_ms"], "reload_worst_ms": found["worst_ms"]}
    print(f"another run taken up meanwhile: {found}", flush=True)
    return figures


def highest_rate(load: Load, seconds: float) -> float:
    """Return the highest rate, in steps of 50, at which the 99th percentile stays within 80 ms."""
    best, rate = 0.0, _STEP
    while True:
        load.sent.clear()
        load.echoes.clear()
        load.steady(rate, seconds)
        if load.wait(60):
            break
        found = _percentiles(load)
        print(f"  {rate:.0f} a second: {found}", flush=True)
        if found["p99_ms"] > 80:
            break
        best, rate = rate, rate + _STEP
    load.wait(60)
    return best


def catching_up(settings: Settings, store: Store, load: Load, count: int) -> dict[str, float]:
    """Measure how fast a worker that was away works off what has queued up: the events, then all lists."""
    load.sent.clear()
    load.flood(count)
    there = store.plays.count() + count
    with worker(settings) as process:
        ready(process)
        began = time.monotonic()
        memory: list[float] = []
        applied = 0.0
        while load.wait(0.2) and time.monotonic() - began < 600:
            memory.append(psutil.Process(process.pid).memory_info().rss / _MIB)
            if not applied and store.plays.count() == there:
                applied = time.monotonic() - began
        seconds = time.monotonic() - began
    half = len(memory) // 2
    figures: dict[str, float] = {
        "catchup_per_s": round(count / (applied or seconds)),
        "catchup_lists_after_s": round(seconds, 1),
        "catchup_mib_first_half": round(max(memory[:half], default=0)),
        "catchup_mib_second_half": round(max(memory[half:], default=0)),
    }
    print(f"{count:,} queued events worked off in {applied:.1f} s: {figures}", flush=True)
    return figures


if __name__ == "__main__":
    main()
