"""How sure a mean is: bootstrap intervals over listeners, queries, or groups of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segue.errors import SegueError

RESAMPLES = 2_000
_VALUES_AT_ONCE = 4_000_000


class Interval(NamedTuple):
    """A mean and the percentile bootstrap interval around it."""

    mean: float
    low: float
    high: float


class Difference(NamedTuple):
    """The mean of a - b, its interval, and the two-sided bootstrap p-value of "no difference"."""

    mean: float
    low: float
    high: float
    p: float


def bootstrap_mean(
    values: np.ndarray, *, groups: np.ndarray | None = None, level: float = 0.95, seed: int = 0
) -> Interval:
    """Return the mean of float[m] and its interval by the percentile bootstrap (Efron 1979).

    Parameters
    ----------
    values
        One value a listener or query.
    groups
        [m]: what belongs together (queries of one artist, say). Whole groups are drawn then, as values
        within a group are not independent. With a single listener or group the interval has no width.

    Raises
    ------
    SegueError
        If there are no values or one is not finite.
    """
    means = _one(values, groups, seed)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(np.mean(values)), float(low), float(high))


def paired_difference(
    a: np.ndarray, b: np.ndarray, *, groups: np.ndarray | None = None, level: float = 0.95, seed: int = 0
) -> Difference:
    """Return how much better a is than b on the same listeners, drawn in pairs.

    Parameters
    ----------
    a, b
        float[m] each, of the same listeners in the same order; ``groups`` as in `bootstrap_mean`.

    Raises
    ------
    SegueError
        As `bootstrap_mean` does, or if the lengths differ.
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if a.shape != b.shape:
        raise SegueError(f"{a.shape} and {b.shape} values cannot be paired: give both for the same listeners")
    means = _one(a - b, groups, seed)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Difference(float(np.mean(a - b)), float(low), float(high), p_value(means))


def p_value(means: np.ndarray) -> float:
    """Return the two-sided p-value of "no difference" from float[r] resampled mean differences.

    Twice the share of resamples on the rarer side of 0, the observed one counted in (Davison and Hinkley
    1997, section 4.2): never below 2 / (r + 1).
    """
    tail = min(np.count_nonzero(means <= 0), np.count_nonzero(means >= 0))
    return float(min(1.0, 2 * (tail + 1) / (means.size + 1)))


def bootstrap_means(
    values: np.ndarray, *, groups: np.ndarray | None = None, level: float = 0.95, seed: int = 0
) -> list[Interval]:
    """Return for each column of float[m, c] what `bootstrap_mean` gives it, from draws that all share."""
    values = np.asarray(values, dtype=np.float64)
    low, high = np.quantile(
        resampled_means(values, groups, seed=seed), [(1 - level) / 2, (1 + level) / 2], axis=0
    )
    return [Interval(*map(float, own)) for own in zip(values.mean(axis=0), low, high, strict=True)]


def resampled_means(
    values: np.ndarray, groups: np.ndarray | None = None, *, resamples: int = RESAMPLES, seed: int = 0
) -> np.ndarray:
    """Return float64[resamples, c]: means of float[m, c] over listeners drawn with replacement.

    All columns share the draws, so that differences between them are drawn in pairs. ``groups`` as in
    `bootstrap_mean`.

    Raises
    ------
    SegueError
        If there are no values or one is not finite.
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 2 or not values.size:
        raise SegueError(f"an interval needs values of listeners, not shape {values.shape}")
    if not np.isfinite(values).all():
        raise SegueError("a value is not finite: an interval over it would mean nothing")
    member = np.arange(len(values)) if groups is None else np.unique(groups, return_inverse=True)[1]
    sizes = np.bincount(member)
    sums = np.stack([np.bincount(member, weights=column) for column in values.T], axis=1)
    generator = np.random.default_rng(seed)
    chunk = max(1, _VALUES_AT_ONCE // sizes.size)
    means = []
    for start in range(0, resamples, chunk):
        rows = min(chunk, resamples - start)
        drawn = generator.integers(sizes.size, size=(rows, sizes.size))
        drawn += np.arange(rows)[:, None] * sizes.size
        times = np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape).astype(np.float64)
        means.append(times @ sums / (times @ sizes)[:, None])
    return np.concatenate(means)


def _one(values: np.ndarray, groups: np.ndarray | None, seed: int) -> np.ndarray:
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1:
        raise SegueError(f"an interval needs a row of values, not shape {values.shape}")
    return resampled_means(values[:, None], groups, seed=seed)[:, 0]
