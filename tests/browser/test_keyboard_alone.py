"""From the sign-up page to a playlist as a file, by keys alone, always seeing where one is."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Download, Page, expect

from support.browsing import PASSWORD, sound, wait_for_list
from support.by_keys import Keys
from support.live_world import TRACKS
from support.site import Site
from support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

FIRST, SECOND = TRACKS[23], TRACKS[41]


@pytest.fixture(scope="module")
def site(music_site: Site) -> Site:
    return music_site


@pytest.fixture(params=["dark", "light"])
def keys(page: Page, request: pytest.FixtureRequest) -> Keys:
    """Keys before the sign-up page in one of the themes; nothing moves."""
    page.emulate_media(color_scheme=request.param, reduced_motion="reduce")
    page.goto("/signup")
    return Keys(page)


def sign_up(keys: Keys, name: str) -> None:
    page = keys.page
    expect(page.get_by_label("Name")).to_be_focused()
    keys.check()
    page.keyboard.type(name)
    keys.press("Tab")
    page.keyboard.type(PASSWORD)
    keys.press("Tab")
    expect(page.get_by_role("button", name=re.compile("sign up", re.I))).to_be_focused()
    page.keyboard.press("Enter")
    wait_for_list(page)


def find(keys: Keys, track: int) -> None:
    """Search a track and stand on its title."""
    page = keys.page
    keys.press("/")
    expect(page.get_by_test_id("find-input")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type(f"track {track}")
    expect(page.get_by_test_id("find-results").get_by_test_id("play").first).to_have_text(f"Track {track}")
    keys.press("ArrowDown")
    expect(page.locator(":focus")).to_have_text(f"Track {track}")


def choose(keys: Keys, label: str) -> None:
    """Open the menu of the row that has the focus, and choose from it."""
    keys.reach(keys.page.get_by_role("button", name=re.compile("^More: ")), most=3)
    keys.page.keyboard.press("Enter")
    keys.check()
    keys.reach(keys.page.get_by_role("menuitem", name=label), "ArrowDown", 8)
    keys.page.keyboard.press("Enter")


def export(keys: Keys) -> Download:
    """Go from wherever one is to the playlist, and export it."""
    page = keys.page
    keys.reach(page.get_by_test_id("nav-library"), "Shift+Tab", 80)
    page.keyboard.press("Enter")
    keys.reach(page.get_by_test_id("tab-playlists"))
    page.keyboard.press("Enter")
    mine = page.get_by_test_id("playlist-row").get_by_role("button", name="By keys")
    expect(mine).to_be_visible()
    keys.reach(mine)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="By keys")).to_be_visible()
    keys.reach(page.get_by_role("button", name="Export"))
    page.keyboard.press("Enter")
    keys.check()
    expect(page.locator(":focus")).to_have_text(re.compile("M3U"))
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    return download.value


def test_from_the_sign_up_page_to_a_playlist_as_a_file(keys: Keys, name: str):
    page = keys.page
    sign_up(keys, name)
    find(keys, FIRST)
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("now-title")).to_have_text(f"Track {FIRST}")
    wait_until(lambda: sound(page)["at"] > 0.2, 20, "it is heard")
    page.keyboard.press("l")
    expect(page.get_by_test_id("now-like")).to_have_attribute("aria-pressed", "true")

    choose(keys, "Add to playlist …")
    expect(page.get_by_test_id("picker-name")).to_be_focused()
    keys.check()
    page.keyboard.type("By keys")
    keys.press("Tab")
    expect(page.get_by_test_id("picker-make")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".notice")).to_have_text("By keys is made")
    expect(page.locator(":focus")).to_have_attribute("aria-label", re.compile("^More: "))
    find(keys, SECOND)
    choose(keys, "Add to playlist …")
    mine = page.get_by_test_id("picker-list").get_by_role("button", name="By keys")
    expect(mine).to_be_visible()
    keys.reach(mine, most=3)
    page.keyboard.press("Enter")
    expect(page.locator(".notice")).to_have_text(f"Track {SECOND} in By keys now")

    saved = export(keys)
    lines = Path(saved.path()).read_text("utf-8").splitlines()
    base = page.evaluate("location.origin")
    assert saved.suggested_filename == "By keys.m3u"
    assert lines[:3] == ["#EXTM3U", "#EXTENC:UTF-8", "#PLAYLIST:By keys"]
    artists = [line.rpartition(" - ")[0] for line in lines[3::2]]
    assert [line.rpartition(" - ")[2] for line in lines[3::2]] == [f"Track {FIRST}", f"Track {SECOND}"]
    assert all(re.fullmatch(r"#EXTINF:60,Artist \d+", each) for each in artists), artists
    assert lines[4::2] == [f"{base}/audio/{track}" for track in (FIRST, SECOND)]
    assert page.request.get(lines[4]).ok
    print(f"{keys.stops} stops of the focus were seen")


def hear_a_moment(page: Page) -> None:
    """Play the list, and pause."""
    page.keyboard.press("Space")
    wait_until(lambda: (sound(page) or {}).get("at", 0) > 0.2, 20, "the list is heard")
    page.keyboard.press("Space")


def test_what_plays_is_steered_from_wherever_one_is_and_the_keys_are_told(keys: Keys, name: str):
    page = keys.page
    sign_up(keys, name)
    hear_a_moment(page)
    wait_until(lambda: sound(page)["paused"], 5, "it pauses")
    began = sound(page)["at"]
    page.keyboard.press("ArrowRight")
    wait_until(lambda: sound(page)["at"] > began + 4, 5, "it goes on by five seconds")
    first = page.get_by_test_id("now-title").inner_text()
    page.keyboard.press("Shift+ArrowRight")
    expect(page.get_by_test_id("now-title")).not_to_have_text(first)
    page.keyboard.press("Shift+ArrowLeft")
    expect(page.get_by_test_id("now-title")).to_have_text(first)
    loud = page.locator("audio").first.evaluate("audio => audio.volume")
    page.keyboard.press("ArrowDown")
    assert page.locator("audio").first.evaluate("audio => audio.volume") < loud
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keys")
    expect(sheet).to_be_visible()
    keys.check()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()


def test_the_way_through_lists_queue_bar_and_menus_is_always_seen(keys: Keys, name: str):
    page = keys.page
    sign_up(keys, name)
    hear_a_moment(page)
    keys.reach(page.get_by_test_id("account"), most=9)
    page.keyboard.press("Enter")
    keys.check()
    keys.reach(page.get_by_test_id("logout"), "ArrowDown", 10)
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("account")).to_be_focused()
    for _ in range(12):
        keys.press("Tab")
    keys.reach(page.get_by_test_id("nav-library"), "Shift+Tab")
    page.keyboard.press("Enter")
    keys.reach(page.get_by_role("slider", name="Volume"), most=120)
    keys.reach(page.get_by_test_id("now-more"), "Shift+Tab", 5)
    page.keyboard.press("Enter")
    keys.check()
    keys.reach(page.get_by_test_id("star-3"), "ArrowDown", 12)
    keys.reach(page.get_by_role("menuitem", name=re.compile("Cross-fade")), "ArrowDown", 12)
    page.keyboard.press("Enter")
    keys.reach(page.get_by_test_id("cross-fade"), most=2)
    print(f"{keys.stops} stops of the focus were seen")
