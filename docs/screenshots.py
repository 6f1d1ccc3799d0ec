"""Make the README's pictures: hold the demo up, listen to it in a real browser, and photograph it.

Run by `make screenshots`; needs a Chromium on the PATH. The accounts it makes are removed again.
`make screenshots ALL=folder` photographs every page and state into it instead, dark and light, at every size;
`ALL="folder narrow wide"` at some.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from every_page import INSIDE, beside, everybody, outside, settle, sign_up, turn_to
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from segue.settings import Settings
from segue.store import open_store

HERE = Path(__file__).parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--autoplay-policy=no-user-gesture-required"]
SIZES: dict[str, dict[str, Any]] = {
    "narrow": {"viewport": {"width": 390, "height": 844}, "has_touch": True},
    "middle": {"viewport": {"width": 820, "height": 1180}, "has_touch": True},
    "wide": {"viewport": {"width": 1440, "height": 900}},
    "widest": {"viewport": {"width": 2560, "height": 1440}},
}
SCHEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")
README: dict[str, tuple[str, str, Literal["dark", "light"]]] = {
    "player-map.png": ("map", "wide", "dark"),
    "player-track.png": ("track/{track}", "wide", "light"),
    "player-narrow.png": ("home", "narrow", "light"),
}
"""What the README shows besides the player at play: file, and address, size and scheme of its page."""
COLOURS = 256


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


class People:
    """Listeners who are forgotten when the pictures are made."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._names: list[str] = []

    def somebody(self) -> tuple[str, str]:
        """Return a new name and its password."""
        self._names.append(f"Mira{secrets.randbelow(90_000) + 10_000}")
        return self._names[-1], secrets.token_urlsafe(16)

    def forget(self) -> None:
        """Remove their accounts."""
        with open_store(self._settings.mongo_uri, "segue_accounts") as store:
            store.client["segue_accounts"]["accounts"].delete_many({"name": {"$in": self._names}})


def pick(page: Page, address: str, name: str, password: str) -> None:
    """Sign up, and pick one of the first three until the list follows."""
    sign_up(page, address, name, password)
    page.get_by_test_id("starter").nth(1).click(timeout=60_000)
    expect(page.get_by_test_id("live-line")).to_contain_text("because you liked", timeout=20_000)
    page.wait_for_timeout(1_500)


def listen(page: Page, address: str, name: str, password: str) -> int:
    """Pick, then play and like a track until the list says so; return its id."""
    pick(page, address, name, password)
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
    return int(track)


def photograph(page: Page, file: Path) -> None:
    """Write what stands on the screen, in few colours: a fourth of the bytes, and hard to tell apart."""
    page.screenshot(path=file)
    with Image.open(file) as picture:
        few = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(file, optimize=True)


def for_the_readme(browser: Browser, address: str, people: People, report: Path) -> None:
    """Write the README's pictures."""
    phone = browser.new_context(**SIZES["narrow"], color_scheme="dark")
    page = phone.new_page()
    pick(page, address, *people.somebody())
    photograph(page, HERE / "player-first.png")
    phone.close()
    first = browser.new_context(**SIZES["wide"], color_scheme="dark")
    page = first.new_page()
    track = listen(page, address, *people.somebody())
    photograph(page, HERE / "player.png")
    login = first.storage_state()
    first.close()
    for file, (about, size, scheme) in README.items():
        context = browser.new_context(**SIZES[size], color_scheme=scheme, storage_state=login)
        page = context.new_page()
        page.goto(address)
        settle(page)
        turn_to(page, about.format(track=track))
        page.wait_for_timeout(1_000)
        photograph(page, HERE / file)
        context.close()
    page = browser.new_page(viewport={"width": 1000, "height": 1060})
    page.goto(report.as_uri())
    page.wait_for_timeout(3_000)
    photograph(page, HERE / "notebook.png")
    page.close()


def all_of_it(browser: Browser, address: str, people: People, folder: Path, sizes: Iterable[str]) -> None:
    """Write a picture of every page and state, dark and light."""
    name, password = people.somebody()
    context = browser.new_context(**SIZES["wide"])
    track = listen(context.new_page(), address, name, password)
    login = context.storage_state()
    context.close()
    for size in sizes:
        with _page(browser, size) as page:
            _each(page, outside(page, address, *people.somebody()), folder, size)
        with _page(browser, size, storage_state=login) as page:
            page.goto(address)
            settle(page)
            for way in INSIDE:
                _each(page, way(page, track, size), folder, size)
            _each(page, beside(page, address), folder, size)
    subprocess.run([sys.executable, "-m", "segue.cli", "user", "operator", name], check=True)
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{address}login")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    settle(page)
    login = context.storage_state()
    context.close()
    for size in sizes:
        with _page(browser, size, storage_state=login) as page:
            _each(page, everybody(page, address), folder, size)


@contextmanager
def _page(browser: Browser, size: str, **options: Any) -> Iterator[Page]:
    context = browser.new_context(**SIZES[size], reduced_motion="reduce", **options)
    page = context.new_page()
    page.set_default_timeout(10_000)
    yield page
    context.close()


def _each(page: Page, states: Iterator[str], folder: Path, size: str) -> None:
    for name in states:
        for scheme in reversed(SCHEMES):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_timeout(150)
            page.screenshot(path=folder / f"{name}-{scheme}-{size}.png")


def main() -> None:
    """Make the pictures."""
    settings = Settings()
    people = People(settings)
    folder, *sizes = sys.argv[1:] or [""]
    program = shutil.which("chromium") or sys.exit("no chromium on the PATH")
    with demo(settings) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.fspath(program), args=FLAGS)
        try:
            if folder:
                Path(folder).mkdir(parents=True, exist_ok=True)
                all_of_it(browser, address, people, Path(folder), sizes or SIZES)
            else:
                for_the_readme(browser, address, people, settings.runs / "current" / "04_eval.html")
        finally:
            people.forget()
            browser.close()


if __name__ == "__main__":
    main()
