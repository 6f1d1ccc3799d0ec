"""How long a short step takes on one core."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def median_ms(steps: Sequence[Callable[[], Any]]) -> float:
    """Return the median milliseconds by the clock of the steps, the first run once before.

    Linear algebra has one thread meanwhile: others spin while they wait, and a query is too short for them.
    """
    from threadpoolctl import threadpool_limits

    spent = []
    with threadpool_limits(1):
        steps[0]()
        for step in steps:
            start = time.perf_counter()
            step()
            spent.append(time.perf_counter() - start)
    return float(1000 * np.median(spent))
