"""A playlist that walks from one track to another in small steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segue.errors import UsageError
from segue.models.data import UNKNOWN_ARTIST

CANDIDATES = 1_000
"""Tracks that a path is looked for among: those that lie least out of the way."""

IN_A_ROW = 2
"""Most tracks of one artist one after another."""

_WORTH_TURNING = 0.8
"""A path that turns back is taken where its squared steps add up to less than this share of those of the best
that does not: between tracks that are near each other there may be few others, and those far off."""


@dataclass(frozen=True)
class Path:
    """A path through a catalogue.

    ``places`` are int64[m] positions, from the first track to the last; ``steps`` float64[m - 1] the
    Euclidean distances between neighbours; ``straight`` the distance from the first to the last.
    """

    places: np.ndarray
    steps: np.ndarray
    straight: float


def smooth_path(
    rows: np.ndarray,
    start: int,
    end: int,
    length: int,
    *,
    artist_ids: np.ndarray,
    recording_ids: np.ndarray,
    candidates: int = CANDIDATES,
) -> Path:
    """Return the path of ``length`` tracks whose squared steps have the least sum.

    Every step brings it nearer to the end than to the start: along the path the projection x (b - a) on the
    line between the two tracks' features rises. So it cannot turn back, and in the order of that projection
    the best path is a matter of dynamic programming (Bellman 1957): the sum for a track at place p is the
    least over the tracks before it of the sum at p - 1 plus the squared distance. Squares make one long step
    cost more than two short ones, so that the steps are even. Where too few tracks lie between the two, or
    only such that are far off, tracks are put into a shorter path instead, each where it adds least.

    A path holds one copy of a recording, and at most two tracks of one artist in a row, unless all that there
    are are by one. It is shorter than ``length`` where the catalogue has no more tracks that these rules
    allow. Equal input gives an equal path.

    Parameters
    ----------
    rows
        float32[n, d]: the tracks' features, for cosine of unit length.
    start, end
        Positions of the first and the last track.
    length
        How many tracks, both ends among them; at least 2.
    artist_ids, recording_ids
        int64[n] each, as in `segue.models.base.TrainingData`.
    candidates
        How many tracks to look among; the others are farther out of the way.

    Raises
    ------
    UsageError
        If start and end are one recording, or the length is below 2.
    """
    if length < 2:
        raise UsageError(f"length = {length}: a path has at least its two ends")
    if recording_ids[start] == recording_ids[end]:
        raise UsageError("a path leads from one track to another: these are one recording, choose two")
    places = _between(rows, start, end, max(candidates, length), artist_ids, recording_ids)
    artists = artist_ids[places]
    if (artists == artists[0]).all():
        # Nobody else can stand between them, so that a path would be its two ends.
        artists = np.full_like(artists, UNKNOWN_ARTIST)
    walk = _Walk(rows[places], artists)
    paths = [path for path in walk.best(length) if path]
    onward = walk.filled(paths[-1], length)
    around = walk.filled(min(paths, key=walk.sum_of), length)
    detours = len(around) > len(onward) or walk.sum_of(around) < _WORTH_TURNING * walk.sum_of(onward)
    return _path(rows, places[around if detours else onward])


def _path(rows: np.ndarray, places: np.ndarray) -> Path:
    walked = rows[places].astype(np.float64)
    steps = np.linalg.norm(np.diff(walked, axis=0), axis=1)
    return Path(places, steps, float(np.linalg.norm(walked[-1] - walked[0])))


def _between(
    rows: np.ndarray, start: int, end: int, count: int, artist_ids: np.ndarray, recording_ids: np.ndarray
) -> np.ndarray:
    """Return int64[at most count + 2] positions by their progress, each a recording of its own.

    The first is ``start`` and the last ``end``; the others are those with the shortest way over them.
    """
    ends = [start, end]
    squares = np.einsum("ij,ij->i", rows, rows)
    products = rows @ rows[ends].T
    apart = np.sqrt(np.maximum(squares[:, None] + squares[ends] - 2 * products, 0))
    detour = apart.sum(axis=1, dtype=np.float64)
    detour[np.isin(recording_ids, recording_ids[ends])] = np.inf
    inside = np.argsort(detour, kind="stable")
    inside = inside[detour[inside] < np.inf]
    inside = inside[_earlier_of_its_kind(recording_ids[inside]) == 0]
    if inside.size > count:
        # One artist's tracks must not crowd out those that have to stand between them.
        own = np.where(artist_ids[inside] == UNKNOWN_ARTIST, -2 - inside, artist_ids[inside])
        inside = inside[_earlier_of_its_kind(own) < max(count // 10, IN_A_ROW)][:count]
    progress = products[inside, 1] - products[inside, 0]
    return np.concatenate([[start], inside[np.argsort(progress, kind="stable")], [end]])


def _earlier_of_its_kind(kinds: np.ndarray) -> np.ndarray:
    """Return int64[m]: how many equal values stand before each.

    >>> _earlier_of_its_kind(np.array([5, 7, 5, 5, 7])).tolist()
    [0, 0, 1, 2, 1]
    """
    order = np.argsort(kinds, kind="stable")
    ranked = kinds[order]
    first = np.r_[True, ranked[1:] != ranked[:-1]] if kinds.size else np.zeros(0, dtype=bool)
    place = np.arange(kinds.size)
    earlier = np.empty(kinds.size, dtype=np.int64)
    earlier[order] = place - np.maximum.accumulate(np.where(first, place, 0))
    return earlier


class _Walk:
    """The m candidates of a path in the order of their progress, the first and the last its ends."""

    def __init__(self, rows: np.ndarray, artists: np.ndarray) -> None:
        self._artists = np.where(artists == UNKNOWN_ARTIST, -2 - np.arange(artists.size), artists)
        squares = np.einsum("ij,ij->i", rows, rows)
        self._squared = np.maximum(squares[:, None] + squares[None, :] - 2 * (rows @ rows.T), 0)
        progress = rows @ (rows[-1] - rows[0])
        before = progress[None, :] < progress[:, None]
        same = self._artists[:, None] == self._artists[None, :]
        self._to_other = np.where(before & ~same, self._squared, np.inf)
        self._to_same = np.where(before & same, self._squared, np.inf)

    def best(self, length: int) -> list[list[int]]:
        """Return the best path of 2, 3, ... up to ``length`` tracks that makes progress with every step.

        One that does not exist is empty.
        """
        m = self._artists.size
        first, second = np.full(m, np.inf, np.float32), np.full(m, np.inf, np.float32)
        first[0] = 0
        came: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        paths = []
        for _ in range(length - 1):
            any_ = np.minimum(first, second)
            after_second = second < first
            to_other, to_same = any_[None, :] + self._to_other, first[None, :] + self._to_same
            by_other, by_same = to_other.argmin(axis=1), to_same.argmin(axis=1)
            came.append((by_other, by_same, after_second))
            first = to_other[np.arange(m), by_other]
            second = to_same[np.arange(m), by_same]
            paths.append(self._back(came, first, second))
        return paths

    def _back(
        self, came: list[tuple[np.ndarray, np.ndarray, np.ndarray]], first: np.ndarray, second: np.ndarray
    ) -> list[int]:
        if not np.isfinite(min(first[-1], second[-1])):
            return []
        place, repeated = self._artists.size - 1, bool(second[-1] < first[-1])
        path = [place]
        for by_other, by_same, after_second in reversed(came):
            if repeated:
                place, repeated = int(by_same[place]), False
            else:
                place = int(by_other[place])
                repeated = bool(after_second[place])
            path.append(place)
        return path[::-1]

    def filled(self, path: list[int], length: int) -> list[int]:
        """Return the path with tracks put in, each where it lengthens it least, up to ``length``."""
        while len(path) < length:
            before, after = np.array(path[:-1]), np.array(path[1:])
            longer = self._squared[before] + self._squared[after] - self._squared[before, after][:, None]
            longer[:, path] = np.inf
            for at in np.argsort(longer, axis=None, kind="stable"):
                gap, track = divmod(int(at), self._artists.size)
                if not np.isfinite(longer[gap, track]):
                    return path
                tried = [*path[: gap + 1], track, *path[gap + 1 :]]
                if self._allowed(tried[max(gap - 1, 0) : gap + 4]):
                    path = tried
                    break
        return path

    def _allowed(self, part: list[int]) -> bool:
        artists = self._artists[part]
        return not ((artists[:-IN_A_ROW] == artists[1:-1]) & (artists[1:-1] == artists[IN_A_ROW:])).any()

    def sum_of(self, path: list[int]) -> float:
        """Return the sum of the squared steps."""
        return float(self._squared[path[:-1], path[1:]].sum())
