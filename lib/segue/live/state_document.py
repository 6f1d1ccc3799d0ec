"""A listener's state as the document store keeps it: columns of numbers, written anew at each event."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from segue.errors import SegueError
from segue.live.state import Heard, ListenerState, Opinion

_FORM = 2
_SAID = ("", "like", "dislike", "clear", "rate")
"""Kinds of opinions by the number that stands for them."""
_SILENT = Opinion("", 0)


def to_document(state: ListenerState) -> dict[str, Any]:
    """Return a state as some 38 bytes a track: columns of little-endian numbers, in the order of the tracks.

    ``ids``, ``at`` and ``said_at`` are int64; ``counts`` uint32, the plays of all tracks, then the completes,
    then the skips; ``said`` uint8 numbers of `_SAID`; ``value`` uint8 ratings, 0 where there is none.
    """
    heard = state.tracks.values()
    opinions = [each.opinion or _SILENT for each in heard]
    counts = [
        *(each.plays for each in heard), *(each.completes for each in heard), *(each.skips for each in heard)
    ]  # fmt: skip
    return {
        "form": _FORM,
        "ids": _pack("q", state.tracks),
        "counts": _pack("I", counts),
        "at": _pack("q", [each.at_ms for each in heard]),
        "said": bytes([_SAID.index(opinion.kind) for opinion in opinions]),
        "said_at": _pack("q", [opinion.at_ms for opinion in opinions]),
        "value": bytes([opinion.value or 0 for opinion in opinions]),
        "recent": _pack("q", state.recent),
        "session_id": state.session_id,
        "session": _pack("q", state.session),
        "newest": state.newest_ms,
    }


def from_document(document: Mapping[str, Any]) -> ListenerState:
    """Return the state that `to_document` wrote, or the first Segue did: a dictionary a track, without times.

    Raises
    ------
    SegueError
        If the document is neither.
    """
    try:
        if "form" not in document:
            tracks = {entry["id"]: _first_form(entry) for entry in document["tracks"]}
            return ListenerState(MappingProxyType(tracks), tuple(document["recent"]))
        if document["form"] != _FORM:
            raise SegueError(
                f"a listener's state has form {document['form']} and this Segue reads {_FORM}: "
                "it was written by a newer one, use that"
            )
        ids = _unpack("q", document["ids"])
        counts = _unpack("I", document["counts"])
        said = zip(document["said"], _unpack("q", document["said_at"]), document["value"], strict=True)
        opinions = [_opinion(*each) for each in said]
        n = len(ids)
        columns = (counts[:n], counts[n : 2 * n], counts[2 * n :], _unpack("q", document["at"]), opinions)
        heard = map(Heard._make, zip(*columns, strict=True))
        return ListenerState(
            MappingProxyType(dict(zip(ids, heard, strict=True))),
            _unpack("q", document["recent"]),
            document["session_id"],
            _unpack("q", document["session"]),
            document["newest"],
        )
    except (KeyError, IndexError, TypeError, ValueError, struct.error) as error:
        raise SegueError(f"a listener's state in the store is damaged ({error!r})") from None


def _pack(kind: str, values: Sequence[int] | Mapping[int, Any]) -> bytes:
    return struct.pack(f"<{len(values)}{kind}", *values)


def _unpack(kind: str, content: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(content) // struct.calcsize('<' + kind)}{kind}", content)


def _opinion(said: int, at_ms: int, value: int) -> Opinion | None:
    return Opinion(_SAID[said], at_ms, value or None) if said else None


def _first_form(entry: Mapping[str, Any]) -> Heard:
    opinion = Opinion(entry["said"], entry["at_ms"], entry.get("value")) if "said" in entry else None
    plays, completes, skips = (entry.get(name, 0) for name in ("plays", "completes", "skips"))
    return Heard(plays, completes, skips, 0, opinion)
