"""Last.fm as CSV: what people's exporters write, as Last.fm itself gives no file.

Without a header a row is ``artist,album,track,date`` (benjaminbenben's Last.fm to CSV); with one, such as
``uts,utc_time,artist,artist_mbid,album,album_mbid,track,track_mbid``, the columns stand in any order.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from segue.dataset.exports.base import Bad, Listen, Named, NoListen, checked, mbid_of, seconds_of, text_of

NAME = "Last.fm CSV"

_COLUMNS = {
    "artist": ("artist", "artist_name"),
    "title": ("track", "title", "track_name", "name", "song"),
    "album": ("album", "album_name", "album_title", "release", "release_name"),
    "time": (
        "uts",
        "timestamp",
        "unixtime",
        "listened_at",
        "utc_time",
        "date",
        "time",
        "datetime",
        "played_at",
    ),
    "mbid": ("track_mbid", "recording_mbid", "mbid"),
}
_MONTHS = {name: n for n, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_DATE = re.compile(r"(\d{1,2}) ([A-Za-z]{3})[a-z]*\.? (\d{4}),? (\d{1,2}):(\d\d)(?::(\d\d))?")
_LOOKED_AT = 5


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the columns stand; ``header`` tells whether the first row names them."""

    delimiter: str
    header: bool
    artist: int
    title: int
    time: int
    album: int | None = None
    mbid: int | None = None


def layout(lines: Sequence[str]) -> Layout | None:
    """Return how the first lines of a text are to be read; None if they are no such table."""
    for delimiter in ",;\t":
        try:
            rows = [row for row in csv.reader(lines, delimiter=delimiter) if row][:_LOOKED_AT]
        except csv.Error:
            continue
        if not rows:
            return None
        names = ["_".join(name.casefold().split()) for name in rows[0]]
        places = {what: _place(names, known) for what, known in _COLUMNS.items()}
        artist, title, time = places["artist"], places["title"], places["time"]
        if artist is not None and title is not None and time is not None:
            return Layout(delimiter, True, artist, title, time, places["album"], places["mbid"])
        if any(len(row) == 4 and _is_time(row[3]) for row in rows):
            return Layout(delimiter, False, artist=0, album=1, title=2, time=3)
    return None


def listens(lines: Iterable[str], how: Layout, file: str) -> Iterator[Listen | Bad]:
    """Yield a listen a row, or why there is none; a row without a time is playing now and left out.

    Parameters
    ----------
    lines
        Text; bytes that were no UTF-8 stand in it as surrogates.
    file
        As the report shall name it.
    """
    reader = csv.reader(lines, delimiter=how.delimiter)
    header = how.header
    while True:
        try:
            row = next(reader)
            if not row or header:
                header = header and not row
                continue
            listen = _listen(row, how)
        except StopIteration:
            return
        except csv.Error as error:
            yield Bad(
                file,
                f"line {reader.line_num}",
                f"no row of a CSV file ({error}): a quotation mark is not closed?",
            )
        except NoListen as error:
            yield Bad(file, f"line {reader.line_num}", str(error))
        else:
            if listen is not None:
                yield listen


def _listen(row: Sequence[str], how: Layout) -> Listen | None:
    if any("\udc80" <= c <= "\udcff" for field in row if not field.isascii() for c in field):
        raise NoListen("not UTF-8: save the file as UTF-8")
    if len(row) <= max(how.artist, how.title, how.time):
        raise NoListen(f"{len(row)} columns are too few")
    artist = text_of(row[how.artist], "the artist", needed=True)
    title = text_of(row[how.title], "the title", needed=True)
    time = row[how.time].strip()
    if not time:
        return None
    mbid = mbid_of(_at(row, how.mbid))
    named = Named(artist, title, text_of(_at(row, how.album), "the album"), (mbid,) if mbid else ())
    return Listen(_seconds(time), named)


def _at(row: Sequence[str], place: int | None) -> str:
    return row[place].strip() if place is not None and place < len(row) else ""


def _place(names: Sequence[str], known: Sequence[str]) -> int | None:
    return next((names.index(name) for name in known if name in names), None)


def _seconds(text: str) -> int:
    """Return seconds since 1970 of digits, of Last.fm's "17 Aug 2026, 12:14", or of ISO 8601; all in UTC."""
    if text.isdigit():
        return seconds_of(text, "the time")
    try:
        if found := _DATE.fullmatch(text):
            day, month, year, hour, minute, second = found.groups("0")
            at = datetime(
                int(year), _MONTHS[month.lower()], int(day), int(hour), int(minute), int(second), tzinfo=UTC
            )
        else:
            at = datetime.fromisoformat(text)
            at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return checked(int(at.timestamp()), "the time")
    except (KeyError, ValueError, OverflowError):
        raise NoListen("the time is no date that is known here") from None


def _is_time(text: str) -> bool:
    try:
        _seconds(text.strip())
    except NoListen:
        return False
    return True
