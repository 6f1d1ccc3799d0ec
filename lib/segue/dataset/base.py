"""What a data set gives to the ETL: where its files are, and one row for each track or file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Protocol

from segue.dataset.inventory import FileEntry

OK = "ok"
PENDING = ""
REASONS = (
    "missing", "ignored", "empty", "not_audio", "unsupported",
    "too_short", "silent", "too_large", "crashed", "timeout",
)  # fmt: skip
"""Why a file cannot be used; a track's status is one of these or ``ok`` (``""`` before the ETL looked)."""


@dataclass(slots=True)
class Track:
    """One row of the catalogue: a track of the tables, or a file that is there.

    ``path`` is relative to the data set's root and escaped (see `segue.dataset.inventory`).
    ``named`` is False for a file that the data set's tables do not name. ``recording`` is the id of the
    track that stands for all copies of one recording, None before anyone compared them.
    """

    track_id: int
    title: str = ""
    artist: str = ""
    artist_id: int | None = None
    album: str = ""
    genre_top: str | None = None
    genres: list[str] = field(default_factory=list)
    duration_s: float | None = None
    path: str | None = None
    size: int | None = None
    mtime_ns: int | None = None
    split: str | None = None
    subset: str | None = None
    licence: str = ""
    attribution_url: str = ""
    mbid: str | None = None
    sha256: str | None = None
    recording: int | None = None
    named: bool = True
    composed: bool = False
    status: str = PENDING
    detail: str = ""
    warnings: list[str] = field(default_factory=list)

    def to_document(self) -> dict[str, Any]:
        """Return the document of the collection ``tracks``, keyed by ``track_id``."""
        document = asdict(self)
        document["_id"] = document.pop("track_id")
        return document

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Track:
        """Return the track of a stored document; fields of a later version are left out."""
        known = {f.name for f in fields(cls)}
        values = {name: value for name, value in document.items() if name in known}
        return cls(track_id=document["_id"], **values)


class Dataset(Protocol):
    """A collection of music files with what is known about them.

    A data set is pickled and sent to the executors, so it holds names and numbers, not open files.
    """

    kind: str
    """``demo``, ``fma`` or ``folder``."""
    database: str
    """The namespace: one database of the document store for each data set."""
    root: str
    """Folder or fsspec URL that the clips' paths are relative to."""
    title: str
    citation: str
    licence: str
    reads_tags: bool
    """Whether `describe` needs the tags inside the files."""

    def catalogue(self, files: Sequence[FileEntry]) -> Iterable[Track]:
        """Yield each track of the tables and each file once.

        A track whose file is among ``files`` has its path, size and mtime and the status ``PENDING``; one
        without a file is ``missing``; a file that is no audio by its extension, or that the tables do not
        name, is ``ignored`` with the reason in ``detail``.
        """
        ...

    def describe(self, track: Track, tags: dict[str, str]) -> None:
        """Complete ``track`` in place with the tags of its file; called on an executor for new files."""
        ...
