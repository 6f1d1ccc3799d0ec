"""What the live workers count, a document a worker and minute, and how each worker is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import ReplaceOne
from pymongo.collection import Collection

from segue.store.listeners import ALIVE_S


class ActivityStore:
    """Read and write what the live workers count.

    A minute is ``{worker, at, …}`` with the fields of `segue.live.tallies.Tally.to_document`; it is written
    whole, keyed by worker and minute, so that writing it again counts nothing twice. Keys begin with the
    minute, so that a stretch of time is a stretch of keys.
    """

    def __init__(self, minutes: Collection[dict[str, Any]], workers: Collection[dict[str, Any]]) -> None:
        self._minutes = minutes
        self._workers = workers

    def put(self, worker_id: str, minutes: Mapping[datetime, Mapping[str, Any]]) -> None:
        """Write what a worker has counted in some minutes, each in the place of what was known of it."""
        writes = [
            ReplaceOne({"_id": key}, {"_id": key, "worker": worker_id, "at": minute, **counted}, upsert=True)
            for minute, counted in minutes.items()
            for key in [f"{_stamp(minute)}/{worker_id}"]
        ]
        if writes:
            self._minutes.bulk_write(writes, ordered=False)

    def put_worker(self, worker_id: str, at: datetime, state: Mapping[str, Any]) -> None:
        """Write how a worker is: ``{since, run, address, lag, away, lost}``, and when that was."""
        document = {"_id": worker_id, "at": at, **state}
        self._workers.replace_one({"_id": worker_id}, document, upsert=True)

    def leave(self, worker_id: str) -> None:
        """Forget how a worker was: it has ended. Its minutes stay."""
        self._workers.delete_one({"_id": worker_id})

    def minutes(self, since: datetime) -> list[dict[str, Any]]:
        """Return the documents of the minutes from ``since`` on, the oldest first."""
        found = self._minutes.find({"_id": {"$gte": _stamp(since)}}).sort("_id", 1).batch_size(_AT_ONCE)
        return list(found)

    def workers(self, now: datetime, within_s: float = ALIVE_S) -> Sequence[dict[str, Any]]:
        """Return how each worker is of which something was heard in the last ``within_s`` seconds."""
        return list(self._workers.find({"at": {"$gt": now - timedelta(seconds=within_s)}}).sort("_id", 1))

    def forget(self, before: datetime) -> None:
        """Remove minutes that are older than ``before``, and workers last heard of before it."""
        self._minutes.delete_many({"_id": {"$lt": _stamp(before)}})
        self._workers.delete_many({"at": {"$lt": before}})


_AT_ONCE = 200


def _stamp(minute: datetime) -> str:
    return minute.astimezone(UTC).strftime("%Y-%m-%dT%H:%M")
