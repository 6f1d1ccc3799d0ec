"""A local zip archive as a folder: its members are read one by one, nothing is unpacked to disk."""

from __future__ import annotations

import io
import os
import tempfile
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, BinaryIO

from fsspec import AbstractFileSystem

from segue.dataset.zip_members import Member, blocks, read_directory

_IN_MEMORY = 64 << 20


def open_zip(url: str) -> tuple[ZipFolder, str] | None:
    """Return the archive of ``zip://FOLDER::/path/to.zip`` and the folder in it; None for another URL.

    Raises
    ------
    OSError
        If there is no such file.
    SegueError
        If it is no zip archive.
    """
    head, chained, archive = url.partition("::")
    archive = archive.removeprefix("file://")
    local = "://" not in archive and ("::" not in archive or os.path.exists(archive))
    if not head.startswith("zip://") or not chained or not local:
        return None
    return ZipFolder(os.path.abspath(archive)), head.removeprefix("zip://").strip("/")


@dataclass
class _Index:
    files: dict[str, Member] = field(default_factory=dict)
    folders: dict[str, list[str]] = field(default_factory=lambda: {"": []})


@lru_cache(maxsize=4)
def _index(archive: str, mtime_ns: int, size: int) -> _Index:
    """Return the members by name; kept for this process and the children that it forks.

    FMA's 106,574 clips take 0.7 s and some 80 MB.
    """
    made = _Index()
    for member in read_directory(archive):
        name = member.name.strip("/")
        if not member.is_folder:
            if name not in made.files:
                _enter(made, name)
            made.files[name] = member
        elif name and name not in made.folders:
            made.folders[name] = []
            _enter(made, name)
    return made


def _enter(index: _Index, name: str) -> None:
    """List ``name`` in its folder, and the folder in the one above, as far as they are new."""
    while True:
        folder = name.rpartition("/")[0]
        known = folder in index.folders
        index.folders.setdefault(folder, []).append(name)
        if known:
            return
        name = folder


class ZipFolder(AbstractFileSystem):
    """A local zip archive for reading, as fsspec's file systems are.

    Its directory is read once per process, a file's content when the file is opened: no open file is
    shared, so it may be forked, pickled and used by several threads. A file of up to 64 MiB is held in
    memory, a larger one is unpacked to an unnamed temporary file at the first seek.

    Parameters
    ----------
    archive
        Absolute path of the archive.
    """

    protocol = "zip"
    root_marker = ""
    cachable = False

    def __init__(self, archive: str, **options: Any) -> None:
        super().__init__(**options)
        self.archive = archive
        status = os.stat(archive)
        self._index = _index(archive, status.st_mtime_ns, status.st_size)

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return path.removeprefix("zip://").strip("/")

    def info(self, path: str, **options: Any) -> dict[str, Any]:
        """Return name, size, type and time of a member or folder."""
        name = self._strip_protocol(path)
        if member := self._index.files.get(name):
            return {"name": name, "size": member.size, "type": "file", "date_time": member.modified}
        if name in self._index.folders:
            return {"name": name, "size": 0, "type": "directory"}
        raise FileNotFoundError(f"there is no {name} in {self.archive}")

    def ls(self, path: str, detail: bool = True, **options: Any) -> list[Any]:
        """Return what is in a folder, or the file itself."""
        info = self.info(path)
        names = self._index.folders[info["name"]] if info["type"] == "directory" else [info["name"]]
        return [self.info(name) for name in sorted(names)] if detail else sorted(names)

    def _open(self, path: str, mode: str = "rb", **options: Any) -> BinaryIO | io.BufferedReader:
        if mode != "rb":
            raise OSError(f"{self.archive} is only read, never written")
        member = self._index.files.get(self._strip_protocol(path))
        if member is None:
            raise FileNotFoundError(f"there is no {path} in {self.archive}")
        if member.size > _IN_MEMORY:
            return io.BufferedReader(_Large(self.archive, member))
        with open(self.archive, "rb") as archive:
            return io.BytesIO(b"".join(blocks(archive, member)))


class _Large(io.RawIOBase):
    """A large member: unpacked as it is read, and to a temporary file once somebody seeks."""

    def __init__(self, archive: str, member: Member) -> None:
        self._archive = open(archive, "rb")  # noqa: SIM115 - closed by `close`.
        self._member = member
        self._blocks = blocks(self._archive, member)
        self._block = memoryview(b"")
        self._at = 0
        self._whole: io.FileIO | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._whole is not None:
            return self._whole.readinto(buffer) or 0
        if not self._block:
            self._block = memoryview(next((block for block in self._blocks if block), b""))
        taken = min(len(buffer), len(self._block))
        buffer[:taken] = self._block[:taken]
        self._block = self._block[taken:]
        self._at += taken
        return taken

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if self._whole is None:
            self._whole = self._unpacked()
            self._whole.seek(self._at)
        return self._whole.seek(offset, whence)

    def tell(self) -> int:
        return self._at if self._whole is None else self._whole.tell()

    def close(self) -> None:
        self._archive.close()
        if self._whole is not None:
            self._whole.close()
        super().close()

    def _unpacked(self) -> io.FileIO:
        whole = tempfile.TemporaryFile(buffering=0, prefix="segue-")  # noqa: SIM115 - the same.
        try:
            for block in blocks(self._archive, self._member):
                whole.write(block)
        except BaseException:
            whole.close()
            raise
        return whole
