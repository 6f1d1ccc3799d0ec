"""Sign up and log in: passwords hashed beside the server's loop, guessing slowed, answers that say little."""

from __future__ import annotations

import asyncio
import math
import secrets
import unicodedata
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from segue.errors import SegueError
from segue.live.events import now
from segue.player.credentials import Unsuitable, check_name, check_password
from segue.player.throttle import Throttle, longest_wait_s, place
from segue.store import personal
from segue.store.accounts import Account, AccountStore, NameTaken, translated
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
        self._by_name = Throttle(free=5)
        self._by_address = Throttle(free=30)
        self._signups = Throttle(free=300, longest_s=10.0)
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
        address = place(address)
        wait_s = self._signups.wait_s(address)
        if wait_s:
            raise TooMany(wait_s)
        if await self.read(self.store.by_key, key):
            raise Unsuitable("name", TAKEN)
        if await self.read(self.store.looks_taken, name):
            raise Unsuitable("name", ALIKE)
        self._signups.begin(address)
        hashed = await self._hash(self._hasher.hash, _plain(password))
        account = Account(uuid.uuid4().hex, name, key, hashed, epoch=0, created=now())
        try:
            await self.read(self.store.add, account)
        except NameTaken:
            raise Unsuitable("name", TAKEN) from None
        return account

    async def log_in(self, name: str, password: str, address: str) -> Account:
        """Return the account of a name and its password.

        Raises
        ------
        Refused, TooMany, StoreAway
            If they do not belong together, were tried too often, or the store is away.
        """
        account = await self._check(compared(name)[:100], password, address)
        if account.once_until is not None and account.once_until < now():
            raise Refused(EXPIRED)
        if self._hasher.check_needs_rehash(account.hash):
            renewed = await self._hash(self._hasher.hash, _plain(password))
            await self.read(self.store.replace_hash, account, renewed)
        return account

    async def confirm(self, account: Account, password: str, address: str) -> None:
        """Make sure that the password is the account's, as guessing with an open session is guessing too.

        Raises
        ------
        Refused, TooMany, StoreAway
            As `log_in` does.
        """
        if (await self._check(account.key, password, address)).account_id != account.account_id:
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
        if await self._hash(self._verify, account.hash, _plain(password)):
            raise Unsuitable("password", "That is the password you have now. Choose another.")
        hashed = await self._hash(self._hasher.hash, _plain(password))
        changed = await self.read(self.store.change_password, account, hashed)
        if changed is None:
            raise Refused(CHANGED)
        return changed

    async def _check(self, key: str, password: str, address: str) -> Account:
        counts = [(self._by_name, key), (self._by_address, place(address))]
        wait_s = longest_wait_s(counts)
        if wait_s:
            raise TooMany(wait_s)
        for throttle, counted in counts:
            throttle.begin(counted)
        try:
            account = await self.read(self.store.by_key, key)
            # A name that nobody has takes the time of one that somebody has.
            right = await self._hash(
                self._verify, account.hash if account else self._nobody, _plain(password)
            )
        except SegueError:
            for throttle, counted in counts:
                throttle.take_back(counted)
            raise
        if account is None or not right:
            raise Refused(WRONG)
        self._by_name.forget(key)
        self._by_address.take_back(place(address))
        return account

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

    async def _hash(self, function: Callable[..., T], *arguments: str) -> T:
        if self._waiting >= _WAITING:
            raise TooMany(5)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._hashing, function, *arguments)
        finally:
            self._waiting -= 1

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False


def _plain(password: str) -> str:
    """Return a password as every keyboard gives it; longer than any that was accepted stays wrong."""
    return unicodedata.normalize("NFC", password[:1_000])
