"""The collection ``features``: what analysing a content gave, keyed by content SHA-256 and recipe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from bson.binary import Binary
from pymongo import ReplaceOne
from pymongo.collection import Collection

from segue.store.tracks import READ_AT_ONCE


@dataclass(slots=True)
class Analysis:
    """The outcome for one content: a status, what is known of the sound, and the features if it is ``ok``.

    ``limits`` are the thresholds that the status was judged by. ``vector`` is float32 of length 518 in the
    published column order; None unless ``status`` is ``ok``. ``fingerprint`` is what
    `segue.audio.fingerprint` made of the sound, or empty. ``had_ffmpeg`` tells whether FFmpeg was there.
    """

    sha256: str
    recipe: str
    status: str
    limits: str = ""
    detail: str = ""
    duration_s: float | None = None
    sample_rate: int | None = None
    channels: int | None = None
    warnings: list[str] = field(default_factory=list)
    vector: np.ndarray | None = None
    fingerprint: bytes = b""
    had_ffmpeg: bool = False


class FeatureStore:
    """Read and write analyses."""

    def __init__(self, collection: Collection[dict[str, Any]]) -> None:
        self._collection = collection

    def upsert(self, analyses: Iterable[Analysis]) -> None:
        """Write each analysis whole; the vector as 4-byte little-endian floats in one binary value."""
        documents = [_to_document(analysis) for analysis in analyses]
        if documents:
            self._collection.bulk_write(
                [ReplaceOne({"_id": d["_id"]}, d, upsert=True) for d in documents], ordered=False
            )

    def known(self, sha256s: Iterable[str], recipe: str) -> dict[str, Analysis]:
        """Return the analyses that are already there, by content, without vectors and fingerprints."""
        keys = [_key(sha256, recipe) for sha256 in set(sha256s)]
        return self._without_vectors({"_id": {"$in": keys}})

    def known_all(self, recipe: str) -> dict[str, Analysis]:
        """Return every analysis by a recipe, by content, without vectors and fingerprints."""
        return self._without_vectors({"recipe": recipe})

    def _without_vectors(self, query: dict[str, Any]) -> dict[str, Analysis]:
        found = self._collection.find(query, {"vector": 0, "fingerprint": 0}).batch_size(READ_AT_ONCE)
        return {document["sha256"]: _from_document(document) for document in found}

    def vectors(self, recipe: str) -> Iterator[tuple[str, np.ndarray]]:
        """Yield ``(sha256, vector)`` of every content that is ``ok``; a vector is float32, read-only."""
        for document in self._usable(recipe, "vector"):
            yield document["sha256"], np.frombuffer(document["vector"], dtype="<f4")

    def vectors_of(self, sha256s: Iterable[str], recipe: str) -> dict[str, np.ndarray]:
        """Return the vectors of those among these contents that are ``ok``; float32, read-only."""
        keys = [_key(sha256, recipe) for sha256 in set(sha256s)]
        query = {"_id": {"$in": keys}, "status": "ok"}
        found = self._collection.find(query, {"sha256": 1, "vector": 1}).batch_size(READ_AT_ONCE)
        return {d["sha256"]: np.frombuffer(d["vector"], dtype="<f4") for d in found}

    def fingerprints(self, recipe: str) -> Iterator[tuple[str, bytes, int]]:
        """Yield ``(sha256, fingerprint, sample rate in Hz)`` of every content that is ``ok``."""
        for document in self._usable(recipe, "fingerprint", "sample_rate"):
            yield document["sha256"], bytes(document.get("fingerprint", b"")), document["sample_rate"] or 0

    def _usable(self, recipe: str, *fields: str) -> Iterable[dict[str, Any]]:
        wanted = {"sha256": 1, **dict.fromkeys(fields, 1)}
        return self._collection.find({"recipe": recipe, "status": "ok"}, wanted).batch_size(READ_AT_ONCE)

    def count(self, recipe: str) -> int:
        """Return how many contents have been analysed by a recipe."""
        return self._collection.count_documents({"recipe": recipe})


def _key(sha256: str, recipe: str) -> str:
    return f"{sha256}:{recipe}"


def _to_document(analysis: Analysis) -> dict[str, Any]:
    vector = analysis.vector
    return {
        "_id": _key(analysis.sha256, analysis.recipe),
        "sha256": analysis.sha256,
        "recipe": analysis.recipe,
        "status": analysis.status,
        "limits": analysis.limits,
        "detail": analysis.detail,
        "duration_s": analysis.duration_s,
        "sample_rate": analysis.sample_rate,
        "channels": analysis.channels,
        "warnings": analysis.warnings,
        "vector": None if vector is None else Binary(np.asarray(vector, dtype="<f4").tobytes()),
        "fingerprint": Binary(analysis.fingerprint),
        "had_ffmpeg": analysis.had_ffmpeg,
    }


def _from_document(document: Mapping[str, Any]) -> Analysis:
    vector = document.get("vector")
    return Analysis(
        sha256=document["sha256"],
        recipe=document["recipe"],
        status=document["status"],
        limits=document["limits"],
        detail=document["detail"],
        duration_s=document["duration_s"],
        sample_rate=document["sample_rate"],
        channels=document["channels"],
        warnings=list(document["warnings"]),
        vector=None if vector is None else np.frombuffer(vector, dtype="<f4"),
        fingerprint=bytes(document.get("fingerprint", b"")),
        had_ffmpeg=document.get("had_ffmpeg", False),
    )
