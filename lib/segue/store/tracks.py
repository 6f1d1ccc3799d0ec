"""The collection ``tracks``: one document for each row of the catalogue, keyed by track id."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pymongo import ReplaceOne, UpdateOne
from pymongo.collection import Collection

from segue.dataset.base import Track

READ_AT_ONCE = 1_000
"""Documents that a reader asks the server for at a time: the embedded store sends all there are otherwise,
and a reply of more than 48 MB is refused."""


class TrackStore:
    """Read and write tracks."""

    def __init__(self, collection: Collection[dict[str, Any]]) -> None:
        self._collection = collection

    def upsert(self, tracks: Iterable[Track]) -> None:
        """Write each track whole, replacing the one with its id; writing twice changes nothing."""
        documents = [track.to_document() for track in tracks]
        if documents:
            self._collection.bulk_write(
                [ReplaceOne({"_id": d["_id"]}, d, upsert=True) for d in documents], ordered=False
            )

    def by_ids(self, track_ids: Sequence[int]) -> dict[int, Track]:
        """Return the stored tracks among ``track_ids``."""
        found = self._collection.find({"_id": {"$in": list(track_ids)}}).batch_size(READ_AT_ONCE)
        return {document["_id"]: Track.from_document(document) for document in found}

    def all(self, status: str | None = None) -> Iterator[Track]:
        """Yield every track by ascending id, or only those of one status."""
        query = {} if status is None else {"status": status}
        for document in self._collection.find(query).sort("_id", 1).batch_size(READ_AT_ONCE):
            yield Track.from_document(document)

    def ids(self) -> set[int]:
        """Return the ids of all stored tracks."""
        found = self._collection.find({}, {"_id": 1}).batch_size(READ_AT_ONCE)
        return {document["_id"] for document in found}

    def there(self, track_ids: Iterable[int]) -> set[int]:
        """Return those among these ids that a stored track has."""
        found = self._collection.find({"_id": {"$in": list(track_ids)}}, {"_id": 1}).batch_size(READ_AT_ONCE)
        return {document["_id"] for document in found}

    def recordings(self, track_ids: Iterable[int]) -> dict[int, int | str]:
        """Return what the copies of one recording have in common: `Track.recording`, else their content.

        A track that has neither, or is not stored, is not in it.
        """
        fields = {"recording": 1, "sha256": 1}
        found = self._collection.find({"_id": {"$in": list(track_ids)}}, fields).batch_size(READ_AT_ONCE)
        told: dict[int, int | str] = {}
        for document in found:
            own = document.get("recording")
            common = document.get("sha256") if own is None else own
            if common is not None and common != "":
                told[document["_id"]] = common
        return told

    def set_recordings(self, recordings: Mapping[int, int]) -> None:
        """Write `Track.recording` of the tracks with these ids, and leave all else of them as it is."""
        if recordings:
            self._collection.bulk_write(
                [UpdateOne({"_id": i}, {"$set": {"recording": r}}) for i, r in recordings.items()],
                ordered=False,
            )

    def delete(self, track_ids: Iterable[int]) -> None:
        """Remove tracks, such as those of files that are no longer there."""
        if gone := list(track_ids):
            self._collection.delete_many({"_id": {"$in": gone}})

    def count_by_status(self) -> Counter[str]:
        """Return how many tracks have each status."""
        found = self._collection.find({}, {"status": 1}).batch_size(READ_AT_ONCE)
        return Counter(document["status"] for document in found)
