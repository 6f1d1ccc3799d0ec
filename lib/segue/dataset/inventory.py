"""Our own lister of files: every regular file once, whatever its name."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

import fsspec
from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem

from segue.errors import SegueError

AUDIO_EXTENSIONS = frozenset(
    ".aac .aif .aifc .aiff .alac .ape .au .avr .caf .dff .dsf .flac .htk .ircam .m4a .m4b .mka .mp1 .mp2 "
    ".mp3 .mp4 .mpc .mpga .nist .oga .ogg .opus .paf .pvf .rf64 .sd2 .sf .snd .spx .svx .tta .voc .w64 .wav "
    ".wave .webm .wma .wv .wve .xi".split()
)
"""Lower-case extensions that count as audio; any other file is ``ignored``."""

_HASH_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One regular file: its escaped path relative to the root, size in bytes, modification time in ns."""

    path: str
    size: int
    mtime_ns: int


def escape(raw: bytes) -> str:
    r"""Return a file name's bytes as text that can be stored anywhere and turned back.

    Bytes that are not UTF-8, control characters and the backslash itself become ``\xNN``.

    >>> escape(b"caf\xe9.mp3"), escape("café.mp3".encode())
    ('caf\\xe9.mp3', 'café.mp3')
    """
    text = raw.replace(b"\\", b"\\x5c").decode("utf-8", "backslashreplace")
    return re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\x{ord(found[0]):02x}", text)


def unescape(path: str) -> bytes:
    """Return the bytes that `escape` was given."""
    parts = re.split(r"\\x([0-9a-f]{2})", path)
    return b"".join(bytes([int(part, 16)]) if i % 2 else part.encode("utf-8") for i, part in enumerate(parts))


def open_root(root: str | os.PathLike[str]) -> tuple[AbstractFileSystem, str]:
    """Return the file system of a folder or fsspec URL and the folder's path in it."""
    name = os.fspath(root)
    if "://" in name or "::" in name:
        return fsspec.core.url_to_fs(name)
    return LocalFileSystem(), os.path.abspath(name)


def join(root: str, path: str) -> str:
    """Return what a file system opens for an escaped relative path, in this process's own file encoding."""
    return f"{root.rstrip('/')}/{os.fsdecode(unescape(path))}"


def scan(root: str | os.PathLike[str]) -> list[FileEntry]:
    """Return every regular file under ``root`` once, sorted by path.

    Symbolic links are never followed: what they point to inside the root is listed by its own name, and
    what lies outside is not the root's. So no circle of links multiplies rows.

    Raises
    ------
    SegueError
        If ``root`` is not a folder, or a folder under it cannot be read.
    """
    fs, base = open_root(root)
    if isinstance(fs, LocalFileSystem):
        if not os.path.isdir(base):
            raise SegueError(f"{base} is not a folder: give the folder that holds the music")
        found = list(_scan_local(os.fsencode(base), b""))
    else:
        found = list(_scan_remote(fs, base))
    return sorted(found, key=lambda entry: entry.path)


def _scan_local(base: bytes, below: bytes) -> Iterator[FileEntry]:
    folders = [below]
    while folders:
        folder = folders.pop()
        try:
            entries = list(os.scandir(os.path.join(base, folder)))
        except PermissionError as error:
            raise SegueError(
                f"the folder {escape(os.path.join(base, folder))} cannot be read ({error.strerror}): "
                "allow reading it or move it out of the collection"
            ) from None
        for entry in entries:
            relative = os.path.join(folder, entry.name)
            if entry.is_dir(follow_symlinks=False):
                folders.append(relative)
            elif entry.is_file(follow_symlinks=False):
                stat = entry.stat(follow_symlinks=False)
                yield FileEntry(escape(relative), stat.st_size, stat.st_mtime_ns)


def _scan_remote(fs: AbstractFileSystem, base: str) -> Iterator[FileEntry]:
    prefix = base.rstrip("/") + "/" if base.strip("/") else ""
    for name, info in fs.find(base, detail=True).items():
        relative = name.removeprefix(prefix).lstrip("/")
        modified = info.get("mtime") or info.get("LastModified") or info.get("last_modified") or 0
        seconds = modified.timestamp() if hasattr(modified, "timestamp") else modified
        seconds = seconds if isinstance(seconds, int | float) else 0
        yield FileEntry(escape(relative.encode("utf-8", "surrogateescape")), info["size"], int(seconds * 1e9))


def sha256(fs: AbstractFileSystem, path: str) -> str:
    """Return the SHA-256 of a file's content as 64 hexadecimal digits, read in blocks of 1 MiB."""
    digest = hashlib.sha256()
    with fs.open(path, "rb") as file:
        while block := file.read(_HASH_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def is_audio_name(path: str) -> bool:
    """Tell whether a path's extension is one of `AUDIO_EXTENSIONS`."""
    return os.path.splitext(path)[1].lower() in AUDIO_EXTENSIONS


def path_id(path: str) -> int:
    """Return 53 bits of the SHA-256 of an escaped path: a track id that every JSON reader keeps exact."""
    return int.from_bytes(hashlib.sha256(path.encode("utf-8")).digest()[:7], "big") >> 3
