"""What the page Find is told: tracks that a search means, and how many of each kind are among them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from segue.player.lists import PAGE_OF_CARDS, in_order
from segue.player.messages import Find
from segue.player.search_file import index_for
from segue.player.search_index import Index
from segue.player.search_ranking import ranked
from segue.player.welcome import read_state

if TYPE_CHECKING:
    from segue.player.answers import Asked

_SHOWN = {"genre": 12, "licence": 6, "length": 3}
"""How many values of each facet a page is told of, the most frequent first."""


@dataclass(frozen=True)
class Result:
    """Ids of one page of tracks, best first; how many there are in all; names and counts by facet."""

    track_ids: list[int]
    total: int
    facets: dict[str, list[tuple[str, int]]]


def found(find: Find, asked: Asked) -> dict[str, Any]:
    """Return the message ``found``: a page of tracks, how many there are, and counts by facet."""
    if find.among is None:
        index = index_for(asked.place, asked.store)
        chosen = {"genre": find.genre, "licence": find.licence, "length": find.length}
        heard = _heard(asked) if find.unheard else ()
        result = search(index, find.text, chosen, heard, find.offset)
        wanted, total, facets = result.track_ids, result.total, result.facets
    else:
        wanted, facets = list(dict.fromkeys(find.among)), None
    cards = asked.store.cards.by_ids(wanted)
    asked.known.update(cards)
    tracks = in_order(wanted, cards)
    return {
        "type": "found", "request": find.request, "tracks": tracks, "offset": find.offset,
        "total": len(tracks) if facets is None else total, "facets": facets,
    }  # fmt: skip


def search(
    index: Index, text: str, chosen: Mapping[str, str | None], heard: Iterable[int], offset: int = 0
) -> Result:
    """Search.

    Parameters
    ----------
    index
        What is searched.
    text
        What somebody types.
    chosen
        By facet (``genre``, ``licence``, ``length``) the one value that is wanted, or None.
    heard
        Ids of tracks that are not wanted.
    offset
        Tracks before the page of `segue.player.lists.PAGE_OF_CARDS`.

    Returns
    -------
    Result
        With counts of each facet among those that fit all that is chosen but in this facet.
    """
    order = ranked(index, text)
    if unwanted := list(heard):
        order = order[~np.isin(index.track_ids[order], unwanted)]
    fits = {name: _fits(index, name, value, order) for name, value in chosen.items() if value is not None}
    facets = {
        name: _counts(index, name, order[_all([fit for other, fit in fits.items() if other != name], order)])
        for name in _SHOWN
    }
    order = order[_all(list(fits.values()), order)]
    page = index.track_ids[order[offset : offset + PAGE_OF_CARDS]]
    return Result(page.tolist(), int(order.size), facets)


def _fits(index: Index, name: str, value: str, order: np.ndarray) -> np.ndarray:
    names = index.names[name]
    return index.codes[name][order] == (names.index(value) if value in names else -1)


def _all(fits: list[np.ndarray], order: np.ndarray) -> np.ndarray:
    return np.logical_and.reduce(fits) if fits else np.ones(order.size, dtype=bool)


def _counts(index: Index, name: str, tracks: np.ndarray) -> list[tuple[str, int]]:
    """Return how many tracks have each value of a facet, the most frequent first; an empty value is none."""
    names = index.names[name]
    counts = np.bincount(index.codes[name][tracks], minlength=len(names))
    best = np.argsort(-counts, kind="stable")[: _SHOWN[name] + 1].tolist()
    return [(names[code], int(counts[code])) for code in best if counts[code] and names[code]][: _SHOWN[name]]


def _heard(asked: Asked) -> list[int]:
    """Return the tracks of which this listener has heard something."""
    state = read_state(asked.store, asked.place.listener_id)
    return [track for track, heard in state.tracks.items() if heard.plays or heard.completes or heard.skips]
