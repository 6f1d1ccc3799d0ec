"""The file of a data set's index, which a server and all its kernels share; made anew when the cards change.

``python -m segue.player.search_file DATABASE`` makes it.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from segue import array_file
from segue.player.place import Place
from segue.player.search_index import Index, arrays_of
from segue.player.store_link import AWAY
from segue.settings import Settings
from segue.store import Store, open_store

log = logging.getLogger(__name__)

_LOOK_S = 2.0
_REST = 10.0
"""A process that makes an index is followed by so many times its seconds without one."""

_open: dict[Path, tuple[tuple[int, int], Index]] = {}


def index_for(place: Place, store: Store) -> Index:
    """Return the index of a place's data set; where there is none yet it is made first.

    Under `segue player` the server sees to it that it is of the present cards (`keep`), elsewhere this does.
    """
    path = file_of(place.settings, place.database)
    index = opened(path)
    if index is None or (place.local and index.edition != store.cards.edition()):
        index = make(path, store)
    return index


def file_of(settings: Settings, database: str) -> Path:
    """Return where the index of a data set is kept."""
    return settings.var / "search" / f"{database}.npz"


def opened(path: Path) -> Index | None:
    """Return the index in a file, mapped into memory once a process; None where there is none to be read."""
    try:
        found = os.stat(path)
        identity = found.st_ino, found.st_mtime_ns
        known = _open.get(path)
        if known is None or known[0] != identity:
            known = _open[path] = identity, Index(path)
    except FileNotFoundError:
        return None
    except ValueError as error:
        log.warning("%s is made anew: %s", path, error)
        return None
    return known[1]


def make(path: Path, store: Store) -> Index:
    """Write the index of a store's cards unless another process just has, and return it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(path):
        edition = store.cards.edition()
        index = opened(path)
        if index is None or index.edition != edition:
            array_file.write(path, arrays_of(store.cards.texts(), edition))
            index = opened(path)
            assert index is not None
    return index


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


async def keep(settings: Settings, store: Callable[[], Store]) -> None:
    """Let the file of the data set that is played follow its cards, until this is cancelled.

    Each index is made by a process of its own, so that no visitor waits for it.

    Parameters
    ----------
    store
        Gives the store of the data set that is played.
    """
    while True:
        pause = _LOOK_S
        try:
            found = store()
            if await asyncio.to_thread(_is_stale, settings, found):
                pause = max(pause, _REST * await _make_aside(settings, found.database))
        except AWAY as error:
            log.warning("no look at the cards: %s", error)
        except Exception:
            log.exception("the search could not be looked after")
        await asyncio.sleep(pause)


def _is_stale(settings: Settings, store: Store) -> bool:
    index = opened(file_of(settings, store.database))
    return index is None or index.edition != store.cards.edition()


async def _make_aside(settings: Settings, database: str) -> float:
    """Make the index in another process and return the seconds that it took."""
    began = time.monotonic()
    environment = {"SEGUE_HOME": str(settings.home), "SEGUE_MONGO": settings.mongo_uri}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "segue.player.search_file", database, env=os.environ | environment
    )
    try:
        if status := await process.wait():
            log.warning("the index for the search could not be made: status %d", status)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return time.monotonic() - began


def main() -> None:
    """Make the index of the database that the command line names."""
    settings, database = Settings(), sys.argv[1]
    with open_store(settings.mongo_uri, database) as store:
        make(file_of(settings, database), store)


if __name__ == "__main__":
    main()
