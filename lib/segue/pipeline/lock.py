"""One writer at a time: a lock that the running kernel shares, so that it ends with the last of them."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from segue.errors import SegueError

_KERNEL_ENDS_S = 15.0
"""Seconds in which the kernel of a killed run has noticed that it is alone and ended."""


@contextmanager
def locked(file: Path, what: str) -> Iterator[int]:
    """Hold the lock ``file``; yields its descriptor, which a child may inherit to hold it too.

    Raises
    ------
    SegueError
        If another process holds it. One that was killed is waited for until its kernel has ended.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _acquire(descriptor, what)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def held_by(file: Path) -> int:
    """Return the process that holds the lock ``file``, or 0 if none does."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return 0
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(os.pread(descriptor, 20, 0).decode() or "0")
    else:
        return 0
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, what: str) -> None:
    until = time.monotonic() + _KERNEL_ENDS_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            holder = os.pread(descriptor, 20, 0).decode() or "0"
            if _is_alive(int(holder)) or time.monotonic() > until:
                raise SegueError(
                    f"another `segue run` (process {holder}) is at work on {what}: wait until it has ended"
                ) from None
            time.sleep(0.2)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid > 0
