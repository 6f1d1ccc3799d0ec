"""How much of a feature the genre explains, beside what shuffled labels would explain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from segue.errors import SegueError
from segue.notebook.families import FAMILIES, measures

if TYPE_CHECKING:
    from segue.notebook.catalogue import Catalogue

LEAST = 3
"""Tracks below which a genre is left out: two say nothing of a spread."""
_SHUFFLES = 300


def explained_by_genre(catalogue: Catalogue, seed: int = 0) -> pd.DataFrame:
    """Return one row for each feature family, the most telling first.

    ``explained`` is eta squared of its measure: the share of the variance over tracks that lies between the
    genres (Fisher, 1925). ``chance`` and ``chance_high`` are the mean and the 95 % point of the same where
    the artists' genres are shuffled: whole artists change places, as tracks of one artist sound alike.

    Raises
    ------
    SegueError
        If fewer than two genres have at least three tracks.
    """
    table, genres, artists = _known(catalogue)
    values = table.to_numpy()
    codes = np.unique(genres, return_inverse=True)[1]
    members = np.unique(artists, return_inverse=True)[1]
    first = np.unique(members, return_index=True)[1]
    generator = np.random.default_rng(seed)
    shuffled = np.array(
        [_eta(values, codes[first][generator.permutation(len(first))][members]) for _ in range(_SHUFFLES)]
    )
    found = pd.DataFrame(
        {
            "family": table.columns,
            "title": [FAMILIES[name].title for name in table.columns],
            "explained": _eta(values, codes),
            "chance": shuffled.mean(axis=0),
            "chance_high": np.quantile(shuffled, 0.95, axis=0),
        }
    )
    return found.sort_values("explained", ascending=False, kind="stable").reset_index(drop=True)


def _known(catalogue: Catalogue) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Return the measures, genres and artists of the tracks whose genre has at least `LEAST` tracks."""
    genres = pd.Series(catalogue.genres, index=catalogue.features.index, dtype=object)
    counts = genres.value_counts()
    keep = genres.isin(counts.index[counts >= LEAST])
    if genres[keep].nunique() < 2:
        raise SegueError(f"to be compared, at least two genres need {LEAST} tracks or more each")
    numbers = pd.to_numeric(catalogue.tracks["artist_id"]).to_numpy(dtype=np.float64)
    # A track of an unknown artist is taken for an artist of its own.
    artists = np.where(np.isnan(numbers), -1.0 - np.arange(len(numbers)), numbers)
    return measures(catalogue.features)[keep], genres[keep].to_numpy(), artists[keep.to_numpy()]


def _eta(values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return float64[f]: the share of each column's variance that lies between the groups."""
    centred = values - values.mean(axis=0)
    sums = np.zeros((codes.max() + 1, values.shape[1]))
    np.add.at(sums, codes, centred)
    counts = np.maximum(np.bincount(codes, minlength=len(sums)), 1)
    total = (centred**2).sum(axis=0)
    between = (sums**2 / counts[:, None]).sum(axis=0)
    return np.divide(between, total, out=np.zeros_like(total), where=total > 0)


def by_genre(catalogue: Catalogue, most: int = 10) -> pd.DataFrame:
    """Return the measures of the tracks of the ``most`` frequent genres, with ``genre`` and ``composed``.

    Genres of fewer than `LEAST` tracks are left out; of two equally frequent ones the first by name stays.

    Raises
    ------
    SegueError
        As `explained_by_genre` does.
    """
    table, genres, _ = _known(catalogue)
    counts = pd.Series(genres).value_counts()
    order = sorted(counts.index, key=lambda genre: (-counts[genre], genre))[:most]
    composed = catalogue.tracks["composed"].loc[table.index].astype(bool)
    shown = table.assign(genre=genres, composed=composed)
    return shown[shown["genre"].isin(order)]


def told_by_genre(explained: pd.DataFrame, most: int = 4) -> dict[str, str]:
    """Return the families that the genre says most about, with what a picture calls their measures."""
    families = [FAMILIES[name] for name in explained["family"][:most]]
    return {each.name: f"{each.title} ({each.unit})" if each.unit else each.title for each in families}
