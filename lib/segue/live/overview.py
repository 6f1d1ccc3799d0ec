"""What all workers of a data set have counted, added up: now, over the last hour, minute by minute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from segue.live.tallies import ORIGINS, Counts, Latency, Tally
from segue.store import Store

HOUR = 60
TOP = 10
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Overview:
    """Counts of the ``minutes`` up to and with the one that ``at`` lies in, which is not over yet.

    ``by_minute`` holds each of them, the oldest first, also those in which nothing happened; ``total`` is all
    of them together; ``workers`` is how those at work are; ``names`` gives title and artist of the most
    played tracks.
    """

    database: str
    at: datetime
    by_minute: Mapping[datetime, Tally]
    total: Tally
    workers: Sequence[Mapping[str, Any]]
    names: Mapping[int, tuple[str, str]]

    @property
    def last_minute(self) -> Tally:
        """Return the last minute that is over."""
        return list(self.by_minute.values())[-2] if len(self.by_minute) > 1 else Tally()

    @property
    def lag(self) -> int:
        """Return the events that no worker has read yet, as far as the workers know."""
        return sum(sum(worker["lag"].values()) for worker in self.workers)

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON can hold it; times are ISO 8601 in UTC, latencies seconds."""
        return {
            "database": self.database,
            "at": self.at.isoformat(),
            "lag": self.lag,
            "workers": [
                worker | {"since": worker["since"].isoformat(), "at": worker["at"].isoformat()}
                for worker in map(dict, self.workers)
            ],
            "last_minute": _told(self.last_minute),
            "minutes": len(self.by_minute),
            "total": _told(self.total),
            "top_tracks": {origin: self.top(origin) for origin in ORIGINS},
            "by_minute": [
                {"at": minute.isoformat(), **_told(tally)} for minute, tally in self.by_minute.items()
            ],
        }

    def top(self, origin: str) -> list[dict[str, Any]]:
        """Return the most played tracks; each may have had up to ``missed`` plays more."""
        plays = getattr(self.total, origin).plays
        return [
            {"track_id": track, "title": title, "artist": artist, "plays": number, "missed": plays.missed}
            for track, number in plays.top(TOP)
            for title, artist in [self.names.get(track, (f"track {track}", ""))]
        ]


def read(store: Store, at: datetime, minutes: int = HOUR) -> Overview:
    """Return the overview of a store's data set at a time, over so many minutes (at least one)."""
    this = at.replace(second=0, microsecond=0)
    first = this - (minutes - 1) * _MINUTE
    by_minute = {first + place * _MINUTE: Tally() for place in range(minutes)}
    for document in store.activity.minutes(first):
        # A worker whose clock is ahead counts in the newest minute.
        minute = min(_utc(document["at"]), this)
        by_minute[minute].update(Tally.from_document(document))
    workers = [
        {
            "worker": each["_id"],
            **{name: each[name] for name in ("run", "address", "lag", "away", "lost")},
            **{name: _utc(each[name]) for name in ("since", "at")},
        }
        for each in store.activity.workers(at)
    ]
    total = Tally()
    for tally in by_minute.values():
        total.update(tally)
    return Overview(store.database, at, by_minute, total, workers, _names(store, total))


def skip_share(kinds: Mapping[str, int]) -> float | None:
    """Return the share of plays broken off among those whose end is known."""
    ended = kinds.get("skip", 0) + kinds.get("complete", 0)
    return kinds.get("skip", 0) / ended if ended else None


def _utc(time: datetime) -> datetime:
    """Return a time of the store, which is UTC and does not say so."""
    return time.replace(tzinfo=UTC)


def _names(store: Store, total: Tally) -> dict[int, tuple[str, str]]:
    tracks = {track for origin in ORIGINS for track, _ in getattr(total, origin).plays.top(TOP)}
    cards = store.cards.by_ids(sorted(tracks))
    return {track: (card.title, card.artist) for track, card in cards.items()}


def _told(tally: Tally) -> dict[str, Any]:
    return {
        **{origin: _told_counts(getattr(tally, origin)) for origin in ORIGINS},
        "rejected": dict(tally.rejected),
        "latency": _told_latency(tally.all_latency()),
        "latency_by_model": {model: _told_latency(each) for model, each in tally.latency.items()},
        "batches": tally.batches,
        "records": tally.records,
        "busy_s": tally.busy_s,
    }


def _told_counts(counts: Counts) -> dict[str, Any]:
    return {
        "events": sum(counts.kinds.values()),
        "kinds": dict(counts.kinds),
        "listeners": counts.listeners.count(),
        "listeners_exact": counts.listeners.is_exact,
        "skip_share": skip_share(counts.kinds),
    }


def _told_latency(latency: Latency) -> dict[str, Any]:
    quantiles = {"median_s": 0.5, "p95_s": 0.95, "p99_s": 0.99}
    return {
        "count": latency.count,
        "sum_s": latency.sum_s,
        "buckets": latency.buckets,
        **{name: latency.quantile(share) for name, share in quantiles.items()},
    }
