"""One kernel a page: whose it is, how many there may be, and that none outlives its page."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager, NoSuchKernel
from jupyter_core.utils import ensure_async
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager, ServerKernelManager
from tornado.web import HTTPError
from traitlets import Float, Integer, Unicode

from segue.player.web import Refusal

LISTENER = "HTTP_X_SEGUE_LISTENER"
"""Environment variable of a kernel: the account's id, from the header that only the server sets."""

KERNEL = "python3"
_SECRETS = ("SEGUE_COOKIE_SECRET",)


class OwnInterpreter(KernelSpecManager):
    """Knows one kernel: this interpreter, whatever kernelspecs a person has installed."""

    def find_kernel_specs(self) -> dict[str, str]:
        """Return the one kernel's name."""
        return {KERNEL: ""}

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return how the kernel is started."""
        if kernel_name != KERNEL:
            raise NoSuchKernel(kernel_name)
        return KernelSpec(
            argv=[
                sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}",
                "--HistoryManager.enabled=False", "--Session.username=segue",
            ],
            display_name="Python 3",
            language="python",
            env={"PYDEVD_DISABLE_FILE_VALIDATION": "1"},
        )  # fmt: skip

    def get_all_specs(self) -> dict[str, Any]:
        """Return the one kernel as Jupyter's API describes it."""
        return {KERNEL: {"resource_dir": "", "spec": self.get_kernel_spec(KERNEL).to_dict()}}


class PlayerKernel(ServerKernelManager):
    """One kernel's process; what it writes goes to the server's folder, not to the terminal."""

    async def _async_launch_kernel(self, kernel_cmd: list[str], **kw: Any) -> None:
        log = Path(self.parent.log_file)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as file:
            await super()._async_launch_kernel(kernel_cmd, stdout=file, stderr=file, **kw)

    def emit(self, schema_id: str, data: dict[str, Any]) -> None:
        """Say nothing: nobody listens to Jupyter's events here, and each kernel would load their schemas."""


@dataclass(slots=True, eq=False)
class Visit:
    """A page that is being made; its kernel is spared until the page has been sent."""

    listener: str
    kernel_id: str | None = None


visit: ContextVar[Visit | None] = ContextVar("visit", default=None)


class PageSocket(Protocol):
    """A page's connection to its kernel."""

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """End it."""


@dataclass(slots=True)
class _Owned:
    owner: str
    alone_since: float = field(default_factory=time.monotonic)
    sockets: set[PageSocket] = field(default_factory=set)


class PlayerKernels(AsyncMappingKernelManager):
    """The kernels of all pages."""

    per_account = Integer(8, config=True, help="kernels that one account may have")
    at_most = Integer(60, config=True, help="kernels of all accounts together")
    alone_s = Float(30.0, config=True, help="seconds that a kernel may be without a page")
    page_s = Float(120.0, config=True, help="seconds that making a page may take")
    reap_s = Float(3.0, config=True, help="seconds between two looks for kernels without a page")
    silence_s = Float(15.0, config=True, help="seconds after which a page that answers no ping is gone")
    log_file = Unicode(config=True, help="where kernels write what belongs to no cell")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._owned: dict[str, _Owned] = {}
        self._visits: list[Visit] = []
        self._ending: set[str] = set()

    async def start_kernel(  # type: ignore[override]
        self, *, kernel_id: str | None = None, **kwargs: Any
    ) -> str:
        """Start a kernel for the page that is being made.

        Raises
        ------
        Refusal
            If its account or the server has as many as it may, all with a page.
        """
        current = visit.get()
        env = kwargs.get("env") or {}
        owner = env.get(LISTENER, "")
        if current is None or not owner or current.listener != owner:
            raise HTTPError(403)
        for name in _SECRETS:
            env.pop(name, None)
        started = await super().start_kernel(kernel_id=kernel_id, **kwargs)
        current.kernel_id = started
        self._owned[started] = _Owned(owner)
        return started

    async def begin(self, listener: str) -> Visit:
        """Take the place of one more kernel; `finish` gives it back to the reaper's care.

        Raises
        ------
        Refusal
            If there is none.
        """
        begun = Visit(listener)
        self._visits.append(begun)
        try:
            await self._make_room(listener)
        except BaseException:
            self._visits.remove(begun)
            raise
        return begun

    def finish(self, ended: Visit) -> None:
        """Note that a page has been sent, or never will be."""
        self._visits.remove(ended)
        owned = self._owned.get(ended.kernel_id or "")
        if owned:
            owned.alone_since = time.monotonic()

    def owner(self, kernel_id: str) -> str | None:
        """Return the account that a live kernel belongs to."""
        owned = self._owned.get(kernel_id)
        return owned.owner if owned and kernel_id in self and kernel_id not in self._ending else None

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

    def disconnect(self, kernel_id: str, closed: PageSocket) -> None:
        """Note that a page is gone, and begin to count the time without one."""
        owned = self._owned.get(kernel_id)
        if owned and closed in owned.sockets:
            owned.sockets.discard(closed)
            owned.alone_since = time.monotonic()

    async def end(self, kernel_id: str) -> None:
        """Shut one kernel down; one that is gone already is no error."""
        if kernel_id not in self or kernel_id in self._ending:
            return
        self._ending.add(kernel_id)
        try:
            await self.shutdown_kernel(kernel_id)
        except Exception:
            self.log.exception("kernel %s could not be shut down", kernel_id)
        finally:
            self._ending.discard(kernel_id)
            owned = self._owned.pop(kernel_id, None)
            for opened in list(owned.sockets if owned else ()):
                opened.close(1001)

    async def end_all(self) -> None:
        """Shut down every kernel."""
        await asyncio.gather(*map(self.end, list(self._kernels)))

    async def reap(self) -> None:
        """Shut down every kernel that died, or whose page has been gone for too long."""
        gone = [kernel_id for kernel_id in self._alone() if self._alone_for(kernel_id) > self.alone_s]
        for kernel_id in list(self._owned):
            if kernel_id not in self:
                self._owned.pop(kernel_id)
            elif not await ensure_async(self.get_kernel(kernel_id).is_alive()):
                gone.append(kernel_id)
        await asyncio.gather(*map(self.end, set(gone)))

    async def _make_room(self, listener: str) -> None:
        mine = [visited for visited in self._visits if visited.listener == listener and not visited.kernel_id]
        owned = [kernel_id for kernel_id in self._owned if self.owner(kernel_id) == listener]
        if len(mine) + len(owned) > self.per_account:
            await self._end_oldest(
                owned,
                Refusal(
                    429,
                    "Enough players",
                    "You have the player open in many places. Close one of them first.",
                    10,
                ),
            )
        starting = sum(not visited.kernel_id for visited in self._visits)
        alive = [kernel_id for kernel_id in self._owned if self.owner(kernel_id)]
        if starting + len(alive) > self.at_most:
            await self._end_oldest(
                alive, Refusal(503, "Full house", "Every seat is taken just now. Try again in a minute.", 60)
            )

    async def _end_oldest(self, kernel_ids: Iterable[str], otherwise: Refusal) -> None:
        alone = sorted(set(self._alone()) & set(kernel_ids), key=self._alone_for)
        if not alone:
            raise otherwise
        await self.end(alone[-1])

    def _alone(self) -> list[str]:
        """Return the kernels without a page, but for those whose page is being made."""
        visited = {each.kernel_id for each in self._visits}
        return [
            kernel_id
            for kernel_id in self._owned
            if kernel_id in self
            and kernel_id not in visited
            and kernel_id not in self._ending
            and not self.connections(kernel_id)
        ]

    def _alone_for(self, kernel_id: str) -> float:
        return time.monotonic() - self._owned[kernel_id].alone_since
