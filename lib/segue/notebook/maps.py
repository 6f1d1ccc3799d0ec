"""The map as the player draws it: places, groups and neighbours of all tracks, packed once a run."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from segue.store.cards import Card
from segue.store.maps import NEIGHBOURS, OVERVIEW, tile_name

SHOWN_AT_ONCE = 10_000
"""Points of the overview; those of a larger catalogue come in tiles when one zooms in."""

TILE = 4_000
"""Points that a tile has at most."""

STEPS = 65_535
"""A place is two numbers from 0 to this, in steps of one length in both directions."""

NO_GROUP = 255
_KEPT = 6
_SEED = 0


def map_documents(cards: Sequence[Card]) -> list[dict[str, Any]]:
    """Return the documents of `segue.store.maps.MapStore`; none where no card has a place.

    The overview has ``version`` (other places or tracks: another version), ``tracks`` (how many are on the
    map), ``origin`` and ``unit`` (a card's x and y lie at ``(x - origin x) / unit`` and ``(origin y - y) /
    unit``, downwards as in a picture), ``width`` and ``height`` (steps), ``points``, ``genres`` and
    ``clusters`` (each group's ``name``, ``colour``, ``marker``, ``size`` and middle ``at``, the largest
    first) and ``tiles`` (left, top, right, bottom and number of points of each). Points are ``count``,
    ``ids`` (ascending, each less the one before it, in LEB128), ``xy`` (uint16[count, 2]), ``genres`` and
    ``clusters`` (uint8[count], `NO_GROUP` for none). More than `SHOWN_AT_ONCE` tracks are sampled at random
    for the overview, the others are cut into tiles at the median of their longer side.
    """
    placed = sorted(
        (card for card in cards if len(card.xy) == 2 and np.isfinite(card.xy).all()),
        key=lambda card: card.track_id,
    )
    if not placed:
        return []
    xy = np.array([card.xy for card in placed])
    low, high = xy.min(axis=0), xy.max(axis=0)
    unit = float((high - low).max()) / STEPS or 1.0
    origin = [float(low[0]), float(high[1])]
    places = np.rint(np.abs(xy - origin) / unit).astype("<u2")
    ids = np.array([card.track_id for card in placed], dtype=np.int64)
    genres, genre_of = _groups([card.genre for card in placed], places)
    clusters, cluster_of = _groups(
        ["" if card.cluster is None else str(card.cluster) for card in placed], places
    )
    first, rest = _sample(len(placed))
    tiles = _tiles(places, rest)

    def points(rows: np.ndarray) -> dict[str, Any]:
        return {
            "count": len(rows), "ids": leb128(np.diff(ids[rows], prepend=0)), "xy": places[rows].tobytes(),
            "genres": genre_of[rows].tobytes(), "clusters": cluster_of[rows].tobytes(),
        }  # fmt: skip

    version = hashlib.sha256(ids.tobytes() + places.tobytes()).hexdigest()[:16]
    width, height = places.max(axis=0).tolist()
    overview = {
        "_id": OVERVIEW, "version": version, "tracks": len(placed), "origin": origin, "unit": unit,
        "width": width, "height": height, "points": points(first), "genres": genres, "clusters": clusters,
        "tiles": [
            [*places[rows].min(axis=0).tolist(), *places[rows].max(axis=0).tolist(), len(rows)]
            for rows in tiles
        ],
    }  # fmt: skip
    documents = [
        {"_id": tile_name(number), "version": version, "points": points(rows)}
        for number, rows in enumerate(tiles)
    ]
    return [overview, *documents, *_neighbours(placed, ids, places)]


def leb128(values: np.ndarray) -> bytes:
    """Return whole numbers from 0 on, each in as many bytes as it needs, seven bits a byte, lowest first."""
    made = bytearray()
    for value in values.tolist():
        rest = value
        while rest > 127:
            made.append(rest & 127 | 128)
            rest >>= 7
        made.append(rest)
    return bytes(made)


def _groups(names: Sequence[str], places: np.ndarray) -> tuple[list[dict[str, Any]], np.ndarray]:
    """Return the groups in the colours of the notebooks' plots, and uint8[n]: the group of each track."""
    from segue.plots.style import colour_of

    looks = list(colour_of([name for name in names if name]).items())[:NO_GROUP]
    numbers = {name: number for number, (name, _) in enumerate(looks)}
    of = np.array([numbers.get(name, NO_GROUP) for name in names], dtype=np.uint8)
    groups = [
        {
            "name": name, "colour": colour, "marker": marker, "size": int((of == number).sum()),
            "at": np.median(places[of == number], axis=0).astype(int).tolist(),
        }
        for number, (name, (colour, marker)) in enumerate(looks)
    ]  # fmt: skip
    return groups, of


def _sample(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return int64 positions, ascending: those of the overview, and all others."""
    order = np.random.default_rng(_SEED).permutation(size)
    return np.sort(order[:SHOWN_AT_ONCE]), np.sort(order[SHOWN_AT_ONCE:])


def _tiles(places: np.ndarray, rows: np.ndarray) -> list[np.ndarray]:
    if not len(rows):
        return []
    if len(rows) <= TILE:
        return [rows]
    along = np.ptp(places[rows], axis=0).argmax()
    order = rows[np.argsort(places[rows, along], kind="stable")]
    half = len(order) // 2
    return [tile for part in (order[:half], order[half:]) for tile in _tiles(places, np.sort(part))]


def _neighbours(placed: Sequence[Card], ids: np.ndarray, places: np.ndarray) -> list[dict[str, Any]]:
    """Return the document of who is near whom, by the first model that has said so; else nothing."""
    model = next((name for name in ("exact", "embedding", "kmeans") if _knows(placed, name)), None)
    if model is None:
        return []
    near = np.full((len(placed), _KEPT), -1, dtype="<i4")
    for row, card in enumerate(placed):
        named = np.array(card.neighbours.get(model, [])[:_KEPT], dtype=np.int64)
        found = np.minimum(np.searchsorted(ids, named), len(ids) - 1)
        there = found[ids[found] == named]
        near[row, : len(there)] = there
    return [
        {
            "_id": NEIGHBOURS, "model": model, "each": _KEPT, "ids": ids.astype("<i8").tobytes(),
            "xy": places.tobytes(), "near": near.tobytes(),
        }
    ]  # fmt: skip


def _knows(placed: Sequence[Card], model: str) -> bool:
    return any(card.neighbours.get(model) for card in placed)
