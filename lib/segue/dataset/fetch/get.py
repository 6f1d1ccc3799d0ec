"""Fetch a data set: what is missing of download, verification and unpacking, and no more."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from segue.dataset.fetch.download import Download, Patience, check_room, discard
from segue.dataset.fetch.sources import Source
from segue.dataset.fetch.unpack import marker, unpack
from segue.dataset.fetch.verify import why_wrong
from segue.errors import SegueError

Report = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Fetched:
    """What `fetch` found or made: the folder, or the archive that was not unpacked; and how it was checked.

    ``new`` is False where everything was there already.
    """

    name: str
    path: str
    new: bool
    verified_by: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is wanted of a fetch.

    ``mirror`` is a folder that has the archive, None for the source's own address. ``unpacked`` False
    leaves the archive as it is; ``keep_archive`` keeps it beside the folder.
    """

    mirror: Path | None = None
    unpacked: bool = True
    keep_archive: bool = False
    patience: Patience = field(default_factory=Patience)


def fetch(source: Source, folder: Path, wishes: Wishes, report: Report) -> Fetched:
    """Bring a data set to a folder, going on where an earlier attempt stopped.

    Parameters
    ----------
    source
        What to fetch.
    folder
        Where its own folder, or its archive, will be.
    wishes
        From where, and in what form.
    report
        Is told each step.

    Raises
    ------
    SegueError
        If it cannot be had, is not what was published, or there is no room; the text says what to do. No
        file is left that has not been verified, but for the ``.part`` of an unfinished download.
    """
    started = time.monotonic()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SegueError(f"{folder} cannot be made ({error.strerror}): name another one with --to") from None
    with _alone(folder / f".{source.name}.lock", source.name):
        path, new = _bring(source, folder, wishes, report)
    return Fetched(source.name, str(path), new, source.verified_by, time.monotonic() - started)


def _bring(source: Source, folder: Path, wishes: Wishes, report: Report) -> tuple[Path, bool]:
    target, archive = folder / source.folder, folder / source.archive
    if wishes.unpacked and _is_unpacked(source, target):
        _drop_unwanted(archive, wishes)
        report(f"{source.name}: {target} is there, complete")
        return target, False
    had = archive.exists()
    if had:
        _check_own(source, archive)
        report(f"{source.name}: {archive} is there, verified ({source.verified_by})")
    else:
        _obtain(source, archive, wishes, report)
        report(f"{source.name}: {archive} is verified ({source.verified_by})")
    if not wishes.unpacked:
        return archive, not had
    count = unpack(archive, target, source.flat)
    report(f"{source.name}: {count:,} files are unpacked to {target}")
    _drop_unwanted(archive, wishes)
    return target, True


def _unwanted(archive: Path) -> Path:
    """Return the file that tells of an archive that it was fetched only to be unpacked."""
    return archive.with_name(f".{archive.name}.unwanted")


def _drop_unwanted(archive: Path, wishes: Wishes) -> None:
    """Remove an archive that was fetched only to be unpacked, by this attempt or one that was killed."""
    if _unwanted(archive).exists():
        if not wishes.keep_archive:
            archive.unlink(missing_ok=True)
        _unwanted(archive).unlink()


def _obtain(source: Source, archive: Path, wishes: Wishes, report: Report) -> None:
    """Bring the archive, verified, to its place."""
    part = archive.with_name(f"{archive.name}.part")
    room = source.unpacked if wishes.unpacked else 0
    if wishes.mirror is None:
        Download(source, part, wishes.patience, report, room).run()
    else:
        _copy(source, wishes.mirror, part, room)
    if reason := why_wrong(source, part):
        discard(part)
        where = source.url if wishes.mirror is None else wishes.mirror / source.archive
        raise SegueError(
            f"what came from {where} {reason}: it is removed. Run the same command again; if that ends "
            "alike, the file there is not the right one: name a folder that has it with --mirror"
        )
    if wishes.unpacked and not wishes.keep_archive:
        _unwanted(archive).touch()
    else:
        _unwanted(archive).unlink(missing_ok=True)
    part.replace(archive)
    discard(part)


def _copy(source: Source, mirror: Path, part: Path, room: int) -> None:
    """Link the archive of a mirror folder to ``part``, or copy it to another file system."""
    origin = mirror / source.archive
    if not origin.is_file():
        raise SegueError(f"there is no {source.archive} in {mirror}: put it there, or leave --mirror out")
    discard(part)
    try:
        check_room(part.parent, room)
        os.link(origin.resolve(), part)
    except OSError:
        # Another file system, or one without hard links.
        check_room(part.parent, origin.stat().st_size + room)
        try:
            shutil.copyfile(origin, part)
        except OSError as error:
            discard(part)
            raise SegueError(f"{origin} cannot be copied to {part} ({error.strerror}): mend that") from None


def _check_own(source: Source, archive: Path) -> None:
    if reason := why_wrong(source, archive):
        raise SegueError(
            f"{archive} is there, but {reason}: remove it, or name another folder with --to; then run again"
        )


def _is_unpacked(source: Source, target: Path) -> bool:
    """Tell whether the folder is there as `unpack` left it.

    Raises
    ------
    SegueError
        If there is one that comes from elsewhere, so that nobody knows whether it is complete.
    """
    if not os.path.lexists(target):
        return False
    if marker(target).exists():
        return True
    raise SegueError(
        f"{target} is there, but was not unpacked by this command, so it may be incomplete: remove it, or "
        "name another folder with --to"
    )


@contextmanager
def _alone(lock: Path, name: str) -> Iterator[None]:
    """Hold a lock that goes when its holder does, however it ends.

    Raises
    ------
    SegueError
        If another process holds it.
    """
    while True:
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise SegueError(
                f"{lock.parent} cannot be written to ({error.strerror}): name another folder with --to"
            ) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 20, 0).decode() or "unknown"
            os.close(descriptor)
            raise SegueError(
                f"another process ({holder}) is fetching {name} to {lock.parent}: wait until it has ended"
            ) from None
        # Its last holder may have removed the file in between.
        if _is_still(lock, descriptor):
            break
        os.close(descriptor)
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        lock.unlink(missing_ok=True)
        os.close(descriptor)


def _is_still(lock: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(lock), os.fstat(descriptor))
    except FileNotFoundError:
        return False
