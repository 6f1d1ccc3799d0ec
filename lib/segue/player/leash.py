"""A kernel's end of its leash: by it the server says who sits down, and when it goes the kernel goes too.

The server forks kernels before anybody asks for one, and they run the notebook at once. Who listens comes
later, by a socket that only this kernel and the server hold; the same socket ends with the server.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

LARGEST = 64 << 10
"""Bytes of a message on a leash."""

WAITING, SEATED = "segue-spare", "segue-kernel"
"""What kernels are called among the system's processes, before somebody sits down and then."""

_held: Leash | None = None


class Leash:
    """The kernel's end.

    Parameters
    ----------
    connection
        A socket that keeps messages apart.
    call
        Lets the kernel's main thread call a function soon; called from another thread.
    """

    def __init__(self, connection: socket.socket, call: Callable[[Callable[[], None]], object]) -> None:
        self._connection, self._call = connection, call
        self._told = threading.Event()
        self._begun = False
        self._wanting: list[Callable[[], object]] = []
        _be_called(WAITING)
        threading.Thread(target=self._listen, name="segue-leash", daemon=True).start()

    def say(self, **message: Any) -> None:
        """Tell the server how far the kernel is."""
        self._connection.send(json.dumps(message).encode())

    def wait(self) -> None:
        """Return when the environment says who listens."""
        if not self._told.is_set():
            self.say(waits=True)
            self._told.wait()

    def when_told(self, begin: Callable[[], object]) -> None:
        """Call ``begin`` on the main thread when the environment says who listens."""
        if self._begun:
            begin()
        else:
            self._wanting.append(begin)

    def _listen(self) -> None:
        try:
            while content := self._connection.recv(LARGEST):
                os.environ.update(json.loads(content))
                _be_called(SEATED)
                self._told.set()
                self._call(self._begin)
        except OSError:
            traceback.print_exc(file=sys.__stderr__)
        os._exit(0)

    def _begin(self) -> None:
        if self._begun:
            return
        self._begun = True
        try:
            for begin in self._wanting:
                begin()
            self.say(seated=True)
        except Exception:
            # A page is told of a kernel that is gone, not of one that says nothing.
            traceback.print_exc(file=sys.__stderr__)
            os._exit(1)


def hold(connection: socket.socket, call: Callable[[Callable[[], None]], object]) -> Leash:
    """Make this process's leash."""
    global _held  # noqa: PLW0603
    _held = Leash(connection, call)
    return _held


def held() -> Leash | None:
    """Return this process's leash; None for a kernel that the player's server did not fork."""
    return _held


def wait_for_listener() -> None:
    """Return when the environment says who listens: at once, in a kernel that the server did not fork.

    For a notebook that needs to know before it can show anything; `segue.player.app` does without.
    """
    if _held is not None:
        _held.wait()


def _be_called(name: str) -> None:
    Path("/proc/self/comm").write_text(name)
