"""The database ``segue_accounts``: who may listen, shared by all data sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

from pymongo import MongoClient, ReturnDocument
from pymongo.errors import ConfigurationError, DuplicateKeyError, InvalidURI, PyMongoError
from pymongo.uri_parser import parse_uri
from pymongo.write_concern import WriteConcern

from segue.errors import SegueError
from segue.store.names import looks

DATABASE = "segue_accounts"
DELETED = "deleted"
"""The collection of deleted accounts' ids: nothing of them may be kept any more."""

ATTEMPTS = "attempts"
"""The collection of failed attempts to get in (`segue.store.attempts`): for an hour, and in no backup."""

SCHEMA_VERSION = 2

RESTORING = "restoring"
"""Of ``meta``: there while `segue restore` has begun and not finished."""

MARKS_KEPT = timedelta(days=365)
"""How long it is remembered that an account was deleted: longer than any event of it may wait in Kafka."""

_ENDED_AT_MOST = 100
_PATIENCE_MS = 3_000
_LONG_MS = 120_000
_AT_ONCE = 1_000


class NameTaken(SegueError):
    """Another account has this name."""


class StoreAway(SegueError):
    """The document store does not answer now; what it acknowledged is kept."""


@dataclass(frozen=True, slots=True)
class Account:
    """One listener.

    ``key`` is the name as it is compared; ``epoch`` grows when all sessions must end, ``ended`` has those
    that ended before. An ``operator`` may see what everybody does. A password with ``once_until`` is good
    until then, and only to choose another.
    """

    account_id: str
    name: str
    key: str
    hash: str
    epoch: int
    created: datetime
    operator: bool = False
    once_until: datetime | None = None
    ended: frozenset[str] = frozenset()


class AccountStore:
    """Read and write accounts; every call may block for some seconds while the store is away.

    Parameters
    ----------
    client
        A connection that gives up soon.
    patient
        One for what takes longer, such as looking through all plays; by default the same.

    Raises
    ------
    StoreAway
        From every method, when the store does not answer.
    """

    def __init__(
        self, client: MongoClient[dict[str, Any]], patient: MongoClient[dict[str, Any]] | None = None
    ) -> None:
        self.client = client
        self.patient = client if patient is None else patient
        # Acknowledged means on disk, on a majority of a replica set's members.
        kept = client.get_database(DATABASE, write_concern=WriteConcern(w="majority", j=True))
        self._meta = kept["meta"]
        self._accounts = kept["accounts"]
        self._deleted = kept[DELETED]

    def prepare(self) -> None:
        """Write the schema's version once, upgrade an older one, and make sure that no two accounts have one
        name, nor names that look alike.

        Raises
        ------
        SegueError
            If a newer Segue has written these accounts, or they were restored in part.
        """
        with translated():
            if self._meta.find_one({"_id": RESTORING}):
                raise SegueError("a restore of this store has not finished: run `segue restore` again")
            self._meta.update_one(
                {"_id": "schema"}, {"$setOnInsert": {"version": SCHEMA_VERSION}}, upsert=True
            )
            found = (self._meta.find_one({"_id": "schema"}) or {}).get("version")
            if found == 1:
                self._note_looks()
            elif found != SCHEMA_VERSION:
                raise SegueError(
                    f"the database {DATABASE} has schema {found} and this Segue writes {SCHEMA_VERSION}: "
                    "use the Segue that wrote it"
                )
            self._accounts.create_index("key", unique=True)
            self._accounts.create_index("look", unique=True, sparse=True)

    def _note_looks(self) -> None:
        """Upgrade from schema 1, which did not compare looks; of several names alike the oldest counts."""
        seen = set(self._accounts.distinct("look"))
        for document in self._accounts.find({"look": None}).sort("created", 1):
            look = looks(document["name"])
            if look not in seen:
                self._accounts.update_one({"_id": document["_id"]}, {"$set": {"look": look}})
                seen.add(look)
        self._meta.update_one({"_id": "schema"}, {"$set": {"version": SCHEMA_VERSION}})

    def add(self, account: Account) -> None:
        """Write a new account; it is there for good when this returns.

        Raises
        ------
        NameTaken
            If an account has this key already, or a name that looks alike.
        """
        document = {
            "_id": account.account_id, "name": account.name, "key": account.key, "look": looks(account.name),
            "hash": account.hash, "epoch": account.epoch, "created": account.created,
            "operator": account.operator, "once_until": account.once_until, "ended": [],
        }  # fmt: skip
        with translated():
            try:
                self._accounts.insert_one(document)
            except DuplicateKeyError:
                # A write that is sent again after a broken connection meets itself.
                if self._accounts.find_one({"_id": account.account_id}, {"_id": 1}) is None:
                    raise NameTaken(f"{account.name} is taken") from None

    def all(self) -> Iterator[Account]:
        """Yield every account in the order of the names."""
        with translated():
            for document in self._accounts.find().sort("key", 1).batch_size(_AT_ONCE):
                yield _account(document)

    def looks_taken(self, name: str) -> bool:
        """Tell whether an account has a name that looks like this one."""
        with translated():
            return self._accounts.find_one({"look": looks(name)}, {"_id": 1}) is not None

    def by_key(self, key: str) -> Account | None:
        """Return the account with this compared name, if there is one."""
        with translated():
            return _found(self._accounts.find_one({"key": key}))

    def by_id(self, account_id: str) -> Account | None:
        """Return the account with this id, if there is one."""
        with translated():
            return _found(self._accounts.find_one({"_id": account_id}))

    def replace_hash(self, account: Account, hash_: str) -> None:
        """Keep a password's hash made with newer parameters, unless the password has changed meanwhile."""
        with translated():
            self._accounts.update_one(
                {"_id": account.account_id, "hash": account.hash}, {"$set": {"hash": hash_}}
            )

    def change_password(
        self, account: Account, hash_: str, once_until: datetime | None = None
    ) -> Account | None:
        """Set another password, which ends all sessions, and return the account as it is then.

        None if it is gone, or its password was changed since ``account`` was read.
        """
        return self._end_all(
            {"_id": account.account_id, "hash": account.hash}, {"hash": hash_, "once_until": once_until}
        )

    def set_operator(self, account_id: str, operator: bool) -> Account | None:
        """Appoint an operator or dismiss one, which ends all sessions; None if the account is gone."""
        return self._end_all({"_id": account_id}, {"operator": operator})

    def end_sessions(self, account_id: str) -> Account | None:
        """End all sessions of an account and return it as it is then; None if it is gone."""
        return self._end_all({"_id": account_id}, {})

    def end_session(self, account_id: str, session: str, now: datetime, lasting: timedelta) -> Account | None:
        """End one session, which would end by itself after ``lasting``; the account as it is then."""
        with translated():
            self._accounts.update_one({"_id": account_id}, {"$pull": {"ended": {"until": {"$lt": now}}}})
            account = _found(
                self._accounts.find_one_and_update(
                    {"_id": account_id},
                    {"$push": {"ended": {"session": session, "until": now + lasting}}},
                    return_document=ReturnDocument.AFTER,
                )
            )
        if account is not None and len(account.ended) > _ENDED_AT_MOST:
            return self.end_sessions(account_id)
        return account

    def delete(self, account_id: str, now: datetime) -> None:
        """Remove an account, after it was noted that what it leaves in the data sets must go as well."""
        with translated():
            self._deleted.delete_many({"at": {"$lt": now - MARKS_KEPT}, "done": True})
            self._deleted.update_one({"_id": account_id}, {"$set": {"at": now, "done": False}}, upsert=True)
            self._accounts.delete_one({"_id": account_id})

    def deletions(self, before: datetime) -> list[str]:
        """Return the ids of accounts that were deleted before a time and of which data may be left."""
        with translated():
            query = {"done": False, "at": {"$lt": before}}
            return [found["_id"] for found in self._deleted.find(query, {"_id": 1})]

    def deletion_done(self, account_id: str) -> None:
        """Note that nothing is left of a deleted account."""
        with translated():
            self._deleted.update_one({"_id": account_id}, {"$set": {"done": True}})

    def _end_all(self, query: Mapping[str, Any], change: Mapping[str, Any]) -> Account | None:
        with translated():
            return _found(
                self._accounts.find_one_and_update(
                    query,
                    {"$set": {**change, "ended": []}, "$inc": {"epoch": 1}},
                    return_document=ReturnDocument.AFTER,
                )
            )

    def is_embedded(self) -> bool:
        """Tell whether this is the embedded store, which has no passwords."""
        with translated():
            return "gitVersion" not in self.client.admin.command("buildInfo")

    def close(self) -> None:
        """Close the connections."""
        self.client.close()
        self.patient.close()


def open_accounts(uri: str) -> AccountStore:
    """Connect to the accounts.

    Raises
    ------
    SegueError
        If the URI is malformed or nothing answers there.
    """
    try:
        store = AccountStore(_client(uri, _PATIENCE_MS), _client(uri, _LONG_MS))
    except (InvalidURI, ConfigurationError) as error:
        raise SegueError(f"SEGUE_MONGO is not a MongoDB URI: {error}") from None
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


def _client(uri: str, silence_ms: int) -> MongoClient[dict[str, Any]]:
    """Return a connection that is opened when it is first used."""
    return MongoClient(
        uri,
        appname="segue-player",
        tz_aware=True,
        connect=False,
        serverSelectionTimeoutMS=_PATIENCE_MS,
        connectTimeoutMS=_PATIENCE_MS,
        socketTimeoutMS=silence_ms,
    )


class translated:
    """Turns the driver's errors into `StoreAway`, without the address that they hold."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, PyMongoError):
            raise StoreAway("the document store does not answer now") from error


def _found(document: Mapping[str, Any] | None) -> Account | None:
    return None if document is None else _account(document)


def _account(document: Mapping[str, Any]) -> Account:
    return Account(
        account_id=document["_id"],
        name=document["name"],
        key=document["key"],
        hash=document["hash"],
        epoch=document["epoch"],
        created=document["created"],
        operator=document.get("operator", False),
        once_until=document.get("once_until"),
        ended=frozenset(each["session"] for each in document.get("ended", ())),
    )
