"""One service as a detached process: its folder, its record, its log, its end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from segue.errors import SegueError

MARK = "SEGUE_SERVICE"
"""Environment variable of every service: its folder. It tells our process from one that reuses its id."""

_LOG_BYTES = 5 << 20
_POLL_S = 0.05
# The shell goes at once, so the service has no parent here to leave it a zombie or to pass it a Ctrl-C.
_DETACH = '"$@" </dev/null >>"$0" 2>&1 & echo $!'


@dataclass(frozen=True, slots=True)
class Record:
    """What was started: process id, kind of service and ``host:port``."""

    pid: int
    kind: str
    address: str

    @property
    def port(self) -> int:
        """Return the port of the address."""
        return int(self.address.rpartition(":")[2])


class ServiceFolder:
    """The folder ``var/services/NAME`` with everything of one local service."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.name = path.name
        self.log = self.path / f"{self.name}.log"
        self._record = self.path / "process.json"

    def last(self) -> Record | None:
        """Return what was started last, whether it still runs or not; None after an orderly end."""
        try:
            return Record(**json.loads(self._record.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def running(self) -> Record | None:
        """Return what was started last if it still runs."""
        record = self.last()
        return record if record and self.is_ours(record.pid) else None

    def is_ours(self, pid: int) -> bool:
        """Tell whether a live process is a service of this folder."""
        try:
            process = psutil.Process(pid)
            return process.status() != psutil.STATUS_ZOMBIE and process.environ().get(MARK) == os.fspath(
                self.path
            )
        except (psutil.Error, OSError):
            return False

    def listens(self, record: Record) -> bool:
        """Tell whether the recorded process itself holds its port, and not some other program."""
        try:
            sockets = psutil.Process(record.pid).net_connections("tcp")
        except (psutil.Error, OSError):
            return False
        return any(s.status == psutil.CONN_LISTEN and s.laddr.port == record.port for s in sockets)

    def strays(self) -> Iterator[int]:
        """Yield processes of this folder that no record names: their `up` was killed at the wrong moment."""
        known = self.last()
        for pid in psutil.pids():
            if not (known and known.pid == pid) and self.is_ours(pid):
                yield pid

    def start(self, command: Sequence[str | Path], kind: str, address: str) -> Record:
        """Start a command in this folder, detached from this process and its terminal.

        Raises
        ------
        SegueError
            If there is no such program.
        """
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        shell = subprocess.run(
            ["/bin/sh", "-c", _DETACH, self.log, *command],
            cwd=self.path,
            env={**os.environ, MARK: os.fspath(self.path)},
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            check=True,
        )
        record = Record(int(shell.stdout), kind, address)
        part = self._record.with_suffix(".part")
        part.write_text(json.dumps(asdict(record)))
        part.replace(self._record)
        return record

    def stop(self, *, patience_s: float = 20.0) -> list[int]:
        """End what runs in this folder, asking first, and return the process ids."""
        record = self.running()
        ended = [*([record.pid] if record else []), *self.strays()]
        for pid in ended:
            end(pid, patience_s)
        self._record.unlink(missing_ok=True)
        return ended


def end(pid: int, patience_s: float) -> None:
    """Send SIGTERM, and SIGKILL to a process that is still there after ``patience_s`` seconds.

    Raises
    ------
    SegueError
        If the process outlives even that.
    """
    for name, wait_s in ((signal.SIGTERM, patience_s), (signal.SIGKILL, 10.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, name)
        limit = time.monotonic() + wait_s
        while time.monotonic() < limit:
            if is_gone(pid):
                return
            time.sleep(_POLL_S)
    raise SegueError(f"process {pid} does not end: end it by hand with `kill -9 {pid}`")


def is_gone(pid: int) -> bool:
    """Tell whether a process has ended; one that only waits to be collected by its parent has."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
