"""Insert what is not there yet, and replace what is, in one command each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

_DUPLICATE = 11_000


def insert_new(collection: Collection[Any], documents: Sequence[Mapping[str, Any]]) -> list[int]:
    """Insert documents and return the places of those whose key was there already; these stay as they were.

    Raises
    ------
    BulkWriteError
        If a document is refused for another reason; the others are written.
    """
    try:
        collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        failures = (error.details or {}).get("writeErrors", [])
        if not failures or any(failure["code"] != _DUPLICATE for failure in failures):
            raise
        return [failure["index"] for failure in failures]
    return []


def replace_each(
    collection: Collection[Any],
    changes: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]],
    *,
    upsert: bool = False,
) -> int:
    """Replace one document for each filter, and return how many there were, those that are new included.

    All of it goes as one command, at most 16 MiB; the client's own bulk writes cost several times as much.

    Raises
    ------
    BulkWriteError
        If a document is refused; the others are written.
    """
    told = collection.database.command(
        {
            "update": collection.name,
            "updates": [{"q": where, "u": document, "upsert": upsert} for where, document in changes],
            "ordered": False,
            **_concern(collection),
        }
    )
    if told.get("writeErrors") or told.get("writeConcernError"):
        raise BulkWriteError(told)
    return int(told["n"])


def _concern(collection: Collection[Any]) -> dict[str, Any]:
    concern = collection.write_concern
    return {} if concern.is_server_default else {"writeConcern": concern.document}
