"""The ETL under kill -9: of its driver, of the store, of a worker of a Spark cluster."""

import os
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


def table(store: Store) -> dict:
    """Return everything that the ETL leaves in a store, features to the byte."""
    features = {d["_id"]: bytes(d["vector"]) for d in store.features._collection.find()}
    return {"tracks": list(store.tracks.all()), "features": features}


def start(tones: Path, store: Store, uri: str, *master: str) -> subprocess.Popen:
    environment = {**os.environ, "SEGUE_MONGO": uri}
    return subprocess.Popen(
        [sys.executable, _SCRIPT, tones, store.database, *master],
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


def test_a_killed_driver_loses_nothing(kept_tones, services, store, spark, undisturbed):
    process = start(kept_tones, store, services.mongo_uri)
    done = wait_for_features(store, process, 8)
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(children, timeout=30)
    assert not alive, "processes outlived their driver"
    report = run_etl(
        FolderDataset(kept_tones, database=store.database), services, store, spark, progress=False
    )
    assert report.analysed <= 40 - done
    assert report.analysed + report.reused + report.unchanged == 40
    assert table(store) == undisturbed


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
    assert report.analysed <= 40 - done
    assert table(store) == undisturbed


def test_a_worker_of_a_cluster_dies_and_no_row_is_missing(kept_tones, services, store, undisturbed, tmp_path):
    with spark_cluster(tmp_path / "cluster", workers=2) as cluster:
        process = start(kept_tones, store, services.mongo_uri, cluster.master)
        wait_for_features(store, process, 8)
        cluster.kill_worker(0)
        output, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors
    assert "rows 40" in output
    assert table(store) == undisturbed
