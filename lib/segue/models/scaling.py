"""Features brought to one scale, with the parameters that do the same to tracks that come later."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segue.errors import SegueError


@dataclass(frozen=True, eq=False)
class Scaling:
    """The map ``(x - offset) * factor`` of each column; a factor of 0 marks a constant column.

    ``offset`` and ``factor`` are float64[d]. Columns that were constant become 0 whatever comes later.
    """

    offset: np.ndarray
    factor: np.ndarray

    def apply(self, features: np.ndarray) -> np.ndarray:
        """Return float32[n, d]: ``features`` (float[n, d]) on this scale.

        Raises
        ------
        SegueError
            If the number of columns differs or a value is not finite.
        """
        values = _finite(features)
        if values.shape[1] != self.offset.size:
            raise SegueError(f"{values.shape[1]} columns given, the scale was made for {self.offset.size}")
        return ((values - self.offset) * self.factor).astype(np.float32)

    @property
    def constant(self) -> np.ndarray:
        """Return bool[d]: the columns that told nothing apart."""
        return self.factor == 0

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the parameters as arrays for ``numpy.savez``; ``Scaling(**arrays)`` turns them back."""
        return {"offset": self.offset, "factor": self.factor}


def standardise(features: np.ndarray) -> tuple[np.ndarray, Scaling]:
    """Return float32[n, d] with mean 0 and standard deviation 1 in each column, and the `Scaling`.

    The deviation is the population's (divided by n). Constant columns become 0.

    Raises
    ------
    SegueError
        If ``features`` (float[n, d]) is empty, not two-dimensional, or not finite.
    """
    values = _finite(features)
    return _scaled(values, values.mean(axis=0), values.std(axis=0))


def min_max(features: np.ndarray) -> tuple[np.ndarray, Scaling]:
    """Return float32[n, d] with each column from 0 to 1, and the `Scaling`; constant columns become 0.

    Raises
    ------
    SegueError
        As `standardise` does.
    """
    values = _finite(features)
    low = values.min(axis=0)
    return _scaled(values, low, values.max(axis=0) - low)


def _scaled(values: np.ndarray, offset: np.ndarray, spread: np.ndarray) -> tuple[np.ndarray, Scaling]:
    # Features are stored as float32: a spread below its resolution is rounding, not information.
    informative = spread > np.finfo(np.float32).eps * np.abs(values).max(axis=0)
    factor = np.divide(1.0, spread, out=np.zeros_like(spread), where=informative)
    scaling = Scaling(offset, factor)
    return ((values - offset) * factor).astype(np.float32), scaling


def _finite(features: np.ndarray) -> np.ndarray:
    values = np.asarray(features, dtype=np.float64)
    if values.ndim != 2 or not values.size:
        raise SegueError(
            f"features have shape {values.shape}: n tracks by d columns are needed, both above 0"
        )
    bad = ~np.isfinite(values)
    if bad.any():
        rows, columns = np.nonzero(bad)
        raise SegueError(
            f"{rows.size} feature values are not finite, the first in row {rows[0]}, column {columns[0]}: "
            "leave these tracks out or impute the values"
        )
    return values
