"""What the page Activity is told: what this listener did, and for an operator what everybody does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from segue.live import overview
from segue.live.events import now
from segue.live.tallies import ORIGINS, Counts, Tally
from segue.player.messages import AllActivity, MyActivity

if TYPE_CHECKING:
    from segue.player.answers import Asked

NOT_YOURS = "Only an operator sees what everybody does."
MOST_EVENTS = 50_000
"""Events of one listener that are counted for a page; a longer history is counted in part, and said to be."""

_TOP = 10
_COUNTED = ("play", "complete", "skip", "like", "dislike", "rate")


def my_activity(question: MyActivity, asked: Asked) -> dict[str, Any]:
    """Return the message ``my_activity``: this listener's own plays, a day a row, the oldest first.

    Days are those of a clock ``offset_min`` minutes ahead of UTC. ``share_skipped`` is of the plays whose end
    is known, None without any; ``more`` tells that there were too many events to count them all.
    """
    offset = timedelta(minutes=question.offset_min)
    today = (now() + offset).date()
    days = [today - timedelta(days=back) for back in reversed(range(question.days))]
    since = datetime(days[0].year, days[0].month, days[0].day, tzinfo=UTC) - offset
    events = asked.store.plays.of_listener(asked.place.listener_id, since, _COUNTED, MOST_EVENTS + 1)
    kinds: Counter[str] = Counter()
    by_day: Counter[date] = Counter()
    plays: Counter[int] = Counter()
    artists: Counter[str] = Counter()
    for event in events:
        kinds[event["kind"]] += 1
        if event["kind"] == "play":
            by_day[(_utc(event["at"]) + offset).date()] += 1
            plays[event["track_id"]] += 1
    for track, artist in asked.store.cards.artists(list(plays)).items():
        artists[artist] += plays[track]
    return {
        "type": "my_activity", "request": question.request, "operator": asked.place.operator,
        "kinds": {kind: kinds[kind] for kind in _COUNTED}, "tracks": len(plays), "artists": len(artists),
        "share_skipped": overview.skip_share(kinds), "more": kinds.total() > MOST_EVENTS,
        "by_day": [{"day": day.isoformat(), "plays": by_day[day]} for day in days],
        "top_tracks": _top_tracks(plays, asked),
        "top_artists": [{"artist": artist, "plays": number} for artist, number in _top(artists)],
    }  # fmt: skip


def all_activity(question: AllActivity, asked: Asked) -> dict[str, Any]:
    """Return the message ``all_activity``, the numbers of `segue activity`, or ``failed`` if not an operator.

    Who is one is what the server said of the login; nothing in a message can change it.
    """
    if not asked.place.operator:
        return {"type": "failed", "request": question.request, "text": NOT_YOURS}
    found = overview.read(asked.store, now(), question.minutes)
    return {
        "type": "all_activity", "request": question.request, "at": found.at.isoformat(), "lag": found.lag,
        "workers": [_worker(each) for each in found.workers],
        "last_minute": _told(found.last_minute), "total": _told(found.total),
        "by_minute": [{"at": at.isoformat(), **_told(tally)} for at, tally in found.by_minute.items()],
        "top_tracks": {origin: found.top(origin) for origin in ORIGINS},
        "rejected": dict(found.total.rejected.most_common(_TOP)),
    }  # fmt: skip


def _top_tracks(plays: Mapping[int, int], asked: Asked) -> list[dict[str, Any]]:
    """Return the most played tracks with their cards, those without one left out."""
    ranked = _top(plays)
    cards = asked.store.cards.by_ids([track for track, _ in ranked])
    asked.known.update(cards)
    return [{"track": cards[track].to_page(), "plays": number} for track, number in ranked if track in cards]


def _top(counts: Mapping[Any, int]) -> Sequence[tuple[Any, int]]:
    """Return the largest counts, equal ones by name or id."""
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:_TOP]


def _worker(worker: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "lag": sum(worker["lag"].values()), "away": list(worker["away"]), "lost": worker["lost"],
        "since": worker["since"].isoformat(),
    }  # fmt: skip


def _told(tally: Tally) -> dict[str, Any]:
    latency = tally.all_latency()
    return {
        **{origin: _told_counts(getattr(tally, origin)) for origin in ORIGINS},
        "lists": latency.count, "median_s": latency.quantile(0.5), "p95_s": latency.quantile(0.95),
        "p99_s": latency.quantile(0.99), "rejected": tally.rejected.total(),
    }  # fmt: skip


def _told_counts(counts: Counts) -> dict[str, Any]:
    return {
        "events": counts.kinds.total(), "plays": counts.kinds["play"], "listeners": counts.listeners.count(),
        "share_skipped": overview.skip_share(counts.kinds),
    }  # fmt: skip


def _utc(time: datetime) -> datetime:
    """Return a time of the store, which is UTC and does not say so."""
    return time.replace(tzinfo=UTC)
