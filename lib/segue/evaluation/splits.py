"""What is learned from and what is asked: splits that keep the answer out of the lesson."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from segue.errors import SegueError, UsageError
from segue.models.data import UNKNOWN_ARTIST

FMA_SPLITS = ("training", "validation", "test")


def per_listener_fifth(
    interactions: pd.DataFrame, seed: int = 0, *, minimum: int = 5
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return training and test plays: of each listener with enough tracks a random fifth is the test.

    Repeated pairs are summed first, so that no pair is on both sides. The fifth is rounded up; listeners
    with fewer than ``minimum`` distinct tracks stay in training whole.

    Parameters
    ----------
    interactions
        Columns ``listener_id``, ``track_id``, ``weight``, in any order of rows: the split depends on the
        pairs and the seed only.

    Returns
    -------
    tuple of pandas.DataFrame
        Both with these columns, sorted by listener and track.
    """
    pairs = interactions.groupby(["listener_id", "track_id"], as_index=False, sort=True)["weight"].sum()
    listener = pairs["listener_id"].factorize()[0]
    draw = np.random.default_rng(seed).random(len(pairs))
    order = np.lexsort((draw, listener))
    tracks = np.bincount(listener, minlength=1)
    place = np.empty(len(pairs), dtype=np.int64)
    place[order] = np.arange(len(pairs)) - np.repeat(np.cumsum(tracks) - tracks, tracks)
    held_out = (place < -(-tracks[listener] // 5)) & (tracks[listener] >= minimum)
    return pairs[~held_out].reset_index(drop=True), pairs[held_out].reset_index(drop=True)


@dataclass(frozen=True, eq=False)
class TrackSplit:
    """A split of n tracks: bool[n] each; ``left_out`` are in neither. ``artists_known``: share of tracks."""

    train: np.ndarray
    test: np.ndarray
    left_out: np.ndarray
    artists_known: float


def by_artist(artist_ids: np.ndarray, seed: int = 0, *, test_share: float = 0.2) -> TrackSplit:
    """Return a split in which no artist is on both sides.

    Artists in random order go to the test until it holds ``test_share`` of the tracks whose artist is
    known, at least one artist on each side. Tracks of unknown artist are left out, as their artist may be
    on the other side; where no artist at all is named, tracks are split one by one and ``artists_known`` is
    0, which a result must then say.

    Raises
    ------
    UsageError
        If ``test_share`` is not between 0 and 1.
    SegueError
        If there are fewer than two artists (or tracks, where no artist is named).
    """
    if not 0 < test_share < 1:
        raise UsageError(f"test_share = {test_share}: give a share between 0 and 1")
    artist_ids = np.asarray(artist_ids, dtype=np.int64)
    known = artist_ids != UNKNOWN_ARTIST
    owners = np.where(known, artist_ids, UNKNOWN_ARTIST) if known.any() else np.arange(artist_ids.size)
    used = known if known.any() else np.ones(artist_ids.size, dtype=bool)
    artists, counts = np.unique(owners[used], return_counts=True)
    if artists.size < 2:
        raise SegueError("a split by artist needs at least two artists: use a larger catalogue")
    order = np.random.default_rng(seed).permutation(artists.size)
    before = np.cumsum(counts[order]) - counts[order]
    in_test = before < test_share * used.sum()
    in_test[-1] = False
    test = used & np.isin(owners, artists[order[in_test]])
    return TrackSplit(used & ~test, test, ~used, float(known.mean()))


def official(splits: Sequence[str | None]) -> dict[str, np.ndarray]:
    """Return bool[n] masks ``training``, ``validation`` and ``test`` of FMA's published split column.

    Tracks without a split are in none of them.

    Raises
    ------
    SegueError
        If a name is none of the three.
    """
    names = np.array(["" if name is None else str(name) for name in splits], dtype=object)
    strange = sorted(set(names) - {*FMA_SPLITS, ""})
    if strange:
        raise SegueError(f"the split column holds {strange[0]!r}: FMA's are {', '.join(FMA_SPLITS)}")
    return {name: names == name for name in FMA_SPLITS}
