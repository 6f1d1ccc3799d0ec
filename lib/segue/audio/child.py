"""A function run in a forked child, so that a crash or a hang costs one call and not the process."""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import resource
import signal
import threading
import time
import warnings
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

_GRACE_S = 5.0
_MIB = 1 << 20


class ChildCrashed(Exception):
    """The child died while it answered; the text names the signal or exit status."""


class ChildTimeout(Exception):
    """The child did not answer in time and was ended."""


class OutOfMemory(Exception):
    """Answering needed more memory than the child may allocate; the child goes on."""


class ForkedChild:
    """Answers requests by calling ``function`` in a child forked from this process.

    The child is forked at the first call, and again after it died. It shares this process's imports, holds
    none of its files and sockets, and ends with it.

    Parameters
    ----------
    function
        Takes and returns one picklable object. Large numpy arrays travel without being pickled. It must
        not use locks or thread pools that this process's other threads may hold. While another thread
        computes in OpenBLAS on several threads, its handler of forks may wait for ever; idle ones do no harm.
    memory_mib
        What the child may allocate beyond what this process had mapped at the fork, in MiB.
    """

    def __init__(self, function: Callable[[Any], Any], memory_mib: int) -> None:
        self._function = function
        self._memory_mib = memory_mib
        self._lock = threading.Lock()
        self._pid: int | None = None
        self._owner = os.getpid()
        self._pipe: Connection | None = None

    @property
    def pid(self) -> int | None:
        """Return the child's process id while there is one."""
        return self._pid

    def call(self, request: Any, timeout_s: float) -> Any:
        """Return what the function makes of ``request``.

        Raises
        ------
        ChildCrashed
            If the child died.
        ChildTimeout
            If there was no reply after ``timeout_s`` seconds.
        OutOfMemory
            If the function ran out of the memory it may use.
        Exception
            What the function raised.
        """
        with self._lock:
            pipe = self._running()
            try:
                pipe.send((request, timeout_s + _GRACE_S))
                if not pipe.poll(timeout_s):
                    raise ChildTimeout(f"no answer after {timeout_s:g} s")
                raised, value = _receive(pipe)
            except (EOFError, ConnectionError):
                raise ChildCrashed(self._end()) from None
            except BaseException:
                # Its reply, if one still comes, would be taken for the next request's.
                self._end(at_once=True)
                raise
        if raised:
            raise value
        return value

    def close(self) -> None:
        """End the child; a later call forks another."""
        with self._lock:
            self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self._end()

    def _running(self) -> Connection:
        if self._owner != os.getpid():
            # Forked along with this object: the child belongs to the parent process.
            self._owner, self._pid, self._pipe = os.getpid(), None, None
        if self._pid is not None and _wait(self._pid, 0) is not None:
            # It died between two calls: no request is to blame.
            self._pid = None
        if self._pid is None or self._pipe is None:
            self._pid, self._pipe = self._fork()
        return self._pipe

    def _fork(self) -> tuple[int, Connection]:
        ours, theirs = Pipe()
        with warnings.catch_warnings():
            # The child only runs `function`, which by contract takes no lock of another thread.
            warnings.filterwarnings("ignore", ".*multi-threaded.*fork", DeprecationWarning)
            pid = os.fork()
        if pid:
            theirs.close()
            return pid, ours
        try:
            _serve(self._function, theirs, self._memory_mib)
        finally:
            os._exit(1)

    def _end(self, at_once: bool = False) -> str:
        """End the child if it lives, reap it, and say how it died."""
        pid, pipe, self._pid, self._pipe = self._pid, self._pipe, None, None
        if pipe is not None:
            pipe.close()
        if pid is None or self._owner != os.getpid():
            return "there was no child"
        status = None if at_once else _wait(pid, 0.1)
        if status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            status = _wait(pid, None)
        if status is None:
            return "the child is gone"
        code = os.waitstatus_to_exitcode(status)
        return f"died of {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"


def _wait(pid: int, seconds: float | None) -> int | None:
    """Reap a child within some seconds; return its wait status, or None if it lives or was reaped."""
    deadline = None if seconds is None else time.monotonic() + seconds
    try:
        while True:
            reaped, status = os.waitpid(pid, 0 if deadline is None else os.WNOHANG)
            if reaped:
                return status
            if deadline is not None and time.monotonic() >= deadline:
                return None
            time.sleep(0.001)
    except ChildProcessError:
        return None


def _send(pipe: Connection, message: object) -> None:
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(message, protocol=5, buffer_callback=buffers.append)
    raws = [buffer.raw() for buffer in buffers]
    pipe.send_bytes(pickle.dumps((head, [raw.nbytes for raw in raws])))
    for raw in raws:
        pipe.send_bytes(raw)


def _receive(pipe: Connection) -> Any:
    # The pipe's other end is the process that forked this one, or was forked from it.
    head, sizes = pickle.loads(pipe.recv_bytes())  # nosec B301
    buffers = [bytearray(size) for size in sizes]
    for buffer in buffers:
        pipe.recv_bytes_into(buffer)
    return pickle.loads(head, buffers=buffers)  # nosec B301


def _serve(function: Callable[[Any], Any], pipe: Connection, memory_mib: int) -> None:
    """Answer requests until the parent closes its end of the pipe; never returns to the caller's frames."""
    # What was inherited is never collected, so no finaliser closes a descriptor that is ours by then.
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGALRM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    _replace_inherited(pipe.fileno())
    _limit_memory(memory_mib)
    while True:
        try:
            request, limit_s = pipe.recv()
        except (EOFError, ConnectionError):
            os._exit(0)
        # The kernel ends a child that hangs after its parent was killed.
        signal.setitimer(signal.ITIMER_REAL, limit_s)
        try:
            reply: tuple[bool, Any] = (False, function(request))
        except MemoryError:
            reply = (True, OutOfMemory(f"more than {memory_mib} MiB"))
        except Exception as error:
            reply = (True, error)
        signal.setitimer(signal.ITIMER_REAL, 0)
        try:
            _send(pipe, reply)
        except ConnectionError:
            os._exit(0)
        except Exception as error:
            _send(pipe, (True, RuntimeError(f"the reply cannot be sent: {error!r}")))
        del request, reply


def _replace_inherited(keep: int) -> None:
    """Close every descriptor but one; what libraries print goes nowhere, and no pipe is held open."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nowhere, standard)
    os.closerange(3, keep)
    os.closerange(keep + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def _limit_memory(memory_mib: int) -> None:
    try:
        with open("/proc/self/statm") as file:
            mapped = int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return  # Only Linux says what is mapped, and only there the limit holds.
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    wanted = mapped + memory_mib * _MIB
    soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
