"""Answers about what a listener has heard and rated."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from segue.player.lists import in_order
from segue.player.messages import History, Ratings
from segue.player.welcome import read_state

if TYPE_CHECKING:
    from segue.player.answers import Asked

PAGE_OF_PLAYS = 50
"""Plays that a page of the history has."""

_MOST_RATINGS = 500


def ratings(question: Ratings, asked: Asked) -> dict[str, Any]:
    """Return the message ``ratings``: tracks with 1 to 5 stars, best first, then the one rated last."""
    state = read_state(asked.store, asked.place.listener_id)
    said = [
        (track, heard.opinion)
        for track, heard in state.tracks.items()
        if heard.opinion is not None and heard.opinion.kind == "rate"
    ]
    said.sort(key=lambda each: (-(each[1].value or 0), -each[1].at_ms))
    stars = {track: opinion.value for track, opinion in said[:_MOST_RATINGS]}
    cards = asked.store.cards.by_ids(list(stars))
    asked.known.update(cards)
    return {
        "type": "ratings", "request": question.request, "tracks": in_order(list(stars), cards),
        "ratings": [{"track_id": track, "value": value} for track, value in stars.items() if track in cards],
    }  # fmt: skip


def history(question: History, asked: Asked) -> dict[str, Any]:
    """Return the message ``history``: plays, newest first, and whether there ``is_more`` before them."""
    before = question.before
    found = asked.store.plays.history(
        asked.place.listener_id,
        PAGE_OF_PLAYS + 1,
        (before.at.astimezone(UTC), str(before.event_id)) if before else None,
    )
    plays = found[:PAGE_OF_PLAYS]
    cards = asked.store.cards.by_ids(list({play["track_id"] for play in plays}))
    asked.known.update(cards)
    return {
        "type": "history", "request": question.request, "is_more": len(found) > len(plays),
        "tracks": [card.to_page() for card in cards.values()],
        "plays": [
            {
                "event_id": play["event_id"], "track_id": play["track_id"],
                "at": play["at"].replace(tzinfo=UTC).isoformat(),
            }
            for play in plays
        ],
    }  # fmt: skip
