"""What a minute held: counts in bounded memory that add up over workers and minutes."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Self

BOUNDS_S = (
    0.001, 0.002, 0.003, 0.005, 0.007, 0.01, 0.015, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.5, 0.8, 1.2,
    2.0, 3.0, 5.0, 10.0,
)  # fmt: skip
"""Upper bounds of the buckets of latency, in seconds; a last bucket holds what took longer."""

HASHES = 1_024
"""Hashes that a `Distinct` keeps: it is exact below this number, and above it 3 % off (standard error)."""

TRACKS = 4_096
"""Tracks that are counted at once; those with the fewest plays are let go when there are twice as many."""

TRACKS_STORED = 200
"""Tracks of a minute that are stored."""

MODELS = 32
"""Names of models that are told apart; later ones are counted as `OTHER`."""

OTHER = "other"
ORIGINS = ("real", "simulated")


class Distinct:
    """How many different names: exact below `HASHES`, an estimate above, of which it tells.

    The smallest 64-bit hashes are kept (k minimum values, Bar-Yossef and others 2002); the estimate is
    (k - 1) / U, where U is the k-th smallest hash as a share of all (Beyer and others, SIGMOD 2007). The
    union of two is that of their hashes, again the smallest kept. Names cannot be had back from it.
    """

    def __init__(self, hashes: Iterable[int] = ()) -> None:
        self._held = set(hashes)
        self._below = 1 << 64
        self._prune()

    def add(self, name: str) -> None:
        """Count a name."""
        number = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big")
        if number < self._below:
            self._held.add(number)
            if len(self._held) >= 2 * HASHES:
                self._prune()

    def update(self, other: Distinct) -> None:
        """Count all that another has counted."""
        self._held |= other._held
        self._prune()

    def count(self) -> int:
        """Return how many different names there were."""
        smallest = self._smallest()
        if len(smallest) < HASHES:
            return len(smallest)
        return round((HASHES - 1) / ((smallest[-1] + 1) / (1 << 64)))

    @property
    def is_exact(self) -> bool:
        """Tell whether `count` is no estimate."""
        return len(self._held) < HASHES

    def to_bytes(self) -> bytes:
        """Return the kept hashes, eight bytes each, ascending."""
        return b"".join(number.to_bytes(8, "big") for number in self._smallest())

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Return what `to_bytes` wrote."""
        return cls(int.from_bytes(content[at : at + 8], "big") for at in range(0, len(content), 8))

    def _smallest(self) -> list[int]:
        return sorted(self._held)[:HASHES]

    def _prune(self) -> None:
        if len(self._held) > HASHES:
            smallest = self._smallest()
            self._held, self._below = set(smallest), smallest[-1] + 1


class TrackPlays:
    """Plays by track: exact while there are few tracks; then each count may be short by up to `missed`."""

    def __init__(self, counts: Iterable[tuple[int, int]] = (), missed: int = 0) -> None:
        self.counts: Counter[int] = Counter(dict(counts))
        self.missed = missed

    def add(self, track_id: int) -> None:
        """Count a play."""
        self.counts[track_id] += 1
        if len(self.counts) >= 2 * TRACKS:
            self.keep(TRACKS)

    def update(self, other: TrackPlays) -> None:
        """Count what another has counted."""
        self.counts.update(other.counts)
        self.missed += other.missed
        if len(self.counts) >= 2 * TRACKS:
            self.keep(TRACKS)

    def keep(self, most: int) -> None:
        """Let all but the ``most`` played tracks go; `missed` grows by the plays of the best of those."""
        ranked = self.top(most + 1)
        if len(ranked) > most:
            self.missed += ranked[most][1]
            self.counts = Counter(dict(ranked[:most]))

    def top(self, number: int) -> list[tuple[int, int]]:
        """Return track ids and plays, most played first, equal ones by id."""
        return sorted(self.counts.items(), key=lambda each: (-each[1], each[0]))[:number]


class Latency:
    """A histogram of seconds over `BOUNDS_S`; a value that equals a bound counts below it."""

    def __init__(self, buckets: Sequence[int] = (), sum_s: float = 0.0) -> None:
        self.buckets = list(buckets) or [0] * (len(BOUNDS_S) + 1)
        self.sum_s = sum_s

    def observe(self, seconds: float) -> None:
        """Count one."""
        self.buckets[bisect_left(BOUNDS_S, seconds)] += 1
        self.sum_s += seconds

    def update(self, other: Latency) -> None:
        """Count what another has counted."""
        self.buckets = [one + two for one, two in zip(self.buckets, other.buckets, strict=True)]
        self.sum_s += other.sum_s

    @property
    def count(self) -> int:
        """Return how many were observed."""
        return sum(self.buckets)

    def quantile(self, share: float) -> float | None:
        """Return seconds by the rule of Prometheus' ``histogram_quantile``: linear within a bucket.

        Above the last bound it is that bound, which means "at least"; without a value it is None.
        """
        wanted = share * self.count
        below = 0
        for place, (bound, here) in enumerate(zip(BOUNDS_S, self.buckets, strict=False)):
            if here and below + here >= wanted:
                lower = BOUNDS_S[place - 1] if place else 0.0
                return lower + (bound - lower) * (wanted - below) / here
            below += here
        return BOUNDS_S[-1] if self.count else None


@dataclass(slots=True)
class Counts:
    """What listeners of one origin did: events by kind, how many listeners, plays by track."""

    kinds: Counter[str] = field(default_factory=Counter)
    listeners: Distinct = field(default_factory=Distinct)
    plays: TrackPlays = field(default_factory=TrackPlays)

    def update(self, other: Counts) -> None:
        """Count what another has counted."""
        self.kinds.update(other.kinds)
        self.listeners.update(other.listeners)
        self.plays.update(other.plays)


@dataclass(slots=True)
class Tally:
    """All that is counted in a minute: by origin (`ORIGINS`), and of the work itself."""

    real: Counts = field(default_factory=Counts)
    simulated: Counts = field(default_factory=Counts)
    rejected: Counter[str] = field(default_factory=Counter)
    latency: dict[str, Latency] = field(default_factory=dict)
    batches: int = 0
    records: int = 0
    busy_s: float = 0.0

    def listed(self, model: str, seconds: float) -> None:
        """Count a list of a model."""
        self._latency(model).observe(seconds)

    def update(self, other: Tally) -> None:
        """Count what another has counted."""
        self.real.update(other.real)
        self.simulated.update(other.simulated)
        self.rejected.update(other.rejected)
        for model, latency in other.latency.items():
            self._latency(model).update(latency)
        self.batches += other.batches
        self.records += other.records
        self.busy_s += other.busy_s

    def all_latency(self) -> Latency:
        """Return the latency of all models together."""
        total = Latency()
        for latency in self.latency.values():
            total.update(latency)
        return total

    def _latency(self, model: str) -> Latency:
        known = model in self.latency or len(self.latency) < MODELS
        return self.latency.setdefault(model if known else OTHER, Latency())

    def to_document(self) -> dict[str, Any]:
        """Return the fields of a stored minute (see `segue.store.activity`)."""
        return {
            **{origin: _counts_document(getattr(self, origin)) for origin in ORIGINS},
            "rejected": dict(self.rejected),
            "latency": [
                {"model": model, "buckets": each.buckets, "sum_s": each.sum_s}
                for model, each in self.latency.items()
            ],
            "batches": self.batches,
            "records": self.records,
            "busy_s": self.busy_s,
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """Return what `to_document` wrote."""
        return cls(
            **{origin: _counts(document[origin]) for origin in ORIGINS},
            rejected=Counter(document["rejected"]),
            latency={each["model"]: Latency(each["buckets"], each["sum_s"]) for each in document["latency"]},
            batches=document["batches"],
            records=document["records"],
            busy_s=document["busy_s"],
        )


def _counts_document(counts: Counts) -> dict[str, Any]:
    plays = TrackPlays(counts.plays.counts.items(), counts.plays.missed)
    plays.keep(TRACKS_STORED)
    return {
        "kinds": dict(counts.kinds),
        "listeners": counts.listeners.to_bytes(),
        "plays": [list(each) for each in plays.top(TRACKS_STORED)],
        "plays_missed": plays.missed,
    }


def _counts(document: dict[str, Any]) -> Counts:
    plays = TrackPlays(((track, plays) for track, plays in document["plays"]), document["plays_missed"])
    return Counts(Counter(document["kinds"]), Distinct.from_bytes(document["listeners"]), plays)
