"""The map under fingers: two zoom, one pans, a tap plays, one that rests first draws a path."""

from collections.abc import Iterator
from math import dist

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from support.browsing import sign_up, sound, wait_for_list
from support.fingers import Fingers, Spot
from support.live_world import World
from support.map_spots import spots
from support.music_world import ON_THE_MAP
from support.site import Site
from support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]

NAME = """() => [...document.querySelectorAll(".map-print")].forEach((print, place) => {
  print.dataset.name = place;
})"""
PRINTS = """() => Object.fromEntries([...document.querySelectorAll(".map-print[data-name]")].map((print) => {
  const { left, top, width, height } = print.getBoundingClientRect();
  return [print.dataset.name, [left + width / 2, top + height / 2]];
}))"""
"""A print that comes into view later is another element and has no name."""
STILL = "() => [visualViewport.scale, document.querySelector('.page').scrollTop, scrollX, scrollY]"


@pytest.fixture(scope="module")
def site(music_site: Site) -> Site:
    return music_site


@pytest.fixture
def context(browser: Browser, site: Site) -> Iterator[BrowserContext]:
    opened = browser.new_context(
        base_url=site.address, viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True
    )
    opened.set_default_timeout(20_000)
    yield opened
    opened.close()


@pytest.fixture
def fingers(context: BrowserContext, page: Page, name: str) -> Fingers:
    """Fingers over the whole map, on which each track is its print."""
    sign_up(page, name)
    wait_for_list(page)
    page.get_by_test_id("nav-map").tap()
    expect(page.locator(".map-print")).to_have_count(len(ON_THE_MAP))
    page.get_by_test_id("map").evaluate("map => map.scrollIntoView({ block: 'center' })")
    page.evaluate(NAME)
    return Fingers(context.new_cdp_session(page))


def middle(page: Page) -> Spot:
    box = page.get_by_test_id("map").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def between(found: dict[int, Spot]) -> Spot:
    """Return a spot that is farther from every track than a finger reaches."""
    (x, y), (other_x, other_y) = found[ON_THE_MAP[7]], found[ON_THE_MAP[14]]
    spot = (x + other_x) / 2, (y + other_y) / 2
    assert min(dist(spot, each) for each in found.values()) > 24
    return spot


def settled(page: Page) -> dict[str, Spot]:
    """Return where the prints are as soon as the map stands still."""
    seen: list[dict[str, Spot]] = [{}]

    def still() -> bool:
        seen.append(page.evaluate(PRINTS))
        page.evaluate("() => new Promise(requestAnimationFrame)")
        return bool(seen[-1]) and seen[-1] == seen[-2]

    wait_until(still, 10, "the map stands still")
    return seen[-1]


def test_two_fingers_zoom_around_what_lies_between_them_and_play_nothing(page: Page, fingers: Fingers):
    before, still = settled(page), page.evaluate(STILL)
    x, y = middle(page)
    for apart, to in ((50, 100), (100, 50)):
        factor = to / apart
        fingers.put((x - apart, y), (x + apart, y))
        fingers.slide((x - to, y), (x + to, y))
        fingers.lift()
        after = settled(page)
        kept = before.keys() & after.keys()
        assert len(kept) > 4
        wrong = {
            each: (after[each], before[each])
            for each in kept
            if dist(after[each], (x + factor * (before[each][0] - x), y + factor * (before[each][1] - y))) > 6
        }
        assert wrong == {}
        before = after
    assert page.evaluate(STILL) == still, "the page itself has neither zoomed nor scrolled"
    expect(page.get_by_test_id("now-title")).to_have_text("Nothing plays yet")


@pytest.mark.parametrize("start", ["between tracks", "on a track"])
def test_a_finger_that_moves_at_once_pans(page: Page, fingers: Fingers, music: World, start: str):
    before, still, found = settled(page), page.evaluate(STILL), spots(page, music.store)
    x, y = between(found) if start == "between tracks" else found[ON_THE_MAP[14]]
    fingers.put((x, y))
    fingers.slide((x + 60, y - 45))
    fingers.lift()
    after = settled(page)
    kept = before.keys() & after.keys()
    assert len(kept) > 4
    moved = [(after[each][0] - before[each][0], after[each][1] - before[each][1]) for each in kept]
    assert max(dist(each, (60, -45)) for each in moved) < 2, moved
    assert page.evaluate(STILL) == still
    expect(page.get_by_test_id("now-title")).to_have_text("Nothing plays yet")
    expect(page.get_by_test_id("map-path")).to_be_hidden()


def test_a_tap_plays_and_a_finger_that_rests_first_draws_a_path(page: Page, fingers: Fingers, music: World):
    settled(page)
    found = spots(page, music.store)
    first, last = ON_THE_MAP[7], ON_THE_MAP[22]
    fingers.tap(found[first])
    expect(page.get_by_test_id("now-title")).to_have_text(f"Track {first}")
    wait_until(lambda: sound(page)["at"] > 0.2, 20, "it is heard")
    fingers.tap(between(found))
    assert not sound(page)["paused"], "a tap beside a track does nothing"
    fingers.put(found[last])
    page.wait_for_timeout(450)
    fingers.slide(found[first])
    fingers.lift()
    expect(page.get_by_test_id("map-status")).to_contain_text(f"from Track {last} to Track {first}")
    expect(page.get_by_test_id("now-title")).to_have_text(f"Track {first}")
