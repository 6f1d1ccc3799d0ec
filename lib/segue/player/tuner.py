"""Answers what a radio plays next, from the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from segue.live.listener import disliked, heard_lately
from segue.player.messages import Radio
from segue.player.radio import LATELY, Candidate, Station, choose, rank
from segue.player.welcome import read_state
from segue.store.cards import Card

if TYPE_CHECKING:
    from segue.player.answers import Asked

AT_ONCE = 10
"""Tracks that a radio gives at a time."""

_WANTED = 100


def radio(question: Radio, asked: Asked) -> dict[str, Any]:
    """Return the message ``radio``: ``items`` as those of a recommendation, none when all near was played."""
    state = read_state(asked.store, asked.place.listener_id)
    # Of a few tracks a third is lately: with all of them barred, a radio over a small folder would be over.
    lately = min(LATELY, asked.store.cards.estimated_count() // 3)
    station = Station(
        tuple(question.plus), tuple(question.minus), tuple(question.likes), tuple(question.skips),
        tuple(question.heard),
    )  # fmt: skip
    barred = {*disliked(state), *heard_lately(state, lately), *station.weights}
    cards: dict[int, Card] = {}

    def look_up(track_ids: Iterable[int]) -> None:
        cards.update(asked.store.cards.by_ids([track for track in track_ids if track not in cards]))

    def near(track_ids: Iterable[int]) -> Mapping[int, Mapping[str, Sequence[int]]]:
        wanted = list(track_ids)
        look_up(wanted)
        return {track: cards[track].neighbours for track in wanted if track in cards}

    ranked = rank(station, near, _WANTED, barred)
    look_up([*(each.track_id for each in ranked), *station.heard])
    chosen = choose(
        [each for each in ranked if each.track_id in cards],
        AT_ONCE,
        heard=station.heard,
        barred=barred,
        artists={track: card.artist for track, card in cards.items()},
        recordings=asked.store.tracks.recordings({*cards, *barred}),
        lately=lately,
    )
    asked.known.update(each.track_id for each in chosen)
    return {
        "type": "radio", "request": question.request,
        "items": [_item(each, cards, station) for each in chosen],
    }  # fmt: skip


def _item(each: Candidate, cards: Mapping[int, Card], station: Station) -> dict[str, Any]:
    seed, title = each.because_of, cards[each.because_of].title
    liked = seed in station.likes and seed not in station.plus
    return {
        "track": cards[each.track_id].to_page(),
        "why": {
            "text": f"because you liked {title}" if liked else f"near {title}",
            "because_of": [{"track_id": seed, "title": title}],
        },
    }
