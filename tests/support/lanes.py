"""Which tests stay together when several pytest workers share the suite, and which go first.

Each worker is a process with a broker, a document store and a Spark of its own. What it takes at a time is a
lane: a file, or those files that share something too dear to be made twice.
"""

import os
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

_SHARING = {
    "tests/browser/": "the small run",
    "tests/notebooks/test_notebooks_run.py": "the small run",
    "tests/test_listen.py": "the small run",
    "tests/models/": "fitted models",
}
_ORDER = ("the small run", "fitted models")


def lane(nodeid: str) -> str:
    """Return the lane of a test."""
    file = nodeid.split("::", 1)[0]
    return next((name for start, name in _SHARING.items() if file.startswith(start)), file)


class Lanes(LoadScopeScheduling):
    """Gives a worker that is nearly done the next lane, in the order of `put_heavy_first`."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return lane(nodeid)

    def schedule(self) -> None:
        """Give work, and tell a worker whose last test this is: it waits to know what follows."""
        super().schedule()
        for node in self.nodes:
            self._reschedule(node)

    def remove_node(self, node: WorkerController) -> str | None:
        """Hand on what a dead worker had left, but not the test it died of, which would kill the next."""
        workload = self.assigned_work.pop(node)
        left = [(unit, test) for unit in workload.values() for test, done in unit.items() if not done]
        if not left:
            return None
        unit, deadly = left[0]
        unit[deadly] = True
        self.workqueue.update({name: unit for name, unit in workload.items() if not all(unit.values())})
        for other in self.assigned_work:
            self._reschedule(other)
        return deadly


def put_heavy_first(items: list[pytest.Item]) -> None:
    """Sort tests by the weight of their lanes, so that no worker is left with a long lane in the end."""
    ranks: dict[str, int] = {}
    for item in items:
        name = lane(item.nodeid)
        ranks[name] = min(ranks.get(name, 9), _rank(item))
    items.sort(key=lambda item: ranks[lane(item.nodeid)])


def _rank(item: pytest.Item) -> int:
    name = lane(item.nodeid)
    if name in _ORDER:
        return _ORDER.index(name)
    if item.get_closest_marker("slow") is None:
        return 4
    return 2 if "services" in getattr(item, "fixturenames", ()) else 3


def cache_of_this_worker(cache: Path) -> None:
    """Give each worker compiled functions of its own: tests compile without the lock, with odd types."""
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        os.environ["NUMBA_CACHE_DIR"] = str(cache / worker)
