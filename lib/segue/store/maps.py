"""The collection ``map``: the whole catalogue in two dimensions, packed once a run for the player."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pymongo import ReplaceOne
from pymongo.collection import Collection

OVERVIEW, NEIGHBOURS = "overview", "neighbours"


class MapStore:
    """Read and write the documents that `segue.notebook.maps.map_documents` makes."""

    def __init__(self, collection: Collection[dict[str, Any]]) -> None:
        self._collection = collection

    def replace(self, documents: Iterable[dict[str, Any]]) -> None:
        """Write a run's map in the place of an earlier one; without documents there is none."""
        # The overview comes last: what it names is there.
        ordered = sorted(documents, key=lambda document: document["_id"] == OVERVIEW)
        kept = [document["_id"] for document in ordered]
        self._collection.delete_many({"_id": {"$nin": kept}})
        if ordered:
            self._collection.bulk_write(
                [ReplaceOne({"_id": document["_id"]}, document, upsert=True) for document in ordered]
            )

    def overview(self) -> dict[str, Any] | None:
        """Return the overview; None where the run has no map."""
        return self._collection.find_one({"_id": OVERVIEW})

    def frame(self) -> dict[str, Any] | None:
        """Return what turns a card's place into one of the map: ``origin`` and ``unit``."""
        return self._collection.find_one({"_id": OVERVIEW}, {"origin": 1, "unit": 1})

    def tile(self, number: int) -> dict[str, Any] | None:
        """Return a tile; None where there is none of this number."""
        return self._collection.find_one({"_id": tile_name(number)})

    def neighbours(self) -> dict[str, Any] | None:
        """Return who is near whom; None where no model has kept that."""
        return self._collection.find_one({"_id": NEIGHBOURS})


def tile_name(number: int) -> str:
    """Return the key of a tile's document."""
    return f"tile {number}"
