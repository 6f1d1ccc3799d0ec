"""How good an embedding is for artists it has not met: genre precision among their neighbours."""

from __future__ import annotations

import numpy as np

from segue.embedding.lesson import NONE, Lesson
from segue.errors import SegueError
from segue.models.content import unit_rows
from segue.models.data import UNKNOWN_ARTIST

_NEIGHBOURS = 10
_QUERIES = 1_000
_CANDIDATES = 20_000
_PARTS = 5


class Judge:
    """Asks for held-out tracks which tracks are nearest.

    Parameters
    ----------
    lesson
        With all genres and artists.
    held_out
        bool[n]: whose genre and artist the network was not told. At most 1,000 of them with a genre are
        asked, drawn at random among at most 20,000 candidates.
    """

    def __init__(self, lesson: Lesson, held_out: np.ndarray, seed: int) -> None:
        generator = np.random.default_rng(seed)
        named = lesson.genres != NONE
        self.queries = _some(generator, np.flatnonzero(held_out & named), _QUERIES)
        others = _some(generator, np.flatnonzero(named), _CANDIDATES)
        self.candidates = np.union1d(self.queries, others)
        artist = np.where(lesson.artists == NONE, -1 - np.arange(lesson.artists.size), lesson.artists)
        self.barred = artist[self.queries][:, None] == artist[self.candidates][None, :]
        self.alike = lesson.genres[self.queries][:, None] == lesson.genres[self.candidates][None, :]

    def precision(self, rows: np.ndarray) -> float:
        """Return the mean share of a query's genre among its 10 nearest tracks by other artists.

        Parameters
        ----------
        rows
            float32[n, e]: unit vectors.
        """
        cosines = np.where(self.barred, -np.inf, rows[self.queries] @ rows[self.candidates].T)
        nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :_NEIGHBOURS]
        hits = np.take_along_axis(self.alike & ~self.barred, nearest, axis=1).sum(axis=1)
        places = np.minimum((~self.barred).sum(axis=1), _NEIGHBOURS)
        return float(np.mean(hits / np.maximum(places, 1)))


def held_out_artists(lesson: Lesson, seed: int, part: int = 0) -> np.ndarray | None:
    """Return bool[n]: the tracks of a fifth of the artists, spread over the genres.

    Where no artist is named, of a fifth of the tracks. None where there are too few to learn from the others:
    less than two genres would be left, or nobody could be asked.
    """
    from segue.evaluation.splits import artist_folds

    artists = np.where(lesson.genres == NONE, UNKNOWN_ARTIST, lesson.artists)
    if (artists == UNKNOWN_ARTIST).all():
        artists = lesson.artists
    try:
        split = artist_folds(artists, _PARTS, seed, genres=lesson.genres)[part]
    except SegueError:
        return None
    asked = split.test & (lesson.genres != NONE)
    left = np.unique(lesson.genres[~split.test & (lesson.genres != NONE)])
    return split.test if asked.any() and left.size >= 2 else None


def _some(generator: np.random.Generator, positions: np.ndarray, most: int) -> np.ndarray:
    return np.sort(generator.permutation(positions)[:most])


def raw_precision(lesson: Lesson, seed: int) -> float:
    """Return what `Judge.precision` gives the unlearned features, for the artists that training holds out.

    Raises
    ------
    SegueError
        If none can be held out.
    """
    held_out = held_out_artists(lesson, seed)
    if held_out is None:
        raise SegueError("there are too few artists or genres to hold some out: use a larger catalogue")
    return Judge(lesson, held_out, seed).precision(unit_rows(lesson.features))
