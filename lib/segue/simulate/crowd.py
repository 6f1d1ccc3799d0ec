"""Live listeners: who acts next, and what they do with the newest list that they have."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from uuid import uuid4

import numpy as np

from segue.live.events import Kind, Source
from segue.simulate.answers import Offer
from segue.simulate.reaction import PLACES, Draws, Manner, choose, draw, hear, own_mind
from segue.simulate.taste import Tastes

PAUSE_S = 20.0
"""Seconds between two acts of one listener, about: so many are there at once as the rate needs."""

_VISIT, _ORDER = 5, 6
_NOTHING = np.zeros(0)


@dataclass(frozen=True, slots=True)
class Act:
    """Something that listener ``number`` does with the track at a position of the world."""

    number: int
    session_id: str
    kind: Kind
    track: int
    position_s: float
    source: Source


@dataclass
class Hits:
    """Lists that were looked at, their tracks that fit, and how many popular and random ones would have."""

    lists: int = 0
    fitting: int = 0
    popular: int = 0
    chance: float = 0.0

    def to_json(self) -> dict[str, float | None]:
        """Return shares of the first ten places, None where no list was looked at."""
        looked = max(1, self.lists)
        shares = {
            "hit_rate": self.fitting / (PLACES * looked),
            "popularity": self.popular / (PLACES * looked),
            "random": self.chance / looked,
        }
        return {name: round(share, 4) if self.lists else None for name, share in shares.items()}


class Crowd:
    """So many listeners, of whom as many are there as act at a rate with a pause of `PAUSE_S`.

    All that the first of them need is drawn at once, before any acts. They take turns. Who has finished a
    session goes, and the next one comes, in an order drawn anew each time that all have been there.

    Parameters
    ----------
    tastes
        Theirs.
    listeners, rate
        How many there are, and how many acts a second all of them together make.
    newest
        Gives the newest list of a listener.
    popular
        int64[at most ten]: positions of the most popular tracks, a yardstick.
    seed
        Equal seeds and lists give equal acts; only ids of sessions and events are new each time.
    """

    def __init__(
        self,
        tastes: Tastes,
        listeners: int,
        rate: float,
        newest: Callable[[int], Offer | None],
        popular: np.ndarray,
        seed: int,
    ) -> None:
        self.hits = Hits()
        self.seen: set[int] = set()
        self._tastes, self._newest, self._popular, self._seed = tastes, newest, popular, seed
        self._lengths = tastes.world.length_s
        self._unheard = np.zeros(len(tastes.world.tracks))
        self._visits = np.zeros(listeners, dtype=np.int64)
        self._arriving = self._arrivals(listeners)
        present = min(listeners, max(1, math.ceil(rate * PAUSE_S)))
        self._ring: deque[Iterator[Act]] = deque(self._arrive() for _ in range(present))

    def act(self) -> Act:
        """Return what is done next."""
        while True:
            visit = self._ring.popleft()
            act = next(visit, None)
            self._ring.append(visit if act is not None else self._arrive())
            if act is not None:
                self.seen.add(act.number)
                return act

    def _arrivals(self, listeners: int) -> Iterator[int]:
        rng = np.random.default_rng([self._seed, _ORDER])
        while True:
            yield from rng.permutation(listeners).tolist()

    def _arrive(self) -> Iterator[Act]:
        number = next(self._arriving)
        return self._visit(number, *self._begin(number))

    def _visit(self, number: int, draws: Draws, own: list[int]) -> Iterator[Act]:
        """Yield the acts of one session."""
        session_id, played = uuid4().hex, set[int]()
        looked: Offer | None = None
        for i in range(draws.plays):
            offer = self._newest(number)
            offered = [] if offer is None else list(offer.tracks)
            track, place, fit = self._choose(number, offered, own, played, draws, i)
            played.add(track)
            if offer is not None and offer is not looked and offered and not draws.ignores[i]:
                looked = offer
                self._count(number, offered)
                yield Act(number, session_id, "impression", offered[0], 0.0, _source(offer))
            source = _source(offer) if place >= 0 and offer is not None else Source(list="own-mind")
            play = hear(track, place, fit, draws, i)
            position_s = round(play.share * float(self._lengths[track]), 3)
            end: Kind = "complete" if play.completed else "skip"
            yield Act(number, session_id, "play", track, 0.0, source)
            yield Act(number, session_id, end, track, position_s, source)
            if play.opinion:
                yield Act(number, session_id, play.opinion, track, position_s, source)

    def _begin(self, number: int) -> tuple[Draws, list[int]]:
        """Return the luck of a listener's next session and what they would play unasked.

        Thousands of sessions are open at once, so what only the own mind needs is not kept.
        """
        self._visits[number] += 1
        rng = np.random.default_rng([self._seed, _VISIT, number, int(self._visits[number])])
        draws = draw(rng, self._unheard.size, Manner())
        own = own_mind(self._tastes.of(number), draws, self._unheard).tolist()
        return replace(draws, mind=_NOTHING, whim=_NOTHING), own

    def _choose(
        self, number: int, offered: list[int], own: list[int], played: set[int], draws: Draws, i: int
    ) -> tuple[int, int, float]:
        """Return the track of play i, its place in the list or -1, and how it fits."""
        taste = self._tastes.of(number)
        fit = taste.fit(np.array(offered, dtype=np.int64))
        track, place = choose(fit, offered, own, played, draws, i)
        return track, place, float(fit[place] if place >= 0 else taste.fit(np.array([track]))[0])

    def _count(self, number: int, offered: list[int]) -> None:
        taste = self._tastes.of(number)
        self.hits.lists += 1
        self.hits.fitting += int(taste.fits(np.array(offered, dtype=np.int64)).sum())
        self.hits.popular += int(taste.fits(self._popular).sum())
        self.hits.chance += self._tastes.share(number)


def _source(offer: Offer) -> Source:
    return Source(list="for-you", model=offer.model, recommendation_id=offer.recommendation_id)
