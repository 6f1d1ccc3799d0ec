import json
import os
import sys
import time
from pathlib import Path

import pytest

from segue.services.process import Record, ServiceFolder, is_gone

_SLEEP = [sys.executable, "-c", "import time; print('begun', flush=True); time.sleep(600)"]
_STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('begun', flush=True);"
    "time.sleep(600)",
]


@pytest.fixture
def folder(tmp_path: Path):
    folder = ServiceFolder(tmp_path / "a service")
    folder.path.mkdir()
    yield folder
    folder.stop()


def _begun(folder: ServiceFolder) -> None:
    while not (folder.log.exists() and "begun" in folder.log.read_text()):
        time.sleep(0.02)


def test_a_started_process_is_recorded_detached_and_ended(folder: ServiceFolder) -> None:
    record = folder.start(_SLEEP, "sleep", "127.0.0.1:1")
    _begun(folder)
    assert folder.running() == record == folder.last()
    assert os.getsid(record.pid) != os.getsid(0)
    assert os.readlink(f"/proc/{record.pid}/fd/0") == "/dev/null"
    assert folder.stop() == [record.pid]
    assert is_gone(record.pid)
    assert folder.last() is None


def test_a_process_that_ignores_sigterm_is_killed(folder: ServiceFolder) -> None:
    record = folder.start(_STUBBORN, "sleep", "127.0.0.1:1")
    _begun(folder)
    began = time.monotonic()
    assert folder.stop(patience_s=0.3) == [record.pid]
    assert 0.3 <= time.monotonic() - began < 3
    assert is_gone(record.pid)


def test_a_reused_process_id_is_not_ours_and_is_not_ended(folder: ServiceFolder) -> None:
    record = {"pid": os.getpid(), "kind": "sleep", "address": "127.0.0.1:1"}
    (folder.path / "process.json").write_text(json.dumps(record))
    assert folder.last() == Record(**record)
    assert folder.running() is None
    assert folder.stop() == []


def test_a_process_without_a_record_is_found_and_ended(folder: ServiceFolder) -> None:
    record = folder.start(_SLEEP, "sleep", "127.0.0.1:1")
    (folder.path / "process.json").unlink()
    assert list(folder.strays()) == [record.pid]
    assert folder.stop() == [record.pid]
    assert is_gone(record.pid)


def test_a_torn_record_counts_as_none(folder: ServiceFolder) -> None:
    (folder.path / "process.json").write_text('{"pid": 12')
    assert folder.running() is None


def test_a_long_log_is_set_aside(folder: ServiceFolder) -> None:
    folder.log.write_bytes(b"x" * (6 << 20))
    folder.start(_SLEEP, "sleep", "127.0.0.1:1")
    _begun(folder)
    assert folder.log.stat().st_size < 100
    assert folder.log.with_suffix(".log.1").stat().st_size == 6 << 20
