"""Objects out of JSON of any size: one a line, or anywhere in a document that is read piece by piece."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any

import ijson

from segue.dataset.exports.base import Bad
from segue.errors import SegueError

LONGEST_LINE = 1 << 20
"""Bytes of a line beyond which it is no entry: ListenBrainz takes listens of up to 10 KiB."""

_LISTS = ("payload", "payload.listens", "listens", "recenttracks.track", "lovedtracks.track", "track")
_PLACES = frozenset(
    ["", "item", "item.item"]
    + [f"{before}{each}{after}" for each in _LISTS for before in ("", "item.") for after in ("", ".item")]
)
"""Where in a document listens stand: in ListenBrainz' answers and submissions, in Last.fm's pages, in arrays.

"item" is ijson's word for a member of an array; a list of one is an object in Last.fm's JSON.
"""

_DEEPEST = 500
_LARGEST = 20_000
_PIECE = 8 << 10
"""Bytes that ijson reads at a time: its work on brackets within brackets grows with their square."""


def lines(stream: IO[bytes], file: str) -> Iterator[tuple[int, bytes] | Bad]:
    """Yield each line that is not empty, with its number from 1, or a `Bad` for one that is too long."""
    number = 0
    while line := stream.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
            while (rest := stream.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                pass
            yield Bad(file, f"line {number}", f"longer than {LONGEST_LINE >> 20} MiB")
        elif line := line.strip():
            yield number, line


def line_objects(stream: IO[bytes], file: str) -> Iterator[tuple[int, Mapping[str, Any]] | Bad]:
    """Yield the object of each line with its number, or a `Bad` for a line that is none."""
    for each in lines(stream, file):
        if isinstance(each, Bad):
            yield each
            continue
        number, line = each
        try:
            record = json.loads(line.decode())
        except UnicodeDecodeError:
            yield Bad(file, f"line {number}", "not UTF-8")
        except (ValueError, RecursionError):
            yield Bad(file, f"line {number}", "no JSON, or it breaks off")
        else:
            yield (
                (number, record)
                if isinstance(record, dict)
                else Bad(file, f"line {number}", "no object of JSON")
            )


def objects(
    stream: IO[bytes], file: str, wanted: Callable[[str, Mapping[str, Any]], bool]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each object of a document that ``wanted`` wants by its place, in ijson's notation, and content.

    Several documents may follow each other. Objects are looked for where exports have them; of those within
    each other the innermost counts. One of more than 20,000 values is none.

    Raises
    ------
    SegueError
        If the text is no JSON, breaks off, or is nested too deep.
    """
    building: ijson.ObjectBuilder | None = None
    place, values = "", 0
    try:
        for prefix, event, value in ijson.parse(
            stream, multiple_values=True, use_float=True, buf_size=_PIECE
        ):
            if len(prefix) > _DEEPEST:
                raise SegueError(f"{file} is nested too deep to be an export")
            if event == "start_map" and prefix in _PLACES:
                building, place, values = ijson.ObjectBuilder(), prefix, 0
            if building is None:
                continue
            building.event(event, value)
            values += 1
            if values > _LARGEST:
                building = None
            elif event == "end_map" and prefix == place:
                if wanted(place, building.value):
                    yield place, building.value
                building = None
    except ijson.JSONError as error:
        raise SegueError(
            f"{file} is no valid JSON, or it breaks off ({_short(error)}): download it again"
        ) from None


def stripped(stream: IO[bytes]) -> IO[bytes]:
    """Return the stream after a byte order mark, if it begins with one."""
    if isinstance(stream, io.BufferedReader) and stream.peek(3)[:3] == b"\xef\xbb\xbf":
        stream.read(3)
    return stream


def _short(error: Exception) -> str:
    text = str(error).splitlines()
    return "".join(c if c.isprintable() else "?" for c in (text[0] if text else ""))[:120]
