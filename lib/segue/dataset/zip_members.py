"""The members of a zip archive, read without trust in what it says of itself."""

from __future__ import annotations

import bz2
import errno
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from segue.errors import SegueError

_BLOCK = 1 << 18
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_UTF8_NAME = 0x800
_ENCRYPTED = 0x41
_UNIX = 3
_NO_ZIP = (zipfile.BadZipFile, NotImplementedError, ValueError, ArithmeticError, struct.error, EOFError)
_METHODS = {9: "Deflate64", 14: "LZMA", 93: "Zstandard", 95: "XZ", 98: "PPMd", 99: "AES encryption"}


@dataclass(frozen=True, slots=True)
class Member:
    """One entry of an archive's directory.

    ``name`` is as `os.fsdecode` gives it, and ends with a slash for a folder; ``size`` and ``packed`` are
    bytes as the directory claims; ``kind`` is the type of file by `stat.S_IFMT`, 0 where it says none;
    ``modified`` is year, month, day, hour, minute, second of no known time zone.
    """

    name: str
    size: int
    packed: int
    offset: int
    crc: int
    method: int
    encrypted: bool
    kind: int
    modified: tuple[int, int, int, int, int, int]

    @property
    def is_folder(self) -> bool:
        """Tell whether this is a folder's own entry."""
        return self.name.endswith("/")


class UnreadableMember(OSError):
    """A member whose content cannot be had: damaged, encrypted, or packed in a way that is not known."""


def read_directory(archive: str | os.PathLike[str]) -> list[Member]:
    """Return the members of a zip archive in the order of its directory.

    Raises
    ------
    SegueError
        If it is no zip archive, breaks off, or has a damaged directory.
    OSError
        If the file cannot be read at all.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            return [_member(info) for info in opened.infolist()]
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        ValueError,
        struct.error,
        EOFError,
        OverflowError,
    ) as error:
        raise SegueError(
            f"{os.fspath(archive)} is no whole zip archive ({error}): remove it and fetch it again"
        ) from None


def blocks(archive: BinaryIO, member: Member) -> Iterator[bytes]:
    """Yield a member's content in blocks of at most 256 KiB, never more bytes than it claims to have.

    Raises
    ------
    UnreadableMember
        If it is damaged (at the end at the latest, where its CRC-32 is known), or packed in a way other
        than stored, deflated or bzip2.
    """
    if member.encrypted:
        raise _unreadable(member, "is encrypted")
    if member.method not in _UNPACKERS:
        name = _METHODS.get(member.method, f"method {member.method}")
        raise _unreadable(member, f"is packed with {name}, which is not read here: unpack it with 7z")
    archive.seek(member.offset)
    header = archive.read(_LOCAL_HEADER.size)
    mark, name_length, extra_length = (
        _LOCAL_HEADER.unpack(header) if len(header) == _LOCAL_HEADER.size else (b"", 0, 0)
    )
    if mark != b"PK\x03\x04" or archive.read(name_length) != os.fsencode(member.name):
        raise _unreadable(member, "is not where the archive's directory says")
    archive.seek(extra_length, os.SEEK_CUR)
    size = crc = 0
    try:
        for block in _UNPACKERS[member.method](_reader(archive, member.packed)):
            size += len(block)
            if size > member.size:
                raise _unreadable(member, f"unpacks to more than the {member.size:,} bytes it claims")
            crc = zlib.crc32(block, crc)
            yield block
    except (zlib.error, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise _unreadable(member, f"is damaged ({error})") from None
    if size < member.size:
        raise _unreadable(member, f"breaks off after {size:,} of {member.size:,} bytes")
    if crc != member.crc:
        raise _unreadable(member, f"is damaged (its CRC-32 is {crc:08x}, not {member.crc:08x})")


def _unreadable(member: Member, reason: str) -> UnreadableMember:
    return UnreadableMember(errno.EIO, f"{member.name} {reason}")


def _member(info: zipfile.ZipInfo) -> Member:
    # zipfile reads a name without the UTF-8 flag as code page 437, which maps every byte to one character.
    raw = info.orig_filename.encode("utf-8" if info.flag_bits & _UTF8_NAME else "cp437")
    mode = info.external_attr >> 16 if info.create_system == _UNIX else 0
    return Member(
        os.fsdecode(raw), info.file_size, info.compress_size, info.header_offset, info.CRC,
        info.compress_type, bool(info.flag_bits & _ENCRYPTED), stat.S_IFMT(mode), info.date_time,
    )  # fmt: skip


def _reader(archive: BinaryIO, length: int) -> Callable[[], bytes]:
    left = length

    def read() -> bytes:
        nonlocal left
        data = archive.read(min(_BLOCK, left))
        left -= len(data)
        return data

    return read


def _stored(read: Callable[[], bytes]) -> Iterator[bytes]:
    while data := read():
        yield data


def _inflated(read: Callable[[], bytes]) -> Iterator[bytes]:
    machine = zlib.decompressobj(-zlib.MAX_WBITS)
    while not machine.eof:
        data = machine.unconsumed_tail or read()
        block = machine.decompress(data, _BLOCK)
        if not data and not block:
            return
        yield block


def _bunzipped(read: Callable[[], bytes]) -> Iterator[bytes]:
    machine = bz2.BZ2Decompressor()
    while not machine.eof:
        data = read() if machine.needs_input else b""
        if machine.needs_input and not data:
            return
        yield machine.decompress(data, _BLOCK)


_UNPACKERS = {
    zipfile.ZIP_STORED: _stored,
    zipfile.ZIP_DEFLATED: _inflated,
    zipfile.ZIP_BZIP2: _bunzipped,
}
