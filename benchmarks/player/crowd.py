"""Sixty people at once: they arrive, listen, like and go; and the server dies under them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from playwright.async_api import Browser

from benchmarks.player import echo
from benchmarks.player.pages import RealPage
from benchmarks.player.processes import Server, alive, pss_mib
from benchmarks.player.visitor import Tally, Visitor
from segue.store import Store

_STORED_S = 30.0
_GONE_S = 60.0
_LINGER_S = 10.0
_BUFFER_S = 2.0
_RETURN_S = 90.0
_RESENT_S = 5.0


@dataclass
class Crowd:
    """Protocol clients, and real pages among them.

    Parameters
    ----------
    accounts
        Who is logged in; the first ``pages`` of them come with a browser.
    arrive_s
        Seconds within which all of them arrive.
    silent
        Every how many-th protocol client goes without a word, as when a lid is shut; 0: none.
    """

    server: Server
    browser: Browser
    accounts: Sequence[Visitor]
    pages: int
    arrive_s: float
    silent: int
    tally: Tally

    async def round(self, seconds: float, echo_address: str) -> dict[str, Any]:
        """Let everybody arrive, listen for so long and go, and wait until no kernel of theirs is left."""
        people, pages = await self._arrived()
        echoing = asyncio.create_task(echo.echoes_ms(echo_address, max(1, int(seconds / 0.5)), 0.5))
        await self._all(person.listen(seconds) for person in _everybody(people, pages))
        helpers = self.server.helpers()
        mib = await asyncio.to_thread(pss_mib, helpers)
        figures: dict[str, Any] = {
            "mib_per_visitor": round(mib / len(self.accounts), 1), "processes": len(helpers),
            "slowest_arrival_ms": round(max(self.arrivals_ms)),
            "arrival_median_ms": round(float(np.median(self.arrivals_ms))),
            "echo_p95_ms": round(float(np.quantile(await echoing, 0.95)), 2),
        }  # fmt: skip
        await self._leave(people, pages)
        return figures | await self._left()

    async def killed(self, seconds: float) -> dict[str, Any]:
        """Kill the server in the middle and start it again: who comes back, and what is lost."""
        people, pages = await self._arrived()
        listening = asyncio.gather(*(person.listen(seconds) for person in _everybody(people, pages)))
        await asyncio.sleep(seconds / 3)
        for page in pages:
            await page.hears()
        heard = [await page.heard_s() for page in pages]
        self.tally.down = self.tally.killed = True
        left = self.server.kill()
        began = time.monotonic()
        for person in people:
            person.welcomed.clear()
        lingering, _ = await asyncio.gather(self._until_gone(left, began), asyncio.sleep(_BUFFER_S))
        went_on = [await page.heard_s() for page in pages]
        await asyncio.to_thread(self.server.restart)
        back = time.monotonic()
        returning = [asyncio.create_task(person.welcomed.wait()) for person in people]
        _, away = await asyncio.wait(returning, timeout=_RETURN_S)
        reconnected = time.monotonic() - back
        await asyncio.sleep(_RESENT_S)
        self.tally.down = False
        await listening
        await self._all(person.listen(seconds / 2) for person in _everybody(people, pages))
        await self._leave(people, pages)
        return {
            "kill_reconnected_s": round(reconnected, 1),
            "kill_not_back": len(away),
            "kill_music_went_on": sum(
                now is not None and before is not None and now != before
                for before, now in zip(heard, went_on, strict=True)
            ),
            "kill_kernels_lingering": lingering[0],
            "kill_kernels_gone_s": lingering[1],
        }

    async def _arrived(self) -> tuple[list[Visitor], list[RealPage]]:
        """Return protocol clients and real pages when the last one has its list."""
        pages = [RealPage(self.browser, each, self.tally) for each in self.accounts[: self.pages]]
        people = list(self.accounts[self.pages :])
        self.arrivals_ms: list[float] = []
        await self._all(self._arrive(person, place) for place, person in enumerate(_everybody(people, pages)))
        return people, pages

    async def _arrive(self, person: Visitor | RealPage, place: int) -> None:
        await asyncio.sleep(place * self.arrive_s / len(self.accounts))
        began = time.perf_counter()
        await person.arrive()
        self.arrivals_ms.append(1_000 * (time.perf_counter() - began))

    async def _leave(self, people: Sequence[Visitor], pages: Sequence[RealPage]) -> None:
        """Let everybody go."""
        await self._all(person.settle(10) for person in people)
        await self._all(page.leave() for page in pages)
        await self._all(
            person.leave(politely=not self.silent or place % self.silent != 0)
            for place, person in enumerate(people)
        )

    async def _left(self) -> dict[str, Any]:
        """Return how many kernels are left a minute after all have gone, or when the last one ended."""
        began = time.monotonic()
        while (left := len(self.server.kernels())) and time.monotonic() - began < _GONE_S:
            await asyncio.sleep(0.5)
        await asyncio.sleep(2)
        return {
            "kernels_left": left,
            "kernels_gone_s": round(time.monotonic() - began - 2, 1),
            "server_mib": round(self.server.server_mib(), 1),
        }

    async def _until_gone(self, left: set[int], began: float) -> tuple[int, float]:
        while (still := alive(left)) and time.monotonic() - began < _LINGER_S:
            await asyncio.sleep(0.05)
        return len(still), round(time.monotonic() - began, 1)

    async def _all(self, doing: Iterable[Coroutine[Any, Any, None]]) -> None:
        async with asyncio.TaskGroup() as group:
            for each in doing:
                group.create_task(each)


def _everybody(people: Sequence[Visitor], pages: Sequence[RealPage]) -> list[Visitor | RealPage]:
    return [*pages, *people]


async def lost(store: Store, accepted: set[str]) -> int:
    """Return how many accepted events the store has not got, after the worker had its time."""
    limit = time.monotonic() + _STORED_S
    while True:
        missing = accepted - store.plays.there(accepted)
        if not missing or time.monotonic() > limit:
            return len(missing)
        await asyncio.sleep(0.5)
