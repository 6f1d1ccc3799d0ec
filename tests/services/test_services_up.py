import re
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from pymongo import MongoClient

from segue.errors import SegueError
from segue.services import ServiceStatus, down, fetch, status, up
from segue.services.process import ServiceFolder, is_gone
from segue.settings import Settings

pytestmark = pytest.mark.slow

_UP = (
    sys.executable,
    "-c",
    "import sys; from segue.services import up; from segue.settings import Settings;"
    "up(Settings(home=sys.argv[1], kafka=None, mongo=None, kafka_port=0, mongo_port=0))",
)


def _states(settings: Settings) -> dict[str, ServiceStatus]:
    return {found.name: found for found in status(settings)}


def _listening(pid: int) -> list[str]:
    sockets = psutil.Process(pid).net_connections("tcp")
    return [s.laddr.ip.removeprefix("::ffff:") for s in sockets if s.status == psutil.CONN_LISTEN]


def test_status_tells_state_address_process_kind_and_log(services: Settings) -> None:
    found = _states(services)
    assert [found["kafka"].state, found["mongo"].state] == ["up", "up"]
    assert found["kafka"].address == services.kafka_bootstrap
    assert f"mongodb://{found['mongo'].address}/" == services.mongo_uri
    assert found["kafka"].kind == "Kafka 4.1.1"
    for service in found.values():
        assert service.pid is not None
        assert psutil.pid_exists(service.pid)
        assert service.log is not None
        assert service.log.is_file()


def test_they_listen_on_loopback_only(services: Settings) -> None:
    for service in status(services):
        assert service.pid is not None
        addresses = _listening(service.pid)
        assert addresses
        assert set(addresses) == {"127.0.0.1"}


def test_up_again_changes_nothing(services: Settings) -> None:
    before = status(services)
    said: list[str] = []
    up(services, said.append)
    assert status(services) == before
    assert sorted(line.split(" at ")[0] for line in said) == ["kafka: already up", "mongo: already up"]


def test_fetch_makes_ready_and_starts_nothing(new_home: Callable[..., Settings]) -> None:
    settings = new_home()
    fetch(settings)
    assert {found.state for found in status(settings)} == {"down"}
    made = settings.var / "services"
    assert (made / "kafka" / "data" / "meta.properties").is_file()
    assert (made / "mongo" / "classes" / "Store.class").is_file()


def test_up_twice_at_once_then_down(new_home: Callable[..., Settings]) -> None:
    settings = new_home()
    assert [service.state for service in status(settings)] == ["down", "down"]
    said: list[str] = []
    try:
        with ThreadPoolExecutor(2) as pool:
            for outcome in [pool.submit(up, settings, said.append) for _ in range(2)]:
                outcome.result()
        assert len([line for line in said if re.match(r"\w+: up at ", line)]) == 2
        assert len([line for line in said if re.match(r"\w+: already up at ", line)]) == 2
        pids = [service.pid for service in status(settings)]
    finally:
        down(settings, said.append)
    assert [service.state for service in status(settings)] == ["down", "down"]
    assert all(pid is not None and is_gone(pid) for pid in pids)
    assert not settings.address_file("mongo").exists()
    with pytest.raises(SegueError, match="segue services up"):
        _ = settings.mongo_uri
    down(settings, said.append)
    assert said[-2:] == ["kafka: nothing to end", "mongo: nothing to end"] or said[-2:] == [
        "mongo: nothing to end",
        "kafka: nothing to end",
    ]


@pytest.mark.parametrize("seconds", [0.7, 1.0, 1.4, 2.0])
def test_up_mends_what_a_killed_up_left(new_home: Callable[..., Settings], seconds: float) -> None:
    settings = new_home()
    try:
        with subprocess.Popen([*_UP, settings.home], stdout=subprocess.DEVNULL) as killed:
            time.sleep(seconds)
            killed.kill()
        up(settings, lambda line: None)
        assert [service.state for service in status(settings)] == ["up", "up"]
        for name in ("kafka", "mongo"):
            assert list(ServiceFolder(settings.address_file(name).parent).strays()) == []
    finally:
        down(settings, lambda line: None)


def test_they_outlive_the_process_that_started_them(new_home: Callable[..., Settings]) -> None:
    settings = new_home()
    try:
        subprocess.run([*_UP, settings.home], check=True, timeout=120, capture_output=True)
        for service in status(settings):
            assert service.state == "up"
            assert service.pid is not None
            assert psutil.Process(service.pid).terminal() is None
    finally:
        down(settings)


def test_services_of_the_users_are_asked_and_left_alone(services: Settings, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, kafka=services.kafka_bootstrap, mongo=services.mongo_uri)
    said: list[str] = []
    up(settings, said.append)
    assert [(s.state, s.kind, s.pid) for s in status(settings)] == [
        ("external", "SEGUE_KAFKA", None),
        ("external", "SEGUE_MONGO", None),
    ]
    down(settings, said.append)
    assert [service.state for service in status(services)] == ["up", "up"]
    assert not (tmp_path / "var" / "services" / "kafka").exists()


def test_a_service_of_the_users_that_does_not_answer_is_named(services: Settings, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, kafka=services.kafka_bootstrap, mongo="mongodb://127.0.0.1:9/")
    with pytest.raises(
        SegueError, match=r"SEGUE_MONGO=mongodb://127.0.0.1:9/: start it, correct the address"
    ):
        up(settings, lambda line: None)
    assert _states(settings)["mongo"].state == "unhealthy"


def test_a_mongod_on_the_path_is_preferred(
    services: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script of that name takes mongod's options and starts the embedded store in its data folder."""
    jars = services.address_file("mongo").parent
    program = tmp_path / "bin" / "mongod"
    program.parent.mkdir()
    program.write_text(
        '#!/bin/sh\n[ "$1 $3 $4 $5" = "--dbpath --bind_ip 127.0.0.1 --port" ] || exit 1\n'
        f'exec java -cp "{jars}/classes:{jars}/lib/*" Store "$6" "$2/store.mv"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    settings = Settings(home=tmp_path, kafka=services.kafka_bootstrap, mongo=None, mongo_port=0)
    try:
        up(settings, lambda line: None)
        assert _states(settings)["mongo"].kind == "mongod"
        with MongoClient(settings.mongo_uri) as client:
            assert client.admin.command("ping")["ok"] == 1
    finally:
        down(settings, lambda line: None)
