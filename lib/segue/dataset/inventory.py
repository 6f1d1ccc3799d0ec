"""Our own lister of files: every regular file once, whatever its name."""

from __future__ import annotations

import calendar
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import fsspec
from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem

from segue.dataset.zip_folder import open_zip
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
    """Return the file system of a folder or fsspec URL and the folder's path in it.

    Raises
    ------
    SegueError
        If nothing can open such a URL.
    """
    name = os.fspath(root)
    if not ("://" in name or "::" in name) or os.path.exists(name):
        return LocalFileSystem(), os.path.abspath(name)
    try:
        return open_zip(name) or fsspec.core.url_to_fs(name)
    except (ValueError, ImportError, OSError) as error:
        raise SegueError(f"{name} cannot be opened: {error}") from None


def join(root: str, path: str) -> str:
    """Return what a file system opens for an escaped relative path, in this process's own file encoding.

    ``root`` is what `open_root` returned.
    """
    name = os.fsdecode(unescape(path))
    return f"{root.rstrip('/')}/{name}" if root else name


def child_of(root: str, name: str) -> str:
    """Return the folder or fsspec URL of what ``name`` is in another one.

    >>> child_of("/music", "a"), child_of("zip://b::/music.zip", "a")
    ('/music/a', 'zip://b/a::/music.zip')
    """
    if os.path.exists(root):
        return os.path.join(root, name)
    head, chained, rest = root.partition("::")
    return f"{head}{'' if head.endswith('/') else '/'}{name}{chained}{rest}"


def scan(root: str | os.PathLike[str], unreadable: list[str] | None = None) -> list[FileEntry]:
    """Return every regular file under ``root`` once, sorted by path.

    Symbolic links are never followed: what they point to inside the root is listed by its own name, and
    what lies outside is not the root's. So no circle of links multiplies rows. Folders that cannot be read
    are passed over; their escaped paths are added to ``unreadable``.

    Raises
    ------
    SegueError
        If ``root`` is not a folder, or cannot be read itself.
    """
    return sorted(iterate(root, unreadable), key=lambda entry: entry.path)


def iterate(root: str | os.PathLike[str], unreadable: list[str] | None = None) -> Iterator[FileEntry]:
    """Yield what `scan` returns, in no order, as it is found."""
    fs, base = open_root(root)
    if not fs.isdir(base):
        raise SegueError(f"{os.fspath(root)} is not a folder: give the folder that holds the music")
    if not isinstance(fs, LocalFileSystem):
        return _scan_remote(fs, base)
    return _scan_local(os.fsencode(base), [] if unreadable is None else unreadable)


def _scan_local(base: bytes, unreadable: list[str]) -> Iterator[FileEntry]:
    folders = [b""]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(os.path.join(base, folder)) as found:
                entries = list(found)
        except FileNotFoundError:
            continue  # Removed since it was listed.
        except OSError as error:
            if not folder:
                raise SegueError(
                    f"the folder {escape(base)} cannot be read ({error.strerror}): allow reading it"
                ) from None
            unreadable.append(escape(folder))
            continue
        for entry in entries:
            relative = os.path.join(folder, entry.name)
            if entry.is_dir(follow_symlinks=False):
                folders.append(relative)
            elif entry.is_file(follow_symlinks=False):
                try:
                    stat = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                yield FileEntry(escape(relative), stat.st_size, stat.st_mtime_ns)


def _scan_remote(fs: AbstractFileSystem, base: str) -> Iterator[FileEntry]:
    prefix = base.rstrip("/") + "/" if base.strip("/") else ""
    for name, info in fs.find(base, detail=True).items():
        relative = name.removeprefix(prefix).lstrip("/")
        yield FileEntry(escape(relative.encode("utf-8", "surrogateescape")), info["size"], _modified_ns(info))


def _modified_ns(info: dict[str, Any]) -> int:
    """Return a modification time as the file systems of fsspec give it, each in its own way; 0 if none."""
    modified = info.get("mtime") or info.get("LastModified") or info.get("last_modified") or 0
    if "date_time" in info:
        modified = calendar.timegm(info["date_time"])
    seconds = modified.timestamp() if isinstance(modified, datetime) else modified
    return int(seconds * 1e9) if isinstance(seconds, int | float) else 0


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


def is_below(path: str | None, folders: Iterable[str]) -> bool:
    """Tell whether an escaped path lies in one of some folders, given by their escaped paths."""
    return path is not None and any(path.startswith(f"{folder}/") for folder in folders)


def path_id(path: str) -> int:
    """Return the track id of a file that no table numbers: `hash53` of its escaped path."""
    return hash53(path)


def hash53(text: str) -> int:
    """Return 53 bits of the SHA-256 of a text: an id that every JSON reader keeps exact."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:7], "big") >> 3
