"""A real browser before a real player: Voila, worker, Kafka and document store behind it."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from segue.live.kept_labels import LABELS
from segue.player.search_file import file_of
from segue.services.ports import any_free
from segue.settings import Settings
from segue.store import Store, open_store
from support.live_world import World
from support.music_world import music_world
from support.site import Site

MARKUP = '<img src=x onerror="document.title=\'broken\'"><b>Bold & "quoted"</b>'


@pytest.fixture(scope="module")
def run_store(services: Settings, small_run: Path) -> Iterator[Store]:
    """The database of the tiny run, in which one track's tags hold markup."""
    with open_store(services.mongo_uri, "segue_demo_24_0") as store:
        yield store


@pytest.fixture(scope="module")
def markup_track(services: Settings, run_store: Store, small_run: Path) -> Iterator[int]:
    """A track whose title, artist and album are markup, as a file's tags may be."""
    # A worker has the titles of its reasons from the run, and from the cards where the run has none.
    labels, aside = small_run / LABELS, small_run / f"{LABELS}-aside"
    labels.rename(aside)
    cards = run_store.client[run_store.database]["cards"]
    before = min(cards.find({}), key=lambda card: card["_id"])
    texts = {"title": MARKUP, "artist": MARKUP, "album": MARKUP, "text": MARKUP.casefold()}
    cards.replace_one({"_id": before["_id"]}, before | texts)
    # A player made for another test may have left an index of other texts.
    index = file_of(services, run_store.database)
    index.unlink(missing_ok=True)
    yield before["_id"]
    cards.replace_one({"_id": before["_id"]}, before)
    index.unlink(missing_ok=True)
    aside.rename(labels)


@pytest.fixture(scope="module")
def site(
    services: Settings, small_run: Path, markup_track: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The player and the worker on the tiny run."""
    with Site(services, tmp_path_factory.mktemp("site")).serving() as serving:
        yield serving


@pytest.fixture(scope="module")
def music(services: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Sixty tracks that can be heard, and what every page shows of them, without a run of the notebooks."""
    with music_world(services, tmp_path_factory.mktemp("music")) as world:
        yield world


@pytest.fixture(scope="module")
def music_site(music: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The player and the worker on those, at a port that the player has again when it is started again."""
    with Site(music.settings, tmp_path_factory.mktemp("site"), any_free()).serving() as serving:
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
