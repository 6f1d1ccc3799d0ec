"""Where compiled functions are kept, and a lock so that one process at a time compiles them."""

from __future__ import annotations

import fcntl
import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_VARIABLE = "NUMBA_CACHE_DIR"
_ROOMS = ("audio", "live/kernels", "models/kernels")
"""Where compiled functions are."""

_done = False


@contextmanager
def compiling() -> Iterator[None]:
    """Wrap the first use of compiled functions: this process's first, and one process's at a time.

    Two processes that fill numba's cache together can leave code of one signature under the name of
    another, and every later process that loads it dies of a segmentation fault. So the first use must be of
    everything, and every use with arrays of the same types and layouts.
    """
    global _done  # noqa: PLW0603 (what a process has compiled is a fact about the process)
    if _done:
        yield
        return
    with one_at_a_time():
        yield
    _done = True


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold the lock that processes share which fill the same cache; not to be nested."""
    with (own_cache() / "segue.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def own_cache() -> Path:
    """Give numba a folder that other programs do not fill without a lock, also if it is imported already."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = Path(os.environ.setdefault(_VARIABLE, os.path.join(cache, "segue", "numba", _sources())))
    folder.mkdir(parents=True, exist_ok=True)
    if "numba" in sys.modules:
        sys.modules["numba"].config.CACHE_DIR = str(folder)
    return folder


def _sources() -> str:
    """Return a name for the functions as they are written now.

    numba looks at the file of a function and not at those of what it calls, and installed files may all bear
    the same date.
    """
    digest = hashlib.sha256()
    here = Path(__file__).parent
    for path in sorted(each for room in _ROOMS for each in (here / room).rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
