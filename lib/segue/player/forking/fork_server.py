"""The process that kernels are forked from: ``python -m segue.player.forking.fork_server DESCRIPTOR``.

It imports what a kernel needs, then waits for requests on a socket of the player's server and forks. It has
one thread, so that a fork is whole, and ends when the server does. Its kernels do not end with it.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import socket
import sys
import traceback
from typing import Any

REQUEST_BYTES = 160 << 10
"""A request's largest size: the environment of a process is most of it."""

_PRELOADED = (
    "faulthandler", "pdb", "IPython.core.completerlib", "IPython.core.debugger", "IPython.core.logger",
    "IPython.core.oinspect", "IPython.extensions.storemagic", "ipykernel.debugger", "ipykernel.ipkernel",
    "tornado.platform.asyncio", "zmq.utils.garbage", "segue.player.forking.kernel", "segue.player.app",
    "segue.player.desk", "segue.player.findings", "segue.player.gateway_link", "segue.player.rehearsal",
)  # fmt: skip


def main() -> None:
    """Fork kernels until the server is gone."""
    control = socket.socket(fileno=int(sys.argv[1]))
    # Ctrl-C in a terminal is for the server, which then ends this process by its socket.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The system takes care of kernels that ended: nobody waits for them here.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    preload()
    while True:
        request, descriptors, _, _ = socket.recv_fds(control, REQUEST_BYTES, 1)
        if not request:
            return
        _fork(control, json.loads(request), socket.socket(fileno=descriptors[0]))


def preload() -> None:
    """Import what every kernel needs, and keep the collector's marks out of the shared pages."""
    # A kernel that nobody may run code in needs no debugger.
    sys.modules["debugpy"] = None  # type: ignore[assignment]
    for name in _PRELOADED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


def _fork(control: socket.socket, request: dict[str, Any], leash: socket.socket) -> None:
    """Fork one kernel and tell the server its process id and a descriptor of its process."""
    try:
        pid = os.fork()
    except OSError as error:
        control.send(json.dumps({"error": error.strerror}).encode())
        leash.close()
        return
    if pid == 0:
        _be_kernel(control, request, leash)
    leash.close()
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        control.send(json.dumps({"error": "it ended at once"}).encode())
        return
    socket.send_fds(control, [json.dumps({"pid": pid}).encode()], [descriptor])
    os.close(descriptor)


def _be_kernel(control: socket.socket, request: dict[str, Any], leash: socket.socket) -> None:
    try:
        control.close()
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        from segue.player.forking.kernel import become_kernel

        become_kernel(request, leash)
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
    finally:
        sys.__stderr__.flush()  # type: ignore[union-attr]
        os._exit(1)


if __name__ == "__main__":
    main()
