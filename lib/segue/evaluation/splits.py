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


def by_track(
    interactions: pd.DataFrame, seed: int = 0, *, test_share: float = 0.1
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return training and test plays: a random share of the tracks loses all its listeners to the test.

    What a model finds of the test it knows from elsewhere than from listeners: the tracks are new to it.
    Columns and order as in `per_listener_fifth`.

    Raises
    ------
    UsageError
        If ``test_share`` is not between 0 and 1.
    SegueError
        If fewer than two tracks were played.
    """
    _check_share(test_share)
    pairs = interactions.groupby(["listener_id", "track_id"], as_index=False, sort=True)["weight"].sum()
    tracks = np.unique(pairs["track_id"])
    if tracks.size < 2:
        raise SegueError("a split by track needs at least two tracks that were played: import more plays")
    count = min(tracks.size - 1, max(1, round(test_share * tracks.size)))
    new = np.random.default_rng(seed).permutation(tracks)[:count]
    held_out = pairs["track_id"].isin(new).to_numpy()
    return pairs[~held_out].reset_index(drop=True), pairs[held_out].reset_index(drop=True)


@dataclass(frozen=True, eq=False)
class TrackSplit:
    """A split of n tracks: bool[n] each; ``left_out`` are in neither. ``artists_known``: share of tracks."""

    train: np.ndarray
    test: np.ndarray
    left_out: np.ndarray
    artists_known: float

    @property
    def artists(self) -> str:
        """Return what can truthfully be said of artists on both sides."""
        if self.artists_known == 0:
            return "not known: tracks were split one by one"
        out = "" if not self.left_out.any() else f" ({self.left_out.mean():.0%} of unknown artist left out)"
        return "never shared" + out


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
    _check_share(test_share)
    owners, used, share = _owners(artist_ids)
    artists, counts = np.unique(owners[used], return_counts=True)
    if artists.size < 2:
        raise SegueError("a split by artist needs at least two artists: use a larger catalogue")
    order = np.random.default_rng(seed).permutation(artists.size)
    before = np.cumsum(counts[order]) - counts[order]
    in_test = before < test_share * used.sum()
    in_test[-1] = False
    test = used & np.isin(owners, artists[order[in_test]])
    return TrackSplit(used & ~test, test, ~used, share)


def artist_folds(
    artist_ids: np.ndarray, folds: int = 5, seed: int = 0, *, genres: np.ndarray | None = None
) -> list[TrackSplit]:
    """Return splits in which no artist is on both sides and each artist is in the test exactly once.

    Artists in random order go to the fold that has fewest tracks of the artist's most frequent genre, and
    among equals fewest tracks. Unknown artists are treated as in `by_artist`.

    Parameters
    ----------
    genres
        [n]: the genre of each track, so that each fold has its share of each; without it only sizes are
        evened out.

    Raises
    ------
    UsageError
        If there are fewer than two folds.
    SegueError
        If there are fewer artists (or tracks, where no artist is named) than folds.
    """
    if folds < 2:
        raise UsageError(f"folds = {folds}: give at least 2")
    owners, used, share = _owners(artist_ids)
    artists, member = np.unique(owners[used], return_inverse=True)
    if artists.size < folds:
        raise SegueError(
            f"{folds} folds by artist need as many artists and there are {artists.size}: "
            "use a larger catalogue"
        )
    labels = np.zeros(used.sum(), dtype=np.int64)
    if genres is not None:
        labels = np.unique(np.asarray(genres)[used].astype(str), return_inverse=True)[1]
    counts = np.zeros((artists.size, labels.max() + 1), dtype=np.int64)
    np.add.at(counts, (member, labels), 1)
    filled = np.zeros((folds, counts.shape[1]), dtype=np.int64)
    fold_of = np.empty(artists.size, dtype=np.int64)
    for artist in np.random.default_rng(seed).permutation(artists.size):
        main = counts[artist].argmax()
        fold_of[artist] = np.lexsort((filled.sum(axis=1), filled[:, main]))[0]
        filled[fold_of[artist]] += counts[artist]
    fold = np.full(used.size, -1, dtype=np.int64)
    fold[used] = fold_of[member]
    return [TrackSplit(used & (fold != i), fold == i, ~used, share) for i in range(folds)]


def shared_artists(train: np.ndarray, test: np.ndarray, artist_ids: np.ndarray) -> str:
    """Return what can truthfully be said of artists on both sides of any split of tracks, bool[n] each."""
    owners = np.asarray(artist_ids, dtype=np.int64)
    unknown = float((owners[train | test] == UNKNOWN_ARTIST).mean()) if (train | test).any() else 1.0
    if unknown == 1:
        return "not known"
    both = np.setdiff1d(np.intersect1d(owners[train], owners[test]), [UNKNOWN_ARTIST]).size
    said = "never shared" if not both else f"{both} artist{'s' if both > 1 else ''} on both sides"
    return said + (f" (not known for {unknown:.0%} of tracks)" if unknown else "")


def official(splits: Sequence[str | None] | np.ndarray) -> dict[str, np.ndarray]:
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


def _check_share(test_share: float) -> None:
    if not 0 < test_share < 1:
        raise UsageError(f"test_share = {test_share}: give a share between 0 and 1")


def _owners(artist_ids: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the owner of each track, which tracks can be split, and the share whose artist is known."""
    artist_ids = np.asarray(artist_ids, dtype=np.int64)
    known = artist_ids != UNKNOWN_ARTIST
    if not known.any():
        return np.arange(artist_ids.size), np.ones(artist_ids.size, dtype=bool), 0.0
    return artist_ids, known, float(known.mean())
