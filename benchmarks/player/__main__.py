"""The player's server, kernels and page under visitors, in this machine's real browser.

`python -m benchmarks.player [--quick] [--visitors N] [--seconds S] [--rounds R] [--kill] [--home DIR]`
starts services of its own (unless SEGUE_KAFKA and SEGUE_MONGO name some), a simulated catalogue whose
tracks sound as the real clips that Segue ships, `segue worker` and `segue player`. First come real pages,
one after the other on an idle server: shell, first click, round trip. Then rounds of visitors, three of
them real pages and the rest protocol clients (HTTP and websocket, in this process), who arrive within ten
seconds, stream by Range, like every five seconds and wait for the changed list; and the minute after they
have gone. `--kill` adds a round in which the server is killed and started again. Accounts are made
beforehand: a password's hash costs 64 MiB and a tenth of a second by design. Echoes through a bare server
in the same run calibrate it. The last line is one JSON object. `--home` keeps the fitted models for another
run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from playwright.async_api import Browser
from tornado.httpclient import AsyncHTTPClient

from benchmarks.calibration import matrix_product_ms
from benchmarks.live.world import forget
from benchmarks.player import echo, world
from benchmarks.player.crowd import Crowd, lost
from benchmarks.player.pages import RealPage, chromium
from benchmarks.player.processes import Server, worker
from benchmarks.player.visitor import Tally, Visitor
from segue import services
from segue.settings import Settings
from segue.store import Store, open_store

_REAL_PAGES = 3
_LIKES_EVERY_S = 5.0
_POOL_S = 3.0


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="6 visitors for 12 seconds, one round")
    parser.add_argument("--visitors", type=int, help="of whom three are real pages  [default: 60]")
    parser.add_argument("--seconds", type=float, help="that they listen in each round  [default: 180]")
    parser.add_argument("--rounds", type=int, help="[default: 3]")
    parser.add_argument(
        "--pages", type=int, help="pages opened one after the other before, 0: none  [default: 9]"
    )
    parser.add_argument("--kill", action="store_true", help="add a round in which the server is killed")
    parser.add_argument("--home", type=Path, help="folder to keep, with the models that were fitted")
    options = parser.parse_args()
    options.visitors = options.visitors or (6 if options.quick else 60)
    options.seconds = options.seconds or (12.0 if options.quick else 180.0)
    options.rounds = options.rounds or (1 if options.quick else 3)
    if options.pages is None:
        options.pages = 3 if options.quick else 9
    with tempfile.TemporaryDirectory() as folder:
        home = (options.home or Path(folder)).resolve()
        settings = Settings(home=home, kafka_port=0, mongo_port=0)
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
        world.build(settings)
        forget(home)
        services.up(settings, lambda line: print(f"  {line}", flush=True))
        try:
            with open_store(settings.mongo_uri, world.DATABASE) as store:
                world.fill(store)
                print("  the catalogue is in the store", flush=True)
                with worker(settings), closing(_Stopping(Server(settings))) as serving:
                    figures = asyncio.run(measure(options, serving.server, store))
        finally:
            services.down(settings, lambda line: None)
    figures["matrix_product_ms"] = round(matrix_product_ms(), 2)
    print(json.dumps(figures))


class _Stopping:
    def __init__(self, server: Server) -> None:
        self.server = server
        server.start()

    def close(self) -> None:
        self.server.stop()


async def measure(options: argparse.Namespace, server: Server, store: Store) -> dict[str, Any]:
    """Return all figures."""
    AsyncHTTPClient.configure(None, max_clients=1_000)
    tally = Tally()
    accounts = await _accounts(server, tally, options.visitors)
    figures: dict[str, Any] = {"visitors": options.visitors}
    with echo.echoing() as echo_address:
        async with chromium() as browser:
            if options.pages:
                figures |= await _pages(browser, accounts[0], tally, options.pages)
                figures |= await _line(accounts[-1], echo_address, 20 if options.quick else 100)
                _say("one page at a time, idle server", figures)
            pages = min(_REAL_PAGES, options.visitors)
            arrive_s = min(10.0, options.visitors)
            crowd = Crowd(server, browser, accounts, pages, arrive_s, 0 if options.quick else 3, tally)
            tally.likes_ms.clear()
            rounds = []
            for number in range(options.rounds):
                rounds.append(await crowd.round(options.seconds, echo_address))
                _say(f"round {number + 1}", rounds[-1])
            figures |= _of_rounds(rounds) | _of_likes(tally)
            if options.kill:
                figures |= await crowd.killed(options.seconds)
    figures |= {
        "requests": tally.requests, "failed_requests": tally.failed.total(), "accepted": len(tally.accepted),
        "lost": await lost(store, tally.accepted), "audio_mib": round(tally.audio_bytes / 2**20),
    }  # fmt: skip
    if tally.failed:
        print(f"failed: {dict(tally.failed)}", flush=True)
    return figures


async def _accounts(server: Server, tally: Tally, count: int) -> list[Visitor]:
    """Sign up so many, two at a time, as the server hashes."""
    run = uuid.uuid4().hex[:6]
    accounts = [
        Visitor(server.address, tally, f"visitor-{run}-{number:03d}", _LIKES_EVERY_S)
        for number in range(count)
    ]
    two = asyncio.Semaphore(2)

    async def make(account: Visitor) -> None:
        async with two:
            await account.sign_up()

    await asyncio.gather(*map(make, accounts))
    return accounts


async def _pages(browser: Browser, account: Visitor, tally: Tally, count: int) -> dict[str, Any]:
    """Open pages one after the other, each with an empty cache; the first only warms the server."""
    seen, trips = [], []
    for number in range(count + 1):
        page = RealPage(browser, account, tally)
        await page.open(click=True)
        found = await page.figures()
        if number:
            seen.append(found)
            trips += await page.round_trips_ms(20)
        await page.close()
        await asyncio.sleep(_POOL_S)
    return {
        "shell_ms": _median(each["shell"] for each in seen),
        "interactive_ms": _median(each["answered"] for each in seen),
        "clickable_ms": _median(each["clicked"] for each in seen),
        "first_click_ms": _median(each["answered"] - each["sent"] for each in seen),
        "roundtrip_ms": round(statistics.median(trips), 2),
        "roundtrip_p95_ms": round(float(np.quantile(trips, 0.95)), 2),
    }


async def _line(account: Visitor, echo_address: str, count: int) -> dict[str, Any]:
    """Return a round trip to a kernel without a browser, beside a bare echo."""
    await account.arrive()
    kernel = await account.round_trips_ms(count)
    await account.leave(politely=True)
    echoed = await echo.echoes_ms(echo_address, count, 0.05)
    return {
        "protocol_roundtrip_ms": round(statistics.median(kernel), 2),
        "echo_ms": round(statistics.median(echoed), 2),
    }


def _of_rounds(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the worst of all rounds, and how the server grew from the first to the last."""
    worst = {name: max(each[name] for each in rounds) for name in rounds[0]}
    return worst | {"server_growth_mib": round(rounds[-1]["server_mib"] - rounds[0]["server_mib"], 1)}


def _of_likes(tally: Tally) -> dict[str, Any]:
    times = np.array(tally.likes_ms)
    return {
        "likes": len(times), "like_median_ms": round(float(np.median(times)), 1),
        "like_p95_ms": round(float(np.quantile(times, 0.95)), 1), "like_worst_ms": round(float(times.max())),
        "accepted_p95_ms": round(float(np.quantile(tally.acks_ms, 0.95)), 1),
        "lists_unchanged": tally.unchanged,
    }  # fmt: skip


def _median(values: Any) -> int:
    return round(statistics.median(values))


def _say(what: str, figures: dict[str, Any]) -> None:
    print(f"{what}: {figures}", flush=True)


if __name__ == "__main__":
    main()
