"""Refits on a schedule beside a live worker: a child process at low priority, never two at once."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from segue.settings import Settings

COMMAND = (sys.executable, "-m", "segue.cli", "refit", "--json", "--while-asked")
"""What a schedule runs; `--while-asked`: it ends with whoever holds its standard input open."""

_NICE = 10
_END_S = 15.0
_log = logging.getLogger(__name__)


class RefitSchedule:
    """Runs `segue refit` every so often, in this process's group, for as long as this process lives.

    It starts and ends nothing by itself: whoever owns it calls `poll` now and then, and `stop` at the end.

    Parameters
    ----------
    settings
        Of the data set; ``settings.home`` holds the runs and the log.
    every_s
        Seconds between the end of a refit and the start of the next.
    first_s
        Seconds before the first one; by default as long.
    command
        What is run.
    report
        Told what came of each.
    clock
        Seconds that only grow.
    """

    def __init__(
        self,
        settings: Settings,
        every_s: float,
        *,
        first_s: float | None = None,
        command: Sequence[str] = COMMAND,
        report: Callable[[str], object] = _log.info,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._every_s, self._command = settings, every_s, command
        self._report, self._clock = report, clock
        self._due = clock() + (every_s if first_s is None else first_s)
        self._child: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None

    @property
    def log(self) -> Path:
        """Return the file that a refit's progress goes to."""
        return self._settings.var / "logs" / "refit.log"

    @property
    def running(self) -> bool:
        """Tell whether a refit is at work."""
        return self._child is not None

    def poll(self) -> None:
        """Start a refit that is due, or report one that has ended; never waits."""
        if self._child is not None:
            if self._child.poll() is not None:
                self._ended()
        elif self._clock() >= self._due:
            self._start()

    def stop(self) -> None:
        """End a refit that is at work: it goes on from there next time."""
        if self._child is None:
            return
        self._child.terminate()
        try:
            self._child.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._forget()

    def _start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        result = self.log.with_suffix(".json")
        self._output = result.open("w+b")
        with self.log.open("wb") as log:
            self._child = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=self._output,
                stderr=log,
                env=os.environ | {"SEGUE_HOME": os.fspath(self._settings.home.absolute())},
            )
        # What it starts itself inherits this.
        os.setpriority(os.PRIO_PROCESS, self._child.pid, _NICE)
        self._report(f"refit: started (process {self._child.pid}, progress in {self.log})")

    def _ended(self) -> None:
        assert self._child is not None
        assert self._output is not None
        status = self._child.returncode
        self._output.seek(0)
        told = self._output.read()
        self._forget()
        if status == 0:
            self._report(f"refit: {json.loads(told)['why']}")
        else:
            lines = self.log.read_text(errors="replace").strip().splitlines() or ["nothing was said"]
            self._report(f"refit: failed with status {status}, the run that serves stays: {lines[-1]}")

    def _forget(self) -> None:
        assert self._child is not None
        if self._child.stdin is not None:
            self._child.stdin.close()
        if self._output is not None:
            self._output.close()
        self._child = self._output = None
        self._due = self._clock() + self._every_s
