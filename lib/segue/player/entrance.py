"""Sign up, log in, log out: the only pages for those who are not logged in."""

from __future__ import annotations

import contextlib
from urllib.parse import urlencode

from tornado.web import HTTPError

from segue.player.accounts import Refused, TooMany
from segue.player.credentials import Unsuitable
from segue.player.identity import known_browser
from segue.player.web import Handler, local_path, render
from segue.store.accounts import Account, StoreAway

AWAY = "The accounts cannot be reached just now. Nothing is lost; try again in a moment."

RENEWAL = "/account/password"
"""Where who came by a one-time password chooses another."""


class Entrance(Handler):
    """The form of a name and a password."""

    page = ""

    @property
    def target(self) -> str:
        """Return where the listener wanted to go."""
        return local_path(self.get_argument("next", "/"))

    async def get(self) -> None:
        """Show the form, or lead on who is logged in."""
        listener = await self.sessions.listener(self, changing=True)
        if listener is None:
            self._show()
        else:
            self.redirect(RENEWAL if listener.must_change else self.target)

    async def post(self) -> None:
        """Take what was typed."""
        self.require_same_origin()
        self.check_xsrf_cookie()
        name = self.get_body_argument("name", "", strip=True)
        password = self.get_body_argument("password", "", strip=False)
        try:
            account = await self.enter(name, password)
            await self.end_session()
        except Unsuitable as error:
            self._show(400, name, **{error.field: str(error)})
        except Refused as error:
            self._show(401, name, error=str(error))
        except TooMany as error:
            self.set_header("Retry-After", str(error.wait_s))
            self._show(429, name, error=str(error))
        except StoreAway:
            self._show(503, name, error=AWAY)
        else:
            self.sessions.begin(self, account)
            self.redirect(self.target if account.once_until is None else RENEWAL, status=303)

    async def enter(self, name: str, password: str) -> Account:
        """Return the account that is now logged in."""
        raise NotImplementedError

    def _show(
        self, status: int = 200, typed: str = "", *, error: str = "", name: str = "", password: str = ""
    ) -> None:
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        other = "signup" if self.page == "login" else "login"
        query = "?" + urlencode({"next": self.target}) if self.target != "/" else ""
        self.finish(
            render(
                "entrance.html",
                page=self.page,
                other=f"/{other}{query}",
                typed=typed[:100],
                errors={"form": error, "name": name, "password": password},
                xsrf=self.xsrf_token.decode(),
                target=self.target,
            )
        )


class LogIn(Entrance):
    """``/login``."""

    page = "login"

    async def enter(self, name: str, password: str) -> Account:
        """Return the account that the name and the password belong to."""
        address, browser = self.request.remote_ip or "", known_browser(self)
        return await self.accounts.log_in(name, password, address, browser)


class SignUp(Entrance):
    """``/signup``."""

    page = "signup"

    async def enter(self, name: str, password: str) -> Account:
        """Return a new account."""
        return await self.accounts.sign_up(name, password, self.request.remote_ip or "")


class LogOut(Handler):
    """``POST /logout``: by a form of our own pages only."""

    async def post(self) -> None:
        """End the session and its kernels; while the store is away, only this browser forgets it.

        A page from before the last login has a token that is over: the account's page has a fresh one.
        """
        self.require_same_origin()
        try:
            self.check_xsrf_cookie()
        except HTTPError:
            self.redirect("/account" if self.current_user else "/login", status=303)
            return
        with contextlib.suppress(StoreAway):
            await self.end_session()
        self.redirect("/login", status=303)

    def get(self) -> None:
        """Refuse: a link or a picture must not log anybody out."""
        raise HTTPError(405)
