"""Any tree of music: what the tags say, and where they say nothing, what the path says."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator, Sequence

from segue.dataset.base import PENDING, Track
from segue.dataset.inventory import FileEntry, hash53, is_audio_name, iterate, path_id, unescape
from segue.errors import SegueError, UsageError
from segue.plain_text import one_line

_LONGEST_SLUG = 40
_NUMBER = re.compile(r"^(?:(?:\d[-.])?\d{1,2}\s*[-.)]\s*|(?:\d[-.]\d|0)\d\s+)(?=[^\d\s.-])")
"""``01 - ``, ``1-07 ``, ``03 ``: but ``99 Luftballons`` begins with no number of a track."""

_SAYS_NOTHING = frozenset(
    "unknown,<unknown>,[unknown],unknown title,unknown artist,unknown album,unknown genre,[no artist]".split(
        ","
    )
)
"""What programs write where they know nothing: taken for a name, it would make one artist of many."""


class FolderDataset:
    """A folder of music files of any layout.

    Parameters
    ----------
    path
        The folder, or an fsspec URL of one.
    name
        Names the collection and its database if the folder's own name should not.
    database
        Names the database if not ``segue_folder_<name>``.

    Raises
    ------
    SegueError
        If ``path`` is not a folder or has no file in it.
    UsageError
        If ``name`` has no letter or digit.
    """

    kind = "folder"
    citation = ""
    licence = "each file's own"
    reads_tags = True

    def __init__(
        self, path: str | os.PathLike[str], name: str | None = None, database: str | None = None
    ) -> None:
        text = os.fspath(path)
        is_url = ("://" in text or "::" in text) and not os.path.exists(text)
        self.root = text if is_url else os.path.abspath(text)
        try:
            self.root.encode("utf-8")
        except UnicodeEncodeError:
            raise SegueError(f"{self.root!a} is not UTF-8: rename the folder, its files may stay") from None
        if next(iterate(self.root), None) is None:
            raise SegueError(f"there are no files in {self.root}: give the folder that holds the music")
        own = re.split(r"[/:]+", self.root.rstrip("/:"))[-1]
        if name is not None and not slug(name):
            raise UsageError(f"the name {name!r} has no letter or digit of ASCII: give another")
        self.name = name or own
        self.title = f"Folder {self.name}"
        # A name in another script leaves nothing: the path's hash tells such folders apart.
        self.database = database or f"segue_folder_{slug(self.name) or f'{path_id(self.root):x}'}"

    def require_music(self) -> None:
        """Raise SegueError where no file's name ends as that of a music file does."""
        if not any(is_audio_name(entry.path) for entry in iterate(self.root)):
            raise SegueError(
                f"there is no music in {self.root}: no file there ends in .mp3, .flac, .ogg, .m4a, .wav or "
                "the like; give the folder that holds the music"
            )

    def catalogue(self, files: Sequence[FileEntry]) -> Iterator[Track]:
        """Yield each file once (see `segue.dataset.base.Dataset`).

        Raises
        ------
        SegueError
            If there is no file.
        """
        if not files:
            raise SegueError(f"there are no files in {self.root}: give the folder that holds the music")
        for entry in files:
            track = Track(path_id(entry.path), path=entry.path, size=entry.size, mtime_ns=entry.mtime_ns)
            if is_audio_name(entry.path):
                track.status = PENDING
            else:
                track.status, track.detail, track.named = "ignored", "not audio by its extension", False
            self.describe(track, {})
            yield track

    def describe(self, track: Track, tags: dict[str, str]) -> None:
        """Complete ``track`` in place with the tags of its file, or else with its path (see `from_path`)."""
        assert track.path is not None
        guessed = from_path(track.path)
        said = {name: text for name, text in tags.items() if text.casefold() not in _SAYS_NOTHING}
        track.title = said.get("title") or guessed["title"]
        track.artist = said.get("artist") or guessed["artist"]
        track.album = said.get("album") or guessed["album"]
        track.artist_id = artist_id(track.artist) if track.artist else None
        track.genres = [genre for part in re.split(r"[;,]", said.get("genre", "")) if (genre := part.strip())]
        track.genre_top = track.genres[0] if track.genres else None
        track.mbid = tags.get("mbid")
        track.licence = tags.get("licence", "")
        track.attribution_url = (
            url if (url := tags.get("url", "")).startswith(("http://", "https://")) else ""
        )


def from_path(path: str) -> dict[str, str]:
    """Return title, artist and album as an escaped path names them; the title is never empty.

    A number before the title is left out. ``Artist - Title`` names both; otherwise the two folders above
    are artist and album, and one folder alone is the album.

    >>> from_path("Miles Davis/Kind of Blue/01 - So What.mp3")
    {'title': 'So What', 'artist': 'Miles Davis', 'album': 'Kind of Blue'}
    >>> from_path("Miles Davis - So What.mp3")
    {'title': 'So What', 'artist': 'Miles Davis', 'album': ''}
    """
    *folders, name = map(_readable, path.split("/"))
    stem = os.path.splitext(name)[0].strip() or name
    title = _NUMBER.sub("", stem)
    artist, dash, rest = title.partition(" - ")
    artist, title = (artist.strip(), _NUMBER.sub("", rest.strip())) if dash and rest.strip() else ("", title)
    above = [folder if not folder.isdigit() else "" for folder in folders]
    if not artist and len(above) > 1:
        artist = above[-2]
    return {"title": title or stem or "Untitled", "artist": artist, "album": above[-1] if above else ""}


def artist_id(name: str) -> int:
    """Return 53 bits that are one artist's however the name is cased, spaced or composed."""
    same = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    return hash53(f"artist:{same}")


def slug(name: str) -> str:
    """Return a name as at most 40 small letters, digits and underscores of ASCII.

    >>> slug("Música – à moi!")
    'musica_a_moi'
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:_LONGEST_SLUG].strip("_")


def _readable(part: str) -> str:
    """Return a part of an escaped path as a person would read it."""
    return one_line(_decoded(unescape(part)).replace("_", " "))


def _decoded(name: bytes) -> str:
    """Return a name in UTF-8, or in Windows' old Western letters where it then reads as letters."""
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        pass
    western = name.decode("cp1252", "replace")
    return western if all(c.isascii() or c.isalpha() for c in western) else name.decode("utf-8", "replace")
