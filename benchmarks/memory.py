"""How much memory a process and what it started hold at most."""

import threading
from types import TracebackType
from typing import Self

import psutil

_EVERY_S = 0.2
_MIB = 2**20


class Peak:
    """Samples while a block runs; ``java`` and ``python`` are the most MiB that each held (RSS and PSS).

    Pages that processes share are counted for each in RSS and once in PSS; PSS of a large process takes
    long to read and is sampled once in ten times.
    """

    def __init__(self) -> None:
        self.rss: dict[str, float] = {"java": 0.0, "python": 0.0}
        self.pss: dict[str, float] = {"java": 0.0, "python": 0.0}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        turn = 0
        while not self._over.is_set():
            self._sample(whole=turn % 10 == 0)
            turn += 1
            self._over.wait(_EVERY_S)
        self._sample(whole=True)

    def _sample(self, *, whole: bool) -> None:
        me = psutil.Process()
        rss, pss = dict.fromkeys(self.rss, 0.0), dict.fromkeys(self.pss, 0.0)
        for process in (me, *me.children(recursive=True)):
            try:
                kind = "java" if process.name() == "java" else "python"
                rss[kind] += process.memory_info().rss / _MIB
                if whole:
                    pss[kind] += process.memory_full_info().pss / _MIB
            except psutil.NoSuchProcess:
                continue
        for kind in rss:
            self.rss[kind] = max(self.rss[kind], rss[kind])
            self.pss[kind] = max(self.pss[kind], pss[kind])
