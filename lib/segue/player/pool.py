"""Kernels that have run the notebook before anybody asked for one."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from segue.player.forking.holder import Holder

log = logging.getLogger("segue.player")

_AT_ONCE = 2
_REST_S = 3.0


@dataclass(frozen=True, eq=False)
class Spare:
    """A kernel that is nobody's yet; ``edition`` is what its notebook was run on."""

    kernel_id: str
    holder: Holder
    edition: object


class Pool:
    """Keeps some kernels ready, and hands them out in the order in which they are asked for.

    Parameters
    ----------
    start
        Makes one; raises an exception when that fails, which a waiting taker gets.
    end
        Ends one that is of no use any more.
    edition
        Gives what notebooks are to be run on now; spares of another edition are ended.
    size
        How many to keep ready.
    """

    def __init__(
        self,
        start: Callable[[], Awaitable[Spare]],
        end: Callable[[Spare], Awaitable[None]],
        edition: Callable[[], object],
        size: int,
    ) -> None:
        self._start, self._end, self._edition, self._size = start, end, edition, size
        self._spares: deque[Spare] = deque()
        self._waiting: deque[asyncio.Future[Spare]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._starting = 0
        self._rest_until = 0.0
        self._closed = False

    def __len__(self) -> int:
        return len(self._spares)

    async def take(self) -> Spare:
        """Return a kernel that has run the notebook, at once if there is one."""
        self._drop_stale()
        if self._spares:
            spare = self._spares.popleft()
            self.fill()
            return spare
        waiting: asyncio.Future[Spare] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        self.fill()
        try:
            return await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled() and waiting.exception() is None:
                self._give(waiting.result())
            raise

    def fill(self) -> None:
        """Begin to make what is missing, two at a time; after a failure only what somebody waits for."""
        self._drop_stale()
        while not self._closed and self._starting < _AT_ONCE and self._starting < self._missing():
            self._starting += 1
            self._run(self._make())

    async def close(self) -> None:
        """Make no more."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for waiting in self._waiting:
            waiting.cancel()

    def _missing(self) -> int:
        wanted = sum(not waiting.done() for waiting in self._waiting)
        if time.monotonic() >= self._rest_until:
            wanted += max(0, self._size - len(self._spares))
        return wanted

    async def _make(self) -> None:
        try:
            spare = await self._start()
        except Exception as error:
            log.warning("a kernel could not be made ready: %s", error)
            self._rest_until = time.monotonic() + _REST_S
            waiting = self._next_waiting()
            if waiting:
                waiting.set_exception(error)
        else:
            self._give(spare)
        finally:
            self._starting -= 1
        self.fill()

    def _give(self, spare: Spare) -> None:
        if spare.edition != self._edition():
            self._run(self._end(spare))
            return
        waiting = self._next_waiting()
        if waiting:
            waiting.set_result(spare)
        else:
            self._spares.append(spare)

    def _next_waiting(self) -> asyncio.Future[Spare] | None:
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                return waiting
        return None

    def _drop_stale(self) -> None:
        edition = self._edition()
        for spare in [each for each in self._spares if each.holder.is_lost or each.edition != edition]:
            self._spares.remove(spare)
            self._run(self._end(spare))

    def _run(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
