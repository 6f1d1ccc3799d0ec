"""A listener who does all that the page offers, again and again, as a hand does it."""

from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from support.browsing import sound
from support.waiting import wait_until

_PAGES = ("#clusters", "#cluster/1", "#artist/Artist%201", "#activity", "#radio", "#library/history")
_LETTERS = "track 10"
_QUEUED = 3


class Use:
    """One page in use; each `round` does everything once and ends at Home."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.rounds = 0
        self.acts: tuple[Callable[[], None], ...] = (
            self.play, self.say, self.go_over, self.find, self.order, self.make_a_playlist, self.look_at_it,
            self.walk_the_map, self.tune_the_radio, self.turn_pages,
        )  # fmt: skip

    def round(self) -> None:
        """Do everything once."""
        for act in self.acts:
            act()
        self._go_home()
        self.rounds += 1

    def play(self) -> None:
        """Play a row of the list, and skip it."""
        self._go_home()
        row = self._point_at(self.page.get_by_test_id("for-you"), 1 + self.rounds % 5)
        title = row.get_by_test_id("play").inner_text()
        row.get_by_test_id("play").click()
        expect(self.page.get_by_test_id("now-title")).to_have_text(title)
        self._hear()
        self._to_the_next(self.page.get_by_test_id("next").click)

    def say(self) -> None:
        """Like what plays and take it back, then the same with stars and with not-for-me."""
        for key, button in (("l", "now-like"), ("d", "now-dislike")):
            for pressed in ("true", "false"):
                self.page.keyboard.press(key)
                expect(self.page.get_by_test_id(button)).to_have_attribute("aria-pressed", pressed)
        for pressed in ("true", "false"):
            self.page.get_by_test_id("now-more").click()
            self.page.get_by_test_id("star-5").click()
            expect(self.page.get_by_test_id("now-like")).to_have_attribute("aria-pressed", pressed)

    def go_over(self) -> None:
        """Let a track end by itself; the next is heard."""
        near_the_end = """(slider) => {
          slider.value = Number(slider.max) - 1;
          slider.dispatchEvent(new Event("change"));
        }"""
        self._to_the_next(lambda: self.page.get_by_test_id("seek").evaluate(near_the_end))

    def find(self) -> None:
        """Search letter by letter, and queue three of what is found: a round plays three."""
        self.page.keyboard.press("/")
        field = self.page.get_by_test_id("find-input")
        expect(field).to_be_focused()
        found = self.page.get_by_test_id("find-results")
        field.fill("")
        expect(found.locator("mark")).to_have_count(0)
        field.press_sequentially(_LETTERS, delay=60)
        expect(found.locator("mark", has_text=_LETTERS[-2:]).first).to_be_visible()
        field.blur()
        for number in range(_QUEUED):
            title = self._point_at(found, self.rounds % 4 + number).get_by_test_id("play").inner_text()
            self.page.keyboard.press("q")
            expect(self.page.locator(".notice")).to_have_text(f"{title} is queued")

    def order(self) -> None:
        """Drag the last of those to the front."""
        rows = self.page.get_by_test_id("queued")
        last = rows.nth(_QUEUED - 1)
        expect(last).to_be_visible()
        key = last.get_attribute("data-key")
        start, end = (each.locator(".queued-grip").bounding_box() for each in (last, rows.first))
        assert start is not None
        assert end is not None
        mouse = self.page.mouse
        mouse.move(start["x"] + 18, start["y"] + 18)
        mouse.down()
        mouse.move(end["x"] + 18, end["y"] + 10, steps=6)
        mouse.up()
        expect(rows.first).to_have_attribute("data-key", key or "")

    def make_a_playlist(self) -> None:
        """Make a playlist of the queue, delete it, take that back, and delete it for good."""
        page, name = self.page, f"Round {self.rounds}"
        page.get_by_test_id("keep-queue").click()
        page.get_by_test_id("picker-name").fill(name)
        page.get_by_test_id("picker-make").click()
        expect(page.locator(".notice")).to_have_text(f"{name} is made")
        page.get_by_test_id("nav-library").click()
        for tab in ("liked", "rated", "history", "playlists"):
            page.get_by_test_id(f"tab-{tab}").click()
            expect(page.locator(f"[data-part={tab}]")).to_be_visible()
        page.get_by_test_id("playlist-row").get_by_role("button", name=name).click()
        for again in (True, False):
            expect(page.get_by_test_id("playlist-tracks").get_by_test_id("row").first).to_be_visible()
            page.get_by_role("button", name="Delete").click()
            expect(page.locator(".notice")).to_contain_text(f"{name} is deleted")
            if again:
                page.get_by_role("button", name="Undo").click()

    def look_at_it(self) -> None:
        """Open the page of what plays, and its artist's."""
        title = self.page.get_by_test_id("now-title")
        name = title.inner_text()
        title.click()
        expect(self.page.get_by_test_id("track-title")).to_have_text(name)
        expect(self.page.get_by_test_id("near").locator(".near").first).to_be_visible()
        self.page.go_back()
        self.page.go_forward()

    def walk_the_map(self) -> None:
        """Zoom in and out, drag, rest on a track, and choose by keys."""
        page = self.page
        page.keyboard.press("m")
        surface = page.get_by_test_id("map")
        expect(surface).to_be_focused()
        box = surface.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 3
        page.mouse.move(x, y)
        for zoom in (-300, -300, -300):
            page.mouse.wheel(0, zoom)
        page.mouse.move(x + 30, y + 30)
        page.mouse.down()
        page.mouse.move(x + 150, y + 90, steps=8)
        page.mouse.up()
        page.mouse.move(x, y, steps=4)
        for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "0"):
            page.keyboard.press(key)
        expect(page.get_by_test_id("map-chosen").get_by_test_id("play")).to_have_count(1)
        page.mouse.move(2, 2)

    def tune_the_radio(self) -> None:
        """Start a radio from what plays, skip one, and leave it."""
        page = self.page
        page.get_by_test_id("now-more").click()
        self._to_the_next(page.get_by_role("menuitem", name="Radio from this").click)
        expect(page.get_by_test_id("radio-list").get_by_test_id("row").first).to_be_visible()
        self._to_the_next(page.get_by_test_id("next").click)

    def turn_pages(self) -> None:
        """Open the other pages by their addresses."""
        for address in _PAGES:
            self.page.evaluate("address => { location.hash = address; }", address)
            name = address[1:].partition("/")[0]
            view = self.page.locator(f".view-{name}")
            expect(view).to_be_visible()
            expect(view.locator("[aria-busy=true]:visible")).to_have_count(0)

    def _go_home(self) -> None:
        self.page.get_by_test_id("nav-home").click()
        expect(self.page.get_by_test_id("for-you").get_by_test_id("row").nth(6)).to_be_visible()

    def _point_at(self, place: Locator, number: int) -> Locator:
        """Return the row that lies under the pointer: it stays there as long as that does."""
        place.get_by_test_id("row").nth(number).hover()
        return self.page.locator('[data-testid="row"]:hover')

    def _to_the_next(self, act: Callable[[], None]) -> None:
        """Do what leads to another track, or to the same once more, and hear it."""
        self.page.evaluate("window.playedBefore = navigator.mediaSession.metadata")
        act()
        changed = "navigator.mediaSession.metadata !== window.playedBefore"
        wait_until(lambda: self.page.evaluate(changed), 20, "another track plays")
        self._hear()

    def _hear(self) -> None:
        wait_until(lambda: sound(self.page)["at"] > 0.1 and not sound(self.page)["paused"], 20, "it is heard")
