"""Find before a real kernel and its index: typing, keys, what narrows it, what was looked for before."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from segue.pipeline.stages import notebooks_folder
from segue.player.serving import NOTEBOOK
from segue.settings import Settings
from segue.store import open_store
from support.browsing import sign_up
from support.live_world import TRACKS, World
from support.visitor import Server, serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]

MOONLIGHT, ARTIST = "Moonlight Sonata", "Ludwig van <Beethoven>"


@pytest.fixture(scope="module")
def player(services: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A player on 60 titles: one of a famous composer, the others nights, every third of them jazz."""
    with open_store(services.mongo_uri, f"segue_test_{uuid4().hex}") as store:
        world = World.build(services, tmp_path_factory.mktemp("find"), store)
        first, *others = store.cards.by_ids(TRACKS).values()
        store.cards.replace(
            [
                replace(first, title=MOONLIGHT, artist=ARTIST, genre="Classical"),
                *(
                    replace(card, title=f"Night {number}", genre="Folk" if number % 3 else "Jazz")
                    for number, card in enumerate(others)
                ),
            ]
        )
        with serving(world.settings, notebooks_folder() / NOTEBOOK) as server:
            yield server
        store.client.drop_database(store.database)


@pytest.fixture
def page(browser: Browser, player: Server) -> Iterator[Page]:
    context = browser.new_context(base_url=player.address, viewport={"width": 390, "height": 800})
    context.set_default_timeout(20_000)
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    sign_up(opened, f"mira{uuid4().hex[:10]}")
    expect(opened.get_by_test_id("account")).to_be_visible()
    opened.get_by_test_id("nav-find").click()
    expect(rows(opened)).to_have_count(40, timeout=20_000)
    yield opened
    context.close()
    assert errors == []


def rows(page: Page) -> Any:
    return page.get_by_test_id("find-results").get_by_test_id("row")


def marks(page: Page) -> list[str]:
    return rows(page).first.locator("mark").all_inner_texts()


def test_each_letter_finds_and_arrows_lead_into_what_was_found(page: Page):
    field = page.get_by_test_id("find-input")
    page.get_by_test_id("nav-home").click()
    page.keyboard.press("/")
    expect(field).to_be_focused()
    page.keyboard.type("moonlihgt bee")
    expect(rows(page)).to_have_count(1)
    expect(rows(page).get_by_test_id("play")).to_have_text(MOONLIGHT)
    expect(rows(page)).to_contain_text(ARTIST)
    assert marks(page) == ["Moonlight", "Bee"]
    page.keyboard.press("Enter")
    field.fill("night")
    expect(rows(page)).to_have_count(40)
    assert marks(page) == ["Night"]
    volume = page.evaluate("document.querySelector('audio')?.volume")
    titles = rows(page).get_by_test_id("play")
    page.keyboard.press("ArrowDown")
    expect(titles.first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(titles.nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(field).to_be_focused()
    assert page.evaluate("document.querySelector('audio')?.volume") == volume
    field.fill("")
    before = page.get_by_role("group", name="Recent searches")
    before.get_by_role("button", name="moonlihgt bee").click()
    expect(field).to_have_value("moonlihgt bee")
    expect(rows(page)).to_have_count(1)
    field.fill("")
    before.get_by_role("button", name="Forget these").click()
    expect(before).to_be_hidden()


def test_chips_narrow_it_and_what_is_nothing_has_one_way_out(page: Page):
    field = page.get_by_test_id("find-input")
    narrow = page.get_by_role("group", name="Narrow down")
    field.fill("night")
    jazz = narrow.get_by_role("button", name="Jazz")
    expect(jazz).to_have_text("Jazz20")
    jazz.click()
    expect(rows(page)).to_have_count(20)
    expect(jazz).to_have_attribute("aria-pressed", "true")
    expect(narrow.get_by_role("button", name="Folk")).to_have_text("Folk39")
    page.get_by_role("button", name="Not heard yet").click()
    expect(rows(page)).to_have_count(20)
    expect(jazz).to_have_attribute("aria-pressed", "true")
    field.fill("qzxv")
    results = page.get_by_test_id("find-results")
    results.get_by_role("button", name="Look in everything").click()
    expect(results).to_contain_text("Nothing is called “qzxv” here.")
    expect(jazz).to_have_count(0)
    results.get_by_role("button", name="Show everything").click()
    expect(rows(page)).to_have_count(40)
    expect(field).to_be_focused()
    wide = "document.querySelector('main').scrollWidth > document.querySelector('main').clientWidth"
    assert not page.evaluate(wide)
