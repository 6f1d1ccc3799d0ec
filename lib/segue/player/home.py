"""What the page Home is told besides the list: like what one liked, what is new, and moods to begin with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from segue.player.lists import in_order
from segue.player.messages import Home
from segue.store.cards import Card

if TYPE_CHECKING:
    from segue.player.answers import Asked

_MODELS = ("exact", "embedding", "als", "kmeans", "lsh")
"""Whose neighbours stand beside what one liked: the first that a card has."""

_SHELF = 12
_MOODS = 24


def home(question: Home, asked: Asked) -> dict[str, Any]:
    """Return the message ``home``.

    ``because`` has for each liked track that is there its card, and its neighbours by ``model``; ``newest``
    the tracks that came last; ``moods`` the clusters of the run with their words and mean sound print.
    """
    liked = asked.store.cards.by_ids(question.liked)
    near = {track: _nearest(card) for track, card in liked.items()}
    newest = _newest(asked)
    wanted = [*newest, *(track for _, tracks in near.values() for track in tracks)]
    cards = asked.store.cards.by_ids(list(dict.fromkeys(wanted)))
    asked.known.update(liked, cards)
    return {
        "type": "home", "request": question.request,
        "because": [
            _because(liked[track], *near[track], cards) for track in dict.fromkeys(question.liked)
            if track in liked and near[track][1]
        ],
        "newest": in_order(newest, cards),
        "moods": _moods(asked),
    }  # fmt: skip


def _because(card: Card, model: str, tracks: Sequence[int], cards: Mapping[int, Card]) -> dict[str, Any]:
    return {"track": card.to_page(), "model": model, "tracks": in_order(tracks, cards)}


def _nearest(card: Card) -> tuple[str, Sequence[int]]:
    """Return a model and its neighbours of a track; none of a track that no model knows."""
    for model in _MODELS:
        if found := card.neighbours.get(model):
            return model, found[:_SHELF]
    return "", ()


def _newest(asked: Asked) -> list[int]:
    """Return the tracks that came since the run was made, then the newest of the run."""
    meta = asked.store.meta
    documents = {found["_id"]: found for found in meta.find({"_id": {"$in": ["newcomers", "shelves"]}})}
    came = documents.get("newcomers", {}).get("tracks", [])
    return list(dict.fromkeys([*came, *documents.get("shelves", {}).get("newest", [])]))[:_SHELF]


def _moods(asked: Asked) -> list[dict[str, Any]]:
    """Return number, words, size and sound print of each cluster."""
    return [
        {"number": each.number, "words": each.words, "size": each.size, "print": each.print}
        for each in asked.store.clusters.all()[:_MOODS]
    ]
