"""A history matched to a catalogue: which plays and opinions it comes to, and what became of each entry."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import merge
from itertools import chain
from typing import Literal

import numpy as np

from segue.dataset.exports.base import Bad, Entry, Listen, Opinion
from segue.dataset.exports.matching import Catalogue, How

SHOWN_BAD = 10
"""Bad entries that are reported one by one; the others are counted."""

_KEPT_NAMES = 20_000
_BITS = 32


@dataclass(frozen=True, slots=True, order=True)
class Play:
    """What becomes one event: ``kind`` of a track at ``at`` (seconds since 1970, UTC), and its ``identity``.

    The identity of a heard track is its minute and how many plays of the track came before in that minute,
    so that it is one however finely an export tells the time; that of an opinion is its time, or nothing if
    the export gives none.
    """

    at: int
    track_id: int
    kind: Literal["complete", "like", "dislike"]
    identity: str


@dataclass(slots=True)
class Tally:
    """What was read, in numbers: ``entries`` of any kind, ``read`` listens.

    ``duplicates`` are listens that stand in the export twice: one track, one second. ``first`` and ``last``
    are seconds since 1970 of all listens read. ``unmatched`` and ``ambiguous`` count artists and titles; of
    very many different ones the rare are forgotten. ``unknown_opinions`` are opinions of no track here.
    """

    entries: int = 0
    read: int = 0
    found: Counter[How] = field(default_factory=Counter)
    duplicates: int = 0
    likes: int = 0
    dislikes: int = 0
    unknown_opinions: int = 0
    bad: int = 0
    bad_shown: list[Bad] = field(default_factory=list)
    first: int | None = None
    last: int | None = None
    unmatched: Counter[tuple[str, str]] = field(default_factory=Counter)
    ambiguous: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def matched(self) -> int:
        """Return how many listens have a track."""
        return self.found["id"] + self.found["exact"] + self.found["fuzzy"]


class History:
    """Takes the entries of an export one by one and keeps 8 bytes of each listen that has a track.

    Parameters
    ----------
    catalogue
        Where tracks are looked up.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.tally = Tally()
        self._catalogue = catalogue
        self._plays = array("Q")
        self._tracks: dict[int, int] = {}
        self._loved: dict[int, int] = {}
        self._opinions: dict[int, Opinion] = {}
        self._by_msid: dict[str, Opinion] = {}

    def take(self, entries: Iterable[Entry]) -> None:
        """Look up entries; opinions by ListenBrainz' own ids must come before the listens that name them."""
        for entry in entries:
            self.tally.entries += 1
            if isinstance(entry, Listen):
                self._listen(entry)
            elif isinstance(entry, Opinion):
                self._opinion(entry)
            else:
                self.tally.bad += 1
                if len(self.tally.bad_shown) < SHOWN_BAD:
                    self.tally.bad_shown.append(entry)

    def plays(self) -> Iterator[Play]:
        """Yield every play and opinion once, by time; call it when all entries are taken."""
        tracks = list(self._tracks)
        packed = (
            np.unique(np.frombuffer(self._plays, dtype=np.uint64)) if self._plays else np.empty(0, np.uint64)
        )
        self.tally.duplicates = len(self._plays) - packed.size
        opinions = self._all_opinions()
        self.tally.likes = sum(play.kind == "like" for play in opinions)
        self.tally.dislikes = len(opinions) - self.tally.likes
        self.tally.unknown_opinions = len(self._by_msid)
        return merge(_heard(packed, tracks), opinions, key=lambda play: play.at)

    def _listen(self, listen: Listen) -> None:
        tally = self.tally
        tally.read += 1
        tally.first = listen.at if tally.first is None else min(tally.first, listen.at)
        tally.last = listen.at if tally.last is None else max(tally.last, listen.at)
        match = self._catalogue.find(listen.named)
        tally.found[match.how] += 1
        if match.track_id is None:
            _count(tally.ambiguous if match.how == "ambiguous" else tally.unmatched, listen)
            return
        track = self._tracks.setdefault(match.track_id, len(self._tracks))
        self._plays.append(listen.at << _BITS | track)
        if listen.loved:
            self._loved[match.track_id] = max(self._loved.get(match.track_id, 0), listen.at)
        if listen.msid in self._by_msid:
            self._say(match.track_id, self._by_msid.pop(listen.msid))

    def _opinion(self, opinion: Opinion) -> None:
        track = None
        if opinion.named is not None:
            track = self._catalogue.find(opinion.named).track_id
        elif opinion.mbid:
            track = self._catalogue.by_mbid(opinion.mbid)
        if track is not None:
            self._say(track, opinion)
        elif opinion.msid:
            self._by_msid[opinion.msid] = opinion
        else:
            self.tally.unknown_opinions += 1

    def _say(self, track: int, opinion: Opinion) -> None:
        """Keep the latest opinion of a track."""
        known = self._opinions.get(track)
        if known is None or known.at <= opinion.at:
            self._opinions[track] = opinion

    def _all_opinions(self) -> list[Play]:
        """Return the opinions by time; a love without a time counts from the last listen that says so."""
        dated = (Play(each.at, track, each.kind, str(each.at)) for track, each in self._opinions.items())
        undated = (
            Play(at, track, "like", "") for track, at in self._loved.items() if track not in self._opinions
        )
        return sorted(chain(dated, undated))


def _heard(packed: np.ndarray, tracks: list[int]) -> Iterator[Play]:
    """Yield the plays of uint64[n], each the second and the place of its track, ascending."""
    minute, before = -1, Counter[int]()
    for block in np.array_split(packed, max(1, packed.size // 10_000)):
        for second, place in zip((block >> _BITS).tolist(), (block & 0xFFFF_FFFF).tolist(), strict=True):
            if second // 60 != minute:
                minute, before = second // 60, Counter()
            track = tracks[place]
            yield Play(second, track, "complete", f"{minute}/{before[track]}")
            before[track] += 1


def _count(names: Counter[tuple[str, str]], listen: Listen) -> None:
    names[listen.named.artist, listen.named.title] += 1
    if len(names) > 2 * _KEPT_NAMES:
        kept = names.most_common(_KEPT_NAMES)
        names.clear()
        names.update(dict(kept))
