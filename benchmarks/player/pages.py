"""Real pages: a Chromium that opens the player, plays and likes as a person does."""

from __future__ import annotations

import asyncio
import random
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, Error, Page, Request, Response, async_playwright

from benchmarks.player.visitor import Tally, Visitor

_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip
_WATCH = Path(__file__).with_name("watch.js").read_text()
_PLAY = '[data-testid="for-you"] [data-testid="row"] .row-title'
_SOUND = "(window.segueAudio ?? document.querySelector('audio'))?.currentTime ?? null"
_WAIT_MS = 60_000
_BEACON_S = 0.5


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Start the Chromium of the PATH."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        raise SystemExit("no Chromium on the PATH: install one (Debian: apt-get install chromium)")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=list(_FLAGS))
        yield browser
        await browser.close()


@dataclass
class RealPage:
    """One browser window of an account, without anything in its cache; ``script`` is run before its own."""

    browser: Browser
    account: Visitor
    tally: Tally
    likes_every_s: float = 5.0
    script: str = ""
    context: BrowserContext | None = None
    page: Page | None = None

    async def open(self, *, click: bool = False) -> None:
        """Go to the player; ``click`` likes the first row at the moment it can be seen."""
        self.context = await self.browser.new_context(
            base_url=self.account.base, viewport={"width": 1280, "height": 900}
        )
        host = urlsplit(self.account.base)
        await self.context.add_cookies(
            [
                {"name": name, "value": value, "domain": host.hostname or "", "path": "/"}
                for name, value in self.account.cookies.items()
            ]
        )
        await self.context.expose_function("segueAccepted", self.tally.accept)
        self.page = await self.context.new_page()
        if click:
            await self.page.add_init_script("window.segueClickFirst = true;")
        await self.page.add_init_script(_WATCH + self.script)
        self.page.on("pageerror", lambda error: self._failed(f"script: {error}"))
        self.page.on("requestfailed", self._broken)
        self.page.on("response", self._answered)
        await self.page.goto("/")

    async def arrive(self) -> None:
        """Go to the player and wait until the list stands."""
        await self.open()
        await self._until("window.segueSeen.lists > 0")

    async def listen(self, seconds: float) -> None:
        """Play the first row and like others for so long."""
        assert self.page is not None
        until = asyncio.get_running_loop().time() + seconds
        try:
            await self.page.locator(_PLAY).first.click(timeout=1_000 * seconds)
        except Error as error:
            self._failed(f"nothing to play in a page: {error.message.splitlines()[0]}")
        choice = random.Random(self.account.name)
        while (left := until - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(min(left, self.likes_every_s * choice.uniform(0.5, 1.5)))
            try:
                await self.page.evaluate("window.segueLike()")
            except Error as error:
                self._failed(f"page: {error}")

    async def leave(self) -> None:
        """Take down what the page saw, and close it."""
        assert self.page is not None
        await asyncio.sleep(1)
        for act in (await self.page.evaluate("window.segueSeen.acts")).values():
            if act["kind"] != "like":
                continue
            if "listed" in act:
                self.tally.likes_ms.append(act["listed"] - act["sent"])
            else:
                self.tally.fail("a like without a list in a page")
        await self.close()

    async def figures(self) -> dict[str, Any]:
        """Return when the first click of a page opened with ``click`` was answered, and the shell visible."""
        await self._until("window.segueSeen.acts[window.segueSeen.first]?.accepted")
        assert self.page is not None
        seen: dict[str, Any] = await self.page.evaluate(
            """() => {
              const { shell, clicked, first, acts } = window.segueSeen;
              return { shell, clicked, sent: acts[first].sent, answered: acts[first].accepted };
            }"""
        )
        return seen

    async def round_trips_ms(self, count: int) -> list[float]:
        """Return the milliseconds of ``count`` messages to the kernel and back, as the page sees them."""
        assert self.page is not None
        times: list[float] = await self.page.evaluate(f"window.segueRoundTrips({count})")
        return times

    async def close(self) -> None:
        """Go elsewhere, and close the window when the page has told its server."""
        assert self.page is not None
        assert self.context is not None
        await self.page.goto("about:blank")
        await asyncio.sleep(_BEACON_S)
        await self.context.close()

    async def hears(self) -> None:
        """Wait until there is sound."""
        await self._until(f"({_SOUND}) > 0")

    async def heard_s(self) -> float | None:
        """Return where in its track the page's sound is."""
        assert self.page is not None
        try:
            at: float | None = await self.page.evaluate(_SOUND)
        except Error:
            return None
        return at

    async def _until(self, expression: str) -> None:
        """Wait until an expression is true; the page's policy forbids it to evaluate one over and over."""
        assert self.page is not None
        limit = time.monotonic() + _WAIT_MS / 1_000
        while not await self.page.evaluate(f"Boolean({expression})"):
            if time.monotonic() > limit:
                raise SystemExit(f"in a page, after a minute, not yet: {expression}")
            await asyncio.sleep(0.05)

    def _failed(self, what: str) -> None:
        self.tally.fail(what)

    def _broken(self, request: Request) -> None:
        # A browser breaks off its own requests for sound when it has enough or goes elsewhere.
        if "ERR_ABORTED" not in (request.failure or ""):
            self._failed(f"{urlsplit(request.url).path.split('/')[1] or '/'}: {request.failure}")

    def _answered(self, response: Response) -> None:
        self.tally.requests += 1
        path = urlsplit(response.url).path
        is_gone = self.tally.killed and response.status == 404 and path.startswith("/api/kernels/")
        if response.status >= 400 and not is_gone:
            self._failed(f"{path.split('/')[1] or '/'} {response.status}")
