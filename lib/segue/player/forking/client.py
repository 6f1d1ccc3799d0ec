"""The player server's hold on the fork server and on what it forked."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from segue.errors import SegueError

_START_S = 30.0
_ANSWER_BYTES = 1024
_SUBREAPER = 36
_ONE_THREAD = {
    "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1",
}  # fmt: skip
"""Numerical libraries must start no threads in a process that forks; one arena for all threads is smaller."""


class ForkFailed(SegueError):
    """No kernel could be forked."""


class ForkedProcess:
    """A process that somebody else forked, held by a descriptor: no other can be meant by it.

    It has what jupyter_client needs of a `subprocess.Popen`.
    """

    stdin = stdout = stderr = None

    def __init__(self, pid: int, descriptor: int) -> None:
        self.pid, self._descriptor = pid, descriptor
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return None while it lives."""
        return self._look(0)

    def wait(self) -> int:
        """Return when it has ended."""
        ended = self._look(None)
        assert ended is not None
        return ended

    def send_signal(self, number: int) -> None:
        """Send a signal; one that is gone gets none."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def _look(self, timeout: float | None) -> int | None:
        if self.returncode is None:
            watched = select.poll()
            watched.register(self._descriptor, select.POLLIN)
            if not watched.poll(timeout):
                return None
            # It is ours to take away only if the fork server died before it.
            with contextlib.suppress(ChildProcessError):
                os.waitid(os.P_PIDFD, self._descriptor, os.WEXITED | os.WNOHANG)
            os.close(self._descriptor)
            self.returncode = 0
        return self.returncode


class ForkServer:
    """Starts the fork server, asks it for kernels, and starts it anew when it is gone.

    Parameters
    ----------
    environment
        What kernels inherit of the environment.
    log
        File that kernels write what belongs to no cell to.
    """

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self._environment = {**environment, **_ONE_THREAD}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._asking = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """Return the fork server's process id."""
        return self._process.pid if self._process else None

    def keep(self) -> None:
        """Start the fork server if there is none."""
        if self._process is not None:
            if self._process.poll() is None:
                return
            self._forget()
        _adopt_orphans()
        self._log.parent.mkdir(parents=True, exist_ok=True)
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its, self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "segue.player.forking.fork_server", str(its.fileno())],
                env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=[its.fileno()],
            )  # fmt: skip
        ours.setblocking(False)
        self._control = ours

    async def fork(self, request: dict[str, Any], leash: socket.socket) -> ForkedProcess:
        """Return a new kernel's process.

        Parameters
        ----------
        request
            What `segue.player.forking.kernel.become_kernel` takes.
        leash
            The kernel's end of its leash.

        Raises
        ------
        ForkFailed
            If there is none, though the fork server was started anew.
        """
        content = json.dumps(request).encode()
        async with self._asking:
            for _ in range(2):
                self.keep()
                try:
                    answer = await self._ask(content, leash.fileno())
                except OSError:
                    answer = None
                except asyncio.CancelledError:
                    # Its answer would be taken for that to the next request.
                    self._end()
                    raise
                if answer is not None:
                    return answer
                self._end()
        raise ForkFailed(f"the process that kernels are forked from does not work: see {self._log}")

    def close(self) -> None:
        """End the fork server."""
        self._end()

    async def _ask(self, content: bytes, descriptor: int) -> ForkedProcess | None:
        assert self._control is not None
        socket.send_fds(self._control, [content], [descriptor])
        try:
            async with asyncio.timeout(_START_S):
                await _readable(self._control)
        except TimeoutError:
            return None
        answer, descriptors, _, _ = socket.recv_fds(self._control, _ANSWER_BYTES, 1)
        if not answer:
            return None
        told = json.loads(answer)
        if "error" in told:
            raise ForkFailed(f"no kernel could be forked: {told['error']}")
        return ForkedProcess(told["pid"], descriptors[0])

    def _end(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        self._forget()

    def _forget(self) -> None:
        if self._control is not None:
            self._control.close()
        self._process = self._control = None


async def _readable(connection: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def note() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(connection, note)
    try:
        await ready
    finally:
        loop.remove_reader(connection)


def _adopt_orphans() -> None:
    """Let kernels become this process's children when the fork server dies, so that no zombie stays."""
    if not hasattr(os, "pidfd_open"):
        raise SegueError("`segue player` needs Linux: it holds its kernels by descriptors of processes")
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
