"""What live listeners wait for, and the lists that have come for them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from segue.live.events import Recommendation
from segue.simulate.latency import Latencies
from segue.simulate.reaction import PLACES

_WAITING = 16


@dataclass(frozen=True, slots=True)
class Offer:
    """A list as a listener sees it: positions of the first tracks, which model made it, and its id."""

    tracks: tuple[int, ...]
    model: str
    recommendation_id: UUID


class Answers:
    """Keeps each listener's newest list, and how long after an act a list came that knows of it.

    The worker makes one list for several events of a listener that it reads together, named after the last:
    it answers all of them. At most 16 acts of a listener wait; those before them count as never answered.

    Parameters
    ----------
    places
        Position of each track id.

    Attributes
    ----------
    lists, answered
        How many lists came, and how many acts they answered.
    latencies
        From when an act was due until its list was read from the topic.
    """

    def __init__(self, places: Mapping[int, int]) -> None:
        self.lists = self.answered = 0
        self.latencies = Latencies()
        self._places = places
        self._newest: dict[int, Offer] = {}
        self._waiting: dict[int, deque[tuple[UUID, float]]] = {}
        self._lock = threading.Lock()

    def newest(self, number: int) -> Offer | None:
        """Return the list that a listener saw last, None before any came."""
        return self._newest.get(number)

    def expect(self, number: int, event_id: UUID, due: float) -> None:
        """Wait for the list that an act of a listener causes; ``due`` in seconds of any clock."""
        with self._lock:
            self._waiting.setdefault(number, deque(maxlen=_WAITING)).append((event_id, due))

    def waiting(self) -> int:
        """Return how many acts wait for a list."""
        with self._lock:
            return sum(map(len, self._waiting.values()))

    def take(self, number: int, made: Recommendation, at: float) -> None:
        """Take a list for a listener that came at ``at`` of the same clock."""
        known = (self._places.get(item.track_id) for item in made.items[:PLACES])
        tracks = tuple(place for place in known if place is not None)
        self._newest[number] = Offer(tracks, made.model[:40], made.recommendation_id)
        self.lists += 1
        with self._lock:
            line = self._waiting.get(number)
            if line is None or all(event_id != made.caused_by for event_id, _ in line):
                return
            caused_by = None
            while caused_by != made.caused_by:
                caused_by, due = line.popleft()
                self.latencies.add(at - due)
                self.answered += 1
            if not line:
                del self._waiting[number]
