"""The collection ``recommendations``: the newest list of each listener, keyed by listener id."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import lz4.frame
from pymongo.collection import Collection

from segue.store.inserting import replace_each

_FRAME = b"\x04\x22\x4d\x18"


def unpack_content(content: bytes) -> dict[str, Any]:
    """Return the message that `RecommendationStore.put` stored; one of Segue 0.1 is JSON as it stands."""
    told: dict[str, Any] = json.loads(
        lz4.frame.decompress(content) if content.startswith(_FRAME) else content
    )
    return told


class RecommendationStore:
    """Read and write the messages of `segue.live.events.Recommendation`, as they stand in their topic."""

    def __init__(self, collection: Collection[dict[str, Any]]) -> None:
        self._collection = collection

    def put(self, contents: Mapping[str, bytes]) -> None:
        """Replace the lists of some listeners, each by the UTF-8 JSON of its message.

        They are stored as LZ4 frames, a quarter of the bytes: the store writes each many times over.
        """
        replace_each(
            self._collection,
            [
                ({"_id": listener}, {"_id": listener, "content": lz4.frame.compress(content)})
                for listener, content in contents.items()
            ],
            upsert=True,
        )

    def get(self, listener_id: str) -> dict[str, Any] | None:
        """Return the listener's list as JSON holds it, or None for one who has none yet."""
        found = self._collection.find_one({"_id": listener_id})
        if found is None:
            return None
        if "content" in found:
            return unpack_content(found["content"])
        # Segue 0.1 kept the fields apart.
        return {name: value for name, value in found.items() if name != "_id"}
