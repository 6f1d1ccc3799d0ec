"""The server's page around the widget: it stands before its kernel is there, outlives it and the server."""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from segue.services.process import is_gone
from segue.settings import Settings
from support.browsing import log_in, sign_up, sound, wait_for_list
from support.small_desk import heard, prepared
from support.visitor import Server, serving
from support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SHELL, WIDGET = "#segue-shell", "#segue-player"
CONTROLS = (
    ".brand span", "[data-testid=nav-home]", "[data-testid=nav-find]", "[data-testid=nav-library]",
    ".for-you h2", ".rows .row:first-child", ".rows .row:nth-child(2)", ".up-next [aria-label=Queue] h2",
    ".bar", ".bar-print", ".now-title", ".now-artist", "[data-testid=previous]", ".bar [data-testid=play]",
    "[data-testid=next]", "[data-testid=shuffle]", "[data-testid=repeat]", "[data-testid=seek]",
    "[data-testid=now-like]", "[data-testid=now-dislike]", "[data-testid=now-more]", ".queue-button",
    "[aria-label=Mute]", ".volume",
)  # fmt: skip
WATCH_SHIFTS = """
window.shifts = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""


class House:
    """The player of this module, which a test may kill and have again at the same address."""

    def __init__(self, settings: Settings, notebook: Path) -> None:
        self.settings, self.notebook, self.port = settings, notebook, "0"

    @property
    def home(self) -> Path:
        return self.settings.home

    @contextmanager
    def open(self) -> Iterator[Server]:
        """Serve until the block ends, each time at the same port."""
        with serving(self.settings, self.notebook, {"SEGUE_PLAYER_PORT": self.port}) as server:
            self.port = server.host.rpartition(":")[2].strip("/")
            yield server

    @contextmanager
    def holding(self, name: str) -> Iterator[None]:
        """Let a file of this name lie in the home until the block ends."""
        (self.home / name).touch()
        try:
            yield
        finally:
            (self.home / name).unlink()


@pytest.fixture(scope="module")
def house(services: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with prepared(services, tmp_path_factory.mktemp("house")) as (settings, notebook):
        yield House(settings, notebook)


@pytest.fixture(scope="module")
def server(house: House) -> Iterator[Server]:
    with house.open() as opened:
        yield opened


@pytest.fixture
def context(browser: Browser, house: House, server: Server) -> Iterator[BrowserContext]:
    (house.home / "heard.jsonl").unlink(missing_ok=True)
    opened = browser.new_context(base_url=server.url(""), viewport={"width": 1440, "height": 900})
    opened.set_default_timeout(20_000)
    opened.add_init_script(WATCH_SHIFTS)
    yield opened
    opened.close()


@pytest.fixture
def console() -> list[str]:
    """What the browser's console has said of the page."""
    return []


@pytest.fixture
def page(context: BrowserContext, console: list[str]) -> Iterator[Page]:
    """A page that fails its test when the console has more to say than that an address did not answer."""
    opened = context.new_page()
    opened.on("pageerror", lambda error: console.append(str(error)))
    opened.on("console", lambda message: console.append(message.text))
    yield opened
    unanswered = ("Failed to load resource: ", "WebSocket connection to ")
    assert [each for each in console if not each.startswith(unanswered)] == []


@contextmanager
def script_held(page: Page) -> Iterator[None]:
    """Keep the widget's script back until the block ends."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/player.js", hold)
    yield
    for route in held:
        route.continue_()
    page.unroute("**/player.js")


def looks(page: Page, root: str) -> dict[str, Any]:
    """Return place and picture of each control under an element, by selector."""
    return page.evaluate(
        """([root, controls]) => {
          const paths = (element) =>
            [...element.querySelectorAll("path")].map((path) => path.getAttribute("d"));
          return Object.fromEntries(controls.map((control) => {
            const element = document.querySelector(`${root} ${control}`);
            if (!element) return [control, null];
            const { x, y, width, height } = element.getBoundingClientRect();
            return [control, [x, y, width, height, element.disabled ?? false, ...paths(element)]];
          }));
        }""",
        [root, list(CONTROLS)],
    )


def test_the_shell_stands_before_there_is_a_kernel_and_a_first_click_on_play_is_kept(
    page: Page, house: House, name: str
):
    sign_up(page, name)
    wait_for_list(page)
    with house.holding("late"):
        for _ in range(6):
            page.goto("/", wait_until="commit")
            expect(page.locator(f"{WIDGET} .control-play")).to_be_visible()
            if page.evaluate("document.readyState") == "loading":
                break
        else:
            pytest.fail("the spare kernels never ran out")
        assert page.locator("[data-testid=row]").count() == 0
        page.get_by_test_id("play").click()
        expect(page.locator(".bar[aria-busy]")).to_be_visible()
        page.wait_for_timeout(300)
        assert sound(page)["paused"]
    wait_for_list(page)
    wait_until(lambda: sound(page)["at"] > 0.2, 20, "it plays without another click")
    expect(page.get_by_test_id("now-title")).to_have_text("Title 1")


def test_what_is_pressed_before_the_widgets_script_is_there_is_done(page: Page, name: str):
    sign_up(page, name)
    wait_for_list(page)
    with script_held(page):
        page.goto("/", wait_until="commit")
        page.locator(f"{SHELL} .control-play").click()
        expect(page.locator(f"{SHELL} .bar[aria-busy]")).to_be_visible()
        page.locator(f"{SHELL} .volume").fill("0.3")
        page.locator(f"{SHELL} [data-testid=nav-find]").click()
        page.locator(f"{SHELL} [aria-label=Mute]").focus()
    wait_until(lambda: sound(page) and sound(page)["at"] > 0.2, 20, "it plays without another click")
    assert page.locator("audio").evaluate("audio => audio.volume") == 0.3
    assert page.evaluate("document.activeElement.ariaLabel") == "Mute"
    expect(page.get_by_test_id("find-input")).to_be_visible()
    assert page.locator(SHELL).count() == 0


def test_a_page_says_so_if_its_script_does_not_come(context: BrowserContext, name: str):
    page = context.new_page()
    sign_up(page, name)
    wait_for_list(page)
    page.route("**/player.js", lambda route: route.abort())
    page.reload()
    expect(page.get_by_role("alert").filter(has_text="could not be loaded")).to_be_visible()


@pytest.mark.parametrize(("width", "height"), [(390, 844), (820, 1180), (1440, 900)])
def test_the_widget_stands_where_the_shell_stood(
    page: Page, house: House, name: str, width: int, height: int
):
    page.set_viewport_size({"width": width, "height": height})
    sign_up(page, name)
    wait_for_list(page)
    with house.holding("late"):
        for _ in range(6):
            with script_held(page):
                page.goto("/", wait_until="commit")
                expect(page.locator(f"{SHELL} .control-play")).to_be_visible()
                before = looks(page, SHELL)
            expect(page.locator(SHELL)).to_have_count(0)
            if page.evaluate("document.readyState") == "loading":
                break
        after = looks(page, WIDGET)
    assert None not in before.values()
    assert after == before


def test_a_page_is_small_and_nothing_moves_in_it(page: Page, house: House, name: str, console: list[str]):
    with house.holding("first"):
        sign_up(page, name)
        wait_for_list(page)
        expect(page.get_by_test_id("starter")).to_have_count(3)
        page.wait_for_timeout(500)
        first = page.evaluate("shifts")
        loaded = page.evaluate(
            """["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind))
              .map(({ name, transferSize }) => [name, transferSize])"""
        )
    assert first < 0.02
    assert len(loaded) == 4, loaded
    assert sum(size for _, size in loaded) < 150_000, loaded
    page.goto("/")
    wait_for_list(page)
    page.wait_for_timeout(500)
    assert page.evaluate("shifts") < 0.02
    again = page.evaluate("performance.getEntriesByType('resource').map(({ transferSize }) => transferSize)")
    assert again == [0, 0, 0], "the browser keeps scripts and styles"
    assert console == []


def like(page: Page, track_id: int) -> None:
    row = page.get_by_test_id("for-you").locator(f'[data-track-id="{track_id}"]')
    row.hover()
    row.get_by_test_id("like").click()


def test_a_page_whose_kernel_died_gets_another_without_a_reload(page: Page, house: House, name: str):
    sign_up(page, name)
    wait_for_list(page)
    page.evaluate("window.same = true")
    died = heard(house.home, "hello")[0]["pid"]
    os.kill(died, signal.SIGKILL)
    wait_until(lambda: heard(house.home, "hello")[-1]["pid"] != died, 20, "another kernel is greeted")
    like(page, 3)
    wait_until(lambda: heard(house.home, "act")[-1:], 10, "and hears what is done")
    assert heard(house.home, "act")[-1]["pid"] != died
    assert page.evaluate("window.same")


def test_a_page_that_is_logged_out_says_so_and_leads_to_the_login(page: Page, house: House, name: str):
    sign_up(page, name)
    wait_for_list(page)
    page.context.clear_cookies()
    os.kill(heard(house.home, "hello")[0]["pid"], signal.SIGKILL)
    expect(page.locator(".notice")).to_contain_text("You are logged out", timeout=30_000)
    page.locator(".notice").get_by_role("button", name="Log in").click()
    expect(page).to_have_url(re.compile(r"/login\?next=%2F$"))


def test_a_page_that_wakes_as_somebody_elses_begins_anew(
    page: Page, context: BrowserContext, house: House, name: str
):
    sign_up(page, f"{name}x")
    wait_for_list(page)
    context.clear_cookies()
    sign_up(page, name)
    wait_for_list(page)
    expect(page.get_by_test_id("account")).to_have_text(name)
    context.clear_cookies()
    second = context.new_page()
    log_in(second, f"{name}x")
    wait_for_list(second)
    with page.expect_event("load", timeout=30_000):
        os.kill(heard(house.home, "hello")[1]["pid"], signal.SIGKILL)
    wait_for_list(page)
    expect(page.get_by_test_id("account")).to_have_text(f"{name}x")


def test_a_page_whose_kernel_cannot_be_made_says_so_and_gets_one_by_itself(
    page: Page, house: House, name: str
):
    sign_up(page, name)
    wait_for_list(page)
    with house.holding("broken"):
        # What waited for somebody ran an older notebook.
        os.utime(house.notebook)
        page.goto("/")
        page.evaluate("window.same = true")
        expect(page.locator(".notice")).to_contain_text("could not start", timeout=30_000)
        expect(page.get_by_test_id("for-you")).to_contain_text("tried again by itself")
    wait_for_list(page)
    assert page.evaluate("window.same")


def test_leaving_the_page_ends_its_kernel_at_once(page: Page, house: House, name: str):
    sign_up(page, name)
    wait_for_list(page)
    kernel = heard(house.home, "hello")[0]["pid"]
    page.goto("/login")
    wait_until(lambda: is_gone(kernel), 10, "the kernel has ended")


def test_the_page_goes_on_when_its_server_is_killed_and_comes_again(
    page: Page, house: House, server: Server, name: str
):
    """The last test here: the server that it kills was everybody's."""
    sign_up(page, name)
    wait_for_list(page)
    page.get_by_test_id("for-you").get_by_test_id("play").nth(1).click()
    wait_until(lambda: sound(page)["at"] > 0.5, 20, "it plays")
    page.evaluate("window.same = true")
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    expect(page.get_by_test_id("pending")).to_be_visible()
    like(page, 4)
    expect(page.get_by_test_id("pending")).to_contain_text("1 kept")
    at = sound(page)["at"]
    wait_until(lambda: sound(page)["at"] > at + 1, 10, "the music goes on from its buffer")
    with house.open():
        expect(page.get_by_test_id("pending")).to_be_hidden(timeout=30_000)
        wait_until(lambda: [act for act in heard(house.home, "act") if act["kind"] == "like"], 10, "it came")
        assert page.evaluate("window.same")
        likes = [act for act in heard(house.home, "act") if act["kind"] == "like"]
        assert [act["track_id"] for act in likes] == [4]
        assert len({each["pid"] for each in heard(house.home, "hello")}) == 2
        assert not sound(page)["paused"]
        expect(page.get_by_test_id("now-title")).to_have_text("Title 2")
        like(page, 5)
        wait_until(lambda: heard(house.home, "act")[-1]["track_id"] == 5, 10, "what is done now comes too")
        page.goto("about:blank")
