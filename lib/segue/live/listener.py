"""What is known of one listener: pure functions from a state and an event to the next state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from segue.dataset.listening import COMPLETE, LIKE, PLAY, SKIP
from segue.live.events import PlayEvent

MAX_TRACKS = 1_000
"""Tracks remembered of a listener; beyond it those go first that were touched longest ago."""

RECENT = 50
"""Tracks heard last that are remembered in their order."""

PASSIVE = frozenset({"progress", "impression"})
"""Kinds of events that say nothing of taste: they change no state and cause no list."""

DISLIKED = -1.0
"""Weight of a disliked track in `history`; how far below zero does not matter to the models."""

_COUNTED = {"play": "plays", "complete": "completes", "skip": "skips"}
_SPOKEN = frozenset({"like", "dislike", "clear", "rate"})
_LEAST_LIKED = 3
_EPOCH, _MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)


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
        if self.kind == "rate":
            stars = self.value or 0
            return float(stars - _LEAST_LIKED + 1) if stars >= _LEAST_LIKED else None
        return {"like": LIKE, "clear": 0.0}.get(self.kind)


@dataclass(frozen=True, slots=True)
class Heard:
    """What a listener did with one track: how often begun, heard to the end, broken off, and the opinion."""

    plays: int = 0
    completes: int = 0
    skips: int = 0
    opinion: Opinion | None = None

    @property
    def weight(self) -> float:
        """Return the weight of `segue.dataset.listening.interactions`, `DISLIKED` for a disliked track."""
        adds = 0.0 if self.opinion is None else self.opinion.adds
        if adds is None:
            return DISLIKED
        open_plays = max(0, self.plays - self.completes - self.skips)
        return COMPLETE * self.completes + PLAY * open_plays + SKIP * self.skips + adds


@dataclass(frozen=True, slots=True)
class ListenerState:
    """One listener.

    ``tracks`` by track id, the one touched last at the end; ``recent`` the tracks heard last, each once, the
    newest at the end.
    """

    tracks: Mapping[int, Heard] = field(default_factory=lambda: MappingProxyType({}))
    recent: tuple[int, ...] = ()


def apply(state: ListenerState, event: PlayEvent) -> ListenerState:
    """Return the state after an event; one of a kind in `PASSIVE` returns ``state`` itself.

    The opinion with the latest ``at`` counts, of equal ones that which is applied last.
    """
    if event.kind in PASSIVE:
        return state
    before = state.tracks.get(event.track_id, Heard())
    tracks = {track: heard for track, heard in state.tracks.items() if track != event.track_id}
    tracks[event.track_id] = _after(before, event)
    if len(tracks) > MAX_TRACKS:
        del tracks[_least(tracks)]
    recent = state.recent
    if event.kind in _COUNTED:
        recent = (*(track for track in recent if track != event.track_id), event.track_id)[-RECENT:]
    return ListenerState(MappingProxyType(tracks), recent)


def _after(heard: Heard, event: PlayEvent) -> Heard:
    if event.kind in _SPOKEN:
        opinion = Opinion(event.kind, (event.at - _EPOCH) // _MILLISECOND, event.value)
        newer = heard.opinion is None or opinion.at_ms >= heard.opinion.at_ms
        return replace(heard, opinion=opinion) if newer else heard
    name = _COUNTED[event.kind]
    return replace(heard, **{name: getattr(heard, name) + 1})


def _least(tracks: Mapping[int, Heard]) -> int:
    """Return the track to forget: touched longest ago, those without an opinion first, dislikes last."""

    def kept(heard: Heard) -> int:
        return 0 if heard.opinion is None else 2 if heard.opinion.adds is None else 1

    return min(tracks, key=lambda track: kept(tracks[track]))


def history(state: ListenerState) -> dict[int, float]:
    """Return the weight of each track that says something, the one touched last at the end.

    Above zero the weights are those of `segue.dataset.listening.interactions`; a disliked track has
    `DISLIKED`; a track with nothing above zero and no dislike is left out, as it is there.
    """
    weights = {track: heard.weight for track, heard in state.tracks.items()}
    return {track: weight for track, weight in weights.items() if weight > 0 or _is_disliked(state, track)}


def _is_disliked(state: ListenerState, track: int) -> bool:
    opinion = state.tracks[track].opinion
    return opinion is not None and opinion.adds is None


def disliked(state: ListenerState) -> frozenset[int]:
    """Return the tracks with a dislike, or a rating of 1 or 2, as the last word."""
    return frozenset(track for track in state.tracks if _is_disliked(state, track))


def liked(state: ListenerState) -> frozenset[int]:
    """Return the tracks with a like, or a rating of 3 to 5, as the last word."""
    return frozenset(
        track for track, heard in state.tracks.items() if heard.opinion is not None and heard.opinion.adds
    )


def heard_lately(state: ListenerState, count: int = RECENT) -> tuple[int, ...]:
    """Return the tracks heard last, at most ``count``, the newest at the end."""
    return state.recent[-count:] if count > 0 else ()


def seeds(state: ListenerState, count: int) -> dict[int, float]:
    """Return the weights of the tracks above zero that were touched last, at most ``count``, newest last."""
    positive = [(track, weight) for track, weight in history(state).items() if weight > 0]
    return dict(positive[-count:] if count > 0 else [])


def to_document(state: ListenerState) -> dict[str, Any]:
    """Return the state as the document store keeps it: lists and numbers, at most some 100 kB."""
    return {
        "tracks": [_track_document(track, heard) for track, heard in state.tracks.items()],
        "recent": list(state.recent),
    }


def from_document(document: Mapping[str, Any]) -> ListenerState:
    """Return the state that `to_document` wrote."""
    tracks = {entry["id"]: _heard(entry) for entry in document["tracks"]}
    return ListenerState(MappingProxyType(tracks), tuple(document["recent"]))


def _track_document(track: int, heard: Heard) -> dict[str, Any]:
    counts = {name: getattr(heard, name) for name in _COUNTED.values()}
    entry: dict[str, Any] = {"id": track, **{name: count for name, count in counts.items() if count}}
    if heard.opinion is not None:
        entry |= {"said": heard.opinion.kind, "at_ms": heard.opinion.at_ms}
        if heard.opinion.value is not None:
            entry["value"] = heard.opinion.value
    return entry


def _heard(entry: Mapping[str, Any]) -> Heard:
    opinion = Opinion(entry["said"], entry["at_ms"], entry.get("value")) if "said" in entry else None
    return Heard(**{name: entry.get(name, 0) for name in _COUNTED.values()}, opinion=opinion)
