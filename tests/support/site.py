"""A worker and a player as processes, as a person starts them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from segue import services
from segue.settings import Settings
from support.small_run import environment
from support.visitor import kernels_under
from support.waiting import wait_until


class Process:
    """A command of Segue's that is to be up during a test."""

    def __init__(self, settings: Settings, log: Path, *arguments: str) -> None:
        self.settings, self.log, self.arguments = settings, log, arguments
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "segue.cli", *self.arguments],
                env=environment(self.settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def stop(self, how: int = signal.SIGTERM) -> int:
        """End it and return its exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(30)

    def kernels(self) -> list[int]:
        """Return the process ids of the kernels under it that have a page, or had one."""
        assert self.process is not None
        return kernels_under(self.process.pid)


class Site:
    """Where the player serves, and the processes behind it."""

    def __init__(self, settings: Settings, logs: Path, port: int = 0) -> None:
        self.settings = settings
        self.worker = Process(settings, logs / "worker.log", "worker")
        self.player = Process(settings, logs / "player.log", "player", "--port", str(port))
        self.address = ""

    @contextmanager
    def serving(self) -> Iterator["Site"]:
        """Serve until the block ends."""
        self.worker.start()
        try:
            self.start_player()
            yield self
        finally:
            assert self.player.stop() == 0, self.player.log.read_text()
            assert self.worker.stop() == 0, self.worker.log.read_text()

    def start_player(self) -> None:
        """Start the player and wait until it serves."""
        file = self.settings.address_file("player")
        file.unlink(missing_ok=True)
        self.player.start()
        wait_until(file.exists, 60, f"the player serves, see {self.player.log}")
        self.address = file.read_text().strip().rstrip("/")


def service_pid(settings: Settings, name: str) -> int:
    """Return the process id of a local service."""
    found = next(each for each in services.status(settings) if each.name == name)
    assert found.pid is not None
    return found.pid


def end_service(settings: Settings, name: str, how: int) -> None:
    """End a local service from outside, so that `services up` brings it back at its port."""
    pid = service_pid(settings, name)
    os.kill(pid, how)
    wait_until(lambda: not psutil.pid_exists(pid), 30, f"{name} has ended")
