"""Whether an archive is the one that was published."""

from __future__ import annotations

import hashlib
from pathlib import Path

from segue.dataset.fetch.progress import Progress
from segue.dataset.fetch.sources import Source
from segue.dataset.zip_members import UnreadableMember, blocks, read_directory
from segue.errors import SegueError

_BLOCK = 1 << 20


def why_wrong(source: Source, file: Path) -> str:
    """Return what is wrong with a file that should be the source's archive; an empty text if nothing is.

    Its published checksum decides; where there is none, its size as far as it is known, and the CRC-32 of
    every file in it.
    """
    try:
        size = file.stat().st_size
        if source.exact and size != source.size:
            return f"has {size:,} bytes and should have {source.size:,}"
        if source.checksum is None:
            return _why_damaged(file)
        algorithm, expected = source.checksum
        found = digest(file, algorithm)
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"
    return "" if found == expected else f"has the {algorithm.upper()} {found} and should have {expected}"


def digest(file: Path, algorithm: str) -> str:
    """Return the checksum of a file's content in hexadecimal digits."""
    made = hashlib.new(algorithm, usedforsecurity=False)
    with open(file, "rb") as opened, Progress(f"verifying {file.name}", file.stat().st_size) as progress:
        while block := opened.read(_BLOCK):
            made.update(block)
            progress.add(len(block))
    return made.hexdigest()


def _why_damaged(file: Path) -> str:
    try:
        members = read_directory(file)
        with open(file, "rb") as opened:
            for member in members:
                for _ in () if member.is_folder else blocks(opened, member):
                    pass
    except UnreadableMember as error:
        return f"is damaged: {error.strerror}"
    except SegueError:
        return "is no whole zip archive"
    return ""
