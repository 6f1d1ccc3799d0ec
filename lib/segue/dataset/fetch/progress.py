"""How far a long copy has come: a moving line in a terminal, elsewhere a line now and then."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import Self, TextIO

from tqdm import tqdm

_MOVES_S = 0.25
_QUIET_S = 30.0


class Progress:
    """Shows bytes, rate and time left of one piece of work while it is open.

    Parameters
    ----------
    what
        What is being done, in a few words.
    total
        Bytes in all; None if nobody knows.
    start
        Bytes that were there before; they do not count for the rate.
    stream
        Where it goes; None for standard error.
    """

    def __init__(self, what: str, total: int | None, start: int = 0, stream: TextIO | None = None) -> None:
        self._what = what
        self._total = total
        self._start = self._done = start
        self._stream = stream or sys.stderr
        self._moves = self._stream.isatty()
        self._lock = threading.Lock()
        self._began = self._shown = time.monotonic()

    def add(self, count: int) -> None:
        """Count ``count`` more bytes; from any thread."""
        with self._lock:
            self._done += count
            now = time.monotonic()
            if now - self._shown >= (_MOVES_S if self._moves else _QUIET_S):
                self._shown = now
                self._stream.write(f"\r\x1b[K{self.line()}" if self._moves else f"{self.line()}\n")
                self._stream.flush()

    def line(self) -> str:
        """Return the state in words: share, bytes, time passed and left, rate."""
        return tqdm.format_meter(
            self._done, self._total or 0, time.monotonic() - self._began, initial=self._start, ncols=90,
            prefix=self._what, unit="B", unit_scale=True, unit_divisor=1024,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._moves:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
