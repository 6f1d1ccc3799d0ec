"""Arrays in numpy's own ``.npz`` form, laid out so that they are used where they lie in the file.

Hundreds of megabytes are then there as soon as they have been read once, and processes that load the same
file share them.
"""

from __future__ import annotations

import io
import mmap
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import numpy as np
from numpy.lib import format as npy

_ALIGNED = 64
"""What numpy pads the header inside a ``.npy`` file to."""
_PADDING = 0xD935
"""The kind of extra field that pads files in a zip archive, as Android's zipalign names it."""
_LOCAL_HEADER = 30
_NO_DATE = (1980, 1, 1, 0, 0, 0)


def write(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays into a file in one step; who uses those of a file that was there before keeps them."""
    draft = path.with_name(path.name + ".part")
    with draft.open("wb") as file, ZipFile(file, "w", ZIP_STORED) as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            npy.write_array(content, np.asanyarray(array), allow_pickle=False)
            entry = ZipInfo(f"{name}.npy", _NO_DATE)
            begins = file.tell() + _LOCAL_HEADER + len(entry.filename.encode()) + 4
            entry.extra = struct.pack("<HH", _PADDING, -begins % _ALIGNED) + bytes(-begins % _ALIGNED)
            archive.writestr(entry, content.getbuffer())
    os.replace(draft, path)


def content(path: Path) -> mmap.mmap | bytes:
    """Return the bytes of a file without reading them all at once.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return b""
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def arrays(content: mmap.mmap | bytes) -> dict[str, np.ndarray]:
    """Return the arrays in the content of a ``.npz`` file, read-only; those not aligned are copied.

    Raises
    ------
    ValueError, zipfile.BadZipFile
        If it is not such a file.
    """
    with ZipFile(io.BufferedReader(_Reader(content))) as archive:
        if any(entry.compress_type != ZIP_STORED for entry in archive.infolist()):
            raise ValueError("compressed")
        return {
            entry.filename.removesuffix(".npy"): _array(content, entry.header_offset)
            for entry in archive.infolist()
        }


def _array(content: mmap.mmap | bytes, entry: int) -> np.ndarray:
    name, extra = struct.unpack_from("<HH", content, entry + 26)
    reader = _Reader(content)
    reader.seek(entry + _LOCAL_HEADER + name + extra)
    if npy.read_magic(reader) != (1, 0):
        raise ValueError("a header of another version")
    shape, by_column, dtype = npy.read_array_header_1_0(reader)
    if dtype.hasobject:
        raise ValueError("objects")
    count = int(np.prod(shape, dtype=np.int64))
    found = np.frombuffer(content, dtype, count, reader.tell()) if count else np.empty(0, dtype)
    if not found.flags.aligned:
        found = found.copy()
    found.setflags(write=False)
    return found.reshape(shape, order="F" if by_column else "C")


class _Reader(io.RawIOBase):
    """Reads from bytes in memory without a copy of them all."""

    def __init__(self, content: mmap.mmap | bytes) -> None:
        self._view, self._at = memoryview(content), 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: len(self._view)}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: object) -> int:
        target = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        part = self._view[self._at : self._at + len(target)]
        target[: len(part)] = part
        self._at += len(part)
        return len(part)
