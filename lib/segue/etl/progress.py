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
    """Shows ``done`` and ``failed`` of ``total`` twice a second while it is open.

    ``read`` returns ``(done, failed)`` and is called from a thread.
    """

    def __init__(self, total: int, read: Callable[[], tuple[int, int]]) -> None:
        self.total = total
        self._read = read
        self._started = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._handle = _notebook_display()
        self._file = os.environ.get(PROGRESS_FILE)

    def line(self) -> str:
        """Return the state in words: done, failed, rate, time left."""
        done, failed = self._read()
        meter = tqdm.format_meter(
            done, self.total, time.monotonic() - self._started, ncols=80, prefix="ETL", unit=" files"
        )
        return f"{meter}, {failed} failed"

    def _show(self) -> None:
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
        if self._handle is None and sys.stderr.isatty():
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
