"""Make the README's pictures: hold the demo up, listen to it in a real browser, and photograph it.

Run by `make screenshots`; needs a Chromium on the PATH. The account it makes is removed again.
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
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from segue.settings import Settings
from segue.store import open_store

HERE = Path(__file__).parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--autoplay-policy=no-user-gesture-required"]
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


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


def listen(page: Page, address: str, name: str, password: str) -> None:
    """Sign up, pick one of the first three, play a track and like it, and wait until the list says so."""
    page.goto(f"{address}signup")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign up").click()
    page.get_by_test_id("starter").nth(1).click(timeout=60_000)
    expect(page.get_by_test_id("live-line")).to_contain_text("because you liked", timeout=20_000)
    page.reload()
    long = page.get_by_test_id("for-you").get_by_test_id("row").filter(has_text="0:30").nth(2)
    long.get_by_test_id("play").click(timeout=60_000)
    page.wait_for_timeout(6_000)
    page.get_by_test_id("now-like").click()
    page.mouse.move(0, 0)
    expect(page.get_by_test_id("live-line")).to_contain_text("because you liked", timeout=20_000)
    page.wait_for_timeout(1_500)


def photograph(browser: Browser, address: str, name: str, password: str) -> None:
    """Write the player's pictures: dark and wide, light and narrow."""
    wide = browser.new_context(viewport=WIDE, color_scheme="dark")
    page = wide.new_page()
    listen(page, address, name, password)
    page.screenshot(path=HERE / "player.png")
    narrow = browser.new_context(viewport=NARROW, color_scheme="light", storage_state=wide.storage_state())
    page = narrow.new_page()
    page.goto(address)
    expect(page.get_by_test_id("for-you").get_by_test_id("row").first).to_be_visible(timeout=60_000)
    page.wait_for_timeout(1_500)
    page.screenshot(path=HERE / "player-narrow.png")


def main() -> None:
    """Make all pictures."""
    settings = Settings()
    name, password = f"Mira{secrets.randbelow(900) + 100}", secrets.token_urlsafe(16)
    program = shutil.which("chromium") or sys.exit("no chromium on the PATH")
    with demo(settings) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.fspath(program), args=FLAGS)
        photograph(browser, address, name, password)
        report = browser.new_page(viewport={"width": 1000, "height": 1060})
        report.goto((settings.runs / "current" / "04_eval.html").as_uri())
        report.wait_for_timeout(3_000)
        report.screenshot(path=HERE / "notebook.png")
        browser.close()
        with open_store(settings.mongo_uri, "segue_accounts") as store:
            store.client["segue_accounts"]["accounts"].delete_one({"name": name})


if __name__ == "__main__":
    main()
