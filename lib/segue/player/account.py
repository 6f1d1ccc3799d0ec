"""``/account``: what a listener may do with the account, by plain forms that work without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pymongo.errors import PyMongoError
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError

from segue.errors import SegueError
from segue.player.accounts import Refused, TooMany
from segue.player.credentials import Unsuitable
from segue.player.entrance import AWAY, RENEWAL
from segue.player.export import export
from segue.player.identity import is_over, known_browser
from segue.player.web import Handler, Refusal, render
from segue.store.accounts import Account, StoreAway

DONE = {
    "password": "Your password has changed. Every other login has ended.",
}
"""What is said after an action, by the word in the address."""

_PIECE = 64 << 10


class AccountHandler(Handler):
    """An answer for who is logged in; who came by a one-time password must choose another first.

    Attributes
    ----------
    account
        As it is in the store now.
    """

    for_changing = False
    """Whether it is also for who came by a one-time password."""

    async def prepare(self) -> None:
        """Find out who asks; the account is read anew, as an action must not rest on what was seen before."""
        self.set_header("Cache-Control", "no-store")
        try:
            listener = await self.sessions.listener(self, changing=True)
            account = await self.accounts.by_id(listener.username) if listener else None
        except StoreAway:
            raise HTTPError(503) from None
        if listener is None or account is None or is_over(account, listener.session):
            if self.request.method != "GET":
                raise HTTPError(403)
            self.redirect("/login?next=%2Faccount")
            return
        self.current_user, self.account = listener, account
        if listener.must_change and not self.for_changing:
            self.redirect(RENEWAL, status=303)
        elif self.request.method != "GET":
            self.require_same_origin()
            self.check_xsrf_cookie()

    def show(self, status: int = 200, said: str = "", **errors: str) -> None:
        """Send the page, with what went wrong at the form that it went wrong in."""
        self.set_status(status)
        self.finish(
            render(
                "account.html",
                name=self.account.name,
                since=self.account.created.strftime("%d %B %Y").lstrip("0"),
                operator=self.account.operator,
                must_change=self.account.once_until is not None,
                said=said,
                errors=dict.fromkeys(("old", "password", "deletion"), "") | errors,
                xsrf=self.xsrf_token.decode(),
            )
        )

    async def confirmed(self, field: str) -> bool:
        """Tell whether the form's password is the account's; if not, the page says so at this field."""
        typed = self.get_body_argument(field, "", strip=False)
        try:
            address, browser = self.request.remote_ip or "", known_browser(self)
            await self.accounts.confirm(self.account, typed, address, browser)
        except (Refused, TooMany, StoreAway) as error:
            self.refuse(error, field, "This is not your password.")
            return False
        return True

    def refuse(self, error: SegueError, field: str, wrong: str) -> None:
        """Show the page with an error at a field."""
        match error:
            case TooMany():
                self.set_header("Retry-After", str(error.wait_s))
                self.show(429, **{field: str(error)})
            case StoreAway():
                self.show(503, **{field: AWAY})
            case _:
                self.show(403, **{field: wrong})


class Overview(AccountHandler):
    """``/account``."""

    def get(self) -> None:
        """Show the page."""
        self.show(said=DONE.get(self.get_argument("done", ""), ""))


class Password(AccountHandler):
    """``/account/password``: the old one is asked for, unless it was given for this only."""

    for_changing = True

    def get(self) -> None:
        """Show the form."""
        if self.account.once_until is None:
            self.redirect("/account")
        else:
            self.show()

    async def post(self) -> None:
        """Change the password, end every session, and begin a new one here."""
        if self.account.once_until is None and not await self.confirmed("old"):
            return
        try:
            changed = await self.accounts.change_password(
                self.account, self.get_body_argument("password", "", strip=False)
            )
        except Unsuitable as error:
            self.show(400, password=str(error))
        except (Refused, TooMany, StoreAway) as error:
            self.refuse(error, "password", str(error))
        else:
            self.sessions.begin(self, changed)
            await self.end_kernels(changed.account_id)
            self.redirect("/account?done=password", status=303)


class Everywhere(AccountHandler):
    """``/account/sessions``: log out everywhere."""

    async def post(self) -> None:
        """End every session of the account, this one too, and all its kernels."""
        try:
            ended = await self.accounts.end_sessions(self.account.account_id)
        except StoreAway:
            raise HTTPError(503) from None
        self.sessions.note(self.account.account_id, ended)
        self.sessions.forget(self)
        await self.end_kernels(self.account.account_id)
        self.redirect("/login", status=303)


class Deletion(AccountHandler):
    """``/account/deletion``: the account and all that is known of its listener."""

    async def post(self) -> None:
        """Delete it."""
        if not await self.confirmed("deletion"):
            return
        account_id = self.account.account_id
        try:
            await self.accounts.delete(account_id)
            text = "Your history, your lists and what they were made from are gone."
        except StoreAway:
            if await self._is_left(account_id):
                self.show(503, deletion=AWAY)
                return
            text = "What is left of your history goes as soon as the store answers."
        self.sessions.note(account_id, None)
        self.sessions.forget(self)
        await self.end_kernels(account_id)
        self.finish(render("goodbye.html", text=text))

    async def _is_left(self, account_id: str) -> bool:
        try:
            return await self.accounts.by_id(account_id) is not None
        except StoreAway:
            return True


class Data(AccountHandler):
    """``/account/data``: all that is kept of the account, as one JSON file."""

    def initialize(self, busy: set[str]) -> None:
        """Take the accounts whose data is on its way, which all answers share."""
        self._busy = busy

    async def get(self) -> None:
        """Send it in pieces, however much it is; one at a time for each account."""
        account = self.account
        if account.account_id in self._busy:
            raise Refusal(429, "One at a time", "Your data is on its way in another window.", 5)
        self._busy.add(account.account_id)
        try:
            await self._send(account)
        finally:
            self._busy.discard(account.account_id)

    async def _send(self, account: Account) -> None:
        pieces = export(self.accounts.store.patient, account)
        sent = False
        try:
            while piece := await self.accounts.patiently(_next, pieces):
                if not sent:
                    self.set_header("Content-Type", "application/json; charset=utf-8")
                    self.set_header("Content-Disposition", 'attachment; filename="segue-account.json"')
                self.write(piece)
                await self.flush()
                sent = True
        except StreamClosedError:
            return
        except PyMongoError:
            if not sent:
                raise HTTPError(503) from None
            # Half an object must not look whole.
            self.request.connection.close()


def _next(pieces: Iterator[str]) -> str:
    """Return the next pieces as one of some length; nothing at the end."""
    found, length = [], 0
    for piece in pieces:
        found.append(piece)
        length += len(piece)
        if length >= _PIECE:
            break
    return "".join(found)


def routes() -> list[tuple[Any, ...]]:
    """Return the addresses of the account's page."""
    return [
        ("/account", Overview),
        (RENEWAL, Password),
        ("/account/sessions", Everywhere),
        ("/account/data", Data, {"busy": set()}),
        ("/account/deletion", Deletion),
    ]
