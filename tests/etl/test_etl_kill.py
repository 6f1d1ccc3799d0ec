"""The ETL under kill -9: of its driver, Java, workers and their children, the store, a cluster's worker."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from segue.dataset.folder import FolderDataset
from segue.etl import run_etl
from segue.services import status, up
from segue.store import Store, open_store
from support.cluster import spark_cluster

pytestmark = pytest.mark.slow

_SCRIPT = Path(__file__).parent / "etl_process.py"
FILES = 40
CORES = 2
IN_FLIGHT = CORES * 4
"""Files that the workers may have computed and not stored: one batch of etl_process.py each."""


def table(store: Store) -> dict:
    """Return everything that the ETL leaves in a store, features to the byte."""
    features = {d["_id"]: (d["vector"], d["fingerprint"]) for d in store.features._collection.find()}
    return {"tracks": list(store.tracks.all()), "features": features}


def start(tones: Path, store: Store, uri: str, *arguments: str) -> subprocess.Popen:
    environment = {**os.environ, "SEGUE_MONGO": uri}
    return subprocess.Popen(
        [sys.executable, _SCRIPT, tones, store.database, *arguments],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def wait_for_features(store: Store, process: subprocess.Popen, least: int) -> int:
    """Wait until some features are stored; return how many."""
    deadline = time.monotonic() + 120
    while (found := store.features._collection.count_documents({})) < least:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


@pytest.fixture(scope="module")
def undisturbed(kept_tones, services, spark):
    with open_store(services.mongo_uri, f"undisturbed_{os.getpid()}") as store:
        run_etl(FolderDataset(kept_tones, database=store.database), services, store, spark, progress=False)
        yield table(store)
        store.client.drop_database(store.database)


def victims(driver: psutil.Process, kind: str) -> list[psutil.Process]:
    """Return the processes of one kind in a job: driver, java, daemon, worker or child."""
    found = {"driver": [driver], "java": [], "daemon": [], "worker": [], "child": []}
    try:
        found["java"] = [child for child in driver.children() if child.name() == "java"]
        for java in found["java"]:
            found["daemon"] += [child for child in java.children() if "pyspark.daemon" in child.cmdline()]
        for above, below in (("daemon", "worker"), ("worker", "child")):
            for process in found[above]:
                found[below] += process.children()
    except psutil.Error:
        pass  # Something ended while it was asked; the caller looks again.
    return found[kind]


def finished(log: Path) -> int:
    """Return how many times executors have finished a file."""
    return len(log.read_bytes().splitlines()) if log.exists() else 0


def kill_at(
    moment: int, delay_s: float, kind: str, process: subprocess.Popen, log: Path
) -> list[psutil.Process]:
    """kill -9 one process of a kind, some time after some files were finished; none if the job is over.

    Returns the processes that the job had before.
    """
    if process.poll() is not None:
        return []
    driver = psutil.Process(process.pid)
    deadline = time.monotonic() + 240
    while process.poll() is None and (finished(log) < moment or not victims(driver, kind)):
        assert time.monotonic() < deadline
        time.sleep(0.001)
    time.sleep(delay_s)
    relatives = family(process)
    for victim in victims(driver, kind)[:1] if process.poll() is None else []:
        victim.kill()
    return relatives


def family(process: subprocess.Popen) -> list[psutil.Process]:
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def survives(kinds, choice, tones, services, store, spark, undisturbed, log):
    """Kill processes of a job one after the other, do what is left, and hold the work and the table."""
    process = start(tones, store, services.mongo_uri, f"local[{CORES}]", str(log))
    relatives: set[psutil.Process] = set()
    try:
        for moment, kind in zip(sorted(choice.sample(range(FILES), len(kinds))), kinds, strict=True):
            relatives.update(kill_at(moment, choice.uniform(0, 0.05), kind, process, log))
            relatives.update(family(process))
        output, errors = process.communicate(timeout=240)
    finally:
        process.kill()
    _, alive = psutil.wait_procs(relatives, timeout=30)
    assert not alive, "processes outlived their driver"
    stored = store.features._collection.count_documents({})
    computed = finished(log)
    if process.returncode == 0:
        analysed, reused = map(int, re.search(r"analysed (\d+) reused (\d+)", output).groups())
        assert analysed + reused == FILES
        computed -= reused
    elif kinds[-1] == "java":
        assert "Spark's Java process ended" in errors
    dataset = FolderDataset(tones, database=store.database)
    report = run_etl(dataset, services, store, spark, progress=False)
    assert report.analysed == FILES - stored, "a computed feature was lost"
    assert computed + report.analysed <= FILES + IN_FLIGHT * len(kinds), "more was computed twice"
    assert table(store) == undisturbed
    return process.returncode


@pytest.mark.parametrize(
    ("kinds", "goes_on"), [(["driver"], False), (["java"], False), (["child", "worker"], True)]
)
def test_a_killed_job_loses_nothing(
    kinds, goes_on, kept_tones, services, store, spark, undisturbed, tmp_path
):
    choice = random.Random(str(kinds))
    code = survives(kinds, choice, kept_tones, services, store, spark, undisturbed, tmp_path / "log")
    assert (code == 0) is goes_on


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
def test_a_job_killed_at_a_random_moment_loses_nothing(
    seed, kept_tones, services, store, spark, undisturbed, tmp_path
):
    choice = random.Random(seed)
    kinds = [("driver", "java", "worker", "child", "daemon")[seed % 5]]
    survives(kinds, choice, kept_tones, services, store, spark, undisturbed, tmp_path / "log")


def test_a_killed_store_is_named_and_what_it_held_is_kept(kept_tones, services, store, spark, undisturbed):
    process = start(kept_tones, store, services.mongo_uri)
    done = wait_for_features(store, process, 8)
    (pid,) = (service.pid for service in status(services) if service.name == "mongo")
    os.kill(pid, signal.SIGKILL)
    _, errors = process.communicate(timeout=180)
    assert process.returncode != 0
    assert "the document store stopped answering" in errors
    up(services, report=lambda line: None)
    report = run_etl(
        FolderDataset(kept_tones, database=store.database), services, store, spark, progress=False
    )
    assert report.analysed <= FILES - done
    assert table(store) == undisturbed


def test_a_worker_of_a_cluster_dies_and_no_row_is_missing(kept_tones, services, store, undisturbed, tmp_path):
    with spark_cluster(tmp_path / "cluster", workers=2) as cluster:
        process = start(kept_tones, store, services.mongo_uri, cluster.master)
        wait_for_features(store, process, 8)
        cluster.kill_worker(0)
        output, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors
    assert f"rows {FILES}" in output
    assert table(store) == undisturbed
