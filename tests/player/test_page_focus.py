"""The page by keys and for a screen reader: names, titles, where the focus is and goes (WCAG 2.2)."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from support.scripted_page import SITE, opened, rows, show, sized

pytestmark = pytest.mark.slow

PHONE, TABLET = (390, 844), (820, 900)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with opened(browser, reduced_motion="reduce") as page:
        yield page


def places_of_the_focus(page: Page, presses: int) -> set[str]:
    """Return in which parts of the player the focus is while Tab is pressed so often."""
    found = set()
    for _ in range(presses):
        page.keyboard.press("Tab")
        found.add(
            page.evaluate(
                """["page", "rail", "bar", "up-next"]
                  .find((part) => document.activeElement.closest(`.${part}`)) ?? "outside" """
            )
        )
    return found - {"outside"}


def test_each_button_of_a_list_says_whose_it_is(page: Page):
    show(page)
    names = (
        page.get_by_test_id("for-you")
        .locator("button")
        .evaluate_all("all => all.map((button) => button.ariaLabel ?? button.textContent)")
    )
    assert len(names) == 4 * 6
    assert sorted(set(names)) == sorted(names)
    assert "More: Title 3" in names


def test_each_page_has_a_title_and_its_main_part_a_name(page: Page):
    show(page)
    titles = []
    for address in ("home", "find", "library/liked", "library/rated", "clusters"):
        page.evaluate("address => { location.hash = address; }", address)
        page.wait_for_function("address => location.hash === `#${address}`", arg=address)
        page.wait_for_timeout(50)
        titles.append(page.title())
        expect(page.get_by_role("main")).to_have_attribute("aria-label", titles[-1].removesuffix(" · Segue"))
    assert titles == [
        f"{name} · Segue" for name in ("Home", "Find", "Liked · Library", "Rated · Library", "Moods")
    ]


def test_under_the_large_player_nothing_takes_the_focus(page: Page):
    sized(page, PHONE)
    show(page)
    rows(page).first.get_by_test_id("play").click()
    page.get_by_role("button", name="Open the player").click()
    expect(page.get_by_role("button", name="Close the player")).to_be_focused()
    assert places_of_the_focus(page, 18) == {"bar"}
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Open the player")).to_be_focused()
    assert places_of_the_focus(page, 24) >= {"page", "rail"}


def test_the_queue_fills_a_phone_and_escape_leaves_it_for_the_large_player(page: Page):
    sized(page, PHONE)
    show(page)
    rows(page).first.get_by_test_id("play").click()
    page.get_by_role("button", name="Open the player").click()
    page.get_by_role("button", name="Up next", exact=True).click()
    queue = page.get_by_test_id("up-next")
    expect(queue.get_by_role("button", name="Title 2", exact=True)).to_be_visible()
    assert places_of_the_focus(page, 24) == {"up-next"}
    page.keyboard.press("Escape")
    expect(queue).to_be_hidden()
    expect(page.get_by_role("button", name="Up next", exact=True)).to_be_focused()


def test_the_queue_over_a_page_makes_way_for_the_focus(page: Page):
    sized(page, TABLET)
    show(page)
    page.get_by_role("button", name="Up next", exact=True).click()
    expect(page.get_by_test_id("up-next")).to_be_visible()
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("Boolean(document.activeElement.closest('.page'))")
    expect(page.get_by_test_id("up-next")).to_be_hidden()


def test_the_wide_bar_has_no_button_that_does_nothing(page: Page):
    show(page)
    expect(page.get_by_role("button", name="Open the player")).to_have_count(0)


def test_a_row_that_goes_leaves_the_focus_to_the_next(page: Page):
    show(page, likes=(2, 3, 4))
    page.evaluate(
        "kernel.tell({ type: 'found', request: 1, tracks: [2, 3, 4].map((id) => kernel.card(id)) })"
    )
    page.get_by_test_id("nav-library").click()
    liked = page.get_by_test_id("likes")
    for going, next_one in ((2, 3), (4, 3)):
        liked.get_by_role("button", name=f"Like: Title {going}").focus()
        page.keyboard.press("Enter")
        expect(liked.get_by_text(f"Title {going}", exact=True)).to_have_count(0)
        expect(liked.get_by_role("button", name=f"Like: Title {next_one}")).to_be_focused()


def test_tab_goes_on_from_the_button_of_a_menu(page: Page):
    show(page)
    more = rows(page).first.get_by_role("button", name="More: Title 1")
    more.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Play next")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("menu")).to_have_count(0)
    expect(rows(page).nth(1).get_by_test_id("play")).to_be_focused()


def test_a_notice_stays_while_it_is_pointed_at(page: Page):
    page.clock.install()
    show(page)
    notice = page.locator(".notice")
    rows(page).first.hover()
    page.keyboard.press("q")
    expect(notice).to_have_text("Title 1 is queued")
    notice.hover()
    page.clock.run_for(20_000)
    expect(notice).to_be_visible()
    page.mouse.move(0, 0)
    page.clock.run_for(7_000)
    expect(notice).to_have_count(0)


def test_a_notice_with_an_action_can_be_shut_and_leaves_the_focus_in_the_player(page: Page):
    show(page)
    page.context.route(f"{SITE}audio/**", lambda route: route.fulfill(status=404))
    rows(page).first.get_by_test_id("play").click()
    notice = page.locator(".notice", has_text="Nothing plays at the moment")
    expect(notice.get_by_role("button", name="Try again")).to_be_visible(timeout=20_000)
    notice.get_by_role("button", name="Close this notice").focus()
    page.keyboard.press("Enter")
    expect(notice).to_have_count(0)
    assert page.evaluate("document.activeElement.matches('.segue')")


def test_nothing_found_is_told(page: Page):
    show(page)
    page.get_by_test_id("nav-find").click()
    page.get_by_test_id("find-input").fill("qqq")
    page.wait_for_function("kernel.heard.some(({ type, text }) => type === 'find' && text === 'qqq')")
    page.evaluate(
        """kernel.tell({ type: "found", request: kernel.heard.findLast(({ text }) => text === "qqq").request,
             total: 0, facets: {}, tracks: [] })"""
    )
    expect(page.get_by_role("status").filter(has_text="Nothing is called “qqq” here.")).to_have_count(1)


def test_a_tile_that_has_the_focus_is_seen_from_edge_to_edge(page: Page):
    show(page)
    page.wait_for_function("kernel.heard.some(({ type }) => type === 'home')")
    page.evaluate(
        """kernel.tell({ type: "home", request: kernel.heard.find(({ type }) => type === "home").request,
             because: [], moods: [],
             newest: Array.from({ length: 12 }, (_, place) => kernel.card(20 + place)) })"""
    )
    tiles = page.get_by_test_id("newest").get_by_role("button")
    shelf = page.get_by_test_id("newest").locator(".tiles").bounding_box()
    assert shelf is not None
    tiles.first.focus()
    for _ in range(11):
        page.keyboard.press("Tab")
        tile = page.locator(":focus").bounding_box()
        assert tile is not None
        assert tile["x"] >= shelf["x"] - 1
        assert tile["x"] + tile["width"] <= shelf["x"] + shelf["width"] + 1
    expect(tiles.last).to_be_focused()


def test_what_is_taken_out_of_the_radio_leaves_the_focus_to_the_next(page: Page):
    show(page)
    page.evaluate("location.hash = 'radio/1,2,3'")
    page.wait_for_function("kernel.heard.some(({ among }) => among?.length === 3)")
    page.evaluate(
        """kernel.tell({ type: "found", tracks: [1, 2, 3].map((id) => kernel.card(id)),
             request: kernel.heard.find(({ among }) => among?.length === 3).request })"""
    )
    page.get_by_role("button", name="Take out: Title 2").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Take out: Title 3")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Take out: Title 1")).to_be_focused()


def test_a_playlist_without_a_name_is_asked_for_one(page: Page):
    show(page)
    rows(page).first.get_by_role("button", name="More: Title 1").focus()
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="Add to playlist").click()
    name = page.get_by_test_id("picker-name")
    for typed, missing, unfit in (("", True, False), ("   ", False, True)):
        name.fill(typed)
        page.get_by_test_id("picker-make").click()
        expect(name).to_be_focused()
        told = name.evaluate("({ validity }) => [validity.valueMissing, validity.patternMismatch]")
        assert told == [missing, unfit]
    assert not page.evaluate("kernel.heard.some(({ type }) => type.startsWith('playlist_'))")
