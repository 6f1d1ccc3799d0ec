"""What a forked process becomes: a kernel that has run the notebook before anybody looks at it."""

from __future__ import annotations

import json
import os
import socket
import sys
import traceback
from pathlib import Path
from typing import Any

from ipykernel.kernelapp import IPKernelApp
from ipywidgets.widgets import widget as widgets
from tornado.ioloop import IOLoop
from traitlets.config import Config

from segue.player import leash

VIEW = "application/vnd.jupyter.widget-view+json"
_SIGNATURES = 1_000
"""Messages that are known again when they come twice."""

_OF_EVERY_WIDGET = frozenset({"layout", "tabbable", "tooltip"})


class ForkedKernel(IPKernelApp):
    """IPython's kernel without what nobody uses here: command line, settings files, history, heartbeat."""

    def parse_command_line(self, argv: Any = None) -> None:
        """Take the settings that every kernel of the player has."""
        config = Config()
        config.IPKernelApp.capture_fd_output = False
        config.HistoryManager.enabled = False
        config.Session.username = "segue"
        # The signatures of 65,536 messages, which it keeps otherwise, are 10 MB a page.
        config.Session.digest_history_size = _SIGNATURES
        self.update_config(config)

    def load_config_file(self, suppress_errors: Any = None) -> None:
        """Load none."""

    def init_heartbeat(self) -> None:
        """Have none: the server hears by the leash that a kernel is gone."""


def become_kernel(request: dict[str, Any], connection: socket.socket) -> None:
    """Be a kernel until the server ends it or goes.

    Parameters
    ----------
    request
        ``environment``, ``folder`` to be in, ``notebook`` and ``connection_file``, as `provisioner` sends it.
    connection
        The kernel's end of its leash.
    """
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    # A parent with process id 1 is one that the kernel does not look for every second.
    app = ForkedKernel.instance(connection_file=request["connection_file"], parent_handle=1)
    app.initialize([])
    loop = IOLoop.current().asyncio_loop
    line = leash.hold(connection, loop.call_soon_threadsafe)
    line.say(ran=_run_notebook(app.shell, Path(request["notebook"])))
    app.start()


def _run_notebook(shell: Any, notebook: Path) -> dict[str, Any] | None:
    """Run the cells and return ``model_id`` and ``state`` of the first widget shown, if one is."""
    shown: list[dict[str, Any]] = []

    def keep(message: dict[str, Any]) -> None:
        shown.append(message["content"]["data"])

    publishers = (shell.display_pub, shell.displayhook)
    for publisher in publishers:
        publisher.register_hook(keep)
    try:
        for source in _cells(notebook):
            result = shell.run_cell(source, store_history=False)
            if not result.success:
                error = result.error_before_exec or result.error_in_exec
                traceback.print_exception(error, file=sys.__stderr__)
                break
    finally:
        for publisher in publishers:
            publisher.unregister_hook(keep)
    views = [data[VIEW]["model_id"] for data in shown if VIEW in data]
    return {"model_id": views[0], "state": _state(views[0])} if views else None


def _cells(notebook: Path) -> list[str]:
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def _state(model_id: str) -> dict[str, Any]:
    """Return what a widget's own traits are that its page knows."""
    state = widgets._instances[model_id].get_state()
    return {
        name: value
        for name, value in state.items()
        if not name.startswith("_") and name not in _OF_EVERY_WIDGET
    }
