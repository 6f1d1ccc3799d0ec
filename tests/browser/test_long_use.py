"""One page in use for long: neither it nor its kernel grows, and the console stays empty."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, expect

from support.browsing import sign_up, sound, wait_for_list
from support.page_use import Use
from support.site import Site
from support.waiting import wait_until

pytestmark = pytest.mark.slow

MIB = 2**20
WARM_UP = 2
INSPECTED_BYTES = 200_000_000
"""What a page's process keeps of answers for who drives it, as Chromium does for each inspector."""

MOST = {"heap_mib": 1.0, "nodes": 1_000, "listeners": 100, "renderer_mib": 16.0, "kernel_mib": 1.5}
"""By how much a page may hold more at the end, after a minute as after an hour."""

MOST_STYLE = 0.03
"""Of one processor, for computing styles while a track plays; 0.12 when all elements inherited its time."""


@pytest.fixture(scope="module")
def site(music_site: Site) -> Site:
    return music_site


@pytest.fixture
def context(browser: Browser, site: Site) -> Iterator[BrowserContext]:
    opened = browser.new_context(base_url=site.address, viewport={"width": 1440, "height": 900})
    opened.set_default_timeout(20_000)
    yield opened
    opened.close()


class Watch:
    """What a page, the browser's process behind it, and its kernel hold at a moment."""

    def __init__(self, session: CDPSession, renderer: int, kernel: int) -> None:
        self._session, self._renderer, self._kernel = session, renderer, kernel
        self.seen: list[dict[str, float]] = []
        session.send("Performance.enable")

    def look(self) -> None:
        """Note what is there, of the page what is left after the collector has run."""
        for _ in range(2):
            self._session.send("HeapProfiler.collectGarbage")
        told = figures(self._session)
        self.seen.append(
            {
                "heap_mib": told["JSHeapUsedSize"] / MIB,
                "nodes": told["Nodes"],
                "listeners": told["JSEventListeners"],
                "renderer_mib": own_mib(self._renderer),
                "kernel_mib": own_mib(self._kernel),
            }
        )
        print({what: round(value, 1) for what, value in self.seen[-1].items()})

    def growth(self) -> dict[str, float]:
        """Return by how much the last rounds hold more than the first ones after `WARM_UP`."""
        rounds = self.seen[WARM_UP:]
        some = max(2, len(rounds) // 4)
        return {
            what: median(each[what] for each in rounds[-some:]) - median(each[what] for each in rounds[:some])
            for what in MOST
        }


def fill_inspector(page: Page) -> None:
    """Fill what is kept for who drives the page, so that it is no growth: nobody drives a listener's."""
    page.evaluate(
        """async (most) => {
          const { currentSrc } = document.querySelector("audio");
          for (let bytes = 0; bytes < most; ) {
            const answer = await fetch(currentSrc, { cache: "no-store" });
            bytes += (await answer.arrayBuffer()).byteLength;
          }
        }""",
        INSPECTED_BYTES,
    )


def own_mib(process: int) -> float:
    """Return what a process has written: its share of files changes with who else has them open."""
    found = re.search(r"^RssAnon:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text(), re.M)
    assert found
    return int(found[1]) / 1024


def renderer_of(browser: Browser) -> int:
    """Return the process id of the only page's renderer: the one that has done most."""
    told = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    return max((each for each in told if each["type"] == "renderer"), key=lambda each: each["cpuTime"])["id"]


def test_the_time_that_goes_by_styles_the_bar_and_not_the_page(
    context: BrowserContext, page: Page, name: str, site: Site
):
    """What is told of the time several times a second concerns the bar, not the style of the whole page."""
    sign_up(page, name)
    wait_for_list(page)
    page.get_by_test_id("for-you").get_by_test_id("play").first.click()
    page.mouse.move(2, 2)
    wait_until(lambda: sound(page)["at"] > 3, 20, "it plays, and all about it is loaded")
    session = context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    before, began = figures(session), sound(page)["at"]
    page.wait_for_timeout(5_000)
    after, heard_s = figures(session), sound(page)["at"] - began
    busy, style = ((after[each] - before[each]) / heard_s for each in ("TaskDuration", "RecalcStyleDuration"))
    print(f"of the processor {busy:.1%}, for style {style:.1%}")
    assert style < MOST_STYLE


def figures(session: CDPSession) -> dict[str, Any]:
    """Return what the browser counts of a page."""
    return {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}


@pytest.mark.parametrize(
    "minutes", [1, pytest.param(60, marks=[pytest.mark.soak, pytest.mark.timeout(4_200)])]
)
def test_a_page_in_use_for_long_stays_as_small_as_it_was(
    browser: Browser, context: BrowserContext, page: Page, name: str, site: Site, minutes: int
):
    console: list[str] = []
    page.on("console", lambda told: told.type in ("error", "warning") and console.append(told.text))
    sign_up(page, name)
    wait_for_list(page)
    (kernel,) = site.player.kernels()
    use = Use(page)
    began = time.monotonic()
    use.round()
    fill_inspector(page)
    watch = Watch(context.new_cdp_session(page), renderer_of(browser), kernel)
    while time.monotonic() - began < 60 * minutes or use.rounds < WARM_UP + 4:
        use.round()
        page.mouse.move(2, 2)
        expect(page.get_by_test_id("pending")).to_be_hidden(timeout=20_000)
        watch.look()
    grown = watch.growth()
    print(f"{use.rounds} rounds in {time.monotonic() - began:.0f} s; grown by {grown}")
    assert site.player.kernels() == [kernel], "it is the same kernel all the time"
    assert console == []
    assert {what: by for what, by in grown.items() if by > MOST[what]} == {}
