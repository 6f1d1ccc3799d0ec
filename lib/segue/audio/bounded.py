"""A program whose output is read within bounds of time and memory, and that never outlives its reader."""

from __future__ import annotations

import ctypes
import os
import resource
import selectors
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

_PIPE_BYTES = 1 << 18
_WORDS = 2000
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class TookTooLong(Exception):
    """The program had not ended at its deadline."""


class BoundedProcess:
    """Iterates over what a program writes; the program is ended whenever the iteration ends.

    Parameters
    ----------
    command
        The program's path and its arguments; no shell sees them.
    files
        Descriptors that the program shares with this process.
    memory_mib
        Address space that it may take, its libraries included.
    deadline
        What `time.monotonic` may show at the latest.

    Attributes
    ----------
    status
        How it ended: 0, an exit status, or minus the number of a signal.
    words
        The first characters that it wrote as errors.
    """

    def __init__(
        self, command: Sequence[str], files: Sequence[int], memory_mib: int, deadline: float
    ) -> None:
        self.status = 0
        self.words = ""
        self._command = command
        self._files = files
        self._memory_mib = memory_mib
        self._deadline = deadline

    def __iter__(self) -> Iterator[bytes]:
        """Start the program and yield its output as it comes.

        Raises
        ------
        TookTooLong
            At the deadline.
        """
        words = bytearray()
        with self._started() as process, selectors.DefaultSelector() as pipes:
            pipes.register(process.stdout, selectors.EVENT_READ)  # type: ignore[arg-type]
            pipes.register(process.stderr, selectors.EVENT_READ)  # type: ignore[arg-type]
            while pipes.get_map():
                left_s = self._deadline - time.monotonic()
                ready = pipes.select(left_s) if left_s > 0 else []
                if not ready:
                    raise TookTooLong(self._command[0])
                for key, _ in ready:
                    data = os.read(key.fd, _PIPE_BYTES)
                    if not data:
                        pipes.unregister(key.fileobj)
                    elif key.fileobj is process.stderr:
                        words += data[: _WORDS - len(words)]
                    else:
                        yield data
            self.words = words.decode("utf-8", "replace")
            self.status = process.wait()

    @contextmanager
    def _started(self) -> Iterator[subprocess.Popen[bytes]]:
        with warnings.catch_warnings():
            # Between fork and exec only system calls are made, which need no lock of another thread.
            warnings.filterwarnings("ignore", ".*multi-threaded.*fork", DeprecationWarning)
            process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=self._files,
                preexec_fn=partial(_bind, self._memory_mib, os.getpid()),  # noqa: PLW1509 - system calls only
            )
        try:
            yield process
        finally:
            process.kill()
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
            process.wait()


def _bind(memory_mib: int, parent: int) -> None:
    """Bound this process's memory, and tie its life to its parent's."""
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    wanted = memory_mib << 20
    soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_AS, (soft, soft))
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
