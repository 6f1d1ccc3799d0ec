"""The line is cut, or the player's server killed, under pages in use: what was done is stored once."""

import signal
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from segue.live.listener import from_document, liked
from segue.services.process import is_gone
from segue.store import Store
from support.browsing import listener_of, sign_up, sound, wait_for_list
from support.cable import Cable
from support.live_world import World
from support.site import Site
from support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

DONE = ("like", "skip", "play", "complete")
CUT_S = 30


@pytest.fixture(scope="module")
def site(music_site: Site) -> Site:
    return music_site


@pytest.fixture
def cable(site: Site) -> Iterator[Cable]:
    """The line between the browser and the server."""
    with Cable(site.address.removeprefix("http://")).joined() as joined:
        yield joined


@pytest.fixture
def context(browser: Browser, cable: Cable) -> Iterator[BrowserContext]:
    address = f"http://127.0.0.1:{cable.port}"
    opened = browser.new_context(base_url=address, viewport={"width": 1440, "height": 900})
    opened.set_default_timeout(20_000)
    yield opened
    opened.close()


class Listener:
    """Somebody at a page, and what the store knows of them."""

    def __init__(self, page: Page, name: str, store: Store) -> None:
        self.page, self.store = page, store
        sign_up(page, name)
        wait_for_list(page)
        page.evaluate("window.stays = true")
        self.listener_id = listener_of(store, name)

    def rows(self) -> Any:
        return self.page.get_by_test_id("for-you").get_by_test_id("row")

    def play(self) -> int:
        """Play the first of the list and wait until the two that follow in the list of then are loaded."""
        self.rows().first.get_by_test_id("play").click()
        self.hear()
        expect(self.page.get_by_test_id("live-line")).to_contain_text("because you played")
        wait_until(lambda: self.loaded() >= self.coming(2), 30, "the next two tracks are loaded as well")
        return self.playing()

    def coming(self, count: int) -> set[str]:
        """Return the addresses of the clips that come next."""
        words = self.page.get_by_test_id("queued").locator(".queued-words")
        titles = [words.nth(place).inner_text().splitlines()[0] for place in range(count)]
        return {f"/audio/{title.rpartition(' ')[2]}" for title in titles}

    def loaded(self) -> set[str]:
        """Return the addresses of the clips of which the browser has all."""
        names = "performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname)"
        return {each for each in self.page.evaluate(names) if each.removeprefix("/audio/").isdigit()}

    def hear(self) -> None:
        wait_until(lambda: (sound(self.page) or {}).get("at", 0) > 0.3, 20, "it is heard")

    def playing(self) -> int:
        return int(self.page.get_by_test_id("now-title").inner_text().rpartition(" ")[2])

    def skip(self) -> int:
        """Go on to the next, and return which one that is."""
        before = self.playing()
        self.page.get_by_test_id("next").click()
        wait_until(lambda: self.playing() != before, 5, "the next one plays")
        self.hear()
        return self.playing()

    def like_row(self) -> int:
        """Like a row farther down in the list."""
        self.rows().nth(5).hover()
        row = self.page.locator('[data-testid="row"]:hover')
        row.get_by_test_id("like").click()
        return int(row.get_attribute("data-track-id") or 0)

    def like_playing(self) -> int:
        self.page.get_by_test_id("now-like").click()
        return self.playing()

    def wait_until_sent(self) -> None:
        expect(self.page.get_by_test_id("pending")).to_be_hidden(timeout=60_000)

    def done(self) -> Counter[tuple[str, int]]:
        """Return how often each thing that was done is in the store."""
        plays = self.store.client[self.store.database]["plays"]
        found = plays.find({"listener_id": self.listener_id, "kind": {"$in": list(DONE)}})
        return Counter((each["kind"], each["track_id"]) for each in found)

    def counted(self) -> set[int]:
        """Return which likes the state holds that recommendations are made from."""
        found = self.store.listeners.get(self.listener_id)
        return liked(from_document(found.state)) if found else set()

    def check(self, *done: tuple[str, int]) -> None:
        """Wait until all of this is in the store, and fail unless it is there once and nothing else."""
        wanted = Counter(done)
        wait_until(lambda: not wanted - self.done(), 30, f"the store has {wanted}")
        likes = {track for kind, track in done if kind == "like"}
        wait_until(lambda: self.counted() == likes, 30, f"the state has {likes}")
        assert self.done() == wanted
        assert self.page.evaluate("window.stays") is True, "the page was not loaded again"


def test_music_goes_on_for_half_a_minute_without_a_line_and_all_that_was_done_is_stored_once(
    page: Page, name: str, cable: Cable, music: World
):
    listener = Listener(page, name, music.store)
    first = listener.play()
    with cable.cut():
        expect(page.get_by_test_id("pending")).to_be_visible(timeout=15_000)
        row = listener.like_row()
        second = listener.skip()
        third = listener.skip()
        listener.like_playing()
        expect(page.get_by_test_id("pending")).to_have_text("6 kept, will be sent")
        began = sound(page)["at"]
        page.wait_for_timeout(1_000 * CUT_S)
        heard_s = sound(page)["at"] - began
        assert heard_s > CUT_S - 1, "no second of it is missing"
        assert listener.playing() == third
        assert listener.done() == Counter({("play", first): 1})
    listener.wait_until_sent()
    listener.check(
        ("like", row), ("like", third), ("skip", first), ("skip", second),
        ("play", first), ("play", second), ("play", third),
    )  # fmt: skip
    print(f"{heard_s:.1f} of {CUT_S} s heard without a line")
    listener.skip()


def test_pages_come_back_after_the_server_was_killed_and_nothing_of_what_was_done_is_lost(
    context: BrowserContext, page: Page, name: str, site: Site, music: World
):
    listener = Listener(page, name, music.store)
    other = context.new_page()
    other.goto("/")
    wait_for_list(other)
    other.evaluate("window.stays = true")
    page.bring_to_front()
    first = listener.play()
    before = listener.like_playing()
    listener.wait_until_sent()
    kernels = site.player.kernels()
    assert len(kernels) == 2
    address = site.address

    site.player.stop(signal.SIGKILL)
    expect(page.get_by_test_id("pending")).to_be_visible(timeout=15_000)
    row = listener.like_row()
    second = listener.skip()
    expect(page.get_by_test_id("pending")).to_contain_text("kept, will be sent")
    began = sound(page)["at"]
    wait_until(lambda: all(map(is_gone, kernels)), 20, "the kernels of the server are gone")
    wait_until(lambda: sound(page)["at"] > began + 5, 10, "music goes on")

    site.start_player()
    assert site.address == address
    expect(other.get_by_test_id("pending")).to_be_hidden(timeout=60_000)
    listener.wait_until_sent()
    after = listener.like_row()
    third = listener.skip()
    listener.wait_until_sent()
    listener.check(
        ("like", before), ("like", row), ("like", after), ("skip", second), ("play", first),
        ("play", second), ("play", third),
    )  # fmt: skip
    assert other.evaluate("window.stays") is True
    assert len(site.player.kernels()) == 2
    other.get_by_test_id("nav-find").click()
    expect(other.get_by_test_id("find-results").get_by_test_id("row").first).to_be_visible()
