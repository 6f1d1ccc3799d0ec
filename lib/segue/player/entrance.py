"""Sign up, log in, log out: the only pages for those who are not logged in."""

from __future__ import annotations

from urllib.parse import urlencode

from tornado.web import HTTPError

from segue.player.accounts import WRONG, Accounts, Refused, TooMany
from segue.player.credentials import Unsuitable
from segue.player.web import Handler, local_path, render
from segue.store.accounts import Account, StoreAway

_AWAY = "The accounts cannot be reached just now. Nothing is lost; try again in a moment."


class Entrance(Handler):
    """The form of a name and a password."""

    page = ""

    @property
    def accounts(self) -> Accounts:
        """Return the server's accounts."""
        accounts: Accounts = self.settings["accounts"]
        return accounts

    @property
    def target(self) -> str:
        """Return where the listener wanted to go."""
        return local_path(self.get_argument("next", "/"))

    def get(self) -> None:
        """Show the form."""
        if self.current_user:
            self.redirect(self.target)
            return
        self._show()

    async def post(self) -> None:
        """Take what was typed."""
        self.require_same_origin()
        self.check_xsrf_cookie()
        name = self.get_body_argument("name", "", strip=True)
        password = self.get_body_argument("password", "", strip=False)
        try:
            account = await self.enter(name, password)
        except Unsuitable as error:
            self._show(400, name, **{error.field: str(error)})
        except Refused:
            self._show(401, name, error=WRONG)
        except TooMany as error:
            self.set_header("Retry-After", str(error.wait_s))
            self._show(429, name, error=str(error))
        except StoreAway:
            self._show(503, name, error=_AWAY)
        else:
            self.sessions.begin(self, account)
            self.redirect(self.target, status=303)

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
        return await self.accounts.log_in(name, password, self.request.remote_ip or "")


class SignUp(Entrance):
    """``/signup``."""

    page = "signup"

    async def enter(self, name: str, password: str) -> Account:
        """Return a new account."""
        return await self.accounts.sign_up(name, password, self.request.remote_ip or "")


class LogOut(Handler):
    """``POST /logout``: by a form or by `fetch`, from our own pages only."""

    def post(self) -> None:
        """End the session."""
        self.require_same_origin()
        self.sessions.end(self)
        self.redirect("/login", status=303)

    def get(self) -> None:
        """Refuse: a link or a picture must not log anybody out."""
        raise HTTPError(405)
