"""The collection ``attempts``: who failed to get in of late, counted where all servers see it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection as Several
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson.codec_options import CodecOptions
from pymongo import ASCENDING
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from segue.store.accounts import translated


@dataclass(frozen=True, slots=True)
class Attempts:
    """How many attempts failed, and when the last one began, in UTC to the millisecond."""

    failures: int
    last: datetime


class AttemptStore:
    """Keep `Attempts` by key: one small document each, reached by its id alone.

    Of a key only its digest is kept, as somebody may have typed a password in the place of a name.

    Raises
    ------
    StoreAway
        From every method, when the store does not answer.
    """

    def __init__(self, collection: Collection[dict[str, Any]]) -> None:
        self._collection: Collection[dict[str, Any]] = collection.with_options(CodecOptions(tz_aware=True))

    def seen(self, keys: Several[str]) -> dict[str, Attempts]:
        """Return what is known of some keys; nothing of one that is not known."""
        ids = {_id(key): key for key in keys}
        with translated():
            found = self._collection.find({"_id": {"$in": list(ids)}})
            return {ids[each["_id"]]: Attempts(each["failures"], each["last"]) for each in found}

    def note(self, key: str, before: Attempts | None, after: Attempts) -> bool:
        """Write what is known of a key, unless it is no more what was seen ``before``; tell which."""
        with translated():
            if before is None:
                try:
                    self._collection.insert_one({"_id": _id(key), **_fields(after)})
                except DuplicateKeyError:
                    return False
                return True
            query = {"_id": _id(key), **_fields(before)}
            return self._collection.update_one(query, {"$set": _fields(after)}).matched_count == 1

    def take_back(self, key: str) -> None:
        """Uncount one failure of a key."""
        with translated():
            query = {"_id": _id(key), "failures": {"$gt": 0}}
            self._collection.update_one(query, {"$inc": {"failures": -1}})

    def forget(self, key: str) -> None:
        """Remove what is known of a key."""
        with translated():
            self._collection.delete_one({"_id": _id(key)})

    def tidy(self, before: datetime, at_most: int) -> None:
        """Remove what is older than a time, and of more than ``at_most`` keys those that failed least.

        So a flood of names that are tried once drives out itself, and no key that must wait.
        """
        with translated():
            self._collection.delete_many({"last": {"$lt": before}})
            beyond = self._collection.estimated_document_count() - at_most
            if beyond > 0:
                order = [("failures", ASCENDING), ("last", ASCENDING)]
                least = self._collection.find({}, {"_id": 1}).sort(order).limit(beyond)
                self._collection.delete_many({"_id": {"$in": [each["_id"] for each in least]}})


def _id(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _fields(attempts: Attempts) -> Mapping[str, Any]:
    return {"failures": attempts.failures, "last": attempts.last}
