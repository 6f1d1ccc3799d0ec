"""Kernels from the fork server: whose they are, how many wait, and what ends them."""

import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import websocket

from segue.player.channels import MESSAGE_BYTES
from segue.player.kernels import IDLE
from segue.player.leash import WAITING
from segue.services.process import is_gone
from segue.store import Store
from support.visitor import (
    Server,
    Visitor,
    ask,
    beside,
    custom,
    message,
    serving,
    wait_closed,
    write_notebook,
    write_run,
)
from support.waiting import wait_until

pytestmark = pytest.mark.slow

SPARE = 2
LISTENERS = 6
OWN_MEMORY = 33 << 20
"""Bytes that a kernel may have for itself."""


@pytest.fixture(scope="module")
def house(player: Server, catalogue: Store, music: Path) -> Iterator[Server]:
    """A player of which two kernels wait for somebody, with a run of its own."""
    settings = beside(player.settings, "house")
    settings.runs.unlink()
    write_run(settings, catalogue.database, str(music))
    notebook = write_notebook(settings.home / "page.ipynb")
    with serving(settings, notebook, spare=SPARE, alone_s=20.0, reap_s=0.5) as server:
        yield server


@pytest.fixture
def guest(house: Server) -> Iterator[Visitor]:
    with Visitor(house) as made:
        yield made.sign_up()


def spares(server: Server) -> list[psutil.Process]:
    return [each for each in _children(server) if each.name() == WAITING]


def fork_server(server: Server) -> psutil.Process:
    (found,) = (
        each
        for each in psutil.Process(server.process.pid).children()
        if "segue.player.forking.fork_server" in each.cmdline() and os.getsid(each.pid) != each.pid
    )
    return found


def _children(server: Server) -> list[psutil.Process]:
    return psutil.Process(server.process.pid).children(recursive=True)


def _wait_for_spares(server: Server) -> list[psutil.Process]:
    wait_until(lambda: len(spares(server)) == SPARE, 20, "the pool is full")
    return spares(server)


def test_everybody_of_a_crowd_gets_a_kernel_of_their_own(house: Server):
    """More than wait, all at once, each with the identity of another in the request's headers."""
    visitors = [Visitor(house).sign_up() for _ in range(LISTENERS)]
    _wait_for_spares(house)
    together = threading.Barrier(LISTENERS)

    def arrive(place: int) -> tuple[str, str, str]:
        visitor, other = visitors[place], visitors[place - 1]
        forged = {"X-Segue-Listener": other.account_id, "X-Segue-Name": "someone", "X-Segue-Role": "operator"}
        together.wait()
        kernel = visitor.open_page(headers=forged)
        answers = ask(visitor.open_socket(kernel), house.told(kernel)["model"])
        return visitor.account_id, kernel, answers

    with ThreadPoolExecutor(LISTENERS) as pool:
        found = list(pool.map(arrive, range(LISTENERS)))
    kernels = [kernel for _, kernel, _ in found]
    told = [house.told(kernel) for kernel in kernels]
    assert len({each["pid"] for each in told}) == LISTENERS
    for (account, kernel, answers), heard in zip(found, told, strict=True):
        environment = heard["env"]
        assert (environment["HTTP_X_SEGUE_LISTENER"], answers) == (account, account)
        assert environment["HTTP_X_SEGUE_NAME"].startswith("mira")
        assert environment["HTTP_X_SEGUE_ROLE"] == "listener"
        assert environment["VOILA_KERNEL_ID"] == kernel
        assert "SEGUE_COOKIE_SECRET" not in environment
    own = [psutil.Process(each["pid"]).memory_full_info().uss for each in told]
    assert max(own) < OWN_MEMORY
    for visitor, (_, kernel, _) in zip(visitors, found[1:] + found[:1], strict=True):
        assert visitor.get(f"/api/kernels/{kernel}").status_code == 404
        with pytest.raises(websocket.WebSocketBadStatusException, match="404"):
            visitor.open_socket(kernel)
    for visitor, (_, kernel, _) in zip(visitors, found, strict=True):
        assert visitor.post(f"/voila/api/shutdown/{kernel}").status_code == 204
        visitor.__exit__()
    _wait_for_spares(house)


def test_a_page_gets_one_that_waited_and_another_takes_its_place(house: Server, guest: Visitor):
    waiting = {each.pid for each in _wait_for_spares(house)}
    assert house.told(guest.open_page())["pid"] in waiting
    assert {each.pid for each in _wait_for_spares(house)} != waiting


def test_one_that_died_while_it_waited_is_nobodys(house: Server, guest: Visitor):
    killed = {each.pid for each in _wait_for_spares(house)}
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    kernel = guest.open_page()
    assert house.told(kernel)["pid"] not in killed
    assert ask(guest.open_socket(kernel), house.told(kernel)["model"]) == guest.account_id


def test_those_that_ran_the_notebook_on_another_run_are_made_anew(house: Server):
    before = {each.pid for each in _wait_for_spares(house)}
    runs = house.settings.runs
    (runs / "other").symlink_to("made")
    (runs / "link").symlink_to("other")
    (runs / "link").replace(runs / "current")

    def others() -> bool:
        now = {each.pid for each in spares(house)}
        return len(now) == SPARE and not now & before

    wait_until(others, 20, "others wait")


def test_the_fork_server_has_one_thread_and_its_death_ends_nobodys_page(house: Server, guest: Visitor):
    _wait_for_spares(house)
    kernel = guest.open_page()
    opened, told = guest.open_socket(kernel), house.told(kernel)
    killed = fork_server(house)
    assert killed.num_threads() == 1
    killed.kill()
    assert ask(opened, told["model"]) == guest.account_id
    fresh = guest.open_page()
    assert ask(guest.open_socket(fresh), house.told(fresh)["model"]) == guest.account_id
    wait_until(lambda: fork_server(house).pid != killed.pid, 10, "there is another")
    waiting = [each.ppid() for each in _wait_for_spares(house)]
    assert fork_server(house).pid in waiting
    assert guest.post(f"/voila/api/shutdown/{kernel}").status_code == 204
    assert not psutil.pid_exists(told["pid"])
    wait_closed(opened)
    assert not [each for each in _children(house) if each.status() == psutil.STATUS_ZOMBIE]


def test_a_kernel_ends_with_the_login_that_took_it(house: Server, guest: Visitor):
    kernel = guest.open_page()
    opened, pid = guest.open_socket(kernel), house.told(kernel)["pid"]
    with Visitor(house) as elsewhere:
        elsewhere.name = guest.name
        elsewhere.form("/login")
        other = elsewhere.open_page()
        assert elsewhere.account_id == guest.account_id
        assert guest.log_out().status_code == 303
        wait_until(lambda: is_gone(pid), 5, "the kernel is gone")
        wait_closed(opened)
        assert elsewhere.get(f"/api/kernels/{other}").status_code == 200


def test_a_page_that_floods_is_sent_away_and_its_kernel_goes_on(house: Server, guest: Visitor):
    kernel = guest.open_page()
    model = house.told(kernel)["model"]
    flooding, calm = guest.open_socket(kernel), guest.open_socket(kernel)
    for _ in range(1_000):
        try:
            flooding.send_binary(message("execute_request", {"code": "1"}))
        except (ConnectionError, websocket.WebSocketException):
            break
    wait_closed(flooding)
    again = guest.open_socket(kernel)
    for _ in range(1_500):
        try:
            again.send_binary(custom(model, ask="x"))
        except (ConnectionError, websocket.WebSocketException):
            break
    wait_closed(again)
    assert ask(calm, model) == guest.account_id
    calm.send_binary(custom(model, pad="x" * MESSAGE_BYTES))
    wait_closed(calm)
    assert ask(guest.open_socket(kernel), model) == guest.account_id


def test_a_page_that_says_nothing_for_long_loses_its_kernel(player: Server):
    settings = beside(player.settings, "idle")
    notebook = write_notebook(settings.home / "page.ipynb")
    with serving(settings, notebook, idle_s=2.0, reap_s=0.2) as server, Visitor(server) as visitor:
        quiet, talking = (visitor.sign_up().open_page(), visitor.open_page())
        opened, other = visitor.open_socket(quiet), visitor.open_socket(talking)
        until = time.monotonic() + 4
        while time.monotonic() < until:
            ask(other, server.told(talking)["model"])
            time.sleep(0.2)
        assert close_code(opened) == IDLE
        assert visitor.get(f"/api/kernels/{quiet}").status_code == 404


def close_code(socket: websocket.WebSocket) -> int:
    """Return the code that a server closed a socket with."""
    while True:
        kind, content = socket.recv_data(control_frame=True)
        if kind == websocket.ABNF.OPCODE_CLOSE:
            return int.from_bytes(content[:2], "big")


@pytest.mark.parametrize("first", ["server", "fork server"])
def test_nothing_outlives_a_killed_server(player: Server, first: str):
    """Also when the fork server died before it and the kernels are the server's own children."""
    settings = beside(player.settings, f"killed {first}")
    notebook = write_notebook(settings.home / "page.ipynb")
    with serving(settings, notebook, spare=SPARE) as server, Visitor(server) as visitor:
        kernel = visitor.sign_up().open_page()
        _wait_for_spares(server)
        if first == "fork server":
            fork_server(server).kill()
            assert ask(visitor.open_socket(kernel), server.told(kernel)["model"]) == visitor.account_id
        folder = Path(server.told(kernel)["env"]["SEGUE_GATEWAY"]).parent
        left = [each.pid for each in _children(server)]
        assert len(left) >= SPARE + 1
        server.process.kill()
        server.process.wait()
        wait_until(lambda: all(map(is_gone, left)), 10, "nothing is left")
        shutil.rmtree(folder)
