"""A real kernel that runs a notebook's cells, and the page's end of its widget over the kernel's socket."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

WIDGET = "application/vnd.jupyter.widget-view+json"


class Kernel:
    """Runs code and speaks with the one widget that it displays."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager, self.client = manager, client
        self.comm = ""
        self.heard: list[dict[str, Any]] = []

    def run(self, code: str, seconds: float = 60.0) -> dict[str, Any]:
        """Run code and return what it gave: ``text``, ``data`` of the last result, ``error``."""
        request = self.client.execute(code)
        given: dict[str, Any] = {"text": "", "data": {}, "error": None}
        limit = time.monotonic() + seconds
        while True:
            message = self.client.get_iopub_msg(timeout=max(0.1, limit - time.monotonic()))
            kind, content = message["msg_type"], message["content"]
            if kind == "comm_msg":
                self._hear(content)
            if message["parent_header"].get("msg_id") != request:
                continue
            if kind == "stream":
                given["text"] += content["text"]
            elif kind in ("execute_result", "display_data"):
                given["data"] = content["data"]
                self.comm = content["data"].get(WIDGET, {}).get("model_id", self.comm)
            elif kind == "error":
                given["error"] = f"{content['ename']}: {content['evalue']}"
            elif kind == "status" and content["execution_state"] == "idle":
                return given

    def value(self, expression: str) -> Any:
        """Return what an expression gives, as JSON carries it."""
        given = self.run(f"import json; print(json.dumps({expression}))")
        assert given["error"] is None, given["error"]
        return json.loads(given["text"])

    def say(self, **content: Any) -> None:
        """Say something as the page does."""
        self._send("comm_msg", {"comm_id": self.comm, "data": {"method": "custom", "content": content}})

    def close_page(self) -> None:
        """Close the widget's comm as a page that goes."""
        self._send("comm_close", {"comm_id": self.comm, "data": {}})

    def wait(self, kind: str, seconds: float = 30.0) -> dict[str, Any]:
        """Return the first message of a kind that the page was told."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            for message in self.heard:
                if message["type"] == kind:
                    return message
            message = self.client.get_iopub_msg(timeout=max(0.1, limit - time.monotonic()))
            if message["msg_type"] == "comm_msg":
                self._hear(message["content"])
        raise AssertionError(f"no {kind}; told were {[each['type'] for each in self.heard]}")

    def _hear(self, content: dict[str, Any]) -> None:
        if content["comm_id"] == self.comm and content["data"].get("method") == "custom":
            self.heard.append(content["data"]["content"])

    def _send(self, kind: str, content: dict[str, Any]) -> None:
        self.client.shell_channel.send(self.client.session.msg(kind, content))


@contextmanager
def kernel(environment: dict[str, str]) -> Iterator[Kernel]:
    """Start a kernel with these variables beside our own; end it afterwards."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(env=os.environ | environment)
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        yield Kernel(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()


def cells(notebook: Path) -> list[str]:
    """Return the code cells of a notebook."""
    return [cell.source for cell in nbformat.read(notebook, 4).cells if cell.cell_type == "code"]
