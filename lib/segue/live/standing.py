"""How a listener stands: the state, the events that it holds, and how further events change it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from segue.live import listener
from segue.live.events import PlayEvent
from segue.live.listener import ListenerState
from segue.store.listeners import NEVER_MS, ListenerDocument, Place, is_packed, pack, split, unpack

_EPOCH, _MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Received:
    """A valid event and where it stood in its partition."""

    event: PlayEvent
    offset: int


class Line(NamedTuple):
    """Where events stand in order: a partition of a topic, ``log`` naming the topic as it was made."""

    log: str
    partition: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A listener's document with its state read; otherwise the fields are those of `ListenerDocument`."""

    listener_id: str
    place: Place
    state: ListenerState = field(default_factory=ListenerState)
    recent: bytes = b""
    forgotten_ms: int = NEVER_MS
    caused_by: str | None = None

    @classmethod
    def of(cls, document: ListenerDocument) -> Standing:
        """Return what a stored document says."""
        return cls(
            listener_id=document.listener_id,
            place=document.place,
            state=listener.from_document(document.state),
            recent=document.recent,
            forgotten_ms=document.forgotten_ms,
            caused_by=document.caused_by,
        )

    def to_document(self) -> ListenerDocument:
        """Return the document that holds this."""
        return ListenerDocument(
            listener_id=self.listener_id,
            state=listener.to_document(self.state),
            **self.place._asdict(),
            recent=self.recent,
            forgotten_ms=self.forgotten_ms,
            caused_by=self.caused_by,
        )


def advance(
    standing: Standing | None,
    listener_id: str,
    line: Line,
    received: Sequence[Received],
    stored: Container[UUID] = (),
) -> Standing | None:
    """Return how a listener stands after events of one line, each counted once.

    Events that are held already, by offset or by id, and those that say nothing change nothing; if there are
    no others, ``standing`` itself is returned.

    Parameters
    ----------
    received
        In the order of their offsets.
    stored
        Those of `doubtful` that have had their effect.
    """
    new = [each for each in received if not _is_held(standing, line, each)]
    if not new:
        return standing
    state = ListenerState() if standing is None else standing.state
    recent = b"" if standing is None else standing.recent
    forgotten_ms = NEVER_MS if standing is None else standing.forgotten_ms
    last: Received | None = None
    for each in new:
        event_id = each.event.event_id
        if event_id in stored or is_packed(event_id.bytes, recent):
            continue
        state, last = listener.apply(state, each.event), each
        recent += pack([(event_id.bytes, milliseconds(each.event.at))])
    if last is None:
        return standing
    forgotten, recent = split(recent)
    return Standing(
        listener_id=listener_id,
        place=Place(*line, last.offset),
        state=state,
        recent=recent,
        forgotten_ms=max([forgotten_ms, *(at_ms for _, at_ms in unpack(forgotten))]),
        caused_by=str(last.event.event_id),
    )


def doubtful(standing: Standing | None, line: Line, received: Iterable[Received]) -> set[UUID]:
    """Return the ids of events of which ``standing`` does not say whether it has counted them.

    These are as old as one whose id was forgotten; whether they are stored among the plays tells.
    """
    if standing is None or standing.forgotten_ms == NEVER_MS:
        return set()
    old = [
        each.event
        for each in received
        if not _is_held(standing, line, each) and milliseconds(each.event.at) <= standing.forgotten_ms
    ]
    return {event.event_id for event in old if not is_packed(event.event_id.bytes, standing.recent)}


def milliseconds(at: datetime) -> int:
    """Return a time in whole milliseconds since 1970."""
    return (at - _EPOCH) // _MILLISECOND


def _is_held(standing: Standing | None, line: Line, each: Received) -> bool:
    if each.event.kind in listener.PASSIVE:
        return True
    return standing is not None and standing.place.holds(Place(*line, each.offset))
