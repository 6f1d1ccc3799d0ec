"""From a collection to a player that serves: services, notebooks, worker and player, until told to stop."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from segue import services
from segue.errors import SegueError
from segue.pipeline.console import Console
from segue.pipeline.lock import held_by, locked
from segue.services.process import Record, ServiceFolder, is_gone
from segue.settings import Settings

_POLL_S = 0.1
_START_S = 60.0
_END_S = 15.0
_RESTARTS = 5


def listen(settings: Settings, given: Sequence[tuple[str, str]], console: Console) -> None:
    """Bring a collection to a serving player, and hold it up until Ctrl-C, SIGTERM or the terminal's end.

    What runs already is used and left running; what is started here is ended here.

    Parameters
    ----------
    settings
        Where things are, and on which address the player serves.
    given
        Names and values of the notebooks' parameters, as for `segue.pipeline.job.run_pipeline`.
    console
        Where the progress goes.

    Raises
    ------
    UsageError
        If a name or value is wrong; nothing has run.
    SegueError
        If something fails; what was started has been ended.
    """
    lock = settings.var / "player" / "listen.lock"
    holder = held_by(lock)
    if holder:
        raise SegueError(
            f"another `segue demo` or `segue listen` (process {holder}) holds the player up here: use that "
            "one, end it with Ctrl-C, or set SEGUE_HOME to another folder"
        )
    with _one_interruption(), locked(lock, "the player"), contextlib.ExitStack() as started:
        _serve(settings, given, console, started)
    console.line("Ended.")


def _serve(
    settings: Settings, given: Sequence[tuple[str, str]], console: Console, started: contextlib.ExitStack
) -> None:
    from segue.pipeline.job import run_pipeline

    began = time.monotonic()
    down = [each.name for each in services.status(settings) if each.state in ("down", "unhealthy")]
    started.callback(lambda: services.down(settings, lambda _: None, down))
    run_pipeline(settings, given, console=console)
    services.up(settings, lambda _: None)
    worker = _Process(settings, "worker", [])
    player = _Process(
        settings, "player", ["--host", settings.player_host, "--port", str(settings.player_port)]
    )
    for process in (worker, player):
        started.callback(process.stop)
        process.start()
    address = player.address()
    console.line()
    console.line(f"Segue plays at {address}  (ready after {time.monotonic() - began:.0f} s)")
    console.line("Open it in a browser, sign up, and like something. Ctrl-C ends it.")
    console.line(f"The notebooks as pages: {settings.runs / 'current' / '01_etl.html'}")
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(_POLL_S)
            for process in (worker, player):
                if process.has_ended():
                    console.line(f"The {process.name} ended by itself (see {process.log}): starting it again")
                    process.restart()
    console.line("Ending what was started here …")


class _Process:
    """The worker or the player as a process of its own, kept apart from this terminal's Ctrl-C."""

    def __init__(self, settings: Settings, name: str, arguments: Sequence[str]) -> None:
        self.name = name
        self._settings = settings
        self._folder = ServiceFolder(settings.var / "services" / name)
        home = f"SEGUE_HOME={settings.home.absolute()}"
        self._command = ["env", home, sys.executable, "-m", "segue.cli", name, *arguments]
        self._restarts = 0
        self._record: Record | None = None

    @property
    def log(self) -> str:
        """Return the path of what it writes."""
        return os.fspath(self._folder.log)

    def start(self) -> None:
        """Start it, after ending one that an earlier, killed command left behind."""
        self._folder.path.mkdir(parents=True, exist_ok=True)
        self.stop()
        self._settings.address_file(self.name).unlink(missing_ok=True)
        self._record = self._folder.start(self._command, self.name, "")

    def restart(self) -> None:
        """Start it again after it has ended by itself; raises SegueError when that happens too often."""
        self._restarts += 1
        if self._restarts > _RESTARTS:
            raise SegueError(f"the {self.name} does not stay up: see the end of {self.log}")
        self.start()

    def stop(self) -> None:
        """End it, asking first."""
        self._folder.stop(patience_s=_END_S)

    def has_ended(self) -> bool:
        """Tell whether it has ended without being told to."""
        return self._record is not None and is_gone(self._record.pid)

    def address(self) -> str:
        """Wait until it serves and return its address; raises SegueError when it does not."""
        file = self._settings.address_file(self.name)
        limit = time.monotonic() + _START_S
        while time.monotonic() < limit and not self.has_ended():
            if file.exists():
                return file.read_text().strip()
            time.sleep(_POLL_S)
        raise SegueError(f"the {self.name} does not start: see the end of {self.log}")


@contextmanager
def _one_interruption() -> Iterator[None]:
    """Make the first Ctrl-C, SIGTERM or SIGHUP a KeyboardInterrupt; later ones do not disturb the ending."""
    told: list[int] = []

    def hear(number: int, _: FrameType | None) -> None:
        told.append(number)
        if len(told) == 1:
            raise KeyboardInterrupt

    before = {each: signal.signal(each, hear) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
