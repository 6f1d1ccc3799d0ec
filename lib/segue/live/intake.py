"""From a Kafka record to an event, or to a message that says why it is none; and from events to a state."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from segue.live import listener
from segue.live.events import Malformed, PlayEvent
from segue.live.listener import ListenerState
from segue.store.listeners import RECENT_EVENTS, ListenerDocument

FUTURE = timedelta(hours=1)
"""How far an event's time may lie after that of its message: opinions go by time."""

ORIGINAL_BYTES = 512 * 1024
"""Bytes of a rejected message that are kept: all of it must fit into a message again."""


@dataclass(frozen=True, slots=True)
class Received:
    """A valid event and where it stood in its partition."""

    event: PlayEvent
    offset: int


def read(record: Any) -> PlayEvent:
    """Return the event of a record of ``segue.plays``.

    Raises
    ------
    Malformed
        If its value breaks the schema, its key is not the listener's id, or its time lies in the future.
    """
    event = PlayEvent.from_bytes(record.value)
    if record.key != event.listener_id.encode():
        raise Malformed("key: it is not the listener's id")
    if record.timestamp is not None and record.timestamp >= 0:
        sent = datetime.fromtimestamp(record.timestamp / 1000, UTC)
        if event.at > sent + FUTURE:
            raise Malformed("at: it lies after the time at which the message was sent")
    return event


def rejection(record: Any, reason: str) -> bytes:
    """Return what ``segue.plays.rejected`` is told of a record: JSON, its first 512 KiB in base64."""
    value = record.value or b""
    told = {
        "reason": reason,
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "bytes": len(value),
        "original": base64.b64encode(value[:ORIGINAL_BYTES]).decode(),
    }
    return json.dumps(told).encode()


def advance(
    document: ListenerDocument | None,
    listener_id: str,
    log: str,
    partition: int,
    received: Iterable[Received],
) -> ListenerDocument | None:
    """Return a listener's document after events of one partition, each counted once.

    Events that the document holds already, by offset or by id, and those that say nothing change nothing; if
    there are no others, ``document`` itself is returned.
    """
    state = ListenerState() if document is None else listener.from_document(document.state)
    recent = dict.fromkeys(() if document is None else document.recent_event_ids)
    last: Received | None = None
    for each in received:
        event_id = str(each.event.event_id)
        held = document is not None and document.holds(log, partition, each.offset)
        if held or event_id in recent or each.event.kind in listener.PASSIVE:
            continue
        state, last = listener.apply(state, each.event), each
        recent[event_id] = None
    if last is None:
        return document
    return ListenerDocument(
        listener_id=listener_id,
        state=listener.to_document(state),
        log=log,
        partition=partition,
        offset=last.offset,
        recent_event_ids=tuple(recent)[-RECENT_EVENTS:],
        caused_by=str(last.event.event_id),
    )
