"""What the live workers keep: a document a listener, where each partition goes on, and who is at work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import bson
from pymongo import UpdateOne
from pymongo.collection import Collection

from segue.store.inserting import insert_new, replace_each
from segue.store.tracks import READ_AT_ONCE

RECENT_EVENTS = 100
"""Event ids remembered of a listener. An event sent again is known by them; one that is as old as an event
whose id was forgotten is looked for among the stored plays."""

ALIVE_S = 10.0
"""Seconds after its last heartbeat that a worker still counts as serving."""

NEVER_MS = -(2**62)
"""Before the time of any event, in milliseconds since 1970."""

_ID_BYTES, _RECENT_BYTES = 16, 24
_WRITTEN_AT_ONCE = 500
_COMMAND_BYTES = 8 << 20


class Place(NamedTuple):
    """An offset in a line of events: a partition of a topic, ``log`` naming the topic as it was made."""

    log: str
    partition: int
    offset: int

    def holds(self, other: Place) -> bool:
        """Tell whether a state that stands here holds the event at ``other``; another line tells nothing."""
        return self[:2] == other[:2] and other.offset <= self.offset


@dataclass(frozen=True)
class ListenerDocument:
    """All that one update changes.

    ``state`` holds the events of a line up to ``offset``; a topic that was made anew is another line, with
    offsets of its own. ``caused_by`` is the last event that changed the state. ``recent`` has the ids and
    times of the events that were counted last (`pack`), the newest at the end; ``forgotten_ms`` is the latest
    time of those before.
    """

    listener_id: str
    state: dict[str, Any]
    log: str
    partition: int
    offset: int
    recent: bytes = b""
    forgotten_ms: int = NEVER_MS
    caused_by: str | None = None

    @property
    def place(self) -> Place:
        """Return the last event that ``state`` holds."""
        return Place(self.log, self.partition, self.offset)


def pack(events: Iterable[tuple[bytes, int]]) -> bytes:
    """Return ids and times (milliseconds since 1970) as 16 and 8 bytes an event."""
    return b"".join([event_id + at_ms.to_bytes(8, "big", signed=True) for event_id, at_ms in events])


def unpack(recent: bytes) -> list[tuple[bytes, int]]:
    """Return what `pack` packed."""
    return [
        (
            recent[i : i + _ID_BYTES],
            int.from_bytes(recent[i + _ID_BYTES : i + _RECENT_BYTES], "big", signed=True),
        )
        for i in range(0, len(recent), _RECENT_BYTES)
    ]


def is_packed(event_id: bytes, recent: bytes) -> bool:
    """Tell whether an id is among those that `pack` packed."""
    at = recent.find(event_id)
    while at % _RECENT_BYTES and at >= 0:
        at = recent.find(event_id, at + 1)
    return at >= 0


def split(recent: bytes) -> tuple[bytes, bytes]:
    """Return the events that are forgotten, and the `RECENT_EVENTS` that are kept, both as packed."""
    kept = max(0, len(recent) - RECENT_EVENTS * _RECENT_BYTES)
    return recent[:kept], recent[kept:]


class ListenerStore:
    """Read and write listeners, keyed by listener id."""

    def __init__(self, collection: Collection[dict[str, Any]]) -> None:
        self._collection = collection

    def by_ids(self, listener_ids: Iterable[str]) -> dict[str, ListenerDocument]:
        """Return the documents there are among these listeners'."""
        found = self._collection.find({"_id": {"$in": list(listener_ids)}}).batch_size(READ_AT_ONCE)
        return {document["_id"]: _listener(document) for document in found}

    def get(self, listener_id: str) -> ListenerDocument | None:
        """Return one listener's document."""
        return self.by_ids([listener_id]).get(listener_id)

    def advance(self, changes: Sequence[tuple[ListenerDocument, Place | None]]) -> frozenset[str]:
        """Put each new document in the place of the one that it rests on, many in one command.

        Every write is conditional: the store never holds a part of a document, and never goes back in offset.

        Parameters
        ----------
        changes
            The new document of different listeners, and the place of the one that it rests on, None for a new
            listener.

        Returns
        -------
        frozenset of str
            The listeners whose document is now another than the new one: it had been changed meanwhile.
        """
        refused: set[str] = set()
        for start in range(0, len(changes), _WRITTEN_AT_ONCE):
            refused |= self._advance(changes[start : start + _WRITTEN_AT_ONCE])
        return frozenset(refused)

    def _advance(self, changes: Sequence[tuple[ListenerDocument, Place | None]]) -> set[str]:
        refused = {new.listener_id for new, base in changes if base is not None and base.holds(new.place)}
        fresh = [new for new, base in changes if base is None]
        changed = [
            (new, base) for new, base in changes if base is not None and new.listener_id not in refused
        ]
        if fresh:
            refused |= self._insert(fresh)
        if changed:
            refused |= self._replace(changed)
        return refused

    def _insert(self, fresh: Sequence[ListenerDocument]) -> set[str]:
        there = insert_new(self._collection, [_document(new) for new in fresh])
        return {fresh[place].listener_id for place in there}

    def _replace(self, changed: Sequence[tuple[ListenerDocument, Place]]) -> set[str]:
        replacements = [({"_id": new.listener_id, **_fields(base)}, _document(new)) for new, base in changed]
        if sum(replace_each(self._collection, part) for part in _commands(replacements)) == len(changed):
            return set()
        fields = dict.fromkeys(Place._fields, 1)
        found = self._collection.find({"_id": {"$in": [new.listener_id for new, _ in changed]}}, fields)
        there = {document.pop("_id"): Place(**document) for document in found.batch_size(READ_AT_ONCE)}
        return {new.listener_id for new, _ in changed if there.get(new.listener_id) != new.place}


def _commands(
    replacements: Sequence[tuple[dict[str, Any], dict[str, Any]]],
) -> Iterator[list[tuple[dict[str, Any], dict[str, Any]]]]:
    """Part replacements so that each part fits into a command."""
    part, size = [], 0
    for where, document in replacements:
        part.append((where, document))
        size += len(document["state"]) + len(document["recent"])
        if size > _COMMAND_BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part


def _fields(place: Place) -> dict[str, Any]:
    return dict(zip(Place._fields, place, strict=True))


def _document(new: ListenerDocument) -> dict[str, Any]:
    # Bytes for what nobody asks for in part: a store that takes fields apart needs ten times as long.
    return {
        "_id": new.listener_id,
        **_fields(new.place),
        "state": bson.encode(new.state),
        "recent": new.recent,
        "forgotten_ms": new.forgotten_ms,
        "caused_by": new.caused_by,
    }


def _listener(document: dict[str, Any]) -> ListenerDocument:
    state = document["state"]
    # Segue 0.1 before the state was bytes, and ids had no times.
    former = [(UUID(event_id).bytes, NEVER_MS) for event_id in document.get("recent_event_ids", ())]
    return ListenerDocument(
        listener_id=document["_id"],
        state=state if isinstance(state, dict) else bson.decode(state),
        **{name: document[name] for name in Place._fields},
        recent=document["recent"] if "recent" in document else pack(former),
        forgotten_ms=document.get("forgotten_ms", NEVER_MS),
        caused_by=document["caused_by"],
    )


class OffsetStore:
    """Where the workers go on in each partition of a topic: every event before it has had its effect."""

    def __init__(self, collection: Collection[dict[str, Any]]) -> None:
        self._collection = collection

    def get(self, log: str) -> dict[int, int]:
        """Return the next offset by partition; a partition that nobody has served is not in it."""
        return {found["partition"]: found["offset"] for found in self._collection.find({"log": log})}

    def put(self, log: str, offsets: Mapping[int, int]) -> None:
        """Record the next offset of partitions; it never goes back."""
        self._collection.bulk_write(
            [
                UpdateOne(
                    {"_id": f"{log}:{partition}"},
                    {"$set": {"log": log, "partition": partition}, "$max": {"offset": offset}},
                    upsert=True,
                )
                for partition, offset in offsets.items()
            ],
            ordered=False,
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
