"""The way from one track to another over tracks that are near each other."""

from __future__ import annotations

import numpy as np


def walk(
    near: np.ndarray, places: np.ndarray, start: int, end: int, closed: np.ndarray
) -> tuple[list[int], list[int]]:
    """Return the positions from start to end with the fewest steps, and after which of them there is a leap.

    A step leads from a track to one of its neighbours, or to one whose neighbour it is. Of equally few steps
    those are taken whose squared lengths on the map add up to the least (breadth-first search, level by
    level). Where no steps lead from one to the other, the way leaps once: from the track that can be reached
    and lies nearest to the end, to the one nearest to it of those from which the end can be reached.

    Parameters
    ----------
    near
        int32[n, k]: neighbours by position, -1 for none.
    places
        Number[n, 2]: where each track lies on the map.
    start, end
        Positions of the first and the last track, not the same.
    closed
        bool[n]: tracks that are not walked over; start and end are, all the same.
    """
    closed = closed.copy()
    closed[[start, end]] = False
    targets, begins = _both_ways(near)
    ground = places.astype(np.float64)
    there = _explored(targets, begins, ground, start, end, closed)
    if there[end] >= 0:
        return _trace(there, end), []
    back = _explored(targets, begins, ground, end, start, closed)
    shore = _nearest(ground, np.flatnonzero(there >= 0), end)
    other = _nearest(ground, np.flatnonzero(back >= 0), shore)
    rows = _trace(there, shore)
    return [*rows, *reversed(_trace(back, other))], [len(rows) - 1]


def _both_ways(near: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the neighbours of each track in both directions, and where those of each begin."""
    known = near.ravel() >= 0
    one = np.repeat(np.arange(len(near), dtype=np.int32), near.shape[1])[known]
    two = near.ravel()[known]
    sources, targets = np.concatenate([one, two]), np.concatenate([two, one])
    order = np.argsort(sources, kind="stable")
    return targets[order], np.searchsorted(sources[order], np.arange(len(near) + 1))


def _explored(
    targets: np.ndarray, begins: np.ndarray, ground: np.ndarray, start: int, end: int, closed: np.ndarray
) -> np.ndarray:
    """Return int64[n]: the track before each that is reached, else -1; the start comes before itself."""
    before = np.full(len(ground), -1, dtype=np.int64)
    cost = np.zeros(len(ground))
    before[start] = start
    edge = np.array([start])
    while edge.size and before[end] < 0:
        counts = begins[edge + 1] - begins[edge]
        sources = np.repeat(edge, counts)
        offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        steps = targets[np.repeat(begins[edge], counts) + offsets]
        fresh = (before[steps] < 0) & ~closed[steps]
        sources, steps = sources[fresh], steps[fresh]
        costs = cost[sources] + ((ground[sources] - ground[steps]) ** 2).sum(axis=1)
        order = np.lexsort((sources, costs, steps))
        edge, first = np.unique(steps[order], return_index=True)
        before[edge] = sources[order][first]
        cost[edge] = costs[order][first]
    return before


def _trace(before: np.ndarray, last: int) -> list[int]:
    rows = [last]
    while before[rows[-1]] != rows[-1]:
        rows.append(int(before[rows[-1]]))
    return rows[::-1]


def _nearest(ground: np.ndarray, rows: np.ndarray, to: int) -> int:
    return int(rows[((ground[rows] - ground[to]) ** 2).sum(axis=1).argmin()])
