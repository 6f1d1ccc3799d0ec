"""Where the data sets keep something of one listener, and its removal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database

from segue.store.accounts import DATABASE as ACCOUNTS

PERSONAL: Mapping[str, str] = {
    "listeners": "_id", "recommendations": "_id", "plays": "listener_id", "playlists": "listener_id",
}  # fmt: skip
"""By collection the field that says whose a document is. A new collection of such documents belongs here."""

PREFIX = "segue_"
"""Of every database that is Segue's."""

_AT_ONCE = 1_000


def data_sets(client: MongoClient[Any]) -> list[str]:
    """Return the names of the data sets' databases."""
    return sorted(
        name for name in client.list_database_names() if name.startswith(PREFIX) and name != ACCOUNTS
    )


def documents(
    database: Database[dict[str, Any]], collection: str, listener_id: str
) -> Iterator[dict[str, Any]]:
    """Yield the documents of a listener in one of the collections in `PERSONAL`."""
    _index(database)
    yield from database[collection].find({PERSONAL[collection]: listener_id}).batch_size(_AT_ONCE)


def remove(database: Database[Any], listener_id: str) -> int:
    """Remove all documents of a listener from a data set and return how many there were."""
    _index(database)
    return sum(
        database[collection].delete_many({field: listener_id}).deleted_count
        for collection, field in PERSONAL.items()
    )


def _index(database: Database[Any]) -> None:
    """Let a real MongoDB find what is a listener's without reading all; made once, when first needed."""
    for collection, field in PERSONAL.items():
        if field != "_id":
            database[collection].create_index(field)
