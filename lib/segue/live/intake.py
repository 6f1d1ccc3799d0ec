"""From Kafka's records to events in their lines, or to messages that say why a record is no event."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from segue.live import listener
from segue.live.broker import Record
from segue.live.events import Malformed, PlayEvent, now
from segue.live.standing import Received

FUTURE = timedelta(hours=1)
"""How far an event's time may lie after that of its message, and of its being read: opinions go by time."""

ORIGINAL_BYTES = 512 * 1024
"""Bytes of a rejected message that are kept: all of it must fit into a message again."""

UNKNOWN_TRACK = "track_id: no track of this collection has it"

Unknown = Callable[[Iterable[int]], set[int]]
"""Returns those among track ids that no track of the collection has."""


@dataclass(slots=True)
class Sorted:
    """What records hold.

    ``active`` has by partition and listener the events that say something of taste, in the order of their
    offsets; ``events`` every valid event of the data set; ``refused`` the records that are no event, each
    with the reason; ``sent_ms`` by listener when the last of their messages was sent (since 1970).
    """

    active: dict[int, dict[str, list[Received]]] = field(default_factory=dict)
    events: list[PlayEvent] = field(default_factory=list)
    refused: list[tuple[Record, str]] = field(default_factory=list)
    sent_ms: dict[str, int] = field(default_factory=dict)


def sort(
    records: Iterable[Record], dataset: str, unknown: Unknown, gone: Collection[str] = frozenset()
) -> Sorted:
    """Return what records of ``segue.plays`` hold for one data set; events of others are passed over.

    Parameters
    ----------
    records
        In the order of their offsets within each partition.
    unknown
        Asked once for all tracks.
    gone
        Listeners of whom nothing may be kept: their events are passed over too.
    """
    found = Sorted()
    valid = []
    for record in records:
        try:
            event = read(record)
        except Malformed as error:
            found.refused.append((record, str(error)))
            continue
        if event.dataset == dataset and event.listener_id not in gone:
            valid.append((record, event))
    strange = unknown({event.track_id for _, event in valid}) if valid else set()
    for record, event in valid:
        if event.track_id in strange:
            found.refused.append((record, UNKNOWN_TRACK))
            continue
        found.events.append(event)
        if event.kind not in listener.PASSIVE:
            lines = found.active.setdefault(record.partition, {})
            lines.setdefault(event.listener_id, []).append(Received(event, record.offset))
            found.sent_ms[event.listener_id] = record.timestamp or 0
    return found


def read(record: Record) -> PlayEvent:
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
    if event.at > now() + FUTURE:
        raise Malformed("at: it lies in the future")
    return event


def rejection(record: Record, reason: str) -> bytes:
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
