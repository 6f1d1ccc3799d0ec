"""A worker's seat in its group: who takes it after a sudden death is known at once for the one who had it."""

from __future__ import annotations

import fcntl
import os
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4


class Seat:
    """The first free seat of this home, held until `leave` or the end of the process, however it ends.

    Kafka gives a static member (KIP-345) that comes back the partitions it had, without waiting for the
    session of the dead one to time out. No living worker may have the same name: it is that of a locked file.

    Parameters
    ----------
    folder
        Where the seats' files are; made if need be.

    Attributes
    ----------
    name
        Unique among all living workers: an id of this seat's own, and its number.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for number in count():
            descriptor = os.open(folder / f"seat-{number}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                continue
            self._descriptor: int | None = descriptor
            self.name = f"{_own_id(descriptor)}-{number}"
            return

    def leave(self) -> None:
        """Let another worker have the seat."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()


def _own_id(descriptor: int) -> str:
    """Return the id that a locked file holds, written when the file is new."""
    found = os.pread(descriptor, 32, 0).decode("ascii", "replace")
    if len(found) != 32:
        found = uuid4().hex
        os.pwrite(descriptor, found.encode(), 0)
    return found
