"""FMA's tracks.csv and genres.csv, row by row and checked."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from segue.dataset.inventory import open_root
from segue.errors import SegueError

_COLUMNS = (
    ("track", "title"), ("artist", "name"), ("artist", "id"), ("album", "title"), ("track", "genre_top"),
    ("track", "genres"), ("track", "duration"), ("set", "split"), ("set", "subset"), ("track", "license"),
    ("artist", "website"),
)  # fmt: skip
_SPLITS = ("training", "validation", "test")
_SUBSETS = ("small", "medium", "large", "full")
_LONGEST_FIELD = 1 << 24


@dataclass(frozen=True, slots=True)
class TrackRow:
    """What Segue takes from one row of tracks.csv; empty text and None stand for what is not given.

    ``genres`` are ids of genres.csv, ``licence`` is in Creative Commons' short form where it is one of
    theirs, ``website`` is the artist's.
    """

    track_id: int
    title: str
    artist: str
    artist_id: int | None
    album: str
    genre_top: str | None
    genres: tuple[int, ...]
    duration_s: float | None
    split: str | None
    subset: str
    licence: str
    website: str


def read_tracks(name: str) -> Iterator[TrackRow]:
    """Yield the rows of tracks.csv, given as a path or fsspec URL.

    Raises
    ------
    SegueError
        If the header, the quoting, the encoding, or a field that Segue takes is not as FMA publishes it.
    """
    with _rows(name) as rows:
        header: list[list[str]] = [next(rows, []) for _ in range(3)]
        groups, columns, third = header
        places = {column: place for place, column in enumerate(zip(groups, columns, strict=False))}
        absent = [".".join(column) for column in _COLUMNS if column not in places]
        if absent or third[:1] != ["track_id"]:
            what = f"has no column {absent[0]}" if absent else "has no third header line with track_id"
            raise SegueError(f"{name} {what}: take tracks.csv as it is in fma_metadata.zip")
        wanted = [places[column] for column in _COLUMNS]
        seen: set[int] = set()
        for row in rows:
            where = f"{name}, line {rows.line_num}"
            if len(row) != len(columns):
                raise SegueError(
                    f"{where}: the row has {len(row)} fields and the header {len(columns)}: "
                    "the file is damaged, unpack it again"
                )
            made = _track(row[0], [row[place].strip() for place in wanted], where)
            if made.track_id in seen:
                raise SegueError(f"{where}: track {made.track_id} stands twice: remove one row")
            seen.add(made.track_id)
            yield made


def read_genres(name: str) -> dict[int, str]:
    """Return the titles of genres.csv by genre id.

    Raises
    ------
    SegueError
        If the file is not there or not as FMA publishes it.
    """
    with _rows(name) as rows:
        header: list[str] = next(rows, [])
        if not {"genre_id", "title"} <= set(header):
            raise SegueError(f"{name} has no columns genre_id and title: take it from fma_metadata.zip")
        at_id, at_title = header.index("genre_id"), header.index("title")
        titles = {}
        for row in rows:
            where = f"{name}, line {rows.line_num}"
            if len(row) != len(header):
                raise SegueError(f"{where}: the row has {len(row)} fields and the header {len(header)}")
            titles[_integer(row[at_id], "genre_id", where)] = row[at_title].strip()
    return titles


@lru_cache(maxsize=1024)
def short_licence(text: str) -> str:
    """Return a licence's name without stray blanks, Creative Commons' in their short form.

    >>> short_licence("Attribution-Noncommercial-No Derivative Works 3.0 United States ")
    'CC BY-NC-ND 3.0 United States'
    """
    text = " ".join(text.split())
    known = re.fullmatch(
        r"(?:Creative Commons )?Attribution"
        r"(?P<nc>[- ]Non-?commercial)?(?P<sa>[- ]Share ?Alike)?"
        r"(?P<nd>[- ]No ?Deriv(?:ative|atives|s)(?: Works)?)?"
        r"(?: \(aka Music Sharing\))?(?P<version> \d\.\d)?(?P<place> [^()]*?)?(?: License)?",
        text,
        re.IGNORECASE,
    )
    if known is None:
        return text
    parts = "".join(f"-{name.upper()}" for name in ("nc", "sa", "nd") if known[name])
    return f"CC BY{parts}{known['version'] or ''}{known['place'] or ''}"


@contextmanager
def _rows(name: str) -> Iterator[Any]:
    """Open a table as a csv.reader; what is wrong with its bytes or quotes becomes a SegueError."""
    fs, path = open_root(name)
    before = csv.field_size_limit(_LONGEST_FIELD)
    rows = None
    try:
        with fs.open(path, "rb") as raw, io.TextIOWrapper(raw, encoding="utf-8", newline="") as text:
            rows = csv.reader(text, strict=True)
            yield rows
    except FileNotFoundError:
        raise SegueError(f"{name} is not there: unpack fma_metadata.zip in that folder") from None
    except OSError as error:
        raise SegueError(f"{name} cannot be read ({error.strerror or error})") from None
    except UnicodeDecodeError as error:
        raise SegueError(f"{name} is not UTF-8 ({error.reason}): take it from fma_metadata.zip") from None
    except csv.Error as error:
        line = rows.line_num if rows is not None else 1
        raise SegueError(
            f"{name}, line {line}: {error}: the file breaks off or is damaged, unpack it again"
        ) from None
    finally:
        csv.field_size_limit(before)


def _track(track_id: str, fields: list[str], where: str) -> TrackRow:
    title, artist, artist_id, album, genre_top, genres, duration, split, subset, licence, website = fields
    return TrackRow(
        track_id=_integer(track_id, "track_id", where),
        title=title,
        artist=artist,
        artist_id=_integer(artist_id, "artist.id", where) if artist_id else None,
        album=album,
        genre_top=genre_top or None,
        genres=_integers(genres, where),
        duration_s=_seconds(duration, where) if duration else None,
        split=_one_of(split, _SPLITS, "set.split", where) if split else None,
        subset=_one_of(subset, _SUBSETS, "set.subset", where),
        licence=short_licence(licence),
        website=website if re.fullmatch(r"https?://\S+", website) else "",
    )


def _integer(text: str, field: str, where: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise SegueError(f"{where}: {field} is {text!r}, not a whole number") from None


def _integers(text: str, where: str) -> tuple[int, ...]:
    if not re.fullmatch(r"\[(\d+(, ?\d+)*)?\]", text):
        raise SegueError(f"{where}: track.genres is {text!r}, not a list such as [27, 12]")
    return tuple(map(int, re.findall(r"\d+", text)))


def _seconds(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise SegueError(f"{where}: track.duration is {text!r}, not a number of seconds") from None


def _one_of(text: str, known: tuple[str, ...], field: str, where: str) -> str:
    if text not in known:
        raise SegueError(f"{where}: {field} is {text!r}, not one of {', '.join(known)}")
    return text
