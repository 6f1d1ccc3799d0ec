"""What an export holds: listens, opinions, and lines that are neither."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any, Literal

EARLIEST = 1_033_430_400
"""2002-10-01 in seconds since 1970: ListenBrainz takes no older listens, and Last.fm began in that year."""

_LONGEST = 1_000
_NO_TIME = 1e15
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class NoListen(Exception):
    """An entry of an export that cannot be taken; the text says why, in words for the report."""


@dataclass(frozen=True, slots=True)
class Named:
    """A recording as an export names it.

    ``mbids`` are MusicBrainz recording ids, those first that count most; ``canonical`` is the artist and
    title that MusicBrainz has for it, where the export says so.
    """

    artist: str
    title: str
    album: str = ""
    mbids: tuple[str, ...] = ()
    canonical: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Listen:
    """A recording that was listened to at ``at``, in seconds since 1970 (UTC).

    ``msid`` is ListenBrainz' own id of the names, ``loved`` whether the export says that it is loved.
    """

    at: int
    named: Named
    msid: str = ""
    loved: bool = False


@dataclass(frozen=True, slots=True)
class Opinion:
    """A recording that was loved or hated at ``at``; ListenBrainz names it by its ids only."""

    kind: Literal["like", "dislike"]
    at: int
    named: Named | None = None
    mbid: str = ""
    msid: str = ""


@dataclass(frozen=True, slots=True)
class Bad:
    """An entry that was left out: where it stands ("line 3", or "entry 3" of a document), and why."""

    file: str
    where: str
    reason: str


Entry = Listen | Opinion | Bad


def seconds_of(value: Any, field: str) -> int:
    """Return a time as whole seconds since 1970, from a number or its digits.

    Raises
    ------
    NoListen
        If it is no such number, or lies before `EARLIEST` or in the future.
    """
    if isinstance(value, str) and value.isascii() and value.strip().isdigit():
        value = int(value.strip()[:20])
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _NO_TIME:
        raise NoListen(f"{field} is no time in seconds since 1970")
    return checked(int(value), field)


def checked(seconds: int, field: str) -> int:
    """Return ``seconds`` if a listen can have been then, else raise `NoListen`."""
    if seconds < EARLIEST:
        raise NoListen(f"{field} lies before October 2002, when nobody kept listens: a clock was wrong")
    if seconds > time.time():
        raise NoListen(f"{field} lies in the future: a clock was wrong")
    return seconds


def text_of(value: Any, field: str, *, needed: bool = False) -> str:
    """Return a text on one line, without what no screen can show; empty if it is no text, or too long.

    Raises
    ------
    NoListen
        If it is needed and there is none, or it is empty or too long.
    """
    if not isinstance(value, str):
        if needed:
            raise NoListen(f"{field} is missing")
        return ""
    if len(value) > _LONGEST:
        if needed:
            raise NoListen(f"{field} has more than {_LONGEST:,} characters")
        return ""
    if not value.isprintable():
        value = "".join(c if c.isprintable() else " " for c in value)
    value = " ".join(value.split())
    if needed and not value:
        raise NoListen(f"{field} is empty")
    return value


def mbid_of(value: Any) -> str:
    """Return a MusicBrainz id in small letters; empty where there is none."""
    return value.lower() if isinstance(value, str) and _UUID.fullmatch(value) else ""
