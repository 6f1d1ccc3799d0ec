"""Wait for something that is to come true, and say so when it does not."""

import time
from collections.abc import Callable
from typing import Any


def wait_until(holds: Callable[[], Any], seconds: float, what: str) -> Any:
    """Return the first true value of ``holds``; fail with ``what`` when there is none in time."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if found := holds():
            return found
        time.sleep(0.05)
    raise AssertionError(f"after {seconds:g} s still not: {what}")
