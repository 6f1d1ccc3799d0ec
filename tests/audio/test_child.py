"""The forked child under crashes, hangs, hunger, and parents that die or are busy."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from segue.audio.child import ChildCrashed, ChildTimeout, ForkedChild, OutOfMemory


def work(request):  # noqa: PLR0911 - one return for each thing that a child may do
    kind, value = request
    match kind:
        case "echo":
            return value
        case "ramp":
            return {"ramp": np.arange(value, dtype=np.float32), "size": value}
        case "kill":
            os.kill(os.getpid(), value)
        case "exit":
            os._exit(value)
        case "sleep":
            time.sleep(value)
        case "allocate":
            return int(np.ones(value << 17).sum())
        case "raise":
            raise ValueError(value)
        case "files":
            return [os.readlink(path) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
        case "pid":
            return os.getpid()
        case "print":
            os.write(2, b"noise")
            return None
        case "function":
            return lambda: value


@pytest.fixture
def child():
    with ForkedChild(work, memory_mib=256) as child:
        yield child


def gone(pid: int) -> bool:
    """Tell whether a process has ended and been reaped."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.01)
    return False


def test_replies_come_back_whole_and_writable(child):
    assert child.call(("echo", {"a": [1, "\udce9"]}), 10) == {"a": [1, "\udce9"]}
    reply = child.call(("ramp", 700_000), 10)
    np.testing.assert_array_equal(reply["ramp"], np.arange(700_000, dtype=np.float32))
    reply["ramp"][0] = 1


def test_one_child_serves_many_requests(child):
    first = child.call(("pid", None), 10)
    assert first == child.pid != os.getpid()
    assert child.call(("pid", None), 10) == first


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL, signal.SIGABRT])
def test_a_crash_costs_one_call_and_leaves_no_zombie(child, number):
    pid = child.call(("pid", None), 10)
    with pytest.raises(ChildCrashed, match=f"died of {number.name}"):
        child.call(("kill", number), 10)
    assert gone(pid)
    assert child.call(("echo", 1), 10) == 1


def test_an_exit_is_a_crash(child):
    with pytest.raises(ChildCrashed, match="ended with status 3"):
        child.call(("exit", 3), 10)


def test_a_hang_is_ended_in_time(child):
    pid = child.call(("pid", None), 10)
    started = time.monotonic()
    with pytest.raises(ChildTimeout, match=r"0\.2 s"):
        child.call(("sleep", 60), 0.2)
    assert time.monotonic() - started < 5
    assert gone(pid)
    assert child.call(("echo", 2), 10) == 2


def test_hunger_is_told_and_the_child_lives(child):
    pid = child.call(("pid", None), 10)
    assert child.call(("allocate", 100), 60) == 100 << 17
    with pytest.raises(OutOfMemory, match="256 MiB"):
        child.call(("allocate", 1_000), 60)
    assert child.call(("pid", None), 10) == pid


def test_what_the_function_raises_is_raised_here(child):
    with pytest.raises(ValueError, match="bad"):
        child.call(("raise", "bad"), 10)
    with pytest.raises(RuntimeError, match="cannot be sent"):
        child.call(("function", 1), 10)
    assert child.call(("echo", 3), 10) == 3


def test_a_child_that_died_between_calls_is_replaced(child):
    pid = child.call(("pid", None), 10)
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.1)
    assert child.call(("echo", 4), 10) == 4


@pytest.fixture
def interruptible():
    """Ctrl-C raises, also where a background job was started with the signal ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupted_call_does_not_answer_the_next(child):
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        child.call(("sleep", 5), 20)
    timer.join()
    assert child.call(("echo", 5), 10) == 5


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_the_child_holds_no_file_of_the_parent(tmp_path, child, capfd):
    with (tmp_path / "open").open("w"):
        links = child.call(("files", None), 10)
    assert links.count(os.devnull) == 3
    assert len([link for link in links if link.startswith("socket")]) == 1
    assert len(links) == 4
    child.call(("print", None), 10)
    assert capfd.readouterr().err == ""


def test_threads_and_pools_of_the_parent_do_not_stop_the_child(child):
    matrix = np.ones((400, 400))
    matrix @ matrix  # starts the threads of the linear algebra library
    stop = threading.Event()

    def compute():
        while not stop.is_set():
            np.sort(np.ones(10_000))

    threads = [threading.Thread(target=compute) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(10):
            assert child.call(("ramp", 1_000), 30)["size"] == 1_000
            child.close()
            matrix @ matrix
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_close_ends_the_child_and_a_call_forks_another(child):
    pid = child.call(("pid", None), 10)
    child.close()
    assert gone(pid)
    assert child.pid is None
    assert child.call(("pid", None), 10) != pid


def test_a_fork_of_the_parent_gets_a_child_of_its_own(child):
    pid = child.call(("pid", None), 10)
    ours, theirs = os.pipe()
    fork = os.fork()
    if fork == 0:
        try:
            os.write(theirs, str(child.call(("pid", None), 10)).encode())
        finally:
            os._exit(0)
    os.close(theirs)
    os.waitpid(fork, 0)
    with os.fdopen(ours) as pipe:
        other = int(pipe.read())
    assert other != pid
    assert gone(other)
    assert child.call(("pid", None), 10) == pid


_PARENT = """
import os, time
from segue.audio.child import ForkedChild
child = ForkedChild(lambda seconds: time.sleep(seconds) or os.getpid(), 256)
print(child.call(0, 10), flush=True)
{}
time.sleep(60)
"""


@pytest.mark.slow
@pytest.mark.parametrize("last", ["", "child.call(60, 0.5)"], ids=["idle", "hanging"])
def test_the_child_ends_when_its_parent_is_killed(last):
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT.format(last)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        time.sleep(0.1)
        parent.kill()
    # A child that hangs is ended by its own alarm, five seconds after the time limit.
    assert gone(pid)
