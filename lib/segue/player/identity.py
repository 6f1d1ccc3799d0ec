"""Who is asking: a signed cookie that only this server can make, checked against the accounts."""

from __future__ import annotations

import asyncio
import os
import secrets
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_server.auth.identity import IdentityProvider, User
from tornado.web import HTTPError, RequestHandler

from segue.errors import SegueError, UsageError
from segue.player.accounts import Accounts
from segue.settings import Settings
from segue.store.accounts import Account, StoreAway

DAYS = 30
"""How long a login lasts."""

_CHECK_S = 5.0
_TRUST_S = 3_600.0
_REST_S = 2.0
_REMEMBERED = 10_000
_LEAST_SECRET = 32


@dataclass
class Listener(User):
    """An account that is logged in; ``username`` is its id, ``session`` the login it came by."""

    session: str = ""


@dataclass(slots=True)
class _Seen:
    name: str
    epoch: int
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
        self._remember(account)
        value = f"{account.account_id}.{account.epoch}.{secrets.token_hex(16)}"
        handler.set_signed_cookie(
            cookie_name(handler), value, expires_days=DAYS, path="/", httponly=True, samesite="Lax",
            secure=is_https(handler),
        )  # fmt: skip
        handler.clear_cookie("_xsrf")

    def end(self, handler: RequestHandler) -> None:
        """Log out: the browser forgets the session."""
        handler.clear_cookie(
            cookie_name(handler), path="/", httponly=True, samesite="Lax", secure=is_https(handler)
        )

    async def listener(self, handler: RequestHandler) -> Listener | None:
        """Return who sent a request, or None for nobody that is logged in.

        Raises
        ------
        StoreAway
            If the store is away and this account was not seen lately.
        """
        cookie = handler.get_signed_cookie(cookie_name(handler), max_age_days=DAYS)
        parts = cookie.decode("ascii", "replace").split(".") if cookie else []
        if len(parts) != 3 or not parts[1].isdecimal():
            return None
        account_id, epoch, session = parts
        seen = await self._look(account_id)
        if seen is None or seen.epoch != int(epoch):
            return None
        return Listener(username=account_id, name=seen.name, display_name=seen.name, session=session)

    async def _look(self, account_id: str) -> _Seen | None:
        seen = self._seen.get(account_id)
        now = time.monotonic()
        if seen and now - seen.at < _CHECK_S:
            return seen
        try:
            account = await self._ask(account_id)
        except StoreAway:
            if seen and now - seen.at < _TRUST_S:
                return seen
            raise
        if account is None:
            self._seen.pop(account_id, None)
            return None
        return self._remember(account)

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

    def _remember(self, account: Account) -> _Seen:
        if len(self._seen) >= _REMEMBERED:
            self._seen.clear()
        seen = self._seen[account.account_id] = _Seen(account.name, account.epoch, time.monotonic())
        return seen


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


def cookie_name(handler: RequestHandler) -> str:
    """Return the session cookie's name; over https a browser takes this one from our own host only."""
    return "__Host-segue" if is_https(handler) else "segue"


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
