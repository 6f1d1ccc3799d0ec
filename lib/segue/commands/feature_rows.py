"""Files named on the command line, analysed by several children at once, in the order given."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
from fsspec import AbstractFileSystem

from segue.audio.analyse import Analysed, Analyser
from segue.audio.reading import Rejected
from segue.dataset.base import OK
from segue.dataset.inventory import escape, is_audio_name, join, open_root, scan
from segue.settings import Settings

_AHEAD = 4
"""Files for each child that are begun or done before the next row is taken: what bounds the memory."""


@dataclass(frozen=True, slots=True)
class File:
    """A file to analyse: its escaped path as shown, where it is, its bytes (None: it cannot be read)."""

    path: str
    fs: AbstractFileSystem
    opened: str
    size: int | None
    from_folder: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A file's outcome; ``vector`` is float32[518] if the status is ``ok``, ``detail`` says why not."""

    path: str
    status: str
    detail: str
    warnings: tuple[str, ...]
    vector: np.ndarray | None


def find_files(names: Iterable[str]) -> list[File]:
    """Return each file named, and each file below each folder named, in this order.

    A folder's files are sorted by their paths; links in it are not followed. Names may be fsspec URLs.

    Raises
    ------
    SegueError
        If a folder cannot be read, or nothing can open such a URL.
    """
    found = []
    for name in names:
        fs, base = open_root(name)
        shown = escape(os.fsencode(name)).rstrip("/") or "/"
        if fs.isdir(base):
            found += [
                File(f"{shown.rstrip('/')}/{entry.path}", fs, join(base, entry.path), entry.size, True)
                for entry in scan(name)
            ]
        else:
            found.append(File(shown, fs, base, _size(fs, base), False))
    return found


def _size(fs: AbstractFileSystem, path: str) -> int | None:
    try:
        return fs.info(path)["size"]
    except OSError:
        return None


class Extraction:
    """Analyses files in ``jobs`` children; leaving the context ends them, also in the middle of a file."""

    def __init__(self, settings: Settings, jobs: int) -> None:
        self._analysers = [Analyser(settings) for _ in range(jobs)]
        self._idle: queue.SimpleQueue[Analyser] = queue.SimpleQueue()
        for analyser in self._analysers:
            self._idle.put(analyser)
        self._threads = ThreadPoolExecutor(jobs)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            for analyser in self._analysers:
                if analyser.pid is not None:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(analyser.pid, signal.SIGKILL)
        self._threads.shutdown()
        for analyser in self._analysers:
            analyser.close()

    def rows(self, files: Iterable[File]) -> Iterator[Row]:
        """Yield one row for each file, in their order."""
        begun: deque[Future[Row]] = deque()
        for file in files:
            begun.append(self._threads.submit(self._row, file))
            if len(begun) >= _AHEAD * len(self._analysers):
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()

    def _row(self, file: File) -> Row:
        if file.from_folder and not is_audio_name(file.opened):
            return Row(file.path, "ignored", "is not audio by its extension", (), None)
        if file.size is None:
            return Row(file.path, "missing", "cannot be read: check that it is there and allowed", (), None)
        analyser = self._idle.get()
        try:
            made, _ = analyser.analyse(file.fs, file.opened, file.size)
        finally:
            self._idle.put(analyser)
        if isinstance(made, Rejected):
            return Row(file.path, made.status, made.detail, (), None)
        assert isinstance(made, Analysed)
        return Row(file.path, OK, "", tuple(made.warnings), made.vector)
