"""Which models are told apart by a test, and which are not: paired bootstrap with Holm's correction."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from segue.errors import SegueError
from segue.evaluation.intervals import p_value, resampled_means

RESAMPLES = 10_000
LEAST_P = 2 / (RESAMPLES + 1)
"""No p-value is below it before correction: low enough for the 210 pairs of 21 models at 5 %."""
BEST, NOT_TOLD_APART, WORSE = "best", "not told apart", "worse"


def marks(
    values: pd.DataFrame,
    metric: str,
    *,
    by: str = "listener_id",
    groups: str | None = None,
    level: float = 0.05,
    seed: int = 0,
) -> pd.DataFrame:
    """Return which models are significantly worse than the best, and which are not told apart from it.

    Which model is best is itself found on these listeners, so the best one's luck must be allowed for: its
    comparisons are corrected for the number of all pairs of models, any of which could have been looked at.

    Parameters
    ----------
    values
        One row a model and listener (or query): ``model``, the column ``by``, and ``metric``, as in
        `Comparison.values`.
    groups
        The column of what belongs together, such as the artist of a query; drawn as a whole then.
    level
        The chance that any model is marked as worse that is not.

    Returns
    -------
    pandas.DataFrame
        Best first: ``model``; ``metric`` (the mean); ``behind`` (how much the best is better) with its 95 %
        interval ``behind_low``, ``behind_high``; ``p``; ``p_holm`` (corrected over all pairs);
        ``mark``: ``best``, ``not told apart`` or ``worse``. The best model is compared with nobody: its
        differences are 0 and p-values 1.

    Raises
    ------
    SegueError
        If a column is missing, or models were not asked by the same listeners.
    """
    wide, owner = _paired(values, metric, by, groups)
    order = wide.mean().sort_values(ascending=False, kind="stable")
    best = order.index[0]
    every = _compare(wide, owner, list(combinations(order.index, 2)), seed)
    table = every[every["a"] == best].drop(columns="a").reset_index(drop=True)
    table["mark"] = np.where(table["p_holm"] < level, WORSE, NOT_TOLD_APART)
    table.loc[len(table)] = [best, 0.0, 0.0, 0.0, 1.0, 1.0, BEST]
    names = {"b": "model", "difference": "behind", "low": "behind_low", "high": "behind_high"}
    whole = table.rename(columns=names).set_index("model").loc[order.index].reset_index(names="model")
    whole.insert(1, metric, order.to_numpy())
    return whole


def differences(
    values: pd.DataFrame,
    metric: str,
    pairs: Sequence[tuple[str, str]] | None = None,
    *,
    by: str = "listener_id",
    groups: str | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Return how much better one model is than another, for the pairs asked for or all of them.

    Parameters
    ----------
    values, metric, by, groups
        As in `marks`.
    pairs
        (a, b) each; all pairs of models by default, the better one first.

    Returns
    -------
    pandas.DataFrame
        ``a``; ``b``; ``difference`` (the mean of a - b) with its 95 % interval ``low``, ``high``; ``p``
        (two-sided, of no difference); ``p_holm`` (corrected over all rows, Holm 1979).

    Raises
    ------
    SegueError
        As `marks`, or if a model is not among the values.
    """
    wide, owner = _paired(values, metric, by, groups)
    if pairs is None:
        order = wide.mean().sort_values(ascending=False, kind="stable").index
        pairs = list(combinations(order, 2))
    missing = sorted({name for pair in pairs for name in pair} - set(wide.columns))
    if missing:
        raise SegueError(f"there are no values of {missing[0]}: models are {', '.join(wide.columns)}")
    return _compare(wide, owner, list(pairs), seed)


def holm(p: np.ndarray) -> np.ndarray:
    """Return float[c]: p-values of c comparisons corrected for their number (Holm 1979).

    The i-th smallest (from 0) times c - i, never below a smaller one's, never above 1: at a level a, the
    chance of any wrong rejection is at most a.
    """
    p = np.asarray(p, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    corrected = np.minimum(1.0, np.maximum.accumulate(p[order] * (p.size - np.arange(p.size))))
    out = np.empty(p.size)
    out[order] = corrected
    return out


def p_in_words(p: float, corrected: float) -> str:
    """Return the words for a p-value after correction: no more than the resamples can tell."""
    if corrected < 0.001:
        return "p < 0.001"
    return f"p {'≤' if p <= LEAST_P else '='} {corrected:.3f}"


def _paired(
    values: pd.DataFrame, metric: str, by: str, groups: str | None
) -> tuple[pd.DataFrame, np.ndarray | None]:
    """Return the metric by listener (rows) and model (columns), and what each listener belongs to."""
    missing = [name for name in ("model", by, metric, *filter(None, [groups])) if name not in values]
    if missing:
        raise SegueError(f"the values have no column {missing[0]}: there are {', '.join(map(str, values))}")
    if values.duplicated(["model", by]).any():
        raise SegueError(f"a model has two values for one {by}: compare the models of one evaluation")
    names = list(dict.fromkeys(values["model"]))
    wide = values.pivot(index=by, columns="model", values=metric)[names]
    if wide.isna().any(axis=None):
        name = wide.columns[wide.isna().any()][0]
        raise SegueError(f"{name} was not asked the same as the others: compare the models of one evaluation")
    owner = None
    if groups is not None:
        owner = values.drop_duplicates(by).set_index(by)[groups].reindex(wide.index).to_numpy()
    return wide, owner


def _compare(
    wide: pd.DataFrame, owner: np.ndarray | None, pairs: list[tuple[str, str]], seed: int
) -> pd.DataFrame:
    columns = ["a", "b", "difference", "low", "high", "p", "p_holm"]
    if not pairs:
        return pd.DataFrame(columns=columns)
    means = resampled_means(wide.to_numpy(), owner, resamples=RESAMPLES, seed=seed)
    place = {name: i for i, name in enumerate(wide.columns)}
    rows = []
    for a, b in pairs:
        apart = means[:, place[a]] - means[:, place[b]]
        apart[np.abs(apart) < 1e-12] = 0
        low, high = np.quantile(apart, [0.025, 0.975])
        rows.append((a, b, wide[a].mean() - wide[b].mean(), low, high, p_value(apart), 0.0))
    table = pd.DataFrame(rows, columns=columns)
    table["p_holm"] = holm(table["p"].to_numpy())
    return table
