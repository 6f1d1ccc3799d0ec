"""The player's page, and what only its owner may reach: its scripts, and the end of its kernel."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
from collections.abc import Coroutine
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
from jupyter_server._tz import isoformat
from nbconvert.filters import markdown2html
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, authenticated

from segue.player.bundle import loader_script, page_style, player_script
from segue.player.forking.holder import SeatFailed
from segue.player.kernels import PlayerKernels, Seat
from segue.player.web import Handler, Private, Refusal, render

PARTS = {"player.js": player_script, "player.css": page_style, "loader.js": loader_script}
"""What the page loads, by name; for listeners who are logged in."""

_REFUSED_WITHIN_S = 0.02
"""A page waits so long for a refusal, which has a status of its own; its shell waits for no kernel."""

_SEAT_AGAIN_S = 5
"""When a page whose kernel could not be made is to ask again."""


class Page(Handler):
    """``/``: the notebook as a page, with a kernel of its own."""

    @authenticated
    async def get(self) -> None:
        """Send the shell at once, then which kernel and widget are the page's."""
        taking = asyncio.ensure_future(self._take())
        await asyncio.wait({taking}, timeout=_REFUSED_WITHIN_S)
        if taking.done() and isinstance(taking.exception(), Refusal):
            taking.result()
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        # A proxy that gathers answers would hold the shell back until the kernel is there.
        self.set_header("X-Accel-Buffering", "no")
        try:
            self.write(self._shell())
            await self.flush()
            await self.finish(await self._last_part(taking))
        except StreamClosedError:
            with contextlib.suppress(Refusal, SeatFailed):
                seat = await taking
                await self.settings["kernel_manager"].end(seat.kernel_id)

    @authenticated
    async def post(self) -> None:
        """Answer a page without a kernel with one, or say when it may ask again."""
        self.require_same_origin()
        self.set_header("Cache-Control", "no-store")
        try:
            self.write(describe(await self._take()))
        except SeatFailed:
            text = "Your place could not be made ready. It is tried again by itself."
            raise Refusal(503, "The player could not start", text, _SEAT_AGAIN_S) from None

    def _shell(self) -> str:
        xsrf = self.xsrf_token.decode()
        return render("shell.html", part_url=part_url, notes=self.settings["page_notes"], xsrf=xsrf)

    def _take(self) -> Coroutine[Any, Any, Seat]:
        kernels: PlayerKernels = self.settings["kernel_manager"]
        assert self.current_user is not None
        return kernels.take(self.current_user)

    async def _last_part(self, taking: asyncio.Future[Seat]) -> str:
        """Return the page's end: with what it needs of its kernel, or without: then it asks by itself."""
        try:
            description = describe(await taking)
        except (Refusal, SeatFailed):
            description = None
        return render("seat.html", description=description)


class Part(Private):
    """``/page/<version>/<name>``: a script or style of the page, under an address that changes with it."""

    def get(self, version: str, name: str) -> None:
        """Answer with the file; a browser keeps it for good."""
        content, packed, current = _part(name)
        if version != current:
            raise HTTPError(404)
        kind = "text/css" if name.endswith(".css") else "text/javascript"
        self.set_header("Content-Type", f"{kind}; charset=utf-8")
        self.set_header("Cache-Control", "private, max-age=31536000, immutable")
        self.set_header("Vary", "Accept-Encoding")
        if "gzip" in self.request.headers.get("Accept-Encoding", ""):
            self.set_header("Content-Encoding", "gzip")
            content = packed
        self.finish(content)


class KernelModel(Private):
    """``/api/kernels/<id>``: the page asks whether its kernel is there."""

    def get(self, kernel_id: str) -> None:
        """Answer with the kernel's state, to its owner alone."""
        kernels = owned(self, kernel_id)
        kernel = kernels.get_kernel(kernel_id)
        self.set_header("Cache-Control", "no-store")
        self.write(
            {
                "id": kernel_id,
                "name": kernel.kernel_name,
                "last_activity": isoformat(kernel.last_activity),
                "execution_state": kernel.execution_state,
                "connections": kernels.connections(kernel_id),
            }
        )


class Shutdown(Private):
    """``POST /voila/api/shutdown/<id>``: the page is going and its kernel with it."""

    async def post(self, kernel_id: str) -> None:
        """End the kernel of its owner."""
        self.require_same_origin()
        await owned(self, kernel_id).end(kernel_id)
        self.set_status(204)


def owned(handler: Private, kernel_id: str) -> PlayerKernels:
    """Return the kernels if this one is the listener's own.

    Raises
    ------
    HTTPError
        With status 404 if it is another's, as if it were not there.
    """
    kernels: PlayerKernels = handler.settings["kernel_manager"]
    listener = handler.current_user
    if listener is None or kernels.owner(kernel_id) != listener.username:
        raise HTTPError(404)
    return kernels


def describe(seat: Seat) -> dict[str, Any]:
    """Return what the page's loader needs to join a widget to its kernel."""
    return {
        "kernel": seat.kernel_id,
        "model": seat.model_id,
        "channels": f"/api/kernels/{seat.kernel_id}/channels",
        "esm": part_url("player.js"),
        "css": part_url("player.css"),
        "state": seat.state,
    }


def part_url(name: str) -> str:
    """Return the address of one of the page's `PARTS`."""
    return f"/page/{_part(name)[2]}/{name}"


def notes_of(notebook: Path) -> list[str]:
    """Return a notebook's words as HTML, but for those that belong to the notebook alone."""
    cells = nbformat.read(notebook, as_version=4).cells
    return [
        str(markdown2html(cell.source))
        for cell in cells
        if cell.cell_type == "markdown" and "notebook-only" not in cell.metadata.get("tags", [])
    ]


@cache
def _part(name: str) -> tuple[bytes, bytes, str]:
    """Return a part's content, plain and packed, and the first digits of its SHA-256."""
    content = PARTS[name]().encode()
    return content, gzip.compress(content, 9, mtime=0), hashlib.sha256(content).hexdigest()[:16]
