"""Insert what is not there yet, in one command."""

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
