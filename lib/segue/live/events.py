"""What passes through Kafka: plays on their way to the recommender, recommendations on their way back."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from segue.errors import SegueError

VERSION: Literal[1] = 1
"""Version of both schemas; it changes whenever an older reader would misunderstand."""

Kind = Literal["play", "progress", "complete", "skip", "like", "dislike", "clear", "rate", "impression"]
ListenerId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
TrackId = Annotated[int, Field(ge=0, lt=2**53)]


class Malformed(SegueError):
    """A message that is no event of ours; the text says which field is wrong, never its content."""


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def to_bytes(self) -> bytes:
        """Return the message as UTF-8 JSON, as it stands in the topic."""
        return self.model_dump_json().encode()

    @classmethod
    def from_bytes(cls, content: bytes | None) -> Self:
        """Return the message that ``content`` holds.

        Raises
        ------
        Malformed
            If it is not JSON or breaks the schema; a number as text, say, is no number.
        """
        try:
            return cls.model_validate_json(content or b"", strict=True)
        except ValidationError as error:
            raise Malformed(_words(error)) from None


class Source(BaseModel):
    """Which list, model and recommendation led to a play."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    list: str = Field("", max_length=40)
    model: str = Field("", max_length=40)
    recommendation_id: UUID | None = None


class PlayEvent(_Message):
    """What a listener did with a track (topic ``segue.plays``, key: the listener's id).

    ``dataset`` is the database that the track belongs to; ``position_s`` where in the track, in seconds;
    ``value`` a rating from 1 to 5, for the kind ``rate`` only; ``at`` is kept in UTC.
    """

    version: Literal[1] = VERSION
    event_id: UUID
    dataset: str = Field(pattern=r"^[a-z0-9_]{1,63}$")
    listener_id: ListenerId
    session_id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    track_id: TrackId
    kind: Kind
    position_s: float = Field(0.0, ge=0, le=86_400, allow_inf_nan=False)
    value: int | None = Field(None, ge=1, le=5)
    source: Source = Source()
    at: AwareDatetime
    simulated: bool = False

    @model_validator(mode="after")
    def _value_belongs_to_rate(self) -> Self:
        if (self.kind == "rate") != (self.value is not None):
            raise ValueError("a rating has a value from 1 to 5, and nothing else has one")
        return self

    def to_document(self) -> dict[str, Any]:
        """Return the fields of the collection ``plays``."""
        document = self.model_dump(mode="json", exclude={"version", "dataset"})
        return document | {"at": self.at.astimezone(UTC)}


class Why(BaseModel):
    """Why a track is recommended: the kind of reason, which tracks it rests on, and one line of words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["sound", "listeners", "popular", "new"]
    because_of: list[TrackId] = Field(default=[], max_length=5)
    text: str = Field(max_length=300)


class Item(BaseModel):
    """One recommended track; scores order one list and are not comparable between lists."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    track_id: TrackId
    score: float = Field(allow_inf_nan=False)
    why: Why


class Recommendation(_Message):
    """A list for a listener (topic ``segue.recommendations``, key: the listener's id)."""

    version: Literal[1] = VERSION
    recommendation_id: UUID
    dataset: str = Field(pattern=r"^[a-z0-9_]{1,63}$")
    listener_id: ListenerId
    made_at: AwareDatetime
    model: str = Field(max_length=80)
    items: list[Item] = Field(max_length=200)
    caused_by: UUID | None = None

    def to_bytes_with(self, items: bytes) -> bytes:
        """Return the message with other items, which are JSON already, as it stands in the topic."""
        head = self.model_dump_json(exclude={"items"}).encode()
        return b'%b,"items":%b}' % (head[:-1], items)


def new_event_id() -> UUID:
    """Return an id that is ordered by time (RFC 9562, version 7): the store appends what comes in order."""
    random = secrets.randbits(74)
    return UUID(
        int=time.time_ns() // 1_000_000 << 80 | 7 << 76 | random >> 62 << 64 | 2 << 62 | random % 2**62
    )


def now() -> datetime:
    """Return the time in UTC, in whole milliseconds as the document store keeps it."""
    time = datetime.now(UTC)
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


def _words(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the message"
    return f"{where}: {first['msg']}"
