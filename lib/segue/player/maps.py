"""What the page Map is told: all places, more of them where it is zoomed in, and paths."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import numpy as np

from segue.live.listener import disliked
from segue.player.lists import in_order
from segue.player.map_path import walk
from segue.player.messages import Map, MapPath, MapPlaces, MapTile
from segue.player.welcome import read_state

if TYPE_CHECKING:
    from segue.player.answers import Asked

_NOT_THERE = "One of these tracks is not on the map."
_NO_NEIGHBOURS = "This collection has no paths yet: no model has said which tracks are near each other."
_ALIKE = "A path leads from one track to another: choose two."


def map_overview(question: Map, asked: Asked) -> dict[str, Any]:
    """Return the message ``map``: the overview as stored, its bytes in Base64; without a map only ``tracks``.

    Clusters are called by their words where the run has given them some.
    """
    told: dict[str, Any] = {"type": "map", "request": question.request, "tracks": 0}
    found = asked.store.maps.overview()
    if found is None:
        return told
    words = _words(asked)
    clusters = [
        group | {"name": words.get(group["name"]) or f"Cluster {int(group['name']) + 1}"}
        for group in found["clusters"]
    ]
    kept = ("version", "tracks", "origin", "unit", "width", "height", "genres", "tiles")
    return (
        told
        | {name: found[name] for name in kept}
        | {"clusters": clusters, "points": _packed(found["points"])}
    )


def map_tile(question: MapTile, asked: Asked) -> dict[str, Any]:
    """Return the message ``map_tile``: points of a part of the map; none where the map has changed."""
    found = asked.store.maps.tile(question.tile)
    there = found is not None and found["version"] == question.version
    return {
        "type": "map_tile", "request": question.request, "tile": question.tile,
        "points": _packed(found["points"]) if found and there else None,
    }  # fmt: skip


def map_places(question: MapPlaces, asked: Asked) -> dict[str, Any]:
    """Return the message ``map_places``: id, x and y of each of these tracks that is on the map."""
    frame = asked.store.maps.frame()
    cards = asked.store.cards.by_ids(question.tracks) if frame else {}
    places = [
        [
            track,
            round((card.xy[0] - frame["origin"][0]) / frame["unit"]),
            round((frame["origin"][1] - card.xy[1]) / frame["unit"]),
        ]
        for track, card in cards.items()
        if frame and len(card.xy) == 2
    ]
    return {"type": "map_places", "request": question.request, "places": places}


def map_path(question: MapPath, asked: Asked) -> dict[str, Any]:
    """Return the message ``map_path``: the tracks from one to another, each near the next, and their places.

    What the listener dislikes is walked around. ``model`` says which one's neighbours are followed, ``leaps``
    after which tracks (by number) the way goes on at one that is no neighbour, as none leads there.
    """
    found = asked.store.maps.neighbours()
    if found is None:
        return _failed(question, _NO_NEIGHBOURS)
    ids = np.frombuffer(found["ids"], dtype="<i8")
    places = np.frombuffer(found["xy"], dtype="<u2").reshape(-1, 2)
    near = np.frombuffer(found["near"], dtype="<i4").reshape(-1, found["each"])
    ends = np.minimum(np.searchsorted(ids, [question.first, question.last]), len(ids) - 1)
    if ids[ends].tolist() != [question.first, question.last]:
        return _failed(question, _NOT_THERE)
    if question.first == question.last:
        return _failed(question, _ALIKE)
    barred = list(disliked(read_state(asked.store, asked.place.listener_id)))
    rows, leaps = walk(near, places, int(ends[0]), int(ends[1]), closed=np.isin(ids, barred))
    tracks = ids[rows].tolist()
    cards = asked.store.cards.by_ids(tracks)
    asked.known.update(cards)
    return {
        "type": "map_path", "request": question.request, "model": found["model"],
        "tracks": in_order(tracks, cards), "leaps": leaps,
        "places": [[track, *place] for track, place in zip(tracks, places[rows].tolist(), strict=True)],
    }  # fmt: skip


def _words(asked: Asked) -> dict[str, str]:
    """Return what the clusters are called, by their number as text."""
    return {str(each.number): each.words for each in asked.store.clusters.all()}


def _packed(points: dict[str, Any]) -> dict[str, Any]:
    return {
        name: b64encode(value).decode() if isinstance(value, bytes) else value
        for name, value in points.items()
    }


def _failed(question: MapPath, text: str) -> dict[str, Any]:
    return {"type": "failed", "request": question.request, "text": text}
