"""A table of metrics with the interval beside each value."""

from __future__ import annotations

import pandas as pd

_DIGITS = {"listeners": 0, "queries": 0, "fit_s": 1, "ms_per_listener": 2, "ms_per_query": 2}


def with_intervals(table: pd.DataFrame) -> pd.DataFrame:
    """Return one column a model and one row a figure: ``mean (low to high)`` where there is an interval.

    Parameters
    ----------
    table
        One row a model: ``model``, values, and ``<value>_low`` and ``<value>_high`` of some.
    """
    rows = table.set_index("model")
    shown = {}
    for name in rows.columns:
        if name.endswith(("_low", "_high")):
            continue
        shown[name.replace("_", " ")] = [_cell(row, name) for _, row in rows.iterrows()]
    return pd.DataFrame.from_dict(shown, orient="index", columns=list(rows.index))


def _cell(row: pd.Series, name: str) -> str:
    if isinstance(row[name], str):
        return row[name]
    text = f"{row[name]:,.{_DIGITS.get(name, 3)}f}"
    if f"{name}_low" not in row:
        return text
    return f"{text} ({row[f'{name}_low']:.3f} to {row[f'{name}_high']:.3f})"
