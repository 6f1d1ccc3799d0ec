"""What the live workers keep: a document a listener, where each partition goes on, and who is at work."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

RECENT_EVENTS = 200
"""Event ids remembered of a listener: an event sent again within so many others is counted once."""

ALIVE_S = 10.0
"""Seconds after its last heartbeat that a worker still counts as serving."""


@dataclass(frozen=True, slots=True)
class ListenerDocument:
    """All that one update changes.

    ``log`` and ``partition`` name the line of events, ``offset`` the last one of it that ``state`` holds; a
    line of another name (a topic made anew) has offsets of its own. ``caused_by`` is the last event that
    changed the state, ``recent_event_ids`` those before it, the newest at the end.
    """

    listener_id: str
    state: dict[str, Any]
    log: str
    partition: int
    offset: int
    recent_event_ids: tuple[str, ...] = ()
    caused_by: str | None = None

    def holds(self, log: str, partition: int, offset: int) -> bool:
        """Tell whether the state already holds the event at ``offset`` of a line."""
        return (self.log, self.partition) == (log, partition) and offset <= self.offset


class ListenerStore:
    """Read and write listeners, keyed by listener id."""

    def __init__(self, collection: Collection[dict[str, Any]]) -> None:
        self._collection = collection

    def by_ids(self, listener_ids: Iterable[str]) -> dict[str, ListenerDocument]:
        """Return the documents there are among these listeners'."""
        found = self._collection.find({"_id": {"$in": list(listener_ids)}})
        return {document["_id"]: _listener(document) for document in found}

    def get(self, listener_id: str) -> ListenerDocument | None:
        """Return one listener's document."""
        return self.by_ids([listener_id]).get(listener_id)

    def advance(self, new: ListenerDocument, base: ListenerDocument | None) -> bool:
        """Put ``new`` in the place of ``base``, or nothing when another has changed the document since.

        One conditional write: the store never holds a part of it, and never goes back in offset.
        """
        document = {
            "_id": new.listener_id,
            "state": new.state,
            "log": new.log,
            "partition": new.partition,
            "offset": new.offset,
            "recent_event_ids": list(new.recent_event_ids[-RECENT_EVENTS:]),
            "caused_by": new.caused_by,
        }
        if base is None:
            try:
                self._collection.insert_one(document)
            except DuplicateKeyError:
                return False
            return True
        if base.holds(new.log, new.partition, new.offset):
            return False
        unchanged = {
            "_id": base.listener_id, "log": base.log, "partition": base.partition, "offset": base.offset,
        }  # fmt: skip
        return self._collection.replace_one(unchanged, document).matched_count == 1


def _listener(document: dict[str, Any]) -> ListenerDocument:
    return ListenerDocument(
        listener_id=document["_id"],
        state=document["state"],
        log=document["log"],
        partition=document["partition"],
        offset=document["offset"],
        recent_event_ids=tuple(document["recent_event_ids"]),
        caused_by=document["caused_by"],
    )


class OffsetStore:
    """Where the workers go on in each partition of a topic: every event before it has had its effect."""

    def __init__(self, collection: Collection[dict[str, Any]]) -> None:
        self._collection = collection

    def get(self, log: str) -> dict[int, int]:
        """Return the next offset by partition; a partition that nobody has served is not in it."""
        return {found["partition"]: found["offset"] for found in self._collection.find({"log": log})}

    def put(self, log: str, partition: int, offset: int) -> None:
        """Record the next offset of a partition; it never goes back."""
        self._collection.update_one(
            {"_id": f"{log}:{partition}"},
            {"$set": {"log": log, "partition": partition}, "$max": {"offset": offset}},
            upsert=True,
        )


class WorkerStore:
    """Who is at work: a document a worker ``{_id, at, run, pid}``, refreshed every few seconds."""

    def __init__(self, collection: Collection[dict[str, Any]]) -> None:
        self._collection = collection

    def beat(self, worker_id: str, run: str, pid: int) -> None:
        """Say that a worker serves, and which run."""
        document = {"at": datetime.now(UTC), "run": run, "pid": pid}
        self._collection.replace_one({"_id": worker_id}, document, upsert=True)

    def leave(self, worker_id: str) -> None:
        """Say that a worker has ended, and forget those that have not been heard of for a day."""
        self._collection.delete_one({"_id": worker_id})
        self._collection.delete_many({"at": {"$lt": datetime.now(UTC) - timedelta(days=1)}})

    def serving(self, within_s: float = ALIVE_S) -> bool:
        """Tell whether a worker has been heard of in the last ``within_s`` seconds."""
        since = datetime.now(UTC) - timedelta(seconds=within_s)
        return self._collection.find_one({"at": {"$gt": since}}) is not None
