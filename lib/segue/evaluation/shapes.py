"""Three more numbers of each series, from the seven statistics that FMA's table has of it."""

from __future__ import annotations

import numpy as np
import pandas as pd

_NEEDED = ("max", "mean", "median", "min", "std")


def with_shapes(features: pd.DataFrame) -> pd.DataFrame | None:
    """Return the features with the shape of each series beside them: how far its extremes and median lie.

    For each series of mean m and standard deviation s: (max - m) / s, (m - min) / s and (m - median) / s,
    0 where s is 0. No classifier that adds features up can make these ratios itself.

    Parameters
    ----------
    features
        Columns of the levels feature, statistics and number as in FMA's features.csv, or names
        ``feature.statistic.number``.

    Returns
    -------
    pandas.DataFrame or None
        n rows, the columns as they were and three for each series; None where the columns have no such names,
        or no series has all five statistics.
    """
    parts = [column if isinstance(column, tuple) else str(column).split(".") for column in features.columns]
    if any(len(part) != 3 for part in parts):
        return None
    place = {(str(f), str(s), str(number)): i for i, (f, s, number) in enumerate(parts)}
    series = list(dict.fromkeys((f, number) for f, _, number in place))
    whole = [own for own in series if all((own[0], name, own[1]) in place for name in _NEEDED)]
    if not whole:
        return None
    values = features.to_numpy(np.float64)
    high, mean, median, low, deviation = (
        values[:, [place[f, name, number] for f, number in whole]] for name in _NEEDED
    )
    ratios = [
        np.divide(part, deviation, out=np.zeros_like(part), where=deviation > 0)
        for part in (high - mean, mean - low, mean - median)
    ]
    names = [f"{f}.{kind}.{number}" for kind in ("above", "below", "lean") for f, number in whole]
    plain = [".".join(map(str, part)) for part in parts]
    return pd.DataFrame(np.hstack([values, *ratios]), index=features.index, columns=plain + names)
