"""Make the README's pictures: hold the demo up, listen to it in a real browser, and photograph it.

Run by `make screenshots`; needs a Chromium on the PATH. The account it makes is removed again. With a folder
as argument (`make screenshots ALL=folder`) every page goes into it as well, dark and light, wide and narrow.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from segue.settings import Settings
from segue.store import open_store

HERE = Path(__file__).parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--autoplay-policy=no-user-gesture-required"]
SIZES: dict[str, ViewportSize] = {
    "wide": {"width": 1440, "height": 900},
    "narrow": {"width": 390, "height": 844},
}
SCHEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")
PAGES = ("home", "find", "track", "map", "radio", "library", "activity", "clusters")
README = {
    ("home", "light", "narrow"): "player-narrow.png",
    ("track", "light", "wide"): "track.png",
    ("map", "dark", "wide"): "map.png",
    ("library", "dark", "narrow"): "library-narrow.png",
}
"""What the README shows besides the player at play: page, scheme and size, and the file in this folder."""


@contextmanager
def demo(settings: Settings) -> Iterator[str]:
    """Yield the player's address; what was started for it is ended again."""
    file = settings.address_file("player")
    file.unlink(missing_ok=True)
    process = subprocess.Popen([sys.executable, "-m", "segue.cli", "demo"], start_new_session=True)
    try:
        while not file.exists():
            if process.poll() is not None:
                sys.exit("`segue demo` did not come up: see above")
            time.sleep(0.5)
        yield file.read_text().strip()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def listen(page: Page, address: str, name: str, password: str) -> str:
    """Sign up, pick one of the first three, play and like a track until the list says so; return its id."""
    page.goto(f"{address}signup")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign up").click()
    page.get_by_test_id("starter").nth(1).click(timeout=60_000)
    expect(page.get_by_test_id("live-line")).to_contain_text("because you liked", timeout=20_000)
    page.reload()
    long = page.get_by_test_id("for-you").get_by_test_id("row").filter(has_text="0:30").nth(2)
    track = long.get_attribute("data-track-id", timeout=60_000)
    assert track is not None
    long.get_by_test_id("play").click()
    page.wait_for_timeout(6_000)
    page.get_by_test_id("now-like").click()
    page.mouse.move(0, 0)
    expect(page.get_by_test_id("live-line")).to_contain_text("because you liked", timeout=20_000)
    page.wait_for_timeout(1_500)
    return track


def photograph(browser: Browser, address: str, name: str, password: str, folder: Path | None) -> None:
    """Write the README's pictures of the player, and into a folder one of every page."""
    first = browser.new_context(viewport=SIZES["wide"], color_scheme="dark")
    page = first.new_page()
    track = listen(page, address, name, password)
    page.screenshot(path=HERE / "player.png")
    login = first.storage_state()
    first.close()
    for scheme, size in product(SCHEMES, SIZES):
        context = browser.new_context(viewport=SIZES[size], color_scheme=scheme, storage_state=login)
        page = context.new_page()
        page.goto(address)
        expect(page.get_by_test_id("for-you").get_by_test_id("row").first).to_be_visible(timeout=60_000)
        for shown in PAGES:
            about = f"track/{track}" if shown == "track" else shown
            page.evaluate("hash => { location.hash = hash; }", about)
            page.wait_for_timeout(1_500)
            if (shown, scheme, size) in README:
                page.screenshot(path=HERE / README[shown, scheme, size])
            if folder is not None:
                page.screenshot(path=folder / f"{shown}-{scheme}-{size}.png")
        context.close()


def main() -> None:
    """Make all pictures."""
    settings = Settings()
    name, password = f"Mira{secrets.randbelow(900) + 100}", secrets.token_urlsafe(16)
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    program = shutil.which("chromium") or sys.exit("no chromium on the PATH")
    with demo(settings) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.fspath(program), args=FLAGS)
        photograph(browser, address, name, password, folder)
        report = browser.new_page(viewport={"width": 1000, "height": 1060})
        report.goto((settings.runs / "current" / "04_eval.html").as_uri())
        report.wait_for_timeout(3_000)
        report.screenshot(path=HERE / "notebook.png")
        browser.close()
        with open_store(settings.mongo_uri, "segue_accounts") as store:
            store.client["segue_accounts"]["accounts"].delete_one({"name": name})


if __name__ == "__main__":
    main()
