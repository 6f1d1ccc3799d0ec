"""Clips by track id: whole or in ranges, never outside the data set's folder."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import stat
import time
import zlib
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol, cast
from zipfile import BadZipFile

from fsspec.implementations.local import LocalFileSystem
from pymongo.errors import PyMongoError
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, RequestHandler

from segue.dataset.base import OK, Track
from segue.dataset.inventory import join, open_root, unescape
from segue.errors import SegueError

_CHUNK = 256 << 10
_PIECE_S = 60.0
"""Seconds that a listener may take for a piece; a browser that paused long asks for the rest by a range."""

_KEPT_S = 60.0
_KEPT = 5_000
_THREADS = ThreadPoolExecutor(8, thread_name_prefix="clips")
_RANGE = re.compile(r"bytes[ \t]*=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.I)

_TYPES = {
    ".mp3": "audio/mpeg", ".mp2": "audio/mpeg", ".mpga": "audio/mpeg", ".ogg": "audio/ogg",
    ".oga": "audio/ogg", ".opus": "audio/ogg", ".flac": "audio/flac", ".wav": "audio/wav",
    ".wave": "audio/wav", ".m4a": "audio/mp4", ".mp4": "audio/mp4", ".m4b": "audio/mp4",
    ".aac": "audio/aac", ".webm": "audio/webm", ".mka": "audio/webm", ".aif": "audio/aiff",
    ".aiff": "audio/aiff",
}  # fmt: skip


_ABSENT = (FileNotFoundError, NotADirectoryError, PermissionError)
_DAMAGED = (EOFError, BadZipFile, zlib.error, NotImplementedError)
"""How a file or archive that cannot be read shows itself."""


class Unsatisfiable(ValueError):
    """A range that begins beyond the end."""


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Return the first byte and the number of bytes that a ``Range`` header asks for, or None for the whole.

    One range is served; several, another unit, or a malformed header get the whole, as RFC 9110 (14.2)
    allows.

    >>> byte_range("bytes=0-99", 1000), byte_range("bytes=-10", 1000), byte_range("bytes=990-", 1000)
    ((0, 100), (990, 10), (990, 10))

    Raises
    ------
    Unsatisfiable
        If nothing of the content lies in the range.
    """
    found = _RANGE.fullmatch(header or "")
    if not found or found[1] == found[2] == "":
        return None
    if found[1] == "":
        length = min(int(found[2]), size)
        if length == 0:
            raise Unsatisfiable
        return size - length, length
    first = int(found[1])
    last = int(found[2]) if found[2] else size - 1
    if found[2] and last < first:
        return None
    if first >= size:
        raise Unsatisfiable
    return first, min(last, size - 1) - first + 1


class Tracks(Protocol):
    """Where tracks are looked up, such as `segue.store.tracks.TrackStore`."""

    def by_ids(self, track_ids: list[int]) -> dict[int, Track]:
        """Return the tracks that are there."""
        ...


@dataclass(frozen=True, slots=True)
class Source:
    """A data set's clips: the folder or URL that their paths are relative to, and its tracks."""

    root: str
    tracks: Tracks


@dataclass(frozen=True, slots=True)
class Clip:
    """An open clip: its track, its file, its size in bytes, a strong entity tag of its content.

    ``owner`` is what must live as long as the file, such as the archive that it is in.
    """

    track: Track
    file: BinaryIO
    size: int
    tag: str
    owner: object = None


@dataclass(frozen=True, slots=True)
class _Kept:
    track: Track | None
    at: float


class Clips:
    """Opens clips of the data set that ``source`` names at the time."""

    def __init__(self, source: Callable[[], Source]) -> None:
        self._source = source
        self._kept: dict[tuple[str, int], _Kept] = {}

    def open(self, track_id: int) -> Clip:
        """Return a track's clip, whose file the caller closes; blocks.

        Raises
        ------
        FileNotFoundError
            If there is no such track, it cannot be played, or its file is gone or a link.
        SegueError
            If the store is away.
        """
        source = self._source()
        track = self._track(source, track_id)
        if track is None or track.status != OK or track.path is None:
            raise FileNotFoundError
        fs, root = open_root(source.root)
        if isinstance(fs, LocalFileSystem):
            file = open_below(os.fsencode(root), unescape(track.path))
            status = os.fstat(file.fileno())
            return Clip(track, file, status.st_size, _tag(track, status.st_size, status.st_mtime_ns))
        file = cast(BinaryIO, fs.open(join(root, track.path), "rb"))
        size = file.seek(0, os.SEEK_END)
        return Clip(track, file, size, _tag(track, size, track.mtime_ns or 0), owner=fs)

    def _track(self, source: Source, track_id: int) -> Track | None:
        now = time.monotonic()
        kept = self._kept.get((source.root, track_id))
        if kept and now - kept.at < _KEPT_S:
            return kept.track
        try:
            track = source.tracks.by_ids([track_id]).get(track_id)
        except PyMongoError:
            if kept:
                return kept.track
            raise SegueError("the document store does not answer now") from None
        if len(self._kept) >= _KEPT:
            self._kept.clear()
        self._kept[source.root, track_id] = _Kept(track, now)
        return track


class AudioHandler(RequestHandler):
    """``GET`` and ``HEAD`` of ``…/(track id)``.

    Mounted with the dictionary ``{"clips": Clips, "allowed": function}``: ``allowed`` gets the handler and
    returns, now or awaited, whether this request may hear clips.
    """

    def initialize(self, clips: Clips, allowed: Callable[[RequestHandler], bool | Awaitable[bool]]) -> None:
        """Take what the handler was mounted with."""
        self._clips = clips
        self._allowed = allowed

    async def prepare(self) -> None:
        """Refuse who may not hear clips."""
        try:
            allowed = self._allowed(self)
            if not (allowed if isinstance(allowed, bool) else await allowed):
                raise HTTPError(403)
        except SegueError:
            raise HTTPError(503) from None

    async def head(self, track_id: str) -> None:
        """Answer as `get` does, without the content."""
        await self.get(track_id)

    async def get(self, track_id: str) -> None:
        """Answer with the clip, or the range of it that was asked for."""
        try:
            clip: Clip = await _in_thread(self._clips.open, int(track_id))
        except (*_ABSENT, *_DAMAGED):
            raise HTTPError(404) from None
        except (OSError, SegueError):
            raise HTTPError(503) from None
        try:
            await self._answer(clip)
        except (StreamClosedError, TimeoutError):
            self._cut()  # The listener went on to something else, or takes nothing.
        except (OSError, *_DAMAGED) as error:
            if not self._headers_written:
                raise HTTPError(404 if isinstance(error, _DAMAGED) else 503) from None
            self._cut()
        finally:
            await _in_thread(clip.file.close)

    def sent(self, size: int) -> None:
        """Take note of bytes that were sent."""

    def _cut(self) -> None:
        """End the connection: an answer that is not whole must not look it."""
        self.request.connection.close()

    async def _answer(self, clip: Clip) -> None:
        self.set_header("Accept-Ranges", "bytes")
        self.set_header("Cache-Control", "private, max-age=3600")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Etag", clip.tag)
        headers = self.request.headers
        if "If-Match" in headers and not names_tag(headers["If-Match"], clip.tag, weak=False):
            self.set_status(412)
            return
        if names_tag(headers.get("If-None-Match", ""), clip.tag):
            self.set_status(304)
            return
        self.set_header("Content-Type", content_type(clip.track.path or ""))
        first, length = 0, clip.size
        # RFC 9110 (14.2): a range is for GET alone.
        if self.request.method == "GET" and headers.get("If-Range", clip.tag) == clip.tag:
            try:
                asked = byte_range(headers.get("Range"), clip.size)
            except Unsatisfiable:
                self.set_status(416)
                self.set_header("Content-Range", f"bytes */{clip.size}")
                self.clear_header("Content-Type")
                return
            if asked:
                first, length = asked
                self.set_status(206)
                self.set_header("Content-Range", f"bytes {first}-{first + length - 1}/{clip.size}")
        self.set_header("Content-Length", str(length))
        if self.request.method == "HEAD":
            return
        while length > 0:
            block = await _in_thread(_read, clip.file, first, min(_CHUNK, length))
            if not block:
                raise EOFError("the file became shorter")
            first, length = first + len(block), length - len(block)
            self.write(block)
            async with asyncio.timeout(_PIECE_S):
                await self.flush()
            self.sent(len(block))


def open_below(root: bytes, path: bytes) -> BinaryIO:
    """Open a regular file below a folder for reading; no link on the way from the folder is followed.

    Raises
    ------
    FileNotFoundError
        If it is not there, is no regular file, or lies behind a link or outside of the folder.
    """
    parts = path.split(b"/")
    if any(part in {b"", b".", b".."} or b"\0" in part for part in parts):
        raise FileNotFoundError
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts[:-1]:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
        # O_NONBLOCK: a pipe of that name must not hold the thread.
        opened = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise FileNotFoundError from None
        raise
    finally:
        os.close(folder)
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise FileNotFoundError
    return cast(BinaryIO, open(opened, "rb", buffering=0))


def content_type(path: str) -> str:
    """Return the media type of a clip by its name's extension."""
    return _TYPES.get(os.path.splitext(path)[1].lower(), "application/octet-stream")


def _tag(track: Track, size: int, mtime_ns: int) -> str:
    """Return a tag of the content: its SHA-256 while the file is the one that was hashed."""
    if track.sha256 and (size, mtime_ns) == (track.size, track.mtime_ns or 0):
        return f'"{track.sha256[:32]}"'
    return f'"{size:x}-{mtime_ns:x}"'


def names_tag(header: str, tag: str, *, weak: bool = True) -> bool:
    """Tell whether a header such as ``If-None-Match`` names an entity tag."""
    given = [each.strip() for each in header.split(",")]
    return "*" in given or tag in given or (weak and f"W/{tag}" in given)


def _read(file: BinaryIO, first: int, length: int) -> bytes:
    file.seek(first)
    return file.read(length)


async def _in_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(_THREADS, function, *arguments)
