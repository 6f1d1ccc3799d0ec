"""The clusters of a run as the player shows them, in the collection ``meta``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pymongo.collection import Collection

TYPICAL = 12
"""Tracks that the overview holds of each cluster."""

_OVERVIEW = "clusters"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster: its number, what it sounds like in words, and its ``size`` in tracks.

    ``tracks`` are ids, the most typical first: all of them, or in the overview the first `TYPICAL`. ``genre``
    is the most frequent one and ``share`` its part of the tracks that have a genre (0 to 1), empty and None
    where none has. ``print`` are the means of its tracks' sound prints.
    """

    number: int
    words: str
    size: int
    genre: str
    share: float | None
    print: list[float]
    tracks: list[int] = field(default_factory=list)


class ClusterStore:
    """Read and write clusters: an overview in one document, and each cluster's tracks in one of its own."""

    def __init__(self, meta: Collection[dict[str, Any]]) -> None:
        self._meta = meta

    def replace(self, clusters: Sequence[Cluster]) -> None:
        """Write the clusters of a run in place of an earlier run's."""
        known = self._meta.find_one({"_id": _OVERVIEW}) or {}
        for each in clusters:
            self._meta.replace_one({"_id": _key(each.number)}, {"tracks": each.tracks}, upsert=True)
        overview = [asdict(each) | {"tracks": each.tracks[:TYPICAL]} for each in clusters]
        self._meta.replace_one({"_id": _OVERVIEW}, {"clusters": overview}, upsert=True)
        kept = {each.number for each in clusters}
        for each in known.get("clusters", []):
            if each["number"] not in kept:
                self._meta.delete_one({"_id": _key(each["number"])})

    def all(self) -> list[Cluster]:
        """Return the overview; it is empty where a run found no clusters."""
        found = self._meta.find_one({"_id": _OVERVIEW}) or {}
        return [Cluster(**each) for each in found.get("clusters", [])]

    def tracks(self, number: int) -> list[int]:
        """Return the ids of a cluster's tracks, the most typical first; none of one that is not there."""
        found = self._meta.find_one({"_id": _key(number)}) or {}
        return list(found.get("tracks", []))


def _key(number: int) -> str:
    return f"cluster/{number}"
