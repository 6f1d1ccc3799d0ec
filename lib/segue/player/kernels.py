"""One kernel a page: whose it is, how many there may be, and that none outlives its page."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado.web import HTTPError
from traitlets import Float, Integer, Unicode
from voila import __version__ as voila_version

from segue.errors import SegueError
from segue.player.forking.client import ForkServer
from segue.player.forking.holder import Holder, SeatFailed
from segue.player.forking.interpreter import KERNEL
from segue.player.forking.provisioner import ForkedProvisioner
from segue.player.gate import TokenBucket
from segue.player.identity import Listener
from segue.player.pool import Pool, Spare
from segue.player.web import Refusal

GONE, LOGGED_OUT, IDLE = 1001, 4401, 4408
"""Why a socket is closed: its kernel is gone; its account has logged out; nobody did anything for hours."""

_SECRETS = ("SEGUE_COOKIE_SECRET",)
_ARRIVALS_PER_S, _ARRIVALS_AT_ONCE = 0.5, 12
_ACCOUNTS_KEPT = 10_000


@dataclass(frozen=True)
class Seat:
    """A kernel that is somebody's, and the widget that its notebook showed."""

    kernel_id: str
    model_id: str
    state: dict[str, Any]


class PageSocket(Protocol):
    """A page's connection to its kernel."""

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """End it."""


@dataclass(slots=True)
class _Owned:
    owner: str
    session: str
    seated: bool = False
    alone_since: float = field(default_factory=time.monotonic)
    heard_at: float = field(default_factory=time.monotonic)
    sockets: set[PageSocket] = field(default_factory=set)


class PlayerKernels(AsyncMappingKernelManager):
    """The kernels of all pages, and those that wait for one.

    Attributes
    ----------
    ticket
        Gives what lets a listener's kernel speak with the server's gateway, if there is one.
    """

    per_account = Integer(8, config=True, help="kernels that one account may have")
    at_most = Integer(60, config=True, help="kernels of all accounts together")
    spare = Integer(4, config=True, help="kernels that wait for somebody")
    alone_s = Float(30.0, config=True, help="seconds that a kernel may be without a page")
    idle_s = Float(21_600.0, config=True, help="seconds that a page may say nothing")
    ready_s = Float(30.0, config=True, help="seconds that running the notebook may take")
    reap_s = Float(3.0, config=True, help="seconds between two looks for kernels without a page")
    silence_s = Float(15.0, config=True, help="seconds after which a page that answers no ping is gone")
    log_file = Unicode(config=True, help="where kernels write what belongs to no cell")
    notebook = Unicode(config=True, help="the notebook that is the page")
    current = Unicode(config=True, help="the link that names the run which is played")

    ticket: Callable[[str], str] | None = None

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._owned: dict[str, _Owned] = {}
        self._holders: dict[str, Holder] = {}
        self._arriving: list[str] = []
        self._arrivals: dict[str, TokenBucket] = {}
        self._ending: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._pool = Pool(self._make, self._unmake, self._edition, self.spare)

    @cached_property
    def forks(self) -> ForkServer:
        """Return the process that kernels are forked from; it is started when it is needed."""
        return ForkServer(_environment(), Path(self.log_file))

    def open(self) -> None:
        """Begin to make kernels that wait for somebody."""
        self.forks.keep()
        self._pool.fill()

    async def start_kernel(self, **kwargs: Any) -> str:  # type: ignore[override]
        """Refuse: nobody who asks by Jupyter's ways gets a kernel."""
        raise HTTPError(403)

    async def take(self, listener: Listener) -> Seat:
        """Return a kernel for a page of a listener, with the notebook run and theirs.

        Raises
        ------
        Refusal
            If the account or the server has as many as it may, all with a page, or asks too often.
        SeatFailed
            If no kernel can be made, or the notebook shows no widget.
        """
        self._slow_down(listener.username)
        self._arriving.append(listener.username)
        try:
            await self._make_room(listener.username)
            spare = await self._pool.take()
        finally:
            self._arriving.remove(listener.username)
        try:
            return await self._seat(spare, listener)
        except SeatFailed:
            # It may have died in the moment that it was given.
            return await self._seat(await self._pool.take(), listener)

    def owner(self, kernel_id: str) -> str | None:
        """Return the account that a live kernel belongs to."""
        owned = self._owned.get(kernel_id)
        return owned.owner if owned and kernel_id in self and kernel_id not in self._ending else None

    def owners(self) -> set[tuple[str, str]]:
        """Return account and session of every kernel that is somebody's."""
        return {(owned.owner, owned.session) for owned in self._owned.values()}

    def model_id(self, kernel_id: str) -> str:
        """Return the id of the widget that a kernel's notebook showed."""
        return self._holders[kernel_id].model_id if kernel_id in self._holders else ""

    def connections(self, kernel_id: str) -> int:
        """Return how many sockets a kernel has."""
        owned = self._owned.get(kernel_id)
        return len(owned.sockets) if owned else 0

    def here(self) -> tuple[int, int, int]:
        """Return how many listeners with a page, kernels, and sockets there are."""
        pages = [each for each in self._owned.values() if each.sockets]
        return len({each.owner for each in pages}), len(self._owned), sum(len(each.sockets) for each in pages)

    def connect(self, kernel_id: str, opened: PageSocket) -> None:
        """Note that a page is there."""
        owned = self._owned.get(kernel_id)
        if owned:
            owned.sockets.add(opened)
            owned.heard_at = time.monotonic()

    def heard(self, kernel_id: str) -> None:
        """Note that a page said something."""
        owned = self._owned.get(kernel_id)
        if owned:
            owned.heard_at = time.monotonic()

    def disconnect(self, kernel_id: str, closed: PageSocket) -> None:
        """Note that a page is gone, and begin to count the time without one."""
        owned = self._owned.get(kernel_id)
        if owned and closed in owned.sockets:
            owned.sockets.discard(closed)
            owned.alone_since = time.monotonic()

    async def end(self, kernel_id: str, code: int = GONE) -> None:
        """End one kernel and close its sockets with ``code``; one that is gone already is no error.

        It is killed: what the broker has not acknowledged its page keeps, and it counts once when sent again.
        """
        if kernel_id not in self or kernel_id in self._ending:
            return
        self._ending.add(kernel_id)
        owned = self._owned.get(kernel_id)
        for opened in list(owned.sockets if owned else ()):
            opened.close(code)
        if kernel_id in self._holders:
            self._holders.pop(kernel_id).close()
        try:
            await self.shutdown_kernel(kernel_id, now=True)
        except Exception:
            self.log.exception("kernel %s could not be shut down", kernel_id)
        finally:
            self._ending.discard(kernel_id)
            self._owned.pop(kernel_id, None)

    async def end_of(self, account_id: str, session: str | None = None) -> int:
        """End every kernel of an account, or those of one of its logins, and return how many there were."""
        found = [
            kernel_id
            for kernel_id, owned in self._owned.items()
            if owned.owner == account_id and session in (None, owned.session)
        ]
        await asyncio.gather(*(self.end(kernel_id, LOGGED_OUT) for kernel_id in found))
        return len(found)

    async def end_all(self) -> None:
        """End every kernel and the process that they are forked from."""
        await self._pool.close()
        await asyncio.gather(*map(self.end, list(self._kernels)))
        self.forks.close()

    async def reap(self) -> None:
        """End every kernel whose page has been gone or silent for too long, and see to it that some wait."""
        alone = [kernel_id for kernel_id in self._alone() if self._alone_for(kernel_id) > self.alone_s]
        heard_since = time.monotonic() - self.idle_s
        idle = [kernel_id for kernel_id, owned in self._owned.items() if owned.heard_at < heard_since]
        await asyncio.gather(
            *(self.end(kernel_id) for kernel_id in alone), *(self.end(kernel_id, IDLE) for kernel_id in idle)
        )
        self.open()

    def start_watching_activity(self, kernel_id: str) -> None:
        """Watch nothing: the leash and the sockets tell all that is asked of a kernel."""
        self.get_kernel(kernel_id).execution_state = "idle"

    async def _seat(self, spare: Spare, listener: Listener) -> Seat:
        owned = self._owned[spare.kernel_id] = _Owned(listener.username, listener.session)
        try:
            async with asyncio.timeout(self.ready_s):
                await spare.holder.seat(self._told(listener))
        except BaseException as error:
            await self.end(spare.kernel_id)
            if isinstance(error, TimeoutError):
                raise SeatFailed("a kernel did not become its listener's in time") from None
            raise
        owned.seated, owned.alone_since = True, time.monotonic()
        return Seat(spare.kernel_id, spare.holder.model_id, spare.holder.state)

    def _told(self, listener: Listener) -> dict[str, str]:
        """Return the environment by which a kernel knows whose it is."""
        told = {
            "HTTP_X_SEGUE_LISTENER": listener.username,
            "HTTP_X_SEGUE_NAME": quote(listener.name, safe=""),
            "HTTP_X_SEGUE_ROLE": "operator" if listener.operator else "listener",
            "SCRIPT_NAME": "/",
        }
        return told if self.ticket is None else told | {"HTTP_X_SEGUE_TICKET": self.ticket(listener.username)}

    async def _make(self) -> Spare:
        """Fork a kernel and return it when it has run the notebook, or waits to be told who listens."""
        edition = self._edition()
        try:
            kernel_id = await super().start_kernel(
                kernel_name=KERNEL, env=_environment(), cwd=str(Path(self.notebook).parent)
            )
        except (OSError, SegueError) as error:
            raise SeatFailed(f"no kernel could be started: {error}") from error
        provisioner = self.get_kernel(kernel_id).provisioner
        assert isinstance(provisioner, ForkedProvisioner)
        holder = self._holders[kernel_id] = Holder(provisioner.leash, partial(self._gone, kernel_id))
        try:
            async with asyncio.timeout(self.ready_s):
                await holder.usable()
        except BaseException as error:
            await self.end(kernel_id)
            if isinstance(error, TimeoutError):
                raise SeatFailed("the notebook took too long") from None
            raise
        return Spare(kernel_id, holder, edition)

    async def _unmake(self, spare: Spare) -> None:
        await self.end(spare.kernel_id)

    def _gone(self, kernel_id: str) -> None:
        self._run(self.end(kernel_id))

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _edition(self) -> object:
        """Return what the notebook runs on: itself, and the run that is played."""
        try:
            return os.stat(self.notebook).st_mtime_ns, os.readlink(self.current)
        except OSError:
            return None

    def _slow_down(self, listener: str) -> None:
        if len(self._arrivals) >= _ACCOUNTS_KEPT:
            self._arrivals.clear()
        bucket = self._arrivals.setdefault(listener, TokenBucket(_ARRIVALS_PER_S, _ARRIVALS_AT_ONCE))
        if not bucket.take():
            raise Refusal(429, "Too many at once", "Wait a moment, then try again.", 5)

    async def _make_room(self, listener: str) -> None:
        for kernel_ids, refusal in self._too_many(listener):
            await self.end(self._oldest_alone(kernel_ids, refusal))

    def _too_many(self, listener: str) -> Iterator[tuple[list[str], Refusal]]:
        """Yield the kernels of which one must go before there is another, and what to say if none can."""
        own = [kernel_id for kernel_id in self._owned if self.owner(kernel_id) == listener]
        if self._arriving.count(listener) + len(own) > self.per_account:
            words = "You have the player open in many places. Close one of them first."
            yield own, Refusal(429, "Enough players", words, 10)
        alive = [kernel_id for kernel_id in self._owned if self.owner(kernel_id)]
        if len(self._arriving) + len(alive) > self.at_most:
            words = "Every seat is taken just now. Try again in a minute."
            yield alive, Refusal(503, "Full house", words, 60)

    def _oldest_alone(self, kernel_ids: Iterable[str], otherwise: Refusal) -> str:
        alone = set(self._alone()) & set(kernel_ids)
        if not alone:
            raise otherwise
        return max(alone, key=self._alone_for)

    def _alone(self) -> list[str]:
        """Return the kernels that are somebody's and have no page."""
        return [
            kernel_id
            for kernel_id, owned in self._owned.items()
            if owned.seated and not owned.sockets and self.owner(kernel_id)
        ]

    def _alone_for(self, kernel_id: str) -> float:
        return time.monotonic() - self._owned[kernel_id].alone_since


def _environment() -> dict[str, str]:
    """Return what a kernel has of the server's environment, and that Voila serves it."""
    inherited = {name: value for name, value in os.environ.items() if name not in _SECRETS}
    return inherited | {"SERVER_SOFTWARE": f"voila/{voila_version}"}
