"""What every answer of the player's server has in common: headers, who asks, errors in plain words."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import re
from collections.abc import Awaitable
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakSet

import jinja2
from tornado.httputil import HTTPServerRequest
from tornado.web import Application, HTTPError, RequestHandler

from segue.player.accounts import Accounts
from segue.player.identity import Kernels, Listener, Sessions, is_https
from segue.store.accounts import StoreAway

log = logging.getLogger(__name__)

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""Nothing from another host and nothing inline."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HSTS = "max-age=31536000"
"""For a year a browser that came encrypted comes in no other way."""

_SAID = {
    401: ("Log in first", "This is for listeners who are logged in."),
    403: ("Not for you", "This address is not open to you, or the request came from another site."),
    404: ("Nothing here", "There is no page at this address."),
    405: ("Not like this", "This address does not take such a request."),
    413: ("Too large", "That was more than this address takes."),
    429: ("Too many at once", "Wait a moment, then try again."),
    503: (
        "Back in a moment",
        "The player cannot reach its accounts just now. Nothing is lost; try again soon.",
    ),
}
_FAILED = ("Something went wrong", "It is not your fault. Try again in a moment.")

_ASSETS = {"login.css": "static"}


class Refusal(HTTPError):
    """An error whose words are shown to the person."""

    def __init__(self, status: int, title: str, text: str, wait_s: int | None = None) -> None:
        super().__init__(status, title)
        self.title = title
        self.text = text
        self.wait_s = wait_s


class OpenAnswers:
    """Requests that are not answered yet."""

    def __init__(self) -> None:
        self._handlers: WeakSet[RequestHandler] = WeakSet()

    def add(self, handler: RequestHandler) -> None:
        """Note a request."""
        self._handlers.add(handler)

    def discard(self, handler: RequestHandler) -> None:
        """Note that it is answered."""
        self._handlers.discard(handler)

    async def wait(self, longest_s: float) -> None:
        """Wait until all are answered, or for so many seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(longest_s):
                while self._handlers:
                    await asyncio.sleep(0.05)


class Polite(RequestHandler):
    """Puts the security headers on an answer, and says errors without saying anything of the server."""

    def __init__(self, application: Application, request: HTTPServerRequest, **options: Any) -> None:
        super().__init__(application, request, **options)
        self.settings["open_answers"].add(self)

    def on_finish(self) -> None:
        """Note that the answer is on its way."""
        self.settings["open_answers"].discard(self)

    def set_default_headers(self) -> None:
        """Set what every answer has."""
        self.clear_header("Server")
        for name, value in HEADERS.items():
            self.set_header(name, value)
        if is_https(self):
            self.set_header("Strict-Transport-Security", HSTS)

    def log_exception(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Write down where the server failed, and nothing of the request: its address may hold secrets."""
        if typ is not None and value is not None and not isinstance(value, HTTPError):
            log.error("%s failed", type(self).__name__, exc_info=(typ, value, tb))

    def set_cookie(self, name: str, value: str | bytes, **options: Any) -> None:
        """Set a cookie that travels encrypted when the request did."""
        options.setdefault("secure", is_https(self))
        super().set_cookie(name, value, **options)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer with a page for a browser, with one line for anything else."""
        error = (kwargs.get("exc_info") or (None, None, None))[1]
        title, text = _SAID.get(status_code, _FAILED)
        if isinstance(error, Refusal):
            title, text = error.title, error.text
            if error.wait_s is not None:
                self.set_header("Retry-After", str(error.wait_s))
        self.set_header("Cache-Control", "no-store")
        if "text/html" in self.request.headers.get("Accept", ""):
            self.set_header("Content-Type", "text/html; charset=utf-8")
            self.finish(render("error.html", title=title, text=text))
        else:
            self.set_header("Content-Type", "text/plain; charset=utf-8")
            self.finish(f"{title}. {text}\n")

    def require_same_origin(self) -> None:
        """Refuse a request that another site's page sent, and one that does not say where it is from.

        Raises
        ------
        HTTPError
            With status 403.
        """
        headers = self.request.headers
        site = headers.get("Sec-Fetch-Site")
        if site is not None and site != "same-origin":
            raise HTTPError(403)
        source = headers.get("Origin") or headers.get("Referer")
        if source is None or urlsplit(source).netloc.lower() != self.request.host.lower():
            raise HTTPError(403)


class Handler(Polite):
    """A page or answer of our own; ``current_user`` is the listener, or None."""

    current_user: Listener | None

    @property
    def sessions(self) -> Sessions:
        """Return the server's sessions."""
        sessions: Sessions = self.settings["sessions"]
        return sessions

    @property
    def accounts(self) -> Accounts:
        """Return the server's accounts."""
        accounts: Accounts = self.settings["accounts"]
        return accounts

    async def end_session(self) -> None:
        """Log out whoever sent the request, if anybody did, and end the kernels of that session.

        Raises
        ------
        StoreAway
            If the store cannot keep it; this browser forgets the session all the same.
        """
        listener = await self.sessions.end(self)
        if listener is not None:
            await self.end_kernels(listener.username, listener.session)

    async def end_kernels(self, account_id: str, session: str | None = None) -> None:
        """End the kernels of an account, or only those of one of its sessions."""
        kernels: Kernels = self.settings["kernel_manager"]
        await kernels.end_of(account_id, session)

    async def prepare(self) -> None:
        """Find out who asks."""
        try:
            self.current_user = await self.sessions.listener(self)
        except StoreAway:
            raise HTTPError(503) from None


class Private(Handler):
    """An answer for listeners who are logged in."""

    async def prepare(self) -> None:
        """Refuse everybody else."""
        await super().prepare()
        if self.current_user is None:
            raise HTTPError(403)


class NotFound(Polite):
    """Everything that is not mounted."""

    def prepare(self) -> Awaitable[None] | None:
        """Refuse."""
        raise HTTPError(404)


class Asset(Polite):
    """A style or script of our own pages, under a name that changes with its content."""

    def get(self, version: str, name: str) -> None:
        """Answer with the file; a browser keeps it for good."""
        if name not in _ASSETS or asset_version(name) != version:
            raise HTTPError(404)
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")
        kind = "text/css" if name.endswith(".css") else "text/javascript"
        self.set_header("Content-Type", f"{kind}; charset=utf-8")
        self.finish(_asset(name).read_bytes())

    head = get


def asset_url(name: str) -> str:
    """Return the address of a style or script of our own pages."""
    return f"/page/{asset_version(name)}/{name}"


@cache
def asset_version(name: str) -> str:
    """Return the first digits of the SHA-256 of an asset's content."""
    return hashlib.sha256(_asset(name).read_bytes()).hexdigest()[:16]


def render(page: str, /, **values: Any) -> str:
    """Return one of our own pages as HTML; every value is escaped."""
    return _environment().get_template(page).render(asset_url=asset_url, **values)


def local_path(address: str) -> str:
    """Return an address if it is a path on this server, else ``/``.

    >>> local_path("/a?b=1"), local_path("//evil.example/"), local_path("https:evil.example")
    ('/a?b=1', '/', '/')
    """
    is_path = re.fullmatch(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,500}", address)
    return address if is_path else "/"


def _asset(name: str) -> Traversable:
    return files("segue.player") / _ASSETS[name] / name


@cache
def _environment() -> jinja2.Environment:
    loader = jinja2.PackageLoader("segue.player", "pages")
    return jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
