"""All that is kept of an account, as one JSON object that a person can read and a program too."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import bson
from pymongo import MongoClient
from pymongo.database import Database

from segue.live.listener import from_document
from segue.store.accounts import Account
from segue.store.listeners import unpack
from segue.store.personal import PERSONAL, data_sets, documents
from segue.store.recommendations import unpack_content

FORM = 1
_AT_ONCE = 1_000
_NAMES = {"title": 1, "artist": 1}
_TRACKS = frozenset({"track_id", "track_ids", "because_of", "recent", "session"})
"""Fields that hold one track's id, or several."""


def export(client: MongoClient[dict[str, Any]], account: Account) -> Iterator[str]:
    """Yield the object in pieces.

    ``account`` has what the account itself says, but for the password's hash; ``data_sets`` has by database
    what each collection in `PERSONAL` keeps, and under ``tracks`` title and artist of all tracks in it. Times
    are ISO 8601, or milliseconds since 1970 where the name ends in ``_ms``.

    Raises
    ------
    PyMongoError
        If the store does not answer.
    """
    own = {
        "id": account.account_id, "name": account.name, "created": account.created,
        "operator": account.operator,
    }  # fmt: skip
    yield f'{{"form": {FORM}, "made_at": {_json(datetime.now(UTC))}, "account": {_json(own)}, "data_sets": {{'
    for place, name in enumerate(data_sets(client)):
        yield f"{', ' if place else ''}{_json(name)}: {{"
        yield from _data_set(client[name], account.account_id)
        yield "}"
    yield "}}\n"


def _data_set(database: Database[dict[str, Any]], listener_id: str) -> Iterator[str]:
    tracks: set[int] = set()
    for collection in PERSONAL:
        yield f"{_json(collection)}: "
        yield from _list(_told(each, tracks) for each in documents(database, collection, listener_id))
        yield ", "
    yield '"tracks": '
    yield from _list(_named(database, sorted(tracks)))


def _told(document: Mapping[str, Any], tracks: set[int]) -> dict[str, Any]:
    """Return a document with its packed fields taken apart, and note the tracks in it."""
    told = {name: _PACKED[name](value) if name in _PACKED else value for name, value in document.items()}
    _note(told, tracks)
    return told


def _named(database: Database[dict[str, Any]], track_ids: list[int]) -> Iterator[dict[str, Any]]:
    for start in range(0, len(track_ids), _AT_ONCE):
        some = {"_id": {"$in": track_ids[start : start + _AT_ONCE]}}
        for track in database["tracks"].find(some, _NAMES).batch_size(_AT_ONCE):
            yield {"track_id": track["_id"], **{name: track.get(name) for name in _NAMES}}


def _state(packed: Any) -> dict[str, Any]:
    state = from_document(packed if isinstance(packed, dict) else bson.decode(packed))
    tracks = []
    for track, heard in state.tracks.items():
        opinion = heard.opinion
        said = {"said": opinion.kind, "said_at_ms": opinion.at_ms, "value": opinion.value} if opinion else {}
        tracks.append(
            {
                "track_id": track, "plays": heard.plays, "completes": heard.completes, "skips": heard.skips,
                "at_ms": heard.at_ms, **said,
            }
        )  # fmt: skip
    return {
        "tracks": tracks, "recent": list(state.recent), "session_id": state.session_id,
        "session": list(state.session), "newest_ms": state.newest_ms,
    }  # fmt: skip


def _recent(packed: Any) -> Any:
    if not isinstance(packed, bytes):
        return packed
    return [{"event_id": str(UUID(bytes=event_id)), "at_ms": at_ms} for event_id, at_ms in unpack(packed)]


def _content(packed: Any) -> Any:
    return unpack_content(packed) if isinstance(packed, bytes) else packed


_PACKED: Mapping[str, Callable[[Any], Any]] = {"state": _state, "recent": _recent, "content": _content}


def _note(told: Any, tracks: set[int]) -> None:
    """Collect the tracks that are named anywhere in a document."""
    if isinstance(told, Mapping):
        for name, value in told.items():
            if name in _TRACKS:
                tracks.update(each for each in _each(value) if isinstance(each, int))
            _note(value, tracks)
    elif isinstance(told, list):
        for value in told:
            _note(value, tracks)


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _list(values: Iterator[dict[str, Any]]) -> Iterator[str]:
    yield "["
    for place, value in enumerate(values):
        yield f"{', ' if place else ''}{_json(value)}"
    yield "]"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> str:
    match value:
        case datetime():
            return value.isoformat()
        case bytes():
            return base64.b64encode(value).decode()
        case _:
            return str(value)
