"""A real browser before a real player: Voila, worker, Kafka and document store behind it."""

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from segue.settings import Settings
from segue.store import Store, open_store
from support.site import Site

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip
MARKUP = '<img src=x onerror="document.title=\'broken\'"><b>Bold & "quoted"</b>'


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on the PATH: install one (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def run_store(services: Settings, small_run: Path) -> Iterator[Store]:
    """The database of the tiny run, in which one track's tags hold markup."""
    with open_store(services.mongo_uri, "segue_demo_24_0") as store:
        yield store


@pytest.fixture(scope="session")
def markup_track(run_store: Store) -> int:
    """A track whose title, artist and album are markup, as a file's tags may be."""
    cards = run_store.client[run_store.database]["cards"]
    track_id = min(found["_id"] for found in cards.find({}, {"_id": 1}))
    texts = {"title": MARKUP, "artist": MARKUP, "album": MARKUP, "text": MARKUP.casefold()}
    cards.update_one({"_id": track_id}, {"$set": texts})
    return track_id


@pytest.fixture(scope="session")
def site(
    services: Settings, small_run: Path, markup_track: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The player and the worker on the tiny run."""
    with Site(services, tmp_path_factory.mktemp("site")).serving() as serving:
        yield serving


@pytest.fixture
def context(browser: Browser, site: Site) -> Iterator[BrowserContext]:
    opened = browser.new_context(base_url=site.address, viewport={"width": 1280, "height": 900})
    opened.set_default_timeout(20_000)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page that fails its test when the browser reports an error of ours."""
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    assert errors == []


@pytest.fixture
def name() -> str:
    """A name that nobody has yet."""
    return f"mira{uuid.uuid4().hex[:10]}"
