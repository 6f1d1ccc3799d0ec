"""Unpack an archive into one folder: nothing outside of it, and whole or not at all."""

from __future__ import annotations

import os
import re
import shutil
import stat
import threading
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from segue.dataset.fetch.download import check_room
from segue.dataset.fetch.progress import Progress
from segue.dataset.zip_members import Member, UnreadableMember, blocks, read_directory
from segue.errors import SegueError

MOST_TIMES = 200
"""How many times its own size an archive may hold; tables packed with bzip2 reach 15."""
_BLOCK = 1 << 20
_MOST_THREADS = 8
_DRIVE = re.compile(r"[A-Za-z]:")


def unpack(archive: Path, target: Path, flat: bool = False, most_times: int = MOST_TIMES) -> int:
    """Unpack a zip archive to the folder ``target``, which appears when it is complete.

    Until then the files are in a folder beside it, whose name begins with a dot; those that are there from
    an earlier attempt are kept. Returns the number of files.

    Parameters
    ----------
    archive
        The archive.
    target
        A folder that is not there yet.
    flat
        Whether the members belong into ``target`` as they are; else all must lie in a folder of its name.
    most_times
        How many times its own size the archive may hold.

    Raises
    ------
    SegueError
        If a member would leave the folder, is a link or a device, stands twice, is damaged or packed in a
        way that is not read; if all is larger than it may be or than the disk has room for. ``target`` is
        not there then; what could be unpacked beside a damaged member is kept for the next attempt.
    """
    members = _checked(archive, read_directory(archive), "" if flat else target.name)
    staging = target.parent / f".{target.name}.unpacking"
    inner = staging / target.name
    files = [(member, _below(staging, inner, member, flat)) for member in members if not member.is_folder]
    total = sum(member.size for member in members)
    if total > most_times * archive.stat().st_size:
        raise SegueError(
            f"{archive} claims to hold {total:,} bytes, more than {most_times} times its own size: it is not "
            "unpacked, as it can only have been made to fill the disk"
        )
    left = [(member, file) for member, file in files if not _is_there(file, member)]
    missing = sum(member.size for member, _ in left)
    inner.mkdir(parents=True, exist_ok=True)
    check_room(target.parent, missing)
    with Progress(f"unpacking {archive.name}", total, total - missing) as progress:
        _Unpacking(archive, staging / ".parts", progress).run(left)
    for member in members:
        if member.is_folder:
            _below(staging, inner, member, flat).mkdir(parents=True, exist_ok=True)
    marker(target).write_text(f"{len(files)} files of {archive.name}\n", encoding="utf-8")
    inner.rename(target)
    shutil.rmtree(staging)
    return len(files)


def marker(target: Path) -> Path:
    """Return the file that tells, beside a folder that is there, that `unpack` has made it."""
    return target.with_name(f".{target.name}.unpacked")


def _checked(archive: Path, members: list[Member], folder: str) -> list[Member]:
    """Return the members if each may be written below a folder, and none is in the way of another."""
    files: set[str] = set()
    folders: set[str] = set()
    for member in members:
        name = member.name.rstrip("/")
        if reason := _why_not(member, folder):
            raise SegueError(f"{archive} is not unpacked: {member.name!a} in it {reason}")
        if not member.is_folder and (name in files or name in folders):
            raise SegueError(f"{archive} is not unpacked: {name!a} stands in it twice")
        (folders if member.is_folder else files).add(name)
        while name := name.rpartition("/")[0]:
            folders.add(name)
    if both := files & folders:
        raise SegueError(f"{archive} is not unpacked: {min(both)!a} in it is both a file and a folder")
    return members


def _why_not(member: Member, folder: str) -> str:
    """Return why a member must not be written below a folder; an empty text if it may."""
    name = member.name.rstrip("/")
    parts = name.split("/")
    kind = stat.S_IFDIR if member.is_folder else stat.S_IFREG
    reasons = (
        ("\0" in name, "has a zero byte in its name"),
        ("\\" in name, "has a backslash in its name, which other systems take for a folder"),
        (member.name.startswith("/") or _DRIVE.match(name), "is an absolute path"),
        ({"", ".", ".."}.intersection(parts), "is a path that leads elsewhere"),
        (member.kind == stat.S_IFLNK, "is a link"),
        (member.kind not in {0, kind}, "is a device, a pipe, or not what its name says"),
        (
            folder and (parts[0] != folder or (name == folder and not member.is_folder)),
            f"is outside of the folder {folder}, which is all that the archive should hold",
        ),
    )
    return next((reason for is_so, reason in reasons if is_so), "")


def _below(staging: Path, inner: Path, member: Member, flat: bool) -> Path:
    return (inner if flat else staging) / member.name


def _is_there(file: Path, member: Member) -> bool:
    """Tell whether a member was unpacked before: its size and content are those of the archive's."""
    try:
        found = file.lstat()
        if not stat.S_ISREG(found.st_mode) or found.st_size != member.size:
            return False
        crc = 0
        with open(file, "rb") as opened:
            while block := opened.read(_BLOCK):
                crc = zlib.crc32(block, crc)
    except OSError:
        return False
    return crc == member.crc


class _Unpacking:
    """Unpacks members in threads, as decompressing does not hold the interpreter's lock."""

    def __init__(self, archive: Path, parts: Path, progress: Progress) -> None:
        self._archive = archive
        self._parts = parts
        self._progress = progress
        self._stop = threading.Event()

    def run(self, files: Sequence[tuple[Member, Path]]) -> None:
        """Unpack all; damaged members are named in the end, what cannot be written ends it at once."""
        self._parts.mkdir(parents=True, exist_ok=True)
        damaged: list[str] = []
        with ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1)) as threads:
            tasks = [threads.submit(self._write, member, file) for member, file in files]
            try:
                damaged += [reason for task in as_completed(tasks) if (reason := task.result())]
            except BaseException:
                self._stop.set()
                threads.shutdown(cancel_futures=True)
                raise
        if damaged:
            others = f", and {len(damaged) - 1:,} others" if damaged[1:] else ""
            raise SegueError(
                f"{self._archive} is unpacked in part only: {min(damaged)}{others}; the rest of it is kept"
            )

    def _write(self, member: Member, file: Path) -> str:
        """Write one file whole or not at all; return why it is damaged, or an empty text."""
        part = self._parts / str(threading.get_ident())
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with open(self._archive, "rb") as archive, open(part, "wb") as made:
                for block in blocks(archive, member):
                    if self._stop.is_set():
                        return ""
                    made.write(block)
                    self._progress.add(len(block))
            os.replace(part, file)
        except UnreadableMember as error:
            return str(error.strerror)
        except OSError as error:
            raise SegueError(
                f"{os.fspath(file)!a} cannot be written ({error.strerror or error}): mend that and run the "
                "same command again, it goes on from here"
            ) from None
        return ""
