"""Who is asking: a signed cookie that only this server can make, checked against the accounts."""

from __future__ import annotations

import asyncio
import os
import secrets
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from jupyter_server.auth.identity import IdentityProvider, User
from tornado.web import HTTPError, RequestHandler

from segue.errors import SegueError, UsageError
from segue.live.events import now
from segue.player.accounts import Accounts
from segue.settings import Settings
from segue.store.accounts import Account, StoreAway

DAYS = 30
LASTING = timedelta(days=DAYS)
"""How long a login lasts."""

KNOWN_DAYS = 365
"""How long a browser is known to have been logged in to an account."""

_CHECK_S = 5.0
_TRUST_S = 3_600.0
_REST_S = 2.0
_REMEMBERED = 10_000
_LEAST_SECRET = 32


@dataclass
class Listener(User):
    """An account that is logged in.

    ``username`` is its id, ``session`` the login it came by (epoch and number), ``operator`` whether it may
    see what everybody does, ``must_change`` whether it came by a one-time password, with which it may do
    nothing but choose another.
    """

    session: str = ""
    operator: bool = False
    must_change: bool = False


class Kernels(Protocol):
    """What sessions ask of the server's kernels."""

    def owners(self) -> set[tuple[str, str]]:
        """Return account and session of every kernel."""

    async def end_of(self, account_id: str, session: str | None = None) -> int:
        """End the kernels of an account, or of one session."""


@dataclass(slots=True)
class _Seen:
    account: Account | None
    at: float


class Sessions:
    """Makes, reads and ends logins.

    What the store said of an account is believed for some seconds, and for an hour while it is away.
    """

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._seen: dict[str, _Seen] = {}
        self._asking: dict[str, asyncio.Future[Account | None]] = {}
        self._away_until = 0.0

    def begin(self, handler: RequestHandler, account: Account) -> None:
        """Log in: a new session, whatever cookie came with the request."""
        seen = self._seen.get(account.account_id)
        if seen is None or seen.account is None or seen.account.epoch < account.epoch:
            # What was noted of the same epoch may know of sessions that ended since the account was read.
            self.note(account.account_id, account)
        value = f"{account.account_id}.{account.epoch}.{secrets.token_hex(16)}"
        _keep(handler, cookie_name(handler), value, DAYS)
        known = known_browser(handler)
        if not known.startswith(f"{account.account_id}."):
            known = f"{account.account_id}.{secrets.token_hex(16)}"
        _keep(handler, _known_name(handler), known, KNOWN_DAYS)
        handler.clear_cookie("_xsrf")

    def forget(self, handler: RequestHandler) -> None:
        """Let the browser forget its session."""
        handler.clear_cookie(
            cookie_name(handler), path="/", httponly=True, samesite="Lax", secure=is_https(handler)
        )

    async def end(self, handler: RequestHandler) -> Listener | None:
        """Log out: the session ends whoever has its cookie. Returns whose it was, None if it was nobody's.

        Raises
        ------
        StoreAway
            If the store cannot keep it; the browser forgets the session all the same.
        """
        self.forget(handler)
        listener = await self.listener(handler, changing=True)
        if listener is not None:
            account = await self._accounts.read(
                self._accounts.store.end_session, listener.username, listener.session, now(), LASTING
            )
            self.note(listener.username, account)
        return listener

    def note(self, account_id: str, account: Account | None) -> None:
        """Note how an account is now, None if it is gone: what ended has ended at once on this server."""
        if len(self._seen) >= _REMEMBERED:
            self._seen.clear()
        self._seen[account_id] = _Seen(account, time.monotonic())

    async def listener(self, handler: RequestHandler, *, changing: bool = False) -> Listener | None:
        """Return who sent a request, or None for nobody that is logged in.

        Parameters
        ----------
        changing
            Whether one who came by a one-time password counts as well.

        Raises
        ------
        StoreAway
            If the store is away and this account was not seen lately.
        """
        cookie = handler.get_signed_cookie(cookie_name(handler), max_age_days=DAYS)
        parts = cookie.decode("ascii", "replace").split(".") if cookie else []
        if len(parts) != 3 or not parts[1].isdecimal():
            return None
        account_id, session = parts[0], f"{parts[1]}.{parts[2]}"
        account = await self._look(account_id)
        if account is None or is_over(account, session):
            return None
        must_change = account.once_until is not None
        if must_change and not changing:
            return None
        return Listener(
            username=account_id, name=account.name, display_name=account.name, session=session,
            operator=account.operator, must_change=must_change,
        )  # fmt: skip

    async def sweep(self, kernels: Kernels) -> None:
        """End the kernels of sessions that ended, here or by way of another server."""
        for account_id, session in kernels.owners():
            try:
                account = await self._look(account_id)
            except StoreAway:
                return
            if account is None or is_over(account, session):
                await kernels.end_of(account_id, session)

    async def _look(self, account_id: str) -> Account | None:
        seen = self._seen.get(account_id)
        at = time.monotonic()
        if seen and at - seen.at < _CHECK_S:
            return seen.account
        try:
            account = await self._ask(account_id)
        except StoreAway:
            if seen and at - seen.at < _TRUST_S:
                return seen.account
            raise
        noted = self._seen.get(account_id)
        if noted and noted.at > at:
            # What was noted while the store was asked is newer than its answer.
            return noted.account
        self.note(account_id, account)
        return account

    async def _ask(self, account_id: str) -> Account | None:
        """Ask the store once for all requests that wait for one answer; for a while not, when it is away."""
        if time.monotonic() < self._away_until:
            raise StoreAway("the document store did not answer a moment ago")
        asking = self._asking.get(account_id)
        if asking is None:
            asking = asyncio.ensure_future(self._accounts.by_id(account_id))
            self._asking[account_id] = asking
            asking.add_done_callback(lambda _: self._asking.pop(account_id, None))
        try:
            return await asyncio.shield(asking)
        except StoreAway:
            self._away_until = time.monotonic() + _REST_S
            raise


class AccountIdentity(IdentityProvider):
    """Jupyter's question of who is asking, answered by the session alone: no token, no other password."""

    async def get_user(self, handler: RequestHandler) -> Listener | None:
        """Return the listener of the request's session."""
        sessions: Sessions = handler.settings["sessions"]
        try:
            return await sessions.listener(handler)
        except StoreAway:
            raise HTTPError(503) from None

    def get_handlers(self) -> list[tuple[str, Any]]:
        """Return none: the server mounts its own pages."""
        return []


def is_over(account: Account, session: str) -> bool:
    """Tell whether a session of an account has ended."""
    return session.partition(".")[0] != str(account.epoch) or session in account.ended


def cookie_name(handler: RequestHandler) -> str:
    """Return the session cookie's name; over https a browser takes this one from our own host only."""
    return "__Host-segue" if is_https(handler) else "segue"


def known_browser(handler: RequestHandler) -> str:
    """Return the account's id, a dot and a number, from a browser that was logged in before; else nothing.

    It gives no right but one: guessing from elsewhere does not hold up who comes from here.
    """
    kept = handler.get_signed_cookie(_known_name(handler), max_age_days=KNOWN_DAYS)
    return kept.decode("ascii", "replace") if kept else ""


def _known_name(handler: RequestHandler) -> str:
    return f"{cookie_name(handler)}-known"


def _keep(handler: RequestHandler, name: str, value: str, days: int) -> None:
    handler.set_signed_cookie(
        name, value, expires_days=days, path="/", httponly=True, samesite="Lax", secure=is_https(handler)
    )


def is_https(handler: RequestHandler) -> bool:
    """Tell whether a request came encrypted, here or at the proxy before us."""
    return handler.request.protocol == "https"


def cookie_secret(settings: Settings) -> bytes:
    """Return what signs the cookies: ``SEGUE_COOKIE_SECRET``, else made once and kept in var/player/secret.

    Raises
    ------
    UsageError
        If the given secret is too short.
    SegueError
        If the kept one can be read by others, or cannot be kept.
    """
    if settings.cookie_secret is not None:
        given = settings.cookie_secret.get_secret_value()
        if len(given) < _LEAST_SECRET:
            raise UsageError(
                f"SEGUE_COOKIE_SECRET is shorter than {_LEAST_SECRET} characters: make one with "
                "`python -c 'import secrets; print(secrets.token_hex(32))'`, or unset it"
            )
        return given.encode()
    path = settings.var / "player" / "secret"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _write_once(path, secrets.token_hex(32))
        if path.stat().st_mode & 0o077:
            raise SegueError(
                f"{path} signs the cookies and others may read it: run `chmod 600 {path}`, or remove it, "
                "which logs everybody out"
            )
        kept = path.read_text().strip()
    except OSError as error:
        raise SegueError(f"{path}: {error.strerror}; mend that, or set SEGUE_COOKIE_SECRET") from None
    if len(kept) < _LEAST_SECRET:
        raise SegueError(f"{path} holds no secret: remove it, and a new one is made")
    return kept.encode()


def _write_once(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole, unless another process was faster."""
    descriptor, part = tempfile.mkstemp(dir=path.parent, prefix="secret-")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(part, path)
        except FileExistsError:
            return
    finally:
        os.unlink(part)
