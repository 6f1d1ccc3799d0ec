"""What hands know from other players: double clicks, the other button, links, Escape, a library in order."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from segue.settings import Settings
from support.browsing import row_of, sign_up, sound, wait_for_list
from support.small_desk import prepared
from support.visitor import Server, serving
from support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

LONG = "Waiting for the Harbour of Lanterns"
ANSWERS = f"""
    elif content["type"] == "track":
        near = [{{"model": model, "tracks": [{{**card(number), "title": f"{LONG} {{number}}"}}
                                           for number in range(2, 9)]}}
                for model in ("exact", "kmeans", "lsh", "embedding", "als")]
        told = {{"type": "track", "track": card(content["track_id"]), "near": near, "genres": []}}
        widget.send(told | {{"cluster": None, "request": content["request"]}})
"""


@pytest.fixture(scope="module")
def server(services: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A player whose kernel answers as above: eight tracks of a minute each, by eight artists."""
    with (
        prepared(services, tmp_path_factory.mktemp("desk"), ANSWERS) as (settings, notebook),
        serving(settings, notebook) as opened,
    ):
        yield opened


@pytest.fixture
def context(browser: Browser, server: Server) -> Iterator[BrowserContext]:
    opened = browser.new_context(
        base_url=server.url(""),
        viewport={"width": 1280, "height": 800},
        permissions=["clipboard-read", "clipboard-write"],
        reduced_motion="reduce",
    )
    opened.set_default_timeout(20_000)
    yield opened
    opened.close()


@pytest.fixture
def listener(page: Page, name: str) -> Page:
    """A page on which a new listener has a list."""
    sign_up(page, name)
    wait_for_list(page)
    return page


def is_heard(page: Page, title: str) -> None:
    expect(page.get_by_test_id("now-title")).to_have_text(title)
    wait_until(lambda: sound(page)["at"] > 0.3, 20, f"{title} is heard")


def press_other_button(page: Page, what: Locator) -> None:
    """Press the other button on something, and check that its menu is where the pointer is."""
    what.scroll_into_view_if_needed()
    # That it has scrolled is told a frame later, and shuts a menu.
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    box = what.bounding_box()
    assert box is not None
    x, y = box["x"] + 0.8 * box["width"], box["y"] + 0.5 * box["height"]
    page.mouse.click(x, y, button="right")
    menu = page.get_by_role("menu")
    expect(menu).to_be_visible()
    at, size = menu.bounding_box(), page.viewport_size
    assert at is not None
    assert size is not None
    assert 0 <= at["x"] <= x <= at["x"] + at["width"] <= size["width"]
    assert at["y"] >= 0
    assert at["y"] + at["height"] <= size["height"]
    assert abs(at["y"] - y) < 2 or abs(at["y"] + at["height"] - y) < 10 or at["y"] < 10


def test_a_double_click_plays_as_one_click_does(listener: Page):
    row_of(listener, 1).get_by_test_id("play").dblclick()
    is_heard(listener, "Title 1")
    expect(listener.locator(".bar").get_by_role("button", name="Pause")).to_be_visible()
    assert not sound(listener)["paused"]
    listener.get_by_test_id("queued").nth(2).get_by_text("Title 4").dblclick()
    is_heard(listener, "Title 4")
    listener.get_by_test_id("newest").get_by_text("Title 2").dblclick()
    is_heard(listener, "Title 2")
    assert not sound(listener)["paused"]


def test_the_other_button_opens_the_menu_of_what_the_pointer_is_on(listener: Page):
    row_of(listener, 1).get_by_test_id("play").click()
    is_heard(listener, "Title 1")
    for what in (row_of(listener, 3), listener.get_by_test_id("queued").nth(6)):
        press_other_button(listener, what)
        listener.keyboard.press("Escape")
        expect(listener.get_by_role("menu")).to_have_count(0)
    press_other_button(listener, listener.get_by_test_id("newest").get_by_role("button", name="Title 3"))
    listener.get_by_role("menuitem", name="Play next").click()
    expect(listener.get_by_test_id("queued").first).to_contain_text("Title 3")


def test_links_lead_to_the_artist_and_can_be_given_on(listener: Page):
    row_of(listener, 3).hover()
    row_of(listener, 3).get_by_role("button", name="More: ").click()
    listener.get_by_role("menuitem", name="Copy link").click()
    expect(listener.get_by_text("The link to Title 3 is copied")).to_be_visible()
    link = listener.evaluate("navigator.clipboard.readText()")
    assert link.endswith("/#track/3")
    press_other_button(listener, row_of(listener, 4))
    listener.get_by_role("menuitem", name="More by Artist 4").click()
    expect(listener).to_have_url(re.compile(r"#artist/Artist%204$"))
    listener.goto("about:blank")
    listener.goto(link)
    expect(listener.get_by_test_id("track-title")).to_have_text("Title 3", timeout=60_000)
    listener.get_by_test_id("track-play").click()
    is_heard(listener, "Title 3")
    listener.get_by_test_id("now-artist").click()
    expect(listener).to_have_url(re.compile(r"#artist/Artist%203$"))


def test_on_a_phone_up_next_lies_over_the_whole_player_and_escape_leaves_one_after_the_other(listener: Page):
    listener.set_viewport_size({"width": 390, "height": 844})
    row_of(listener, 1).get_by_test_id("play").click()
    is_heard(listener, "Title 1")
    listener.get_by_role("button", name="Open the player").click()
    expect(listener.get_by_role("button", name="Close the player")).to_be_visible()
    listener.get_by_role("button", name="Up next", exact=True).click()
    expect(listener.locator(".queue-tally")).to_have_text("7 tracks · 7 minutes")
    listener.get_by_test_id("queued").nth(1).get_by_text("Title 3").click()
    is_heard(listener, "Title 3")
    listener.keyboard.press("Escape")
    expect(listener.get_by_test_id("up-next")).to_be_hidden()
    expect(listener.get_by_role("button", name="Close the player")).to_be_visible()
    listener.keyboard.press("Escape")
    expect(listener.get_by_role("button", name="Close the player")).to_be_hidden()


def test_the_way_back_leaves_the_whole_player_before_it_leaves_the_page(listener: Page):
    listener.set_viewport_size({"width": 390, "height": 844})
    shut = listener.get_by_role("button", name="Close the player")
    listener.get_by_test_id("nav-library").click()
    listener.get_by_test_id("nav-home").click()
    row_of(listener, 4).get_by_test_id("play").click()
    is_heard(listener, "Title 4")
    listener.get_by_role("button", name="Open the player").click()
    listener.get_by_role("button", name="Up next", exact=True).click()
    listener.go_back()
    expect(listener.get_by_test_id("up-next")).to_be_hidden()
    expect(shut).to_be_visible()
    listener.go_back()
    expect(shut).to_be_hidden()
    expect(listener).to_have_url(re.compile(r"#home$"))
    listener.get_by_role("button", name="Open the player").click()
    shut.click()
    expect(shut).to_be_hidden()
    listener.get_by_role("button", name="Open the player").click()
    listener.get_by_test_id("now-title").click()
    expect(listener).to_have_url(re.compile(r"#track/4$"))
    expect(shut).to_be_hidden()
    for address in ("home", "library"):
        listener.go_back()
        expect(listener).to_have_url(re.compile(rf"#{address}$"))


def test_a_wide_page_has_no_button_that_opens_the_player(listener: Page):
    row_of(listener, 1).get_by_test_id("play").click()
    is_heard(listener, "Title 1")
    expect(listener.locator(".bar-print .print")).to_be_visible()
    expect(listener.get_by_role("button", name="Open the player")).to_have_count(0)


def test_what_is_liked_is_counted_played_narrowed_and_sorted(listener: Page):
    for track in (5, 2, 7, 1, 3, 8, 4, 6):
        row_of(listener, track).hover()
        row_of(listener, track).get_by_test_id("like").click()
    listener.get_by_test_id("nav-library").click()
    titles = listener.get_by_test_id("likes").get_by_test_id("play")
    expect(titles).to_have_text([f"Title {track}" for track in (6, 4, 8, 3, 1, 7, 2, 5)])
    expect(listener.locator(".list-tally")).to_have_text("8 tracks · 8 minutes")
    listener.get_by_test_id("list-order").select_option(label="Title")
    expect(titles).to_have_text([f"Title {track}" for track in range(1, 9)])
    listener.get_by_test_id("list-filter").fill("ÁRTIST 7")
    expect(titles).to_have_text(["Title 7"])
    expect(listener.locator(".list-tally")).to_have_text("1 track · 1 minute")
    listener.get_by_test_id("list-filter").fill("nothing like it")
    listener.get_by_role("button", name="Show all of it").click()
    expect(titles).to_have_count(8)
    listener.get_by_test_id("play-all").click()
    is_heard(listener, "Title 1")
    expect(listener.get_by_test_id("queued").first).to_contain_text("Title 2")


def test_a_page_that_is_asked_for_again_goes_to_its_top_and_back_finds_it_where_it_was(listener: Page):
    page = listener.locator(".page")
    page.evaluate("page => page.scrollTo(0, 300)")
    press_other_button(listener, row_of(listener, 6))
    listener.get_by_role("menuitem", name="About this track").click()
    expect(listener.get_by_test_id("track-title")).to_have_text("Title 6")
    assert page.evaluate("page => page.scrollTop") == 0
    listener.go_back()
    expect(listener.get_by_test_id("for-you")).to_be_visible()
    assert page.evaluate("page => page.scrollTop") == 300
    listener.get_by_test_id("nav-home").click()
    assert page.evaluate("page => page.scrollTop") == 0


def test_a_shelf_is_pushed_on_with_a_mouse(listener: Page):
    shelf = listener.get_by_test_id("newest")
    shelf.scroll_into_view_if_needed()
    back, on = shelf.get_by_title("Back"), shelf.get_by_title("On")
    expect(back).to_be_disabled()
    tiles = shelf.locator(".tiles")
    assert tiles.evaluate("tiles => tiles.scrollLeft") == 0
    on.click()
    expect(back).to_be_enabled()
    expect(on).to_be_disabled()
    back.click()
    expect(back).to_be_disabled()
    assert tiles.evaluate("tiles => tiles.scrollLeft") == 0


def test_nothing_moves_aside_for_what_is_chosen(listener: Page):
    places = "(all) => all.map((each) => each.getBoundingClientRect()).map(({ x, width }) => [x, width])"
    listener.get_by_test_id("nav-library").click()
    tabs = listener.locator(".tab")
    before = tabs.evaluate_all(places)
    for tab in ("tab-playlists", "tab-rated", "tab-history"):
        listener.get_by_test_id(tab).click()
        expect(listener.get_by_test_id(tab)).to_have_attribute("aria-current", "page")
        assert tabs.evaluate_all(places) == before


def test_a_sheet_can_be_shut_from_wherever_one_has_scrolled_to(listener: Page):
    listener.set_viewport_size({"width": 1280, "height": 360})
    listener.keyboard.press("?")
    sheet = listener.get_by_role("dialog", name="Keys")
    assert sheet.evaluate("sheet => (sheet.scrollTop = 1000, sheet.scrollTop)") > 50
    shut = sheet.get_by_role("button", name="Close")
    top, own = sheet.bounding_box(), shut.bounding_box()
    assert top is not None
    assert own is not None
    assert own["y"] >= top["y"]
    shut.click()
    expect(sheet).to_be_hidden()


@pytest.mark.parametrize("width", [390, 820, 1280])
def test_titles_near_a_track_are_read_whole(listener: Page, width: int):
    listener.set_viewport_size({"width": width, "height": 900})
    listener.evaluate("location.hash = '#track/1'")
    titles = listener.get_by_test_id("near").locator(".near-words > :first-child")
    expect(titles.first).to_have_text(f"{LONG} 2")
    cut = "titles => titles.filter(({ scrollHeight: h, clientHeight: c }) => h > c).map((t) => t.textContent)"
    assert titles.count() == 35
    assert titles.evaluate_all(cut) == []
