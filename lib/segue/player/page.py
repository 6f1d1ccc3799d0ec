"""The player's page, and what only its owner may reach: the socket and the end of its kernel."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from urllib.parse import quote

from jupyter_server._tz import isoformat
from tornado.httputil import HTTPHeaders
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, StaticFileHandler
from voila.tornado.handler import TornadoVoilaHandler

from segue.player.kernels import PlayerKernels, Visit, visit
from segue.player.web import Polite, Private, render

_IDENTITY = re.compile(r"x[-_]segue[-_]", re.I)
_HEARTBEAT = "<script>window.voila_heartbeat()"


class Page(Polite, TornadoVoilaHandler):
    """``/``: the notebook as a page, with a kernel of its own."""

    async def get(self, path: str | None = None) -> None:
        """Send the shell at once, then what the notebook renders."""
        listener = self.current_user
        set_identity(self.request.headers, listener.username, listener.name)
        kernels: PlayerKernels = self.kernel_manager
        begun = await kernels.begin(listener.username)
        visit.set(begun)
        closed = False
        try:
            self.set_header("Content-Type", "text/html; charset=utf-8")
            self.set_header("Cache-Control", "no-store")
            self.write(render("shell.html", name=listener.name, static_url=self.settings["static_url"]))
            await self.flush()
            if not await self._send_notebook(kernels, begun):
                self.write(render("failed.html"))
            await self.finish()
        except StreamClosedError:
            closed = True
        finally:
            kernels.finish(begun)
        if closed and begun.kernel_id:
            await kernels.end(begun.kernel_id)

    async def _send_notebook(self, kernels: PlayerKernels, begun: Visit) -> bool:
        """Send what the notebook renders; False when that ended before the page has what it needs."""
        snippets: AsyncIterator[str] = self.get_generator()
        try:
            async with asyncio.timeout(kernels.page_s):
                async for html in snippets:
                    # The heartbeat is an inline script, which the page's policy forbids.
                    self.write("\n" if html.startswith(_HEARTBEAT) else html)
                    await self.flush()
                    if begun.kernel_id is not None and kernels.owner(begun.kernel_id) is None:
                        return False
        except StreamClosedError:
            raise
        except Exception:
            self.log.exception("the page could not be made")
            return False
        return True


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


class Static(Private, StaticFileHandler):
    """JupyterLab's scripts, under an address that changes with them."""

    def parse_url_path(self, url_path: str) -> str:
        """Return the path below the folder."""
        if "\0" in url_path:
            raise HTTPError(404)
        return super().parse_url_path(url_path)

    def set_extra_headers(self, path: str) -> None:
        """Let a browser keep them for good."""
        self.set_header("Cache-Control", "private, max-age=31536000, immutable")


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


def set_identity(headers: HTTPHeaders, account_id: str, name: str) -> None:
    """Put the identity on a request, whatever the browser sent in its place."""
    for header in [header for header in headers if _IDENTITY.match(header)]:
        del headers[header]
    headers["X-Segue-Listener"] = account_id
    headers["X-Segue-Name"] = quote(name, safe="")


def page_config(
    current: dict[str, object], *, static_url: str, extensions_url: str, extensions: list[dict[str, object]]
) -> dict[str, object]:
    """Return what JupyterLab's scripts need to know: addresses and the widgets' own extensions."""
    keep = ("baseUrl", "appUrl", "themesUrl", "terminalsAvailable", "extensionConfig", "progressiveRendering")
    return {name: current[name] for name in keep if name in current} | {
        "fullStaticUrl": static_url,
        "fullLabextensionsUrl": extensions_url,
        "federated_extensions": json.loads(json.dumps(extensions)),
        "disabledExtensions": [],
        "fullMathjaxUrl": "null",
        "mathjaxConfig": "null",
    }
