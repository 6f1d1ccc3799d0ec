"""A file as people have it, packed or not, as streams of bytes that cannot grow without end."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from segue.errors import SegueError

MOST_TIMES = 200
"""How many times its own size a packed file may hold; histories reach some 30."""

_BOMB = f"holds more than {MOST_TIMES} times its own size: no history does, it is not read"
_ALWAYS = 64 << 20
_MOST_MEMBERS = 20_000
_BLOCK = 256 << 10


@dataclass(frozen=True)
class Stream:
    """A file, or a member of an archive: ``name`` as the report shall name it; ``open`` opens it anew."""

    name: str
    open: Callable[[], IO[bytes]]


class _Limited(io.RawIOBase):
    """Reads from ``source`` and refuses to go on after ``most`` bytes."""

    def __init__(self, source: IO[bytes] | gzip.GzipFile, most: int, name: str) -> None:
        self._source, self._left, self._name = source, most, name

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        with told(self._name):
            block = self._source.read(len(buffer))
        self._left -= len(block)
        if self._left < 0:
            raise SegueError(f"{self._name} {_BOMB}")
        buffer[: len(block)] = block
        return len(block)

    def close(self) -> None:
        self._source.close()
        super().close()


@contextmanager
def streams(path: Path) -> Iterator[list[Stream]]:
    """Give what a file holds: the members of a zip archive, a gzip file unpacked, or the file itself.

    Nothing is written anywhere.

    Raises
    ------
    SegueError
        If there is no such file, or it is damaged, empty, encrypted, or packed in a way that is not read;
        while a stream is read, if it breaks off or unpacks to more than `MOST_TIMES` its size.
    """
    try:
        if path.exists() and not path.is_file():
            raise SegueError(f"{path} is not a file: name the export itself, as it was downloaded")
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise SegueError(f"{path} cannot be read ({error.strerror or error})") from None
    if not start:
        raise SegueError(f"{path} is empty: download the export again")
    most = max(_ALWAYS, MOST_TIMES * size)
    name = str(path)
    if start[:2] == b"PK":
        with told(name):
            archive = zipfile.ZipFile(path)
        with archive:
            yield _members(archive, name, most)
    elif start[:2] == b"\x1f\x8b":
        yield [Stream(name, lambda: _limited(gzip.GzipFile(path), most, name))]
    else:
        yield [Stream(name, lambda: io.BufferedReader(io.FileIO(path), _BLOCK))]


@contextmanager
def told(name: str) -> Iterator[None]:
    """Tell in our words of a file that is damaged."""
    try:
        yield
    except (EOFError, zlib.error, zipfile.BadZipFile, gzip.BadGzipFile) as error:
        raise SegueError(f"{name} is damaged or breaks off ({error}): download it again") from None
    except NotImplementedError as error:
        raise SegueError(
            f"{name} is packed in a way that is not read here ({error}): unpack it first"
        ) from None
    except OSError as error:
        raise SegueError(f"{name} cannot be read ({error.strerror or error})") from None


def _members(archive: zipfile.ZipFile, name: str, most: int) -> list[Stream]:
    members = [member for member in archive.infolist() if not member.is_dir() and member.file_size]
    if len(members) > _MOST_MEMBERS:
        raise SegueError(f"{name} holds {len(members):,} files: that is no export of a listening history")
    for member in members:
        if member.flag_bits & 1:
            raise SegueError(f"{name} is protected by a password: unpack it first")
    if sum(member.file_size for member in members) > most:
        raise SegueError(f"{name} {_BOMB}")

    def opener(member: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
        def opened() -> IO[bytes]:
            with told(name):
                return _limited(archive.open(member), most, f"{name}, {_shown(member.filename)}")

        return opened

    return [Stream(f"{name}, {_shown(member.filename)}", opener(member)) for member in members]


def _limited(source: IO[bytes] | gzip.GzipFile, most: int, name: str) -> IO[bytes]:
    return io.BufferedReader(_Limited(source, most, name), _BLOCK)


def _shown(name: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in name)[:200]
