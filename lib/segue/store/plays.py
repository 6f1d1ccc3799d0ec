"""The collection ``plays``: who played what, real or simulated, keyed by event id."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pymongo.collection import Collection

from segue.store.inserting import insert_new
from segue.store.tracks import READ_AT_ONCE

if TYPE_CHECKING:
    import pandas as pd

_BATCH = 1_000
_FEW = 250


class PlayStore:
    """Read and write play events (the fields of the design's play event, and ``simulated``)."""

    def __init__(self, collection: Collection[dict[str, Any]]) -> None:
        self._collection = collection

    def upsert(self, plays: Sequence[Mapping[str, Any]]) -> None:
        """Write events, each with its ``event_id``; writing one twice changes nothing."""
        for start in range(0, len(plays), _BATCH):
            documents = [{**play, "_id": play["event_id"]} for play in plays[start : start + _BATCH]]
            insert_new(self._collection, documents)

    def there(self, event_ids: Iterable[str]) -> set[str]:
        """Return those among these events' ids that are stored."""
        found = self._collection.find({"_id": {"$in": list(event_ids)}}, {"_id": 1}).batch_size(READ_AT_ONCE)
        return {document["_id"] for document in found}

    def of_listener(
        self, listener_id: str, since: datetime, kinds: Sequence[str], most: int
    ) -> Iterator[dict[str, Any]]:
        """Yield ``track_id``, ``kind`` and ``at`` of a listener's events since a time, at most ``most``.

        Few are in memory at a time: a long history would make the process of a page larger for good.
        """
        self._collection.create_index("listener_id")
        query = {"listener_id": listener_id, "kind": {"$in": list(kinds)}, "at": {"$gte": since}}
        fields = {"_id": 0, "track_id": 1, "kind": 1, "at": 1}
        yield from self._collection.find(query, fields).limit(most).batch_size(_FEW)

    def history(
        self, listener_id: str, most: int, before: tuple[datetime, str] | None = None
    ) -> list[dict[str, Any]]:
        """Return ``event_id``, ``track_id`` and ``at`` of the tracks that a listener began, newest first.

        Parameters
        ----------
        most
            How many at most.
        before
            The time and event id of a play: only what is older is returned.
        """
        self._collection.create_index("listener_id")
        query: dict[str, Any] = {"listener_id": listener_id, "kind": "play"}
        if before:
            at, event_id = before
            query["$or"] = [{"at": {"$lt": at}}, {"at": at, "_id": {"$lt": event_id}}]
        found = self._collection.find(query, {"_id": 0, "event_id": 1, "track_id": 1, "at": 1})
        return list(found.sort([("at", -1), ("_id", -1)]).limit(most))

    def frame(self) -> pd.DataFrame:
        """Return all events by time, one row each, without the store's own key."""
        import pandas as pd

        return pd.DataFrame(list(self._collection.find({}, {"_id": 0}).sort([("at", 1), ("event_id", 1)])))

    def count(self) -> int:
        """Return the number of events."""
        return self._collection.count_documents({})

    def count_real(self, *, passive: bool = True) -> int:
        """Return the number of events of people; ``passive`` counts those that say nothing of taste too."""
        kinds = {} if passive else {"kind": {"$nin": ["impression", "progress"]}}
        return self._collection.count_documents({"simulated": {"$ne": True}, **kinds})

    def delete_simulated(self, listeners: re.Pattern[str]) -> None:
        """Remove the simulated events of the listeners whose whole id matches, and nobody else's."""
        whole = {"$regex": f"^(?:{listeners.pattern})$"}
        self._collection.delete_many({"simulated": True, "listener_id": whole})
