"""What the features are like, and what the map keeps of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from IPython.display import Markdown

from segue.errors import SegueError
from segue.models.projection import neighbours_kept, principal_components
from segue.notebook.attempt import NotShown
from segue.notebook.findings.words import counted, listed
from segue.plots.style import percent

if TYPE_CHECKING:
    from segue.notebook.catalogue import Catalogue


def of_map(features: np.ndarray, places: np.ndarray, k: int = 10) -> Markdown:
    """Say how many of a track's nearest stay near on the map, beside the first two components and chance.

    Raises
    ------
    SegueError
        If there are not more than ``k`` + 1 tracks: all of them would be near.
    """
    if len(features) < k + 2:
        raise SegueError(f"how well the map keeps neighbours is measured on more than {k + 1} tracks")
    kept = neighbours_kept(features, places, k)
    plane = neighbours_kept(features, principal_components(features, 2).scores, k)
    return Markdown(
        f"Of a track's {k} nearest by all features, **{percent(kept)}** are among its {k} nearest on the "
        f"map. On the first two components alone it would be {percent(plane)}, by chance "
        f"{percent(k / (len(features) - 1))}."
    )


def of_features(explained: Any, scaled: Any, near: Any, by_genre: Any, catalogue: Catalogue) -> Markdown:
    """Say how many directions the features have, what scaling does to neighbours, and what genres explain.

    Parameters
    ----------
    explained
        Shares of the variance, as `segue.models.projection.Components` has them.
    scaled
        The tables of `segue.notebook.features.scalings`.
    near
        A `segue.notebook.nearest.Neighbourhoods`.
    by_genre
        The table of `segue.notebook.genres.explained_by_genre`.
    """
    if isinstance(scaled, NotShown):
        return Markdown(f"Nothing can be said: {scaled.why}")
    constant = int((np.asarray(scaled["raw"]).std(axis=0) == 0).sum())
    half = int(np.searchsorted(np.cumsum(explained), 0.5)) + 1 if np.any(explained) else 0
    return listed(
        f"{counted(len(catalogue.tracks), 'usable track')}, {catalogue.features.shape[1]} features each.",
        f"{constant} features are the same for all tracks and tell nothing apart." if constant else "",
        f"{counted(half, 'direction')} of {catalogue.features.shape[1]} carry half of the variance: the "
        "features repeat each other."
        if half
        else "",
        _telling(by_genre),
        *_neighbours(near),
        "The models use the standardised features: no family decides by its unit.",
    )


def _telling(by_genre: Any) -> str:
    if isinstance(by_genre, NotShown):
        return f"Genres are not compared: {by_genre.why}."
    beyond = int((by_genre["explained"] > by_genre["chance_high"]).sum())
    best = by_genre.iloc[0]
    return (
        f"Genre explains {percent(best['explained'])} of {best['title'].lower()} (shuffled genres: "
        f"{percent(best['chance'])}); {beyond} of {len(by_genre)} families differ between genres beyond "
        "chance."
    )


def _neighbours(near: Any) -> list[str]:
    if isinstance(near, NotShown):
        return [f"Scalings are not compared: {near.why}."]
    said = []
    for measure, rows in near.shares.groupby("measure", sort=False):
        parts = [
            f"{row.scaling} {percent(row.share)} ({percent(row.low)} to {percent(row.high)})"
            for row in rows.itertuples()
        ]
        said.append(
            f"{measure.capitalize()} among the {near.k} nearest: {', '.join(parts)}; "
            f"chance {percent(float(rows['chance'].iloc[0]))}."
        )
    return said
