"""Every page and state of the player, brought about one after the other in a real browser.

Each way is a generator that yields the name of what stands on the screen, for docs/screenshots.py to take.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from playwright.sync_api import Locator, Page, expect

HELD_S = 0.6
"""Seconds for what glides, fades, or is drawn a moment after it is there."""


def settle(page: Page) -> None:
    """Wait until the page that is open has nothing left to load, and stands still."""
    expect(page.get_by_test_id("account")).to_be_visible(timeout=60_000)
    expect(page.locator(".view:not([hidden]) [aria-busy=true]:not([hidden])")).to_have_count(
        0, timeout=30_000
    )
    page.wait_for_timeout(1_000 * HELD_S)


def turn_to(page: Page, address: str) -> None:
    """Show another page of the player."""
    page.evaluate("hash => { location.hash = hash; }", address)
    settle(page)


def sign_up(page: Page, address: str, name: str, password: str) -> None:
    """Fill in the sign-up form and send it."""
    page.goto(f"{address}signup")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign up").click()


def outside(page: Page, address: str, name: str, password: str) -> Iterator[str]:
    """Yield what somebody meets who has no account yet, up to the first visit."""
    page.goto(f"{address}login")
    yield "login"
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Log in").click()
    yield "login-refused"
    page.goto(f"{address}signup")
    yield "signup"
    sign_up(page, address, name, "password1234")
    yield "signup-refused"
    page.route("**/page/*/player.js", lambda route: route.abort())
    sign_up(page, address, name, password)
    expect(page.locator("#segue-shell[data-failed]")).to_be_visible(timeout=30_000)
    yield "shell-failed"
    page.unroute("**/page/*/player.js")
    page.route("**/page/*/player.js", lambda _: None)
    page.goto(address, wait_until="commit")
    expect(page.locator("#segue-shell .bar")).to_be_visible()
    yield "shell"
    page.unroute("**/page/*/player.js")
    page.goto(address)
    settle(page)
    expect(page.get_by_test_id("starter")).to_have_count(3)
    yield "first-visit"
    for state, shown in (
        ("library-empty", "library"),
        ("library-playlists-empty", "library/playlists"),
        ("library-rated-empty", "library/rated"),
        ("library-history-empty", "library/history"),
        ("radio-empty", "radio"),
        ("activity-empty", "activity"),
    ):
        turn_to(page, shown)
        yield state


def at_home(page: Page, _track: int, _size: str) -> Iterator[str]:
    """Yield the list, and the shelves below it."""
    turn_to(page, "home")
    yield "home"
    page.locator(".shelf:visible").nth(1).scroll_into_view_if_needed()
    page.locator(".page").evaluate("page => page.scrollBy(0, 400)")
    yield "home-shelves"


def finding(page: Page, _track: int, _size: str) -> Iterator[str]:
    """Yield everything, what a typo finds, and nothing."""
    turn_to(page, "find")
    yield "find"
    page.get_by_test_id("find-input").fill("moonlite")
    settle(page)
    yield "find-typo"
    page.get_by_test_id("find-input").fill("qqqqzzzz")
    settle(page)
    yield "find-nothing"
    page.get_by_test_id("find-input").fill("")
    settle(page)


def one_track(page: Page, track: int, _size: str) -> Iterator[str]:
    """Yield a track's page before and while it plays, its artist's, and one that is not there."""
    turn_to(page, f"track/{track}")
    yield "track"
    page.get_by_test_id("track-play").click()
    page.wait_for_timeout(3_000)
    page.get_by_test_id("near").scroll_into_view_if_needed()
    yield "track-near"
    page.locator(".track-artist a").click()
    settle(page)
    yield "artist"
    turn_to(page, "track/999999999")
    yield "track-missing"


def on_the_map(page: Page, track: int, _size: str) -> Iterator[str]:
    """Yield the whole map, and a track on it from which a path begins."""
    turn_to(page, "map")
    yield "map"
    turn_to(page, f"map/{track}")
    page.wait_for_timeout(1_000)
    page.get_by_test_id("map-mark").click()
    page.wait_for_timeout(500)
    yield "map-close"


def by_radio(page: Page, track: int, _size: str) -> Iterator[str]:
    """Yield what it is tuned by, and what it plays."""
    turn_to(page, f"radio/{track}")
    page.get_by_test_id("radio-find").fill("moon")
    page.get_by_test_id("radio-add-minus").nth(1).wait_for()
    yield "radio-search"
    page.get_by_test_id("radio-add-minus").nth(1).click()
    page.get_by_test_id("radio-start").click()
    page.get_by_test_id("radio-list").get_by_test_id("row").first.wait_for()
    settle(page)
    yield "radio"


def in_the_library(page: Page, _track: int, _size: str) -> Iterator[str]:
    """Yield its parts, and how a track comes into a playlist."""
    turn_to(page, "library")
    likes = page.get_by_test_id("likes").get_by_test_id("row")
    likes.first.wait_for()
    settle(page)
    yield "library"
    _choose(page, likes.first, "Add to playlist")
    page.get_by_test_id("picker-name").fill("Late trains")
    yield "playlist-picker"
    page.get_by_test_id("picker-make").click()
    page.wait_for_timeout(800)
    yield "notice"
    for part in ("playlists", "rated", "history"):
        turn_to(page, f"library/{part}")
        yield f"library-{part}"
    turn_to(page, "library/playlists")
    page.get_by_test_id("playlist-row").first.get_by_role("button").click()
    settle(page)
    yield "playlist"


def moods_and_mine(page: Page, _track: int, _size: str) -> Iterator[str]:
    """Yield the moods, one of them, and what this listener did."""
    for name, shown in (("clusters", "clusters"), ("cluster", "cluster/0"), ("activity", "activity")):
        turn_to(page, shown)
        yield name


def floating(page: Page, _track: int, size: str) -> Iterator[str]:
    """Yield what comes over a page."""
    turn_to(page, "home")
    row = page.get_by_test_id("for-you").get_by_test_id("row").nth(2)
    row.hover()
    page.wait_for_timeout(300)
    yield "row-hover"
    row.get_by_role("button", name="More").click()
    yield "row-menu"
    page.keyboard.press("Escape")
    page.locator(".page").evaluate("page => page.scrollTo(0, 0)")
    settle(page)
    page.get_by_test_id("account").click()
    yield "account-menu"
    page.get_by_role("menuitem", name="How it works").click()
    yield "how-it-works"
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    yield "keys"
    page.keyboard.press("Escape")
    if size == "narrow":
        page.locator(".bar-print").click()
        page.wait_for_timeout(300)
        yield "player-full"
    if size in ("narrow", "middle"):
        page.get_by_role("button", name="Up next", exact=True).click()
        page.wait_for_timeout(500)
        yield "up-next"
        page.locator(".up-next-shut").click()
    if size == "narrow":
        page.get_by_role("button", name="Close the player").click()


def offline(page: Page, _track: int, _size: str) -> Iterator[str]:
    """Yield a page that has lost the network, with something that waits to be sent."""
    turn_to(page, "home")
    page.context.set_offline(True)
    page.get_by_test_id("for-you").get_by_test_id("like").first.click(force=True)
    page.wait_for_timeout(1_500)
    yield "offline"
    page.context.set_offline(False)


INSIDE = (
    at_home,
    finding,
    one_track,
    on_the_map,
    by_radio,
    in_the_library,
    moods_and_mine,
    floating,
    offline,
)
"""The ways of a listener who likes a track and has heard something; each begins anywhere."""


def beside(page: Page, address: str) -> Iterator[str]:
    """Yield the pages that are no player."""
    page.goto(f"{address}account")
    yield "account"
    page.goto(f"{address}no-such-page")
    yield "error-page"


def everybody(page: Page, address: str) -> Iterator[str]:
    """Yield what only an operator sees."""
    page.goto(f"{address}#activity")
    settle(page)
    page.get_by_test_id("all-activity").wait_for(timeout=20_000)
    page.wait_for_timeout(1_000)
    yield "activity-all"
    page.get_by_test_id("all-activity").scroll_into_view_if_needed()
    page.locator(".page").evaluate("page => page.scrollBy(0, 2000)")
    yield "activity-all-below"


def _choose(page: Page, row: Locator, label: str) -> None:
    row.hover()
    row.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name=re.compile(label)).click()
    page.wait_for_timeout(400)
