"""Absolute times of a machine mean little alone: these stand beside them."""

import statistics
import time

import numpy as np


def matrix_product_ms(size: int = 1_024, repeats: int = 9) -> float:
    """Return the median milliseconds of a float32 matrix product of ``size`` x ``size``, all threads."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, size, size), dtype=np.float32)
    a @ b
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        a @ b
        times.append(time.perf_counter() - start)
    return 1_000 * statistics.median(times)
