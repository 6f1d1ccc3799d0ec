"""The collection ``recommendations``: the newest list of each listener, keyed by listener id."""

from __future__ import annotations

from typing import Any

from pymongo.collection import Collection


class RecommendationStore:
    """Read and write the documents of `segue.live.events.Recommendation`, as JSON holds them."""

    def __init__(self, collection: Collection[dict[str, Any]]) -> None:
        self._collection = collection

    def put(self, recommendation: dict[str, Any]) -> None:
        """Replace the listener's list."""
        listener = recommendation["listener_id"]
        self._collection.replace_one({"_id": listener}, {**recommendation, "_id": listener}, upsert=True)

    def get(self, listener_id: str) -> dict[str, Any] | None:
        """Return the listener's list, or None for one who has none yet."""
        found = self._collection.find_one({"_id": listener_id})
        return {name: value for name, value in found.items() if name != "_id"} if found else None
