"""Sign up and log in: passwords hashed beside the server's loop, guessing slowed, answers that say little."""

from __future__ import annotations

import asyncio
import contextlib
import math
import secrets
import unicodedata
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from segue.errors import SegueError
from segue.live.events import now
from segue.player.credentials import Unsuitable, check_name, check_password
from segue.player.throttle import Count, Limit, Throttle, place
from segue.store import personal
from segue.store.accounts import ATTEMPTS, DATABASE, Account, AccountStore, NameTaken, StoreAway, translated
from segue.store.attempts import AttemptStore
from segue.store.names import compared

WRONG = "This name or password is not right."
TAKEN = "That name is taken. Choose another, or log in if it is yours."
ALIKE = "That name looks like one that is taken. Choose another."
EXPIRED = "This one-time password is no longer good. Ask the operator for another."
CHANGED = "This account was changed meanwhile. Log in again."

_LEFT_FOR = timedelta(minutes=1)
"""How long after a deletion nobody writes anything more of the account."""

_HASHERS = 2
"""Hashes made at once: each takes 64 MiB and a core for a tenth of a second."""

_WAITING = 40
"""Attempts that may be on their way; beyond them nobody is looked up, counted or hashed."""

_BY_NAME = Limit("name", free=5)
_BY_BROWSER = Limit("browser", free=5)
_BY_ADDRESS = Limit("address", free=30)
_SIGN_UPS = Limit("signup", free=300, longest_s=10.0)
T = TypeVar("T")


class Refused(SegueError):
    """A login or confirmation that failed; the text is the same for a wrong name and a wrong password."""


class TooMany(SegueError):
    """Too many attempts, from one place, on one name or in all; after ``wait_s`` seconds the next counts."""

    def __init__(self, wait_s: float) -> None:
        seconds = max(1, math.ceil(wait_s))
        super().__init__(f"Too many attempts. Try again in {seconds} second{'s' if seconds > 1 else ''}.")
        self.wait_s = seconds


class Accounts:
    """Accounts as the server uses them; its methods belong to one event loop."""

    def __init__(self, store: AccountStore, hasher: PasswordHasher | None = None) -> None:
        self.store = store
        self._hasher = hasher or PasswordHasher()
        self._hashing = ThreadPoolExecutor(_HASHERS, thread_name_prefix="argon2")
        self._reading = ThreadPoolExecutor(8, thread_name_prefix="accounts")
        self._patient = ThreadPoolExecutor(2, thread_name_prefix="accounts-patient")
        self._waiting = 0
        self._throttle = Throttle(AttemptStore(store.client[DATABASE][ATTEMPTS]))
        self._nobody = self._hasher.hash(secrets.token_urlsafe())

    async def sign_up(self, name: str, password: str, address: str) -> Account:
        """Make an account; the store has acknowledged it when this returns.

        Raises
        ------
        Unsuitable, TooMany, StoreAway
            If the name or password will not do, the address signs up too often, or the store is away.
        """
        key = check_name(name)
        check_password(password, name)
        count = Count(_SIGN_UPS, place(address))
        with self._on_its_way():
            await self._begin([count])
            try:
                return await self._new(name, key, password)
            except SegueError:
                await self._take_back([count])
                raise

    async def _new(self, name: str, key: str, password: str) -> Account:
        if await self.read(self.store.by_key, key):
            raise Unsuitable("name", TAKEN)
        if await self.read(self.store.looks_taken, name):
            raise Unsuitable("name", ALIKE)
        hashed = await self._hash(self._hasher.hash, _plain(password))
        account = Account(uuid.uuid4().hex, name, key, hashed, epoch=0, created=now())
        try:
            await self.read(self.store.add, account)
        except NameTaken:
            raise Unsuitable("name", TAKEN) from None
        return account

    async def log_in(self, name: str, password: str, address: str, browser: str = "") -> Account:
        """Return the account of a name and its password.

        Parameters
        ----------
        browser
            What a browser has that was logged in before: the account's id, a dot and a number of its own. Its
            attempts at this account are counted apart, so that others' cannot lock its listener out.

        Raises
        ------
        Refused, TooMany, StoreAway
            If they do not belong together, were tried too often, or the store is away.
        """
        account = await self._check(compared(name)[:100], password, address, browser)
        if account.once_until is not None and account.once_until < now():
            raise Refused(EXPIRED)
        if self._hasher.check_needs_rehash(account.hash):
            with self._on_its_way():
                renewed = await self._hash(self._hasher.hash, _plain(password))
            await self.read(self.store.replace_hash, account, renewed)
        return account

    async def confirm(self, account: Account, password: str, address: str, browser: str = "") -> None:
        """Make sure that the password is the account's, as guessing with an open session is guessing too.

        Raises
        ------
        Refused, TooMany, StoreAway
            As `log_in` does.
        """
        checked = await self._check(account.key, password, address, browser)
        if checked.account_id != account.account_id:
            raise Refused(WRONG)

    async def change_password(self, account: Account, password: str) -> Account:
        """Give an account another password, which ends all its sessions; the account as it is then.

        Raises
        ------
        Unsuitable, Refused, TooMany, StoreAway
            If the password will not do or is the old one, the account changed meanwhile, too many wait, or
            the store is away.
        """
        check_password(password, account.name)
        with self._on_its_way():
            if await self._hash(self._verify, account.hash, _plain(password)):
                raise Unsuitable("password", "That is the password you have now. Choose another.")
            hashed = await self._hash(self._hasher.hash, _plain(password))
        changed = await self.read(self.store.change_password, account, hashed)
        if changed is None:
            raise Refused(CHANGED)
        return changed

    async def _check(self, key: str, password: str, address: str, browser: str) -> Account:
        with self._on_its_way():
            account = await self.read(self.store.by_key, key)
            who = Count(_BY_BROWSER, browser) if _knows(browser, account) else Count(_BY_NAME, key)
            where = Count(_BY_ADDRESS, place(address))
            await self._begin([who, where])
            try:
                # A name that nobody has takes the time of one that somebody has.
                hashed = account.hash if account else self._nobody
                right = await self._hash(self._verify, hashed, _plain(password))
            except SegueError:
                await self._take_back([who, where])
                raise
            if account is None or not right:
                raise Refused(WRONG)
            with contextlib.suppress(StoreAway):
                await self.read(self._throttle.forget, who)
            await self._take_back([where])
            return account

    async def _begin(self, counts: list[Count]) -> None:
        wait_s = await self.read(self._throttle.begin, counts)
        if wait_s:
            raise TooMany(wait_s)

    async def _take_back(self, counts: list[Count]) -> None:
        """Uncount an attempt; where the store went away meanwhile it counts for an hour at most."""
        with contextlib.suppress(StoreAway):
            await self.read(self._throttle.take_back, counts)

    async def forget_attempts(self) -> None:
        """Remove counts of failures that are of no more use.

        Raises
        ------
        StoreAway
            If the store does not answer.
        """
        await self.read(self._throttle.tidy)

    async def end_sessions(self, account_id: str) -> Account | None:
        """End all sessions of an account; the account as it is then, None if it is gone."""
        return await self.read(self.store.end_sessions, account_id)

    async def delete(self, account_id: str) -> None:
        """Remove an account and all that the data sets keep of it.

        From the first moment on nobody is logged in with it. The live workers hear of it within a second, and
        remove what they have written since; `finish_deletions` looks once more a minute later.

        Raises
        ------
        StoreAway
            If the store does not answer. What was begun `finish_deletions` ends.
        """
        await self.read(self.store.delete, account_id, now())
        await self.patiently(self._remove, account_id)

    async def finish_deletions(self) -> None:
        """Remove what is left of deleted accounts: by a server that was killed, by a worker that was slow."""
        for account_id in await self.read(self.store.deletions, now() - _LEFT_FOR):
            await self.patiently(self._remove, account_id)
            await self.read(self.store.deletion_done, account_id)

    def _remove(self, account_id: str) -> None:
        with translated():
            for name in personal.data_sets(self.store.patient):
                personal.remove(self.store.patient[name], account_id)

    async def by_id(self, account_id: str) -> Account | None:
        """Return the account with this id, if there is one."""
        return await self.read(self.store.by_id, account_id)

    async def read(self, function: Callable[..., T], *arguments: object) -> T:
        """Return what a blocking call to the store returns, without blocking the loop."""
        return await asyncio.get_running_loop().run_in_executor(self._reading, function, *arguments)

    async def patiently(self, function: Callable[..., T], *arguments: object) -> T:
        """Return what a call returns that may take long, beside all others."""
        return await asyncio.get_running_loop().run_in_executor(self._patient, function, *arguments)

    def close(self) -> None:
        """End the threads and the store's connections."""
        self._hashing.shutdown(wait=True, cancel_futures=True)
        self._reading.shutdown(wait=False, cancel_futures=True)
        self._patient.shutdown(wait=False, cancel_futures=True)
        self.store.close()

    @contextlib.contextmanager
    def _on_its_way(self) -> Iterator[None]:
        if self._waiting >= _WAITING:
            raise TooMany(5)
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    async def _hash(self, function: Callable[..., T], *arguments: str) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._hashing, function, *arguments)

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False


def _plain(password: str) -> str:
    """Return a password as every keyboard gives it; longer than any that was accepted stays wrong."""
    return unicodedata.normalize("NFC", password[:1_000])


def _knows(browser: str, account: Account | None) -> bool:
    """Tell whether a browser was logged in to an account before."""
    return account is not None and browser.startswith(f"{account.account_id}.")
