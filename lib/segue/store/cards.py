"""The collection ``cards``: what the player shows of each track, written once a run."""

from __future__ import annotations

import math
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from pymongo import ReplaceOne, UpdateOne
from pymongo.collection import Collection

from segue.store.tracks import READ_AT_ONCE

PRINT = (
    *(f"chroma{number:02d}" for number in range(1, 13)),
    "loudness", "brightness", "roughness", "contrast", "bandwidth", "movement", "tonality", "noise",
)  # fmt: skip
"""Names of the 20 numbers of a sound print, each from 0 to 1; all but chroma are ranks in the catalogue."""

NEWEST = 30
"""Tracks that are remembered as the newest, for a shelf."""

SEARCHED = ("title", "artist", "album", "genre", "licence", "duration_s", "listeners")
"""What of a card a search needs to know."""


@dataclass(slots=True)
class Card:
    """A track as the player shows it.

    ``print`` has one number for each name of `PRINT`; ``neighbours`` by model the nearest tracks, best first;
    ``listeners`` how many have played it;
    ``text`` is what a search looks in: title, artist, album and genre in small letters.
    """

    track_id: int
    title: str
    artist: str
    album: str
    genre: str
    duration_s: float
    licence: str
    attribution_url: str
    composed: bool
    print: list[float]
    xy: list[float] = field(default_factory=list)
    cluster: int | None = None
    neighbours: dict[str, list[int]] = field(default_factory=dict)
    listeners: int = 0
    text: str = ""

    @classmethod
    def of(cls, track_id: int, known: Mapping[str, Any], print_: list[float]) -> Self:
        """Return the card of a track from what the ETL knows of it: the fields of `segue.dataset.base.Track`.

        What is no text there is empty here, and only a web address is passed on as one.
        """
        title, artist, album, genre = (
            _text(known[name]) for name in ("title", "artist", "album", "genre_top")
        )
        url, duration = _text(known["attribution_url"]), known["duration_s"]
        return cls(
            track_id=track_id,
            title=title or "Untitled",
            artist=artist,
            album=album,
            genre=genre,
            duration_s=0.0 if duration is None or math.isnan(duration) else float(duration),
            licence=_text(known["licence"]),
            attribution_url=url if url.lower().startswith(("http://", "https://")) else "",
            composed=bool(known["composed"]),
            print=print_,
            text=" ".join(filter(None, (title, artist, album, genre))).casefold(),
        )

    def to_page(self) -> dict[str, Any]:
        """Return what a page is told of it."""
        told = asdict(self)
        return {name: told[name] for name in _TOLD}


_TOLD = (
    "track_id", "title", "artist", "album", "genre", "duration_s", "licence", "attribution_url", "composed",
    "print",
)  # fmt: skip
_FIELDS = frozenset(each.name for each in fields(Card)) - {"track_id"}


class CardStore:
    """Read and write cards."""

    def __init__(self, collection: Collection[dict[str, Any]]) -> None:
        self._collection = collection
        self._meta = collection.database["meta"]

    def replace(self, cards: Iterable[Card]) -> None:
        """Write all cards of a run and remove those of tracks that are no longer there."""
        documents = []
        for card in cards:
            document = asdict(card)
            documents.append({"_id": document.pop("track_id"), **document})
        for start in range(0, len(documents), 2_000):
            self._collection.bulk_write(
                [ReplaceOne({"_id": d["_id"]}, d, upsert=True) for d in documents[start : start + 2_000]],
                ordered=False,
            )
        kept = {document["_id"] for document in documents}
        gone = [found["_id"] for found in self._collection.find({}, {"_id": 1}) if found["_id"] not in kept]
        self._collection.delete_many({"_id": {"$in": gone}})
        self._changed()

    def add(self, cards: Iterable[Card]) -> None:
        """Write the cards of tracks that have none yet, and leave all others as they are."""
        documents = [asdict(card) for card in cards]
        for start in range(0, len(documents), 2_000):
            self._collection.bulk_write(
                [
                    UpdateOne({"_id": d.pop("track_id")}, {"$setOnInsert": d}, upsert=True)
                    for d in documents[start : start + 2_000]
                ],
                ordered=False,
            )
        if documents:
            self._changed()

    def edition(self) -> str:
        """Return a name for the cards as they are, another one whenever they have been written."""
        return (self._meta.find_one({"_id": "cards"}) or {}).get("edition", "")

    def texts(self) -> Iterator[dict[str, Any]]:
        """Yield of each card what a search needs, as stored: ``_id`` and the fields in `SEARCHED`."""
        yield from self._collection.find({}, dict.fromkeys(SEARCHED, 1)).batch_size(READ_AT_ONCE)

    def by_ids(self, track_ids: Sequence[int]) -> dict[int, Card]:
        """Return the cards among ``track_ids``."""
        return {card.track_id: card for card in map(_card, self._collection.find(_among(track_ids)))}

    def artists(self, track_ids: Sequence[int]) -> dict[int, str]:
        """Return the artist of each of ``track_ids`` that has a card."""
        found = self._collection.find(_among(track_ids), {"artist": 1}).batch_size(READ_AT_ONCE)
        return {document["_id"]: document["artist"] for document in found}

    def of_artist(self, artist: str, limit: int, offset: int = 0) -> tuple[list[Card], int]:
        """Return the cards of exactly this artist, by title, and how many there are in all."""
        query = {"artist": artist}
        found = self._collection.find(query).sort([("title", 1), ("_id", 1)]).skip(offset).limit(limit)
        return [_card(document) for document in found], self._collection.count_documents(query)

    def find(self, text: str, limit: int, offset: int = 0) -> tuple[list[Card], int]:
        """Return the cards that hold every word of ``text``, by title, and how many there are in all."""
        words = text.casefold().split()
        query = {"$and": [{"text": {"$regex": re.escape(word)}} for word in words]} if words else {}
        found = self._collection.find(query).sort([("title", 1), ("_id", 1)]).skip(offset).limit(limit)
        return [_card(document) for document in found], self._collection.count_documents(query)

    def count(self) -> int:
        """Return the number of cards."""
        return self._collection.count_documents({})

    def estimated_count(self) -> int:
        """Return about how many cards there are, without looking at each."""
        return self._collection.estimated_document_count()

    def _changed(self) -> None:
        self._meta.replace_one({"_id": "cards"}, {"edition": secrets.token_hex(8)}, upsert=True)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _among(track_ids: Sequence[int]) -> dict[str, Any]:
    return {"_id": {"$in": list(track_ids)}}


def _card(document: dict[str, Any]) -> Card:
    values = {name: value for name, value in document.items() if name in _FIELDS}
    return Card(track_id=document["_id"], **values)
