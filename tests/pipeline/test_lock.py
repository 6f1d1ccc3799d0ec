"""One writer at a time, and a killed one does not lock the next out."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from segue.errors import SegueError
from segue.pipeline.lock import locked

HOLD = """
import subprocess, sys, time
from pathlib import Path
from segue.pipeline.lock import locked
with locked(Path(sys.argv[1]), "the run") as lock:
    if len(sys.argv) > 2:
        subprocess.Popen(["sleep", sys.argv[2]], pass_fds=(lock,), stdout=subprocess.DEVNULL)
    print("held", flush=True)
    time.sleep(60)
"""


def hold(file: Path, *arguments: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(file), *arguments], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_a_second_writer_is_refused_and_told_who_holds_it(tmp_path: Path):
    process = hold(tmp_path / "lock")
    try:
        with pytest.raises(SegueError, match=rf"process {process.pid}\) is at work on the run"):
            locked(tmp_path / "lock", "the run").__enter__()
    finally:
        end(process)
    with locked(tmp_path / "lock", "the run"):
        pass


def test_after_a_kill_the_lock_is_waited_for_until_the_kernel_ends(tmp_path: Path):
    process = hold(tmp_path / "lock", "1.5")
    end(process)
    started = time.monotonic()
    with locked(tmp_path / "lock", "the run"):
        assert 0.5 < time.monotonic() - started < 10
