"""From a web address to a file: in as many attempts as it takes, never two versions spliced together."""

from __future__ import annotations

import errno
import json
import os
import shutil
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from segue.dataset.fetch.http import Answer, NotThisRange, PassingFault, Version, ask
from segue.dataset.fetch.progress import Progress
from segue.dataset.fetch.sources import Source
from segue.errors import SegueError

_BLOCK = 1 << 18
_MOST_PAUSE_S = 60.0
_WORTH_IT = 1 << 20
"""Bytes that an attempt must bring to count as a success: a long download may break any number of times."""

Report = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server is waited for, and how often it is tried.

    ``timeout_s`` limits connecting and each silence; ``attempts`` in a row may bring next to nothing;
    ``pause_s`` is waited before the second one and doubled each time; less than ``slowest`` bytes a second
    over ``timeout_s`` is as bad as silence.
    """

    timeout_s: float = 30.0
    attempts: int = 6
    pause_s: float = 1.0
    slowest: float = 1024.0


def state_file(part: Path) -> Path:
    """Return the file that says which version of a file ``part`` is the beginning of."""
    return part.with_name(f"{part.name}.json")


def discard(part: Path) -> None:
    """Remove an unfinished download."""
    part.unlink(missing_ok=True)
    state_file(part).unlink(missing_ok=True)


class Download:
    """Brings one source's archive to the file ``part``, going on where an earlier attempt broke off.

    Parameters
    ----------
    source
        What to fetch.
    part
        Where to; beside it `state_file` is kept until `run` is done.
    room
        Bytes that must be free beyond the archive itself.
    """

    def __init__(self, source: Source, part: Path, patience: Patience, report: Report, room: int = 0) -> None:
        self._source = source
        self._part = part
        self._patience = patience
        self._report = report
        self._room = room
        self._ranges = True

    def run(self) -> None:
        """Download until the whole is there; what it holds is not verified yet.

        Raises
        ------
        SegueError
            If it cannot be had, is not what the source says, or does not fit on the disk. What came is
            kept where going on can help.
        """
        failed, reached = 0, self._size()
        while True:
            try:
                self._attempt()
                return
            except PassingFault as fault:
                got = self._size()
                failed = 1 if got >= reached + _WORTH_IT else failed + 1
                reached = max(reached, got)
                if failed >= self._patience.attempts:
                    raise SegueError(
                        f"{self._source.url}: {fault}, {failed} times in a row: run the same command again "
                        "later, it goes on from here; or name a folder that has the file with --mirror"
                    ) from None
                self._pause(fault, failed)

    def _pause(self, fault: PassingFault, failed: int) -> None:
        pause = max(min(self._patience.pause_s * 2 ** (failed - 1), _MOST_PAUSE_S), fault.wait_s)
        self._report(
            f"{self._source.archive}: {fault}; trying again in {pause:.3g} s "
            f"({failed + 1} of {self._patience.attempts})"
        )
        time.sleep(pause)

    def _attempt(self) -> None:
        version, start = self._kept()
        try:
            answer = ask(self._source.url, start, version, self._patience.timeout_s)
        except NotThisRange:
            self._ranges = False
            raise PassingFault("the server sends another part than was asked for") from None
        with closing(answer.body):
            if answer.beyond:
                if answer.total == start:
                    return
                discard(self._part)
                raise PassingFault(f"the server has no more after {start:,} bytes, the part does not belong")
            self._check(answer, version, start)
            self._take(answer)

    def _kept(self) -> tuple[Version, int]:
        """Return the version and size of the part; none and 0 if there is no going on from it."""
        try:
            state = json.loads(state_file(self._part).read_text(encoding="utf-8"))
            version = Version(str(state["etag"]), str(state["modified"]), int(state["size"]))
            same = state["url"] == self._source.url and self._part.stat().st_size > 0
        except (OSError, ValueError, KeyError, TypeError):
            return Version(), 0
        # Where nothing tells the version, only a checksum can tell afterwards that two were spliced.
        safe = bool(version.condition) or self._source.checksum is not None
        return (version, self._size()) if same and safe and self._ranges else (Version(), 0)

    def _check(self, answer: Answer, version: Version, start: int) -> None:
        """Hold what the server announces against what is known, before anything is written."""
        source = self._source
        if answer.total is not None:
            if source.exact and answer.total != source.size:
                discard(self._part)
                raise SegueError(
                    f"{source.url} has {answer.total:,} bytes, and {source.archive} should have "
                    f"{source.size:,}: it is another file now, or the server's mistake; nothing was fetched"
                )
            if answer.total > source.most_bytes:
                discard(self._part)
                raise SegueError(
                    f"{source.url} has {answer.total:,} bytes, far more than the {source.size:,} expected: "
                    "nothing was fetched"
                )
        if start and answer.start and not _agree(version, answer.version):
            discard(self._part)
            raise PassingFault("the file on the server is another one now: starting over")
        if start and not answer.start:
            self._report(f"{source.archive}: the server sends it from the beginning: starting over")
        check_room(self._part.parent, (answer.total or source.size) - answer.start + self._room)

    def _take(self, answer: Answer) -> None:
        state = {"url": self._source.url, **asdict(answer.version)}
        expected = answer.total or (self._source.size if self._source.exact else None)
        try:
            with open(self._part, "r+b" if answer.start else "wb") as file:
                if answer.start:
                    file.truncate(answer.start)
                state_file(self._part).write_text(json.dumps(state), encoding="utf-8")
                file.seek(answer.start)
                with Progress(self._source.archive, expected, answer.start) as progress:
                    got = self._copy(answer, file, progress)
        except OSError as error:
            raise _disk(error, self._part) from None
        if expected is not None and got < expected:
            raise PassingFault(f"it breaks off after {got:,} of {expected:,} bytes")

    def _copy(self, answer: Answer, file: BinaryIO, progress: Progress) -> int:
        """Write what comes, and return the size of the part; the file never holds more than it may."""
        most = self._source.most_bytes if answer.total is None else answer.total
        got = answer.start
        slow = _Slowness(self._patience)
        while block := answer.read(_BLOCK):
            if got + len(block) > most:
                file.close()
                discard(self._part)
                raise SegueError(
                    f"{self._source.url} sends more than the {most:,} bytes it should have: it was cut off, "
                    "and what came is removed"
                )
            file.write(block)
            got += len(block)
            progress.add(len(block))
            slow.add(len(block))
        return got

    def _size(self) -> int:
        try:
            return self._part.stat().st_size
        except FileNotFoundError:
            return 0


class _Slowness:
    """Raises `PassingFault` when less than the least rate has come over a whole timeout."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._since = time.monotonic()
        self._count = 0

    def add(self, count: int) -> None:
        self._count += count
        passed = time.monotonic() - self._since
        if passed < self._patience.timeout_s:
            return
        if self._count < self._patience.slowest * passed:
            raise PassingFault(f"only {self._count / passed:,.0f} bytes a second come")
        self._since, self._count = time.monotonic(), 0


def check_room(folder: Path, needed: int) -> None:
    """Refuse work that the disk has no room for.

    Raises
    ------
    SegueError
        If fewer than ``needed`` bytes are free.
    """
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise SegueError(
            f"{folder} needs {needed / 2**30:,.2f} GiB more and has {free / 2**30:,.2f} GiB free: make "
            "room, or name another folder with --to; --no-unpack needs less"
        )


def _agree(one: Version, other: Version) -> bool:
    """Tell whether two versions can be the same: what both name is equal."""
    pairs = ((one.etag, other.etag), (one.modified, other.modified), (one.size, other.size))
    return all(a == b for a, b in pairs if a and b)


def _disk(error: OSError, part: Path) -> SegueError:
    mend = "make room" if error.errno in {errno.ENOSPC, errno.EDQUOT} else "allow writing there"
    return SegueError(
        f"{part} cannot be written ({os.strerror(error.errno or errno.EIO)}): {mend} and run the same "
        "command again, it goes on from here"
    )
