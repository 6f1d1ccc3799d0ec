"""Lists as a page is told of them: ids become cards, reasons get the titles that they rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from segue.live.events import Recommendation
from segue.store.cards import Card

PAGE_OF_CARDS = 40
"""Tracks that a search returns at once."""


def tracks_of(recommendation: Recommendation) -> list[int]:
    """Return every track that a recommendation names, also in its reasons."""
    found: dict[int, None] = {}
    for item in recommendation.items:
        found |= dict.fromkeys([item.track_id, *item.why.because_of])
    return list(found)


def recommended(recommendation: Recommendation, cards: Mapping[int, Card]) -> dict[str, Any]:
    """Return the message ``recommendation``; a track that has no card (any more) is left out."""
    # Not named `id`: ipykernel's comm keeps what a message says there, for a reply that never comes.
    items = [
        {
            "track": cards[item.track_id].to_page(),
            "score": item.score,
            "why": {
                "kind": item.why.kind,
                "text": item.why.text,
                "because_of": [
                    {"track_id": track, "title": cards[track].title}
                    for track in item.why.because_of
                    if track in cards
                ],
            },
        }
        for item in recommendation.items
        if item.track_id in cards
    ]
    return {
        "type": "recommendation",
        "recommendation_id": str(recommendation.recommendation_id),
        "made_at": recommendation.made_at.isoformat(),
        "model": recommendation.model,
        "caused_by": str(recommendation.caused_by) if recommendation.caused_by else None,
        "items": items,
    }


def for_everybody(
    track_ids: Sequence[int], cards: Mapping[int, Card], *, played: bool, simulated: bool
) -> dict[str, Any]:
    """Return the message ``recommendation`` for one of whom nothing is known.

    Parameters
    ----------
    track_ids
        The most played tracks, best first, or where nobody played anything a mix that differs.
    played, simulated
        Whether anybody played anything here, and whether they were simulated.
    """
    kind, text = "new", "one of a mix of what is here"
    if played:
        kind, text = "popular", f"played by many {'simulated listeners ' if simulated else ''}here"
    known = [track for track in track_ids if track in cards]
    items = [
        {
            "track": cards[track].to_page(),
            "score": float(len(known) - place),
            "why": {"kind": kind, "text": text, "because_of": []},
        }
        for place, track in enumerate(known)
    ]
    return {
        "type": "recommendation", "recommendation_id": None, "made_at": None,
        "model": "popularity" if played else "mix", "caused_by": None, "items": items,
    }  # fmt: skip


def in_order(track_ids: Sequence[int], cards: Mapping[int, Card]) -> list[dict[str, Any]]:
    """Return what a page is told of tracks, in their order, those without a card left out."""
    return [cards[track].to_page() for track in track_ids if track in cards]
