"""A kernel has one page and goes with it: by its word, by its silence, by the server's end."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import websocket

from segue.errors import UsageError
from segue.player.binding import check_host, is_loopback, url
from segue.settings import Settings
from segue.store import Store
from support.visitor import (
    Server,
    Visitor,
    ask,
    beside,
    serving,
    wait_closed,
    write_notebook,
    write_run,
)
from support.waiting import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def strict(player: Server) -> Iterator[Server]:
    """A player with one seat that waits for nobody."""
    settings = beside(player.settings, "strict")
    notebook = write_notebook(settings.home / "page.ipynb")
    with serving(settings, notebook, at_most=1, alone_s=1.0, silence_s=2.0, reap_s=0.3) as server:
        yield server


@pytest.fixture
def guest(strict: Server) -> Iterator[Visitor]:
    with Visitor(strict) as made:
        yield made.sign_up()


def _pid(visitor: Visitor, kernel: str) -> int:
    return visitor.server.told(kernel)["pid"]


def _connection(pid: int) -> Path:
    """Return the file that says how a kernel is reached."""
    sockets = (each.laddr for each in psutil.Process(pid).net_connections("unix"))
    return next(Path(path.rpartition("-ipc-")[0] + ".json") for path in sockets if "-ipc-" in path)


def _wait_gone(pid: int, seconds: float) -> None:
    wait_until(lambda: not psutil.pid_exists(pid), seconds, "the kernel is gone")


def test_the_pages_word_ends_its_kernel_at_once(listener: Visitor):
    kernel = listener.open_page()
    pid = _pid(listener, kernel)
    opened = listener.open_socket(kernel)
    word = f"/voila/api/shutdown/{kernel}"
    assert listener.post(word, headers={"Origin": "http://evil.example"}).status_code == 403
    assert psutil.pid_exists(pid)
    assert listener.post(word).status_code == 204
    assert not psutil.pid_exists(pid)
    wait_closed(opened)
    assert listener.get(f"/api/kernels/{kernel}").status_code == 404
    assert listener.post(word).status_code == 404


def test_a_kernel_stays_while_it_has_a_page_and_goes_soon_after(guest: Visitor):
    kernel = guest.open_page()
    pid = _pid(guest, kernel)
    guest.open_socket(kernel).close()
    opened = guest.open_socket(kernel)
    until = time.monotonic() + 4
    while time.monotonic() < until:
        ask(opened, guest.server.told(kernel)["model"])
        time.sleep(0.2)
    assert psutil.pid_exists(pid)
    opened.close()
    began = time.monotonic()
    _wait_gone(pid, 8)
    assert time.monotonic() - began > 0.9


def test_a_page_that_never_opens_a_socket_loses_its_kernel(guest: Visitor):
    kernel = guest.open_page()
    _wait_gone(_pid(guest, kernel), 8)
    with pytest.raises(websocket.WebSocketBadStatusException, match="404"):
        guest.open_socket(kernel)


def test_a_page_that_answers_no_ping_is_gone(guest: Visitor):
    """Like a machine that lost its network: its connection stands and nothing comes."""
    kernel = guest.open_page()
    opened = guest.open_socket(kernel)
    _wait_gone(_pid(guest, kernel), 12)
    opened.shutdown()


def test_with_every_seat_taken_the_next_is_told_so(strict: Server, guest: Visitor):
    with Visitor(strict) as late:
        late.sign_up()
        kernel = guest.open_page()
        opened = guest.open_socket(kernel)
        answer = late.get("/")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
        assert "Every seat is taken" in answer.text
        opened.close()
        wait_until(lambda: guest.get(f"/api/kernels/{kernel}").json()["connections"] == 0, 5, "it is alone")
        late.open_page()
    assert guest.get(f"/api/kernels/{kernel}").status_code == 404


def test_an_account_has_so_many_kernels_and_the_one_without_a_page_goes_first(listener: Visitor):
    kernels = [listener.open_page() for _ in range(3)]
    opened = [listener.open_socket(kernel) for kernel in (kernels[0], kernels[2])]
    newest = listener.open_page()
    assert listener.get(f"/api/kernels/{kernels[1]}").status_code == 404
    opened.append(listener.open_socket(newest))
    answer = listener.get("/")
    assert answer.status_code == 429
    assert "open in many places" in answer.text
    for each in (kernels[0], kernels[2], newest):
        assert listener.get(f"/api/kernels/{each}").status_code == 200
    for each in opened:
        each.close()


def test_pages_that_are_made_at_once_take_nothing_from_each_other(listener: Visitor):
    """As many as an account may have."""
    cookies = listener.cookies()

    def arrive(place: int) -> str:
        with Visitor(listener.server) as tab:
            return tab.open_page(headers={"Cookie": cookies})

    with ThreadPoolExecutor(3) as pool:
        kernels = list(pool.map(arrive, range(3)))
    assert len(set(kernels)) == 3
    for kernel in kernels:
        assert listener.get(f"/api/kernels/{kernel}").status_code == 200


def test_a_kernel_that_dies_is_forgotten_and_its_socket_closed(listener: Visitor):
    kernel = listener.open_page()
    opened = listener.open_socket(kernel)
    os.kill(_pid(listener, kernel), signal.SIGKILL)
    wait_until(lambda: listener.get(f"/api/kernels/{kernel}").status_code == 404, 10, "it is forgotten")
    wait_closed(opened)


def test_a_page_that_goes_while_it_is_made_leaves_no_kernel(strict: Server, guest: Visitor):
    wait_until(lambda: not strict.kernels(), 8, "no kernel is there")
    at = urlsplit(strict.address)
    with socket.create_connection((at.hostname, at.port)) as gone:
        gone.sendall(f"GET / HTTP/1.1\r\nHost: {at.netloc}\r\nCookie: {guest.cookies()}\r\n\r\n".encode())
        (pid,) = wait_until(strict.kernels, 5, "its kernel starts")
    _wait_gone(pid, 12)


def test_kernels_are_reached_by_files_that_only_their_owner_may_open(listener: Visitor):
    connection = _connection(_pid(listener, listener.open_page()))
    assert json.loads(connection.read_text())["transport"] == "ipc"
    assert connection.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::", "192.0.2.1", "no.such.host.invalid"])
def test_beyond_loopback_the_embedded_store_is_refused(host: str):
    with pytest.raises(UsageError, match=r"no passwords: set SEGUE_MONGO to a MongoDB with authentication"):
        check_host(host, embedded=True)
    check_host(host, embedded=False)
    assert not is_loopback(host)


def test_loopback_is_taken():
    for host in ("127.0.0.1", "localhost", "::1", "127.8.9.1"):
        check_host(host, embedded=True)
    assert url("::1", 8866) == "http://[::1]:8866/"


def test_the_player_refuses_to_listen_beyond_this_machine(
    services: Settings, catalogue: Store, tmp_path: Path
):
    """Also when the embedded store is named by SEGUE_MONGO."""
    settings = Settings(home=tmp_path, mongo=services.mongo_uri, kafka=services.kafka_bootstrap)
    write_run(settings, catalogue.database, str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-m", "segue.cli", "player", "--host", "0.0.0.0", "--port", "0"],
        env=os.environ | {"SEGUE_HOME": str(tmp_path), "SEGUE_MONGO": services.mongo_uri},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "set SEGUE_MONGO to a MongoDB with authentication" in done.stderr
    assert not settings.address_file("player").exists()


def test_without_a_run_the_player_says_how_to_make_one(services: Settings, tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-m", "segue.cli", "player", "--port", "0"],
        env=os.environ | {"SEGUE_HOME": str(tmp_path), "SEGUE_MONGO": services.mongo_uri},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "segue run --dataset demo" in done.stderr
