"""What a parameter does, measured on a validation part of the training plays only."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from segue.errors import SegueError
from segue.evaluation.compare import listener_values
from segue.evaluation.splits import per_listener_fifth
from segue.models.als import ALS, ALSConfig
from segue.models.base import TrainingData


def als_grid(
    data: TrainingData,
    ranks: Sequence[int],
    regs: Sequence[float],
    *,
    model: ALS | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Return one row for each rank and regularisation: how well ALS finds held-out plays.

    A random fifth of each listener's plays in ``data`` is the validation part. Give training plays only:
    what is chosen here is tested on plays that were never in ``data``.

    Parameters
    ----------
    model
        Whose other parameters and Spark session are used; defaults when left out.

    Returns
    -------
    pandas.DataFrame
        ``rank``, ``reg``, ``ndcg_at_10``, ``recall_at_20`` (means over listeners), ``fit_s``; best first.
    """
    if data.interactions is None:
        raise SegueError("ALS cannot be tuned without plays: import or simulate some")
    model = model or ALS()
    kept, validation = per_listener_fifth(data.interactions, seed)
    train = replace(data, interactions=kept)
    rows = []
    for rank, reg in itertools.product(ranks, regs):
        config = ALSConfig(**(model.config.model_dump() | {"rank": rank, "reg": reg}))
        start = time.perf_counter()
        fitted = ALS(config, spark=model.spark).fit(train)
        seconds = time.perf_counter() - start
        values, _ = listener_values(fitted, train, validation)
        rows.append((rank, reg, values["ndcg_at_10"].mean(), values["recall_at_20"].mean(), seconds))
    table = pd.DataFrame(rows, columns=["rank", "reg", "ndcg_at_10", "recall_at_20", "fit_s"])
    return table.sort_values("ndcg_at_10", ascending=False, kind="stable", ignore_index=True)
