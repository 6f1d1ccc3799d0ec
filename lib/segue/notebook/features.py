"""The features in tables: their families, their scalings, and the map's places."""

from __future__ import annotations

from typing import Any

import pandas as pd

from segue.errors import SegueError
from segue.models.scaling import min_max, standardise
from segue.notebook.attempt import NotShown
from segue.notebook.catalogue import NO_TRACK, Catalogue
from segue.notebook.families import FAMILIES, number


def feature_families(features: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each family: what it is, how many features it has, and the range of its means."""
    rows = {}
    for family, known in FAMILIES.items():
        own = features.loc[:, features.columns.str.startswith(family + ".")]
        means = own.loc[:, own.columns.str.contains(".mean.", regex=False)]
        spread = "no tracks"
        if len(own):
            values = means.to_numpy(dtype=float)
            spread = f"{number(values.min())} to {number(values.max())}"
        rows[family] = {"is": known.title.lower(), "features": own.shape[1], "range of the means": spread}
    return pd.DataFrame.from_dict(rows, orient="index")


def scalings(features: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the features as they are, brought to 0 to 1, and to mean 0 and deviation 1.

    Raises
    ------
    SegueError
        If there are no tracks.
    """
    if features.empty:
        raise SegueError(NO_TRACK)
    scaled = {"min-max": min_max, "standardised": standardise}
    tables = {
        name: pd.DataFrame(scale(features.to_numpy())[0], index=features.index, columns=features.columns)
        for name, scale in scaled.items()
    }
    return {"raw": features, **tables}


def map_table(catalogue: Catalogue, places: Any) -> pd.DataFrame:
    """Return ``x`` and ``y`` by track id; no rows where there is no map."""
    if isinstance(places, NotShown):
        return pd.DataFrame({"x": [], "y": []}, index=catalogue.tracks.index[:0], dtype="float32")
    return pd.DataFrame(places, index=catalogue.tracks.index, columns=["x", "y"])
