"""The tags inside a music file, as plain text."""

from __future__ import annotations

import html
import os
import re
import unicodedata
from typing import IO, Any

import mutagen

from segue.plain_text import one_line

_LONGEST = 500
_KEYS = {
    "title": ("TIT2", "title", "\xa9nam", "Title"),
    "artist": ("TPE1", "artist", "\xa9ART", "Author", "TPE2", "albumartist", "aART", "performer"),
    "album": ("TALB", "album", "\xa9alb", "WM/AlbumTitle"),
    "genre": ("TCON", "genre", "\xa9gen", "WM/Genre"),
    "date": ("TDRC", "date", "\xa9day", "WM/Year", "year"),
    "mbid": (
        "UFID:http://musicbrainz.org", "musicbrainz_trackid", "----:com.apple.iTunes:MusicBrainz Track Id",
        "MusicBrainz/Track Id",
    ),
    "artist_mbid": (
        "TXXX:MusicBrainz Artist Id", "musicbrainz_artistid", "----:com.apple.iTunes:MusicBrainz Artist Id",
        "MusicBrainz/Artist Id",
    ),
    "licence": ("WCOP", "license", "TCOP", "copyright", "cprt", "Copyright"),
    "url": ("WOAF", "WOAR", "website", "contact", "url", "WM/AuthorURL"),
}  # fmt: skip
"""Our names, and where ID3, Vorbis comments and APE tags, MP4 and ASF keep them, best first."""
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def read_tags(source: str | bytes | os.PathLike[str] | IO[bytes]) -> dict[str, str]:
    """Return title, artist, album, genre, date, mbid, artist_mbid, licence and url, those that are there.

    Values are one line each, without control characters or lone surrogates, of at most 500 characters. A
    file without tags, or with tags that cannot be read, gives an empty dictionary.
    """
    try:
        if isinstance(source, str | bytes | os.PathLike):
            with open(os.fsencode(source), "rb") as file:
                return _read(file)
        source.seek(0)
        return _read(source)
    except MemoryError:
        raise
    except Exception:
        # Parsers of tags meet bytes that nobody foresaw, and a file without tags is an ordinary file.
        return {}


def clean(text: str) -> str:
    """Return text on one line without HTML entities and what cannot be seen, cut to 500 characters.

    >>> clean(" a\\n\\x00b &amp; c ")
    'a b & c'
    """
    return one_line(unicodedata.normalize("NFC", html.unescape(text)))[:_LONGEST].rstrip()


def _read(file: IO[bytes]) -> dict[str, str]:
    found = mutagen.File(file)
    tags = found.tags if found is not None else None
    if tags is None:
        return {}
    values = {name: _first(tags, keys) for name, keys in _KEYS.items()}
    for name in ("mbid", "artist_mbid"):
        match = _UUID.search(values[name].lower())
        values[name] = match[0] if match else ""
    return {name: value for name, value in values.items() if value}


def _first(tags: Any, keys: tuple[str, ...]) -> str:
    """Return the first value among ``keys`` that is not empty, or an empty string."""
    for key in keys:
        try:
            # ID3 keeps several links of one kind under keys with a suffix.
            values = tags.getall(key) if hasattr(tags, "getall") else [tags[key]]
        except (KeyError, ValueError, TypeError):
            continue
        for value in values:
            if text := clean(_text(value)):
                return text
    return ""


def _text(value: Any) -> str:
    if hasattr(value, "genres"):
        value = value.genres
    for attribute in ("text", "url", "data"):
        value = getattr(value, attribute, value)
    if isinstance(value, list | tuple):
        return ", ".join(text for item in value if (text := clean(_text(item))))
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
