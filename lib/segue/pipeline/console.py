"""What `segue run` tells a person: a line for each cell, and a moving one where there is a terminal."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from pathlib import Path
from typing import TextIO

_QUIET_S = 30.0
"""Seconds between two signs of life where there is no terminal to keep a moving line in."""


class Console:
    """Lines of progress on a stream.

    Parameters
    ----------
    stream
        Where they go; None for standard output.

    Attributes
    ----------
    progress
        A file whose newest line, if there is one, is shown while a cell runs.
    """

    progress: Path | None = None

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._terminal = self._stream.isatty()
        self._label = ""
        self._started = 0.0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def line(self, text: str = "") -> None:
        """Print a line."""
        self.clear()
        print(text, file=self._stream, flush=True)

    def begin(self, label: str) -> None:
        """Show that something has begun; `end` or `clear` ends it."""
        self._label = label
        self._started = time.monotonic()
        if self.progress is not None:
            self.progress.unlink(missing_ok=True)
        self._stop.clear()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def end(self, seconds: float, ok: bool = True) -> None:
        """Print the finished line of what `begin` named."""
        self.clear()
        width = 84
        label = self._label if len(self._label) <= width else self._label[: width - 1] + "…"
        print(f"{label:{width}} {seconds:7.1f} s{'' if ok else '  failed'}", file=self._stream, flush=True)

    def clear(self) -> None:
        """Stop the moving line and wipe it."""
        if self._thread is None:
            return
        self._stop.set()
        self._thread.join()
        self._thread = None
        if self._terminal:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def _follow(self) -> None:
        while not self._stop.wait(0.5 if self._terminal else _QUIET_S):
            text = self._label
            newest = self._newest()
            passed = f"{time.monotonic() - self._started:.0f} s"
            if self._terminal:
                room = shutil.get_terminal_size().columns - 1
                self._stream.write(f"\r\x1b[K{f'{text}  {passed}  {newest}'[:room]}")
                self._stream.flush()
            elif newest:
                print(f"      … {newest}", file=self._stream, flush=True)

    def _newest(self) -> str:
        try:
            return self.progress.read_text(encoding="utf-8").strip() if self.progress else ""
        except FileNotFoundError:
            return ""
