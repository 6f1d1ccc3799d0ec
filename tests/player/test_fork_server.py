"""The process that kernels are forked from, by itself."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from segue.player.forking.client import ForkedProcess, ForkFailed, ForkServer

HEAVY = {
    "pandas", "scipy", "sklearn", "matplotlib", "pyspark", "librosa", "numba", "soundfile", "pyarrow",
    "kafka", "voila", "debugpy",
}  # fmt: skip
PRELOAD = """
import json, os, sys
from segue.player.forking.fork_server import preload
preload()
loaded = [name for name, module in sys.modules.items() if module is not None]
print(json.dumps({"loaded": loaded, "threads": len(os.listdir("/proc/self/task"))}))
"""


def hopeless(tmp_path: Path) -> dict[str, object]:
    """Return a request for a kernel that ends at once."""
    missing = str(tmp_path / "missing")
    return {"environment": {}, "folder": missing, "notebook": missing, "connection_file": missing}


async def fork(forks: ForkServer, request: dict[str, object]) -> ForkedProcess:
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, its:
        return await forks.fork(request, its)


@asynccontextmanager
async def started(tmp_path: Path) -> AsyncIterator[tuple[ForkServer, int]]:
    """A fork server that has forked once, and its process id."""
    forks = ForkServer(os.environ, tmp_path / "log")
    try:
        await fork(forks, hopeless(tmp_path))
        assert forks.pid
        yield forks, forks.pid
    finally:
        forks.close()


def test_what_is_shared_is_all_that_kernels_need_and_nothing_heavy_or_threaded():
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", PRELOAD], env=environment, stdout=subprocess.PIPE, text=True, check=True,
        timeout=120,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert found["threads"] == 1
    assert not HEAVY & {name.partition(".")[0] for name in found["loaded"]}
    assert {"segue.player.app", "segue.player.desk", "ipykernel.ipkernel"} <= set(found["loaded"])


def test_a_process_that_ended_is_known_to_have_and_bears_any_signal(tmp_path: Path):
    async def case() -> None:
        forks = ForkServer(os.environ, tmp_path / "log")
        try:
            process = await fork(forks, hopeless(tmp_path))
            assert await asyncio.to_thread(process.wait) == process.poll() == 0
            process.kill()
            process.terminate()
            assert not psutil.pid_exists(process.pid)
            assert "FileNotFoundError" in (tmp_path / "log").read_text()
        finally:
            forks.close()
        assert forks.pid is None

    asyncio.run(case())


def test_one_that_was_killed_is_started_anew(tmp_path: Path):
    async def case() -> None:
        async with started(tmp_path) as (forks, first):
            os.kill(first, signal.SIGKILL)
            await fork(forks, hopeless(tmp_path))
            assert forks.pid != first

    asyncio.run(case())


def test_who_goes_while_asking_leaves_no_answer_to_the_next(tmp_path: Path):
    async def case() -> None:
        async with started(tmp_path) as (forks, first):
            os.kill(first, signal.SIGSTOP)
            asking = asyncio.create_task(fork(forks, hopeless(tmp_path)))
            await asyncio.sleep(0.1)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            assert not psutil.pid_exists(first)
            await fork(forks, hopeless(tmp_path))

    asyncio.run(case())


def test_one_that_cannot_work_is_said_so_with_where_to_look(tmp_path: Path):
    async def case() -> None:
        forks = ForkServer(os.environ | {"PYTHONHOME": str(tmp_path)}, tmp_path / "log")
        with pytest.raises(ForkFailed, match=str(tmp_path / "log")):
            await fork(forks, hopeless(tmp_path))
        assert forks.pid is None

    asyncio.run(case())
