"""Fixtures that every test may use."""

import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from segue import services as local_services
from segue.compiled import own_cache
from segue.settings import Settings
from segue.store import Store, open_store
from support.lanes import Lanes, cache_of_this_worker, put_heavy_first
from support.own_services import take_jars
from support.small_run import finished_run

cache_of_this_worker(own_cache())
own_cache()
# Tests start Java often and give it little: the time that it takes to optimise itself never pays.
os.environ.setdefault("SPARK_SUBMIT_OPTS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
os.environ.setdefault("SEGUE_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")
BROWSER_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip
SHARED_DATA = Path(__file__).parents[1].parent / "shared" / "data"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Lanes:
    return Lanes(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        put_heavy_first(items)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real music and tables that a developer may have beside the checkout."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the shared data folder is not beside this checkout")
    return SHARED_DATA


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings with a home of their own in which a Kafka and a document store run, on ports of their own."""
    home = tmp_path_factory.mktemp("services")
    settings = Settings(home=home, kafka=None, mongo=None, kafka_port=0, mongo_port=0)
    # What `make dev` has fetched; how it is fetched is tested in tests/services/test_java.py.
    take_jars(Settings(), settings)
    try:
        local_services.up(settings)
        yield settings
    finally:
        local_services.down(settings)


@pytest.fixture
def store(services: Settings) -> Iterator[Store]:
    """An empty database of the running document store."""
    with open_store(services.mongo_uri, f"segue_test_{uuid.uuid4().hex}") as opened:
        yield opened
        opened.client.drop_database(opened.database)


@pytest.fixture(scope="session")
def small_run(services: Settings) -> Path:
    """The folder of a finished run of all notebooks on a tiny demo catalogue."""
    return finished_run(services)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium; for one module, as no other event loop may run beside Playwright's."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on the PATH: install one (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=list(BROWSER_FLAGS))
        yield opened
        opened.close()
