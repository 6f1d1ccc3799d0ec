"""What a kernel and the server's gateway say to each other: short frames, each of a known kind and size.

A frame is a letter, the length of its content (4 bytes, big-endian) and the content: JSON in UTF-8.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from segue.errors import SegueError
from segue.live.events import ListenerId

HEAD_BYTES = 5
"""Letter and length."""


class BadFrame(SegueError):
    """What came is no frame of ours; the text holds nothing of it."""


class Kind(StrEnum):
    """The letter of a frame."""

    ENTER = "N"
    """Kernel: who it is (`Enter`), first of all."""
    EVENT = "E"
    """Kernel: a play event, as it will stand in its topic."""
    DROPPED = "D"
    """Kernel: how many messages of its page it dropped (`Dropped`)."""
    STATUS = "S"
    """Gateway: what is there (`Status`); the first one says that the kernel is let in."""
    ANSWER = "A"
    """Gateway: what became of an event (`Answer`)."""
    LIST = "L"
    """Gateway: a list, as it stands in its topic."""


MOST_BYTES = {
    Kind.ENTER: 512, Kind.EVENT: 2_048, Kind.DROPPED: 512,
    Kind.STATUS: 512, Kind.ANSWER: 512, Kind.LIST: 1 << 20,
}  # fmt: skip
"""Largest content of each kind."""

FROM_KERNEL = frozenset({Kind.ENTER, Kind.EVENT, Kind.DROPPED})
FROM_GATEWAY = frozenset({Kind.STATUS, Kind.ANSWER, Kind.LIST})


class _Content(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def to_bytes(self) -> bytes:
        """Return the content as it stands in a frame."""
        return self.model_dump_json().encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Return what a frame says; raises BadFrame when it is something else."""
        try:
            return cls.model_validate_json(content, strict=True)
        except ValidationError:
            raise BadFrame(f"a frame holds no {cls.__name__}") from None


class Enter(_Content):
    """A kernel's right to speak for a listener: the ticket that the server gave it."""

    listener_id: ListenerId
    ticket: str = Field(pattern=r"^[0-9a-f]{64}$")
    database: str = Field(pattern=r"^[a-z0-9_]{1,63}$")


class Status(_Content):
    """Whether Kafka, a worker on this database and the store are there."""

    kafka: bool
    worker: bool
    store: bool


class Answer(_Content):
    """Whether the broker has an event."""

    event_id: UUID
    delivered: bool


Reason = Annotated[str, Field(pattern=r"^[a-z ]{1,20}$")]


class Dropped(_Content):
    """Messages of a page that were dropped, by reason."""

    counts: dict[Reason, Annotated[int, Field(gt=0, lt=10**9)]] = Field(max_length=8)


def frame(kind: Kind, content: bytes) -> bytes:
    """Return a frame; raises BadFrame when the content is too large for its kind."""
    if len(content) > MOST_BYTES[kind]:
        raise BadFrame(f"a frame of the kind {kind.name} is too large")
    return kind.encode() + len(content).to_bytes(4, "big") + content


def head(given: bytes, allowed: frozenset[Kind]) -> tuple[Kind, int]:
    """Return kind and length of the frame that begins with these 5 bytes.

    Raises
    ------
    BadFrame
        If there is no such kind, it is not among the allowed ones, or it is too long for its kind.
    """
    try:
        kind = Kind(given[:1].decode("latin-1"))
    except ValueError:
        raise BadFrame("a frame is of no known kind") from None
    length = int.from_bytes(given[1:HEAD_BYTES], "big")
    if kind not in allowed or length > MOST_BYTES[kind]:
        raise BadFrame(f"a frame of the kind {kind.name} is too large or goes the wrong way")
    return kind, length
