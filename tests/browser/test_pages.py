"""Every page on a phone, a tablet and a desk: quiet, in place, not too wide, small, and for everybody."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, StorageState, expect

from segue.settings import Settings
from segue.store import open_store
from segue.store.cards import Card
from segue.store.clusters import Cluster
from support.browsing import sign_up, wait_for_list
from support.every_page import WATCH_SHIFTS, address, loaded, names, received, settle, too_wide
from support.live_world import World
from support.visitor import Server, serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "05_player.ipynb"
SIZES = [(390, 844), (820, 1180), (1440, 900)]
MOST_BYTES = 300_000
MOST_SHIFT = 0.02
SERIOUS = ("serious", "critical")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def world(services: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Sixty tracks with neighbours, clusters and shelves, and no sound."""
    with open_store(services.mongo_uri, f"segue_test_{uuid4().hex}") as store:
        built = World.build(services, tmp_path_factory.mktemp("world"), store)
        cards, _ = store.cards.find("", 100)
        ids = [card.track_id for card in cards]
        store.cards.replace(
            replace(card, cluster=place % 4, neighbours={"exact": ids[place % 40 + 1 : place % 40 + 11]})
            for place, card in enumerate(cards)
        )
        store.clusters.replace(
            [
                Cluster(n, "dark, quiet and steady", 15, "Folk", 0.5, cards[n].print, ids[n::4])
                for n in range(4)
            ]
        )
        shelves = {
            "popular": ids[:20],
            "newest": ids[30:42],
            "starters": ids[:3],
            "tracks": 60,
            "played": True,
        }
        store.meta.insert_one({"_id": "shelves", "title": "Small world", "composed": 60, **shelves})
        yield built
        built.close()
        store.client.drop_database(store.database)


@pytest.fixture(scope="module")
def server(world: World) -> Iterator[Server]:
    kafka = world.settings.kafka_bootstrap
    with serving(world.settings, NOTEBOOK, {"SEGUE_KAFKA": kafka}) as opened:
        yield opened


@pytest.fixture(scope="module")
def card(world: World) -> Card:
    """What a page is about that is about something."""
    return world.store.cards.by_ids([110])[110]


@pytest.fixture
def login(browser: Browser, server: Server) -> StorageState:
    """The cookies of somebody who has opened no page yet: so many at once are one account's share."""
    context = browser.new_context(base_url=server.url(""))
    page = context.new_page()
    sign_up(page, f"every-{uuid4().hex[:8]}")
    wait_for_list(page)
    state = context.storage_state()
    context.close()
    return state


@contextmanager
def opened(browser: Browser, server: Server, login: StorageState, **options: Any) -> Iterator[Page]:
    """Open a page that keeps no files."""
    context = browser.new_context(base_url=server.url(""), storage_state=login, **options)
    context.add_init_script(WATCH_SHIFTS)
    page = context.new_page()
    context.new_cdp_session(page).send("Network.setCacheDisabled", {"cacheDisabled": True})
    yield page
    context.close()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: str(size[0]))
def test_every_page_is_quiet_fits_is_small_and_stands_still(
    browser: Browser, server: Server, login: StorageState, card: Card, size: tuple[int, int]
):
    console: list[str] = []
    heavy, moving, wide, said = {}, {}, {}, {}
    with opened(browser, server, login, viewport={"width": size[0], "height": size[1]}) as page:
        page.on("pageerror", lambda error: console.append(str(error)))
        # These tracks have no sound, and so no outline.
        page.on("console", lambda told: "/audio/" in told.location["url"] or console.append(told.text))
        for name in names():
            page.goto("about:blank")
            console.clear()
            with received(page) as by_socket:
                page.goto(f"/{address(name, card)}")
                settle(page)
            assert page.locator(f".view-{name}:visible").count() == 1, f"{name} is another page"
            heavy[name], moving[name] = loaded(page) + sum(by_socket), page.evaluate("shifts")
            wide[name], said[name] = too_wide(page), list(console)
    print({name: f"{heavy[name] / 1000:.0f} kB, CLS {moving[name]:.4f}" for name in heavy})
    assert {name: each for name, each in said.items() if each} == {}
    assert {name: each for name, each in wide.items() if each} == {}
    assert {name: each for name, each in moving.items() if each >= MOST_SHIFT} == {}
    assert {name: each for name, each in heavy.items() if each >= MOST_BYTES} == {}


def findings(page: Page) -> list[str]:
    """Return what axe-core finds serious, each with the first elements that it stands for."""
    options = {"runOnly": RULES, "resultTypes": ["violations"]}
    found: dict[str, Any] = Axe().run(page, options=options).response
    return [
        f"{each['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:300]}"
        for each in found["violations"]
        if each["impact"] in SERIOUS
        for node in each["nodes"][:3]
    ]


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_axe_finds_nothing_serious_on_any_page(
    browser: Browser, server: Server, login: StorageState, card: Card, scheme: Literal["dark", "light"]
):
    found = {}
    with opened(browser, server, login, color_scheme=scheme, reduced_motion="reduce") as page:
        page.goto("/")
        settle(page)
        for name in names():
            page.evaluate("address => { location.hash = address; }", address(name, card))
            expect(page.locator(f".view-{name}:visible")).to_have_count(1)
            settle(page)
            found[name] = findings(page)
        page.get_by_test_id("account").click()
        found["menu"] = findings(page)
        page.keyboard.press("Escape")
        page.keyboard.press("?")
        found["keys"] = findings(page)
        page.goto("/account")
        found["/account"] = findings(page)
        page.context.clear_cookies()
        for entrance in ("/login", "/signup"):
            page.goto(entrance)
            found[entrance] = findings(page)
    assert {where: each for where, each in found.items() if each} == {}


def test_how_it_works_is_written_across_its_sheet(browser: Browser, server: Server, login: StorageState):
    with opened(browser, server, login, viewport={"width": 1440, "height": 900}) as page:
        page.goto("/")
        settle(page)
        page.get_by_test_id("account").click()
        page.get_by_role("menuitem", name="How it works").click()
        sheet = page.get_by_role("dialog", name="How it works")
        whole = sheet.bounding_box()
        said = sheet.locator("p").first.bounding_box()
    assert whole is not None
    assert said is not None
    assert said["width"] > 0.8 * whole["width"]
