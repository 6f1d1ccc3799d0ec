"""From a key to what it finds on the screen, among 106,574 simulated titles, in this machine's real browser.

`python -m benchmarks.keystrokes [--quick] [--home DIR]` starts services of its own (unless SEGUE_KAFKA and
SEGUE_MONGO name some), `segue worker` and `segue player` with a simulated catalogue, and types titles and
artists with typos into the page Find, a letter at a time:

- ``shown_*_ms``: from the browser's time of a key to the frame after the list has changed; the list is of
  rows with prints, reasons and buttons, 40 at most;
- of that ``asked_*_ms`` from the key to the question on the page's socket, ``answer_*_ms`` to the answer
  on it (server, kernel and store), ``made_*_ms`` until the rows are there, ``drawn_*_ms`` until the frame is;
- ``silent``: keys after which nothing changed on the screen, as the list was the same to the last letter.

Echoes through a bare server in the same run calibrate it. The last line is one JSON object. `--home` keeps
the fitted models for another run.
"""

import argparse
import asyncio
import json
import os
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from playwright.async_api import Page
from tornado.httpclient import AsyncHTTPClient

from benchmarks.calibration import matrix_product_ms
from benchmarks.generated import FMA_FULL
from benchmarks.live.world import forget
from benchmarks.player import echo, world
from benchmarks.player.pages import RealPage, chromium
from benchmarks.player.processes import Server, worker
from benchmarks.player.visitor import Tally, Visitor
from benchmarks.search import catalogue, drawn
from segue import services
from segue.player.search_file import file_of, opened
from segue.settings import Settings
from segue.store import Store, open_store
from segue.store.cards import PRINT, Card

BETWEEN_KEYS_S = 0.15
"""A quick typist's."""

_PARTS = {
    "shown": ("pressed", "shown"), "asked": ("pressed", "asked"), "answer": ("asked", "answered"),
    "made": ("answered", "changed"), "drawn": ("changed", "shown"),
}  # fmt: skip
_SILENT_MS = 1_000
_INDEX_S = 120
_WATCH = Path(__file__).with_name("keystrokes.js").read_text()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="3 titles instead of 25")
    parser.add_argument("--home", type=Path, help="folder to keep, with the models that were fitted")
    options = parser.parse_args()
    print(f"{FMA_FULL:,} simulated tracks, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    known = catalogue(FMA_FULL)
    texts = [each["both"] for each in drawn(known, 3 if options.quick else 25)]
    with tempfile.TemporaryDirectory() as folder:
        home = (options.home or Path(folder)).resolve()
        settings = Settings(home=home, kafka_port=0, mongo_port=0)
        world.build(settings)
        forget(home)
        services.up(settings, lambda line: print(f"  {line}", flush=True))
        try:
            with open_store(settings.mongo_uri, world.DATABASE) as store:
                world.fill(store)
                store.cards.replace(cards(known))
                print("  the catalogue is in the store", flush=True)
                with worker(settings):
                    server = Server(settings)
                    server.start()
                    try:
                        figures = asyncio.run(measured(server, settings, store, texts))
                    finally:
                        server.stop()
        finally:
            services.down(settings, lambda line: None)
    figures["matrix_product_ms"] = round(matrix_product_ms(), 2)
    print(json.dumps({"tracks": FMA_FULL} | figures))


def cards(known: Sequence[dict[str, Any]]) -> Iterator[Card]:
    """Yield the cards of a simulated catalogue, with prints by lot."""
    prints = np.random.default_rng(3).random((len(known), len(PRINT))).round(3).tolist()
    for each, print_ in zip(known, prints, strict=True):
        told = {name: value for name, value in each.items() if name != "_id"}
        yield Card(each["_id"], attribution_url="", composed=False, print=print_, **told)


async def measured(server: Server, settings: Settings, store: Store, texts: Sequence[str]) -> dict[str, Any]:
    """Return all figures."""
    AsyncHTTPClient.configure(None, max_clients=100)
    await indexed(settings, store)
    tally = Tally()
    account = Visitor(server.address, tally, "typist", 5.0)
    await account.sign_up()
    async with chromium() as browser:
        page = RealPage(browser, account, tally, script=_WATCH)
        await page.arrive()
        assert page.page is not None
        keys = await typed(page.page, texts)
        await page.close()
    with echo.echoing() as address:
        echoed = await echo.echoes_ms(address, 100, 0.05)
    if tally.failed:
        print(f"failed: {dict(tally.failed)}", flush=True)
    seen = [key for key in keys if key["shown"]]
    figures: dict[str, Any] = {"keys": len(keys), "silent": len(keys) - len(seen)}
    for name, (begin, end) in _PARTS.items():
        figures |= _spread(name, [key[end] - key[begin] for key in seen])
    return figures | {"echo_ms": round(statistics.median(echoed), 2)}


async def indexed(settings: Settings, store: Store) -> None:
    """Wait until the server's index is of these cards."""
    path = file_of(settings, store.database)
    for _ in range(_INDEX_S * 10):
        index = opened(path)
        if index is not None and index.edition == store.cards.edition():
            return
        await asyncio.sleep(0.1)
    raise SystemExit(f"after {_INDEX_S} s the server has no index of the catalogue")


async def typed(page: Page, texts: Sequence[str]) -> list[dict[str, float]]:
    """Type texts into the page Find and return when each key was pressed, asked, answered and shown."""
    await page.get_by_test_id("nav-find").click()
    field = page.get_by_test_id("find-input")
    await field.fill("the")
    await asyncio.sleep(1)
    keys = []
    for text in texts:
        await field.fill("")
        await asyncio.sleep(1)
        for letter in text:
            await page.keyboard.press("Space" if letter == " " else letter)
            keys.append(await page.evaluate(f"window.segueKeystrokes.last({_SILENT_MS})"))
            await asyncio.sleep(BETWEEN_KEYS_S)
    return keys


def _spread(what: str, times: Sequence[float]) -> dict[str, float]:
    return {
        f"{what}_median_ms": round(statistics.median(times), 1),
        f"{what}_p95_ms": round(float(np.quantile(times, 0.95)), 1),
        f"{what}_max_ms": round(max(times), 1),
    }


if __name__ == "__main__":
    main()
