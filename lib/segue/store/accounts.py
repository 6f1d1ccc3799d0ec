"""The database ``segue_accounts``: who may listen, shared by all data sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from pymongo import MongoClient
from pymongo.errors import ConfigurationError, DuplicateKeyError, InvalidURI, PyMongoError
from pymongo.uri_parser import parse_uri
from pymongo.write_concern import WriteConcern

from segue.errors import SegueError

DATABASE = "segue_accounts"
SCHEMA_VERSION = 1
_PATIENCE_MS = 3_000


class NameTaken(SegueError):
    """Another account has this name."""


class StoreAway(SegueError):
    """The document store does not answer now; what it acknowledged is kept."""


@dataclass(frozen=True, slots=True)
class Account:
    """One listener: ``key`` is the name as it is compared, ``epoch`` grows when all sessions must end."""

    account_id: str
    name: str
    key: str
    hash: str
    epoch: int
    created: datetime


class AccountStore:
    """Read and write accounts; every call may block for some seconds while the store is away.

    Raises
    ------
    StoreAway
        From every method, when the store does not answer.
    """

    def __init__(self, client: MongoClient[dict[str, Any]]) -> None:
        self.client = client
        # Acknowledged means on disk, on a majority of a replica set's members.
        kept = client.get_database(DATABASE, write_concern=WriteConcern(w="majority", j=True))
        self._meta = kept["meta"]
        self._accounts = kept["accounts"]

    def prepare(self) -> None:
        """Write the schema's version once, and make sure that no two accounts can have one name.

        Raises
        ------
        SegueError
            If another version of the schema has written these accounts.
        """
        with _translated():
            self._meta.update_one(
                {"_id": "schema"}, {"$setOnInsert": {"version": SCHEMA_VERSION}}, upsert=True
            )
            found = self._meta.find_one({"_id": "schema"}) or {}
            self._accounts.create_index("key", unique=True)
        if found.get("version") != SCHEMA_VERSION:
            raise SegueError(
                f"the database {DATABASE} has schema {found.get('version')} and this Segue writes "
                f"{SCHEMA_VERSION}: use the Segue that wrote it"
            )

    def add(self, account: Account) -> None:
        """Write a new account; it is there for good when this returns.

        Raises
        ------
        NameTaken
            If an account has this key already.
        """
        document = asdict(account)
        document["_id"] = document.pop("account_id")
        with _translated():
            try:
                self._accounts.insert_one(document)
            except DuplicateKeyError:
                # A write that is sent again after a broken connection meets itself.
                if self._accounts.find_one({"_id": account.account_id}, {"_id": 1}) is None:
                    raise NameTaken(f"{account.name} is taken") from None

    def by_key(self, key: str) -> Account | None:
        """Return the account with this compared name, if there is one."""
        with _translated():
            return _account(self._accounts.find_one({"key": key}))

    def by_id(self, account_id: str) -> Account | None:
        """Return the account with this id, if there is one."""
        with _translated():
            return _account(self._accounts.find_one({"_id": account_id}))

    def replace_hash(self, account_id: str, hash_: str) -> None:
        """Keep a password's hash made with newer parameters."""
        with _translated():
            self._accounts.update_one({"_id": account_id}, {"$set": {"hash": hash_}})

    def is_embedded(self) -> bool:
        """Tell whether this is the embedded store, which has no passwords."""
        with _translated():
            return "gitVersion" not in self.client.admin.command("buildInfo")

    def close(self) -> None:
        """Close the connections."""
        self.client.close()


def open_accounts(uri: str) -> AccountStore:
    """Connect to the accounts.

    Raises
    ------
    SegueError
        If the URI is malformed or nothing answers there.
    """
    try:
        client: MongoClient[dict[str, Any]] = MongoClient(
            uri,
            appname="segue-player",
            tz_aware=True,
            serverSelectionTimeoutMS=_PATIENCE_MS,
            connectTimeoutMS=_PATIENCE_MS,
            socketTimeoutMS=_PATIENCE_MS,
        )
    except (InvalidURI, ConfigurationError) as error:
        raise SegueError(f"SEGUE_MONGO is not a MongoDB URI: {error}") from None
    store = AccountStore(client)
    try:
        store.prepare()
    except StoreAway:
        store.close()
        nodes = ", ".join(f"{host}:{port}" for host, port in parse_uri(uri)["nodelist"])
        raise SegueError(
            f"no document store answers at {nodes}: start one with `segue services up`"
        ) from None
    except SegueError:
        store.close()
        raise
    return store


class _translated:
    """Turns the driver's errors into `StoreAway`, without the address that they hold."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, PyMongoError):
            raise StoreAway("the document store does not answer now") from error


def _account(document: Mapping[str, Any] | None) -> Account | None:
    if document is None:
        return None
    return Account(
        account_id=document["_id"],
        name=document["name"],
        key=document["key"],
        hash=document["hash"],
        epoch=document["epoch"],
        created=document["created"],
    )
