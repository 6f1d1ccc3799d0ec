"""Seven statistics of many series at once: kurtosis, max, mean, median, min, skew, std."""

from __future__ import annotations

import numpy as np
from numba import njit

# Below this many times scipy's own bound a series is nearly constant, and rounding decides.
_NEARLY = 1e3
# The fourth power of a standard deviation below this leaves the range of float32.
_UNDERFLOW = 1e-9


def summarise(series: np.ndarray, frames: int, kinds: np.ndarray) -> np.ndarray:
    """Return the statistics of each row's first ``frames`` values, float64 ``(rows, 7)``.

    They stand in the order of the module's first line.

    Skew and kurtosis are scipy.stats' (biased, normal distribution 0), and 0 where scipy gives NaN: where a
    series is constant to the precision of its type.

    Parameters
    ----------
    series
        float64 ``(rows, frames or more)``, contiguous.
    kinds
        For each row one of `FLOAT64`, `FLOAT32`, with `BY_FRAME` added where librosa keeps it frame by frame.
    """
    made = np.empty((len(series), 7))
    moments(series, frames, made)
    made[:, 3] = medians(series[:, :frames])
    precision = np.where(kinds & FLOAT32, np.finfo(np.float32).eps, np.finfo(np.float64).eps)
    bound = np.maximum(_NEARLY * precision * np.abs(made[:, 2]), np.where(kinds & FLOAT32, _UNDERFLOW, 0))
    for row in np.flatnonzero(made[:, 6] <= bound):
        made[row, 0], made[row, 5] = _as_scipy(series[row, :frames], int(kinds[row]))
    return made


FLOAT64, FLOAT32, BY_FRAME = 0, 1, 2


def medians(values: np.ndarray) -> np.ndarray:
    """Return the median over the last axis, in the values' own precision: `numpy.median` at half its cost."""
    middle = values.shape[-1] // 2
    parted = np.partition(values, middle, axis=-1)
    upper = parted[..., middle]
    if values.shape[-1] % 2:
        return upper
    return (parted[..., :middle].max(axis=-1) + upper) / values.dtype.type(2)


@njit(cache=True, error_model="numpy", fastmath={"reassoc", "contract"})
def moments(series, count, out):  # type: ignore[no-untyped-def]
    """Write all but the median, which is left as it was."""
    for row in range(len(series)):
        x = series[row]
        mean, least, most = 0.0, x[0], x[0]
        for i in range(count):
            mean += x[i]
            least = min(least, x[i])
            most = max(most, x[i])
        mean /= count
        second, third, fourth = 0.0, 0.0, 0.0
        for i in range(count):
            d = x[i] - mean
            square = d * d
            second += square
            third += square * d
            fourth += square * square
        second, third, fourth = second / count, third / count, fourth / count
        out[row, 0] = fourth / (second * second) - 3 if second > 0 else 0
        out[row, 1] = most
        out[row, 2] = mean
        out[row, 4] = least
        out[row, 5] = third / second**1.5 if second > 0 else 0
        out[row, 6] = np.sqrt(second)


def _as_scipy(row: np.ndarray, kind: int) -> tuple[float, float]:
    """Return kurtosis and skew of a nearly constant series, rounded step by step as scipy rounds them.

    There the result is the rounding's, and it depends on how numpy sums: rows one by one, or frame by frame.
    """
    x = row.astype(np.float32 if kind & FLOAT32 else np.float64)
    a = np.stack([x, x], axis=1).T if kind & BY_FRAME else x[None]
    mean = a.mean(axis=1, keepdims=True)
    d = a - mean
    square = d**2
    second, third, fourth = (part.mean(axis=1)[0] for part in (square, square * d, square**2))
    if second <= (np.finfo(a.dtype).eps * mean[0, 0]) ** 2:
        return 0.0, 0.0
    with np.errstate(all="ignore"):
        found = float(fourth / second**2 - 3), float(third / second**1.5)
    return (found[0] if np.isfinite(found[0]) else 0.0), (found[1] if np.isfinite(found[1]) else 0.0)
