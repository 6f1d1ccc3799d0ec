"""The player's server and the worker as processes, and what the server's kernels weigh."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil

from segue.player.leash import SEATED
from segue.settings import Settings

MIB = 2**20
_START_S = 120.0
_MARK = "SEGUE_BENCHMARK"
_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.M)


class Server:
    """`segue player`, which can be killed and started again on the same port.

    Its kernels, fork server and gateway are told by a variable that they inherit from it, as they must be
    found when they are nobody's children any more.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._mark = uuid.uuid4().hex
        self.address = ""
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """Return the file of what it prints."""
        return self._settings.home / "player.out"

    def start(self, port: int = 0) -> None:
        """Start it and wait until it answers."""
        file = self._settings.address_file("player")
        file.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "segue.cli", "player", "--port", str(port)],
                env=environment(self._settings) | {_MARK: self._mark}, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        limit = time.monotonic() + _START_S
        while not (file.exists() and file.read_text()):
            if self.process.poll() is not None or time.monotonic() > limit:
                raise SystemExit(f"the player does not serve:\n{self.log.read_text()[-2_000:]}")
            time.sleep(0.05)
        self.address = file.read_text().strip().rstrip("/")

    def kill(self) -> set[int]:
        """End it at once, and return the processes that it leaves behind at this moment."""
        assert self.process is not None
        left = set(self.helpers())
        self.process.kill()
        self.process.wait()
        return left

    def restart(self) -> None:
        """Start it again where it was."""
        self.start(int(self.address.rpartition(":")[2]))

    def stop(self) -> None:
        """End it in order."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def helpers(self) -> list[int]:
        """Return the process ids of kernels, fork server and gateway."""
        assert self.process is not None
        return [pid for pid in marked(self._mark) if pid != self.process.pid]

    def kernels(self) -> list[int]:
        """Return the process ids of the kernels that have a page, or had one."""
        found = []
        for pid in self.helpers():
            with contextlib.suppress(psutil.NoSuchProcess):
                if psutil.Process(pid).name() == SEATED:
                    found.append(pid)
        return found

    def server_mib(self) -> float:
        """Return the proportional set size of the server alone."""
        assert self.process is not None
        return pss_mib([self.process.pid])


@contextlib.contextmanager
def worker(settings: Settings) -> Iterator[None]:
    """Run `segue worker` until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "segue.cli", "worker"], env=environment(settings), stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        if not process.stdout.readline():
            raise SystemExit("the worker ended before it was ready")
        yield
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


def environment(settings: Settings) -> dict[str, str]:
    """Return the variables that make a command use these services."""
    return os.environ | {
        "SEGUE_HOME": str(settings.home), "SEGUE_KAFKA": settings.kafka_bootstrap,
        "SEGUE_MONGO": settings.mongo_uri,
    }  # fmt: skip


def marked(mark: str) -> list[int]:
    """Return the living processes whose environment holds a mark."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(_MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found


def alive(pids: set[int]) -> set[int]:
    """Return those processes that still run."""
    found = set()
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.add(pid)
    return found


def pss_mib(pids: list[int]) -> float:
    """Return the proportional set size of processes: memory that is shared counts once in all."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            found = _PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
            total += int(found[1]) if found else 0
    return total * 1024 / MIB
