"""A progress line for a person: in a terminal, in a notebook, and for a parent process that shows it."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tqdm import tqdm

PROGRESS_FILE = "SEGUE_PROGRESS_FILE"
"""Environment variable: a file that holds the newest progress line, read by `segue run`."""


class Progress:
    """Shows ``done`` and ``failed`` of ``total`` twice a second while it is open, and keeps a timeline.

    Parameters
    ----------
    total
        Files to be done.
    read
        Returns ``(done, failed)``; called from a thread.
    started
        `time.monotonic` when the job began.
    show
        Whether a person is shown a line.
    """

    def __init__(
        self, total: int, read: Callable[[], tuple[int, int]], started: float, show: bool = True
    ) -> None:
        self.total = total
        self.timeline: list[tuple[float, int]] = []
        """Seconds since the job began and files done by then, whenever there were more; the first is 0."""
        self._read = read
        self._job_started = started
        self._started = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._show_line = show and total > 0
        self._handle = _notebook_display() if self._show_line else None
        self._file = os.environ.get(PROGRESS_FILE) if self._show_line else None

    def line(self) -> str:
        """Return the state in words: done, failed, rate, time left."""
        done, failed = self._read()
        meter = tqdm.format_meter(
            done, self.total, time.monotonic() - self._started, ncols=80, prefix="ETL", unit=" files"
        )
        return f"{meter}, {failed} failed"

    def _note(self) -> None:
        done = self._read()[0]
        if not self.timeline or done > self.timeline[-1][1]:
            self.timeline.append((time.monotonic() - self._job_started, done))

    def _show(self) -> None:
        self._note()
        if not self._show_line:
            return
        line = self.line()
        if self._handle is not None:
            self._handle.update({"text/plain": line}, raw=True)
        elif sys.stderr.isatty():
            sys.stderr.write(f"\r{line}")
        if self._file:
            part = Path(self._file + ".part")
            part.write_text(line)
            part.replace(self._file)

    def _run(self) -> None:
        while not self._stop.wait(0.5):
            self._show()

    def __enter__(self) -> Self:
        self._show()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._show()
        if self._show_line and self._handle is None and sys.stderr.isatty():
            sys.stderr.write("\n")


def _notebook_display() -> Any:
    """Return a handle that replaces its own output, in a notebook; None elsewhere."""
    if "IPython" not in sys.modules:
        return None
    from IPython.core.getipython import get_ipython
    from IPython.display import display

    shell = get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return None
    return display({"text/plain": ""}, raw=True, display_id=True)
