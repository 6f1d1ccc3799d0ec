"""What is known of one listener: pure functions from a state and an event to the next state."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from segue.live.events import PlayEvent
from segue.live.state import DISLIKED, Heard, ListenerState, Opinion
from segue.live.state_document import from_document, to_document

__all__ = [
    "DISLIKED",
    "Heard",
    "ListenerState",
    "Opinion",
    "apply",
    "barred",
    "disliked",
    "from_document",
    "heard_lately",
    "history",
    "liked",
    "taste",
    "to_document",
]

MAX_TRACKS = 1_000
"""Tracks remembered of a listener; beyond it those go first that were touched longest ago."""

RECENT = 50
"""Tracks heard last that are remembered in their order, and tracks of the session."""

PASSIVE = frozenset({"progress", "impression"})
"""Kinds of events that say nothing of taste: they change no state and cause no list."""

HALF_LIFE_MS = 30 * 24 * 3_600_000
"""Milliseconds in which a track that is left alone comes to count half: a month. Tastes drift over months;
what was touched within one evening must count nearly the same, whose order the session tells."""

SKIPPED, MOST_SKIPPED = 0.5, -0.5
"""A track that was only ever broken off has this share of its weight below zero, down to the second number:
-1/4 for one skip, -1/2 for more, and never as much as a dislike."""

_SPOKEN = frozenset({"like", "dislike", "clear", "rate"})
_EPOCH, _MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)
_UNHEARD = Heard()


def apply(state: ListenerState, event: PlayEvent) -> ListenerState:
    """Return the state after an event; one of a kind in `PASSIVE` returns ``state`` itself.

    The opinion with the latest ``at`` counts, of equal ones that which is applied last. An event of another
    session begins it, unless it is older than the newest.
    """
    if event.kind in PASSIVE:
        return state
    track, at_ms = event.track_id, (event.at - _EPOCH) // _MILLISECOND
    tracks = dict(state.tracks)
    tracks[track] = _after(tracks.pop(track, _UNHEARD), event, at_ms)
    if len(tracks) > MAX_TRACKS:
        del tracks[_least(tracks)]
    recent = state.recent if event.kind in _SPOKEN else _latest(state.recent, track)
    session_id, session = state.session_id, state.session
    if event.session_id == session_id:
        session = _latest(session, track)
    elif at_ms >= state.newest_ms:
        session_id, session = event.session_id, (track,)
    return ListenerState(MappingProxyType(tracks), recent, session_id, session, max(at_ms, state.newest_ms))


def _latest(tracks: tuple[int, ...], track: int) -> tuple[int, ...]:
    return (*(other for other in tracks if other != track), track)[-RECENT:]


def _after(heard: Heard, event: PlayEvent, at_ms: int) -> Heard:
    plays, completes, skips, before_ms, opinion = heard
    if event.kind in _SPOKEN:
        if opinion is None or at_ms >= opinion.at_ms:
            opinion = Opinion(event.kind, at_ms, event.value)
    elif event.kind == "play":
        plays += 1
    elif event.kind == "complete":
        completes += 1
    else:
        skips += 1
    return Heard(plays, completes, skips, max(at_ms, before_ms), opinion)


def _least(tracks: Mapping[int, Heard]) -> int:
    """Return the track to forget: touched longest ago, those without an opinion first, dislikes last."""
    for track, heard in tracks.items():
        if heard.opinion is None:
            return track
    return next((track for track, heard in tracks.items() if not heard.is_disliked), next(iter(tracks)))


def history(state: ListenerState) -> dict[int, float]:
    """Return the weight of each track that says something, the one touched last at the end.

    Above zero the weights are those of `segue.dataset.listening.interactions`; a disliked track has
    `DISLIKED`; a track with nothing above zero and no dislike is left out, as it is there.
    """
    weights = {track: heard.weight for track, heard in state.tracks.items()}
    return {
        track: weight for track, weight in weights.items() if weight > 0 or state.tracks[track].is_disliked
    }


def taste(state: ListenerState) -> dict[int, float]:
    """Return what each track says of the taste by now, the one touched last at the end.

    A weight above zero halves with every `HALF_LIFE_MS` between the track's last event and the listener's, so
    that a replay gives the same whenever it is made. `DISLIKED` stays. A weight below zero comes from skips
    and fades likewise (`SKIPPED`); tracks of weight 0 are left out.
    """
    newest = state.newest_ms
    found = {}
    for track, heard in state.tracks.items():
        weight = heard.weight
        if weight < 0:
            if heard.is_disliked:
                found[track] = weight
                continue
            weight = max(SKIPPED * weight, MOST_SKIPPED)
        if weight:
            age = newest - heard.at_ms if heard.at_ms else 0
            found[track] = weight * 0.5 ** (age / HALF_LIFE_MS)
    return found


def disliked(state: ListenerState) -> frozenset[int]:
    """Return the tracks with a dislike, or a rating of 1 or 2, as the last word."""
    return frozenset(track for track, heard in state.tracks.items() if heard.is_disliked)


def liked(state: ListenerState) -> frozenset[int]:
    """Return the tracks with a like, or a rating of 3 to 5, as the last word."""
    return frozenset(track for track, heard in state.tracks.items() if heard.is_liked)


def barred(state: ListenerState, lately: int = RECENT) -> set[int]:
    """Return the tracks that are not to be recommended now: liked, disliked, or among the last heard."""
    spoken = {
        track
        for track, heard in state.tracks.items()
        if heard.opinion is not None and heard.opinion.adds != 0
    }
    return spoken.union(heard_lately(state, lately))


def heard_lately(state: ListenerState, count: int = RECENT) -> tuple[int, ...]:
    """Return the tracks heard last, at most ``count``, the newest at the end."""
    return state.recent[-count:] if count > 0 else ()
