"""How long each stage takes, and how large a process grew."""

from __future__ import annotations

import re
import time
from pathlib import Path


class Stopwatch:
    """Charges what passes to named stages; ``seconds`` holds their sums."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        """Charge what passed since the last lap to a stage."""
        self.split(stage, {})

    def split(self, stage: str, parts: dict[str, float]) -> None:
        """Charge what passed since the last lap to its known parts, and the rest to ``stage``."""
        now = time.perf_counter()
        for part, seconds in (*parts.items(), (stage, now - self._last - sum(parts.values()))):
            self.seconds[part] = self.seconds.get(part, 0.0) + seconds
        self._last = now


def peak_mib(pid: int | None) -> float:
    """Return the most memory that a process has had resident, in MiB; 0.0 where nobody can say."""
    try:
        found = re.search(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0
