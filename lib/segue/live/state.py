"""What is kept of one listener."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from segue.dataset.listening import COMPLETE, LIKE, PLAY, SKIP

DISLIKED = -1.0
"""Weight of a disliked track; how far below does not matter to the models. It does not fade."""

_LEAST_LIKED = 3
_ADDS: dict[tuple[str, int | None], float | None] = {
    ("like", None): LIKE,
    ("dislike", None): None,
    **{
        ("rate", stars): float(stars - _LEAST_LIKED + 1) if stars >= _LEAST_LIKED else None
        for stars in range(1, 6)
    },
}


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a listener said of a track: ``kind`` like, dislike, clear or rate, ``value`` 1 to 5 for rate.

    ``at_ms`` is when, in milliseconds since 1970 (UTC).
    """

    kind: str
    at_ms: int
    value: int | None = None

    @property
    def adds(self) -> float | None:
        """Return what it adds to the weight, by `segue.dataset.listening.interactions`; None: disliked."""
        return _ADDS.get((self.kind, self.value), 0.0)


class Heard(NamedTuple):
    """What a listener did with one track.

    How often it was begun, heard to the end and broken off; when it was touched last, in milliseconds since
    1970 (UTC; 0 where a state does not tell); the opinion.
    """

    plays: int = 0
    completes: int = 0
    skips: int = 0
    at_ms: int = 0
    opinion: Opinion | None = None

    @property
    def weight(self) -> float:
        """Return the weight of `segue.dataset.listening.interactions`, `DISLIKED` for a disliked track."""
        plays, completes, skips, _, opinion = self
        adds = 0.0 if opinion is None else opinion.adds
        if adds is None:
            return DISLIKED
        return COMPLETE * completes + PLAY * max(0, plays - completes - skips) + SKIP * skips + adds

    @property
    def is_disliked(self) -> bool:
        """Tell whether a dislike, or a rating of 1 or 2, is the last word."""
        return self.opinion is not None and self.opinion.adds is None

    @property
    def is_liked(self) -> bool:
        """Tell whether a like, or a rating of 3 to 5, is the last word."""
        return self.opinion is not None and bool(self.opinion.adds)


@dataclass(frozen=True, slots=True)
class ListenerState:
    """One listener.

    Attributes
    ----------
    tracks
        By track id, the one touched last at the end.
    recent
        The tracks heard last, each once, the newest at the end.
    session_id, session
        The session of the newest event by its own time, and the tracks touched in it as in ``recent``.
    newest_ms
        The time of the newest event, in milliseconds since 1970 (UTC).
    """

    tracks: Mapping[int, Heard] = field(default_factory=lambda: MappingProxyType({}))
    recent: tuple[int, ...] = ()
    session_id: str = ""
    session: tuple[int, ...] = ()
    newest_ms: int = 0
