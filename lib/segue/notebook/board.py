"""A table of metrics with the interval beside each value."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

_DIGITS = {
    "listeners": 0, "queries": 0, "asked_artists": 0, "fit_s": 1, "ms_per_listener": 2, "ms_per_query": 2,
}  # fmt: skip


def with_intervals(table: pd.DataFrame, metrics: Sequence[str] = ()) -> pd.DataFrame:
    """Return one row a model, the best of the first figure on top, and one column a figure.

    A cell is ``mean (low to high)`` where there is an interval.

    Parameters
    ----------
    table
        One row a model: ``model``, values, and ``<value>_low`` and ``<value>_high`` of some.
    metrics
        Which figures, all by default.
    """
    rows = table.set_index("model")
    names = metrics or [name for name in rows.columns if not name.endswith(("_low", "_high"))]
    rows = rows.sort_values(names[0], ascending=False, kind="stable")
    shown = {
        name.replace("_", " "): [_cell(row, name) for _, row in rows.iterrows()]
        for name in names
        if name in rows.columns
    }
    return pd.DataFrame(shown, index=rows.index)


def _cell(row: pd.Series, name: str) -> str:
    if isinstance(row[name], str):
        return row[name]
    text = f"{row[name]:,.{_DIGITS.get(name, 3)}f}"
    if f"{name}_low" not in row:
        return text
    interval = f"({row[f'{name}_low']:.3f} to {row[f'{name}_high']:.3f})"
    # A narrow column breaks before the interval, not within.
    return f"{text} " + interval.replace(" ", "\xa0")
