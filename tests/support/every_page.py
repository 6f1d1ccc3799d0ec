"""Every page of the player, and what a browser says of one."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Page, WebSocket, expect

from segue.store.cards import Card
from support.waiting import wait_until

WATCH_SHIFTS = """
window.shifts = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""
_VIEWS = re.compile(r"const views = \{(.*?)\};", re.S)


def names() -> list[str]:
    """Return the names of the player's pages, as its script gives them."""
    script = (files("segue.player") / "static" / "js" / "main.js").read_text("utf-8")
    found = _VIEWS.search(script)
    assert found is not None
    return re.findall(r"(\w+):", found[1])


def address(name: str, card: Card) -> str:
    """Return the address of a page; one about something is about this card."""
    about = {"track": card.track_id, "artist": card.artist, "cluster": card.cluster}.get(name)
    return f"#{name}" if about is None else f"#{name}/{quote(str(about), safe='')}"


def settle(page: Page) -> None:
    """Wait until the page that is open has nothing left to load."""
    expect(page.locator("#segue-shell")).to_have_count(0, timeout=60_000)
    expect(page.get_by_test_id("account")).to_be_visible(timeout=60_000)
    busy = "document.querySelectorAll('.view:not([hidden]) [aria-busy=true]:not([hidden])').length"
    wait_until(lambda: page.evaluate(busy) == 0, 30, "everything is loaded")
    page.wait_for_timeout(400)


@contextmanager
def received(page: Page) -> Iterator[list[int]]:
    """Yield the sizes of what comes by sockets until the block ends, in bytes."""
    sizes: list[int] = []

    def watch(socket: WebSocket) -> None:
        socket.on("framereceived", lambda payload: sizes.append(len(payload)))

    page.on("websocket", watch)
    yield sizes
    page.remove_listener("websocket", watch)


def loaded(page: Page) -> int:
    """Return the bytes that the page has loaded so far, without its sounds."""
    entries: list[Any] = page.evaluate(
        """["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind))
          .map(({ name, transferSize }) => [name, transferSize])"""
    )
    return sum(size for name, size in entries if "/audio/" not in name)


def too_wide(page: Page) -> list[str]:
    """Return what reaches beyond the right edge of the page that is open, unless it can be scrolled to."""
    found: list[str] = page.evaluate(
        """() => {
          const place = document.querySelector(".page");
          const beyond = [];
          if (document.scrollingElement.scrollWidth > innerWidth) beyond.push("the window");
          if (place.scrollWidth > place.clientWidth) beyond.push("the page");
          const edge = place.getBoundingClientRect().right + 0.5;
          const cut = (element) => /auto|scroll|hidden|clip/.test(getComputedStyle(element).overflowX);
          const scrolls = (element) =>
            element !== place && (cut(element) || scrolls(element.parentElement));
          for (const element of place.querySelectorAll(".view:not([hidden]) *"))
            if (element.getBoundingClientRect().right > edge && !scrolls(element.parentElement))
              beyond.push(element.outerHTML.slice(0, 120));
          return beyond;
        }"""
    )
    return found
