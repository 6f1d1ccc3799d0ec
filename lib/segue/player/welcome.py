"""What a page is told first: who listens, to what, and the shelves of the home page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from segue.live.listener import ListenerState, from_document
from segue.player.lists import in_order
from segue.player.place import Place
from segue.store import Store

_SHELF = 12
_STARTERS = 3


@dataclass(frozen=True)
class Shelves:
    """What a run says of its catalogue to everybody (see `segue.notebook.cards.write_cards`)."""

    title: str
    tracks: int = 0
    composed: int = 0
    simulated: bool = False
    played: bool = False
    popular: tuple[int, ...] = ()
    starters: tuple[int, ...] = ()


def read_shelves(store: Store, title: str) -> Shelves:
    """Return the shelves of a data set; empty ones called ``title`` where no run has written any."""
    found = store.meta.find_one({"_id": "shelves"}) or {}
    return Shelves(
        title=found.get("title", title),
        tracks=found.get("tracks", 0),
        composed=found.get("composed", 0),
        simulated=found.get("simulated", False),
        played=found.get("played", False),
        popular=tuple(found.get("popular", ())),
        starters=tuple(found.get("starters", ())),
    )


def read_state(store: Store, listener_id: str) -> ListenerState:
    """Return what is known of a listener, an empty state for a new one."""
    found = store.listeners.get(listener_id)
    return from_document(found.state) if found else ListenerState()


def welcome(
    place: Place, store: Store, shelves: Shelves, state: ListenerState, audio: dict[str, str]
) -> dict[str, Any]:
    """Return the message ``welcome``.

    Parameters
    ----------
    audio
        ``prefix`` and ``suffix`` of a clip's address around its track id.
    """
    first = not state.tracks
    recent = list(reversed(state.recent))[:_SHELF]
    popular = shelves.popular[:_SHELF]
    starters = shelves.starters[:_STARTERS] if first else ()
    cards = store.cards.by_ids([*recent, *popular, *starters])
    return {
        "type": "welcome",
        "listener": {"id": place.listener_id, "name": place.name, "local": place.local},
        "dataset": {
            "title": shelves.title,
            "composed": shelves.composed,
            "tracks": shelves.tracks,
            "simulated": shelves.simulated,
        },
        "audio": audio,
        "likes": [track for track, heard in state.tracks.items() if heard.is_liked],
        "dislikes": [track for track, heard in state.tracks.items() if heard.is_disliked],
        "first_visit": first,
        "starters": in_order(starters, cards),
        "popular": in_order(popular, cards),
        "recent": in_order(recent, cards),
    }
