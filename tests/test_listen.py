"""`segue demo` and `segue listen`: one command up to a serving player, and Ctrl-C ends what it started."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest

from segue import services as local
from segue.services.process import ServiceFolder
from segue.settings import Settings
from support.small_run import TINY
from support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@contextmanager
def listen(settings: Settings, log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run `segue listen` on the tiny run, and end it if the test did not."""
    parameters = [word for name, value in TINY.items() for word in ("-p", name, value)]
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "segue.cli", "listen", "--dataset", "demo", "--port", "0", *parameters],
            env=os.environ | {"SEGUE_HOME": str(settings.home)} | environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def ports(settings: Settings) -> dict[str, str]:
    """Return variables that bring the services back at the ports they have now."""
    addresses = {name: settings.address_file(name).read_text().strip() for name in local.control.NAMES}
    return {f"SEGUE_{name.upper()}_PORT": address.split(":")[1] for name, address in addresses.items()}


def started_in(settings: Settings) -> set[str]:
    """Return the names of Segue's processes of this home that run."""
    home = str(settings.var / "services")
    found = set()
    for process in psutil.process_iter():
        try:
            mark = process.environ().get("SEGUE_SERVICE", "")
            if mark.startswith(home) and process.status() != psutil.STATUS_ZOMBIE:
                found.add(Path(mark).name)
        except psutil.Error:
            continue
    return found


def serving(settings: Settings, process: subprocess.Popen[bytes], log: Path) -> str:
    """Wait for the player's address; fail with the log when the command ends before."""
    file = settings.address_file("player")
    wait_until(lambda: file.exists() or process.poll() is not None, 120, "the player serves")
    assert process.poll() is None, log.read_text()
    wait_until(lambda: "Segue plays at" in log.read_text(), 10, "the address is printed")
    return file.read_text().strip()


def worker_of(settings: Settings) -> int:
    """Return the process id of this home's worker."""
    record = ServiceFolder(settings.var / "services" / "worker").running()
    assert record is not None
    return record.pid


def test_ctrl_c_ends_what_it_started_and_nothing_else(services: Settings, small_run: Path, tmp_path: Path):
    log = tmp_path / "listen.log"
    with listen(services, log) as process:
        address = serving(services, process, log)
        with urlopen(f"{address}login") as page:
            assert page.status == 200
        assert "Nothing to do" in log.read_text()
        assert started_in(services) == {"kafka", "mongo", "worker", "player"}

        with listen(services, tmp_path / "second.log") as second:
            assert second.wait(60) == 1
        assert f"process {process.pid}" in (tmp_path / "second.log").read_text()

        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0, log.read_text()
    assert started_in(services) == {"kafka", "mongo"}
    assert not services.address_file("player").exists()


def test_services_that_it_started_end_with_it(services: Settings, small_run: Path, tmp_path: Path):
    log = tmp_path / "listen.log"
    same_ports = ports(services)
    local.down(services)
    try:
        with listen(services, log, **same_ports) as process:
            serving(services, process, log)
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0, log.read_text()
        assert started_in(services) == set()
    finally:
        numbers = {name.removeprefix("SEGUE_").lower(): int(port) for name, port in same_ports.items()}
        local.up(services.model_copy(update=numbers))


def test_a_worker_that_dies_is_started_again(services: Settings, small_run: Path, tmp_path: Path):
    log = tmp_path / "listen.log"
    with listen(services, log) as process:
        serving(services, process, log)
        killed = worker_of(services)
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: "starting it again" in log.read_text(), 20, "it says so")
        wait_until(lambda: started_in(services) >= {"worker"}, 20, "a worker runs again")
        assert worker_of(services) != killed
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0, log.read_text()
    assert started_in(services) == {"kafka", "mongo"}
