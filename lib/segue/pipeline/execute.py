"""Execute one notebook through papermill on this environment's own interpreter."""

from __future__ import annotations

import logging
import os
import re
import sys
import textwrap
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import zmq
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from papermill import PapermillExecutionError, execute_notebook
from traitlets import default

from segue.errors import SegueError
from segue.pipeline.console import Console

_UNCOUNTED = {"parameters", "injected-parameters"}
_LONGEST = 400
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


class CellFailed(SegueError):
    """A cell of a notebook failed; the text says which, why, and where the executed notebook is."""


def execute(
    notebook: Path,
    output: Path,
    parameters: Mapping[str, Any],
    *,
    console: Console,
    environment: Mapping[str, str],
    log: Path,
    lock: int | None = None,
) -> int:
    """Execute a notebook top to bottom and return the number of its code cells.

    Parameters
    ----------
    notebook, output
        The notebook as committed, and where its executed copy goes (also when it fails).
    parameters
        Values for its parameters cell.
    console
        Gets a line for each cell.
    environment
        Environment variables of the kernel, beside this process's own.
    log
        Where the kernel's process writes what does not belong to a cell.
    lock
        A file descriptor that the kernel inherits, so that a lock lives as long as it does.

    Raises
    ------
    CellFailed
        If a cell raises, or the kernel dies.
    """
    cells = _Cells(console)
    try:
        execute_notebook(
            notebook,
            str(output).replace("{", "{{").replace("}", "}}"),
            parameters=dict(parameters),
            kernel_name="python3",
            progress_bar=False,
            cwd=notebook.parent,
            kernel_manager_class=_kernel_manager(environment, log, lock),
            on_notebook_start=cells.begin,
            on_cell_start=cells.start,
            on_cell_executed=cells.end,
        )
    except PapermillExecutionError as error:
        last = f"{error.ename}: {_ANSI.sub('', str(error.evalue)).strip() or 'no message'}".splitlines()[-1]
        raise CellFailed(_words(notebook, cells, textwrap.shorten(last, _LONGEST), output)) from None
    except DeadKernelError:
        raise CellFailed(
            _words(notebook, cells, f"its kernel died (out of memory, or killed); see {log}", output)
        ) from None
    except KeyboardInterrupt:
        # The interrupted cell's task is left behind, and asyncio would print its traceback at exit.
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
        raise
    finally:
        console.clear()
    return cells.total


def _words(notebook: Path, cells: _Cells, why: str, output: Path) -> str:
    return (
        f"{notebook.stem} failed in cell {cells.number} of {cells.total} ({cells.label}): {why}\n"
        f"The executed notebook is {output}"
    )


class _Cells:
    """Follows the execution; counts the code cells without those that only hold parameters."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.number = 0
        self.total = 0
        self.label = "before the first"
        self._labels: dict[str, str] = {}
        self._started = 0.0

    def begin(self, notebook: Any) -> None:
        heading = ""
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                found = re.search(r"^#+\s+(.+)$", cell.source, re.M)
                heading = found[1].strip() if found else heading
            elif _counts(cell):
                self._labels[cell.id] = f"{heading}: {_first_words(cell.source)}"
        self.total = len(self._labels)

    def start(self, cell: Any, cell_index: int) -> None:
        if not _counts(cell):
            return
        if not self.total:
            raise AssertionError("papermill did not announce the notebook")
        self.number += 1
        self.label = self._labels[cell.id]
        self._started = time.monotonic()
        self.console.begin(f"{self.number:4d}/{self.total}  {self.label}")

    def end(self, cell: Any, cell_index: int, execute_reply: Any) -> None:
        if _counts(cell):
            self.console.end(time.monotonic() - self._started, execute_reply["content"]["status"] == "ok")


def _counts(cell: Any) -> bool:
    if cell.cell_type != "code" or not cell.source.strip():
        return False
    return not _UNCOUNTED & set(cell.metadata.get("tags", []))


def _first_words(source: str) -> str:
    lines = [line.strip() for line in source.splitlines()]
    return next((line for line in lines if line and not line.startswith(("#", "%"))), lines[0])


def _kernel_manager(environment: Mapping[str, str], log: Path, lock: int | None) -> type[AsyncKernelManager]:
    """Return a kernel manager that starts this interpreter, whatever kernelspecs a person has."""

    class OwnKernel(AsyncKernelManager):
        kernel_spec = KernelSpec(
            argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            display_name="Python 3",
            language="python",
            env={"PYDEVD_DISABLE_FILE_VALIDATION": "1", **environment},
            metadata={"supported_encryption": ["curve"]},
        )

        @default("transport_encryption")
        def _encrypt(self) -> str:
            return "auto" if zmq.has("curve") else "disabled"

        async def _async_pre_start_kernel(self, **kw: Any) -> Any:
            command, kw = await super()._async_pre_start_kernel(**kw)
            return command, kw | {"pass_fds": () if lock is None else (lock,)}

        async def _async_launch_kernel(self, kernel_cmd: list[str], **kw: Any) -> None:
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("wb") as file:
                await super()._async_launch_kernel(kernel_cmd, stdout=file, stderr=file, **kw)

    return OwnKernel


def kernel_environment(home: Path, progress: Path) -> dict[str, str]:
    """Return what a kernel needs beside this process's environment: where home is, where progress goes."""
    from segue.etl.progress import PROGRESS_FILE

    return {"SEGUE_HOME": os.fspath(home), PROGRESS_FILE: os.fspath(progress)}
