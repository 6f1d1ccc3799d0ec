"""What the page and its kernel say to each other: a closed set of small validated messages."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from segue.live.events import Kind, Malformed, Source, TrackId

MAX_BYTES = 16_384
"""A larger message from a page is dropped."""


class _FromPage(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Question(_FromPage):
    """What the store answers (`segue.player.answers`): a message of the same ``request``, or `failed`."""

    request: int = Field(ge=0, lt=2**53)


class Hello(_FromPage):
    """The page is ready; answered by `welcome`."""

    type: Literal["hello"]


class Find(Question):
    """Search title, artist, album and genre; empty text lists everything. Answered by `found`.

    ``among`` asks for just these tracks instead: `found` has those that are there, in that order.
    """

    type: Literal["find"]
    text: str = Field("", max_length=200)
    offset: int = Field(0, ge=0, le=200_000)
    among: list[TrackId] | None = Field(None, max_length=200)


class Home(Question):
    """Ask for what Home shows beside the list; ``liked`` are tracks liked last. Answered by `home`."""

    type: Literal["home"]
    liked: list[TrackId] = Field([], max_length=3)


class MyActivity(Question):
    """Ask what this listener did in the last ``days`` days. Answered by `my_activity`.

    ``offset_min`` is how far the page's clock is ahead of UTC, in minutes.
    """

    type: Literal["my_activity"]
    days: Literal[7, 30, 365] = 30
    offset_min: int = Field(0, ge=-840, le=840)


class AllActivity(Question):
    """Ask what everybody does; answered by `all_activity` to an operator, by `failed` to anybody else."""

    type: Literal["all_activity"]
    minutes: int = Field(60, ge=2, le=180)


class Act(_FromPage):
    """Something the listener did; answered by `accepted` (then the page forgets it) or `refused`.

    No answer within a few seconds, or `later`: the page keeps it and sends it again with the same id.
    """

    type: Literal["act"]
    event_id: UUID
    track_id: TrackId
    kind: Kind
    position_s: float = Field(0.0, ge=0, le=86_400, allow_inf_nan=False)
    value: int | None = Field(None, ge=1, le=5)
    source: Source = Source()
    at: AwareDatetime


Message = Hello | Find | Act | Home | MyActivity | AllActivity
"""Everything that a page may say."""

_ADAPTER: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="type")])


def read(content: Any) -> Message:
    """Return the message that a page sent.

    Raises
    ------
    Malformed
        If it is none of the messages above; the text holds nothing that the page sent.
    """
    try:
        return _ADAPTER.validate_python(content)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        raise Malformed(".".join(str(part) for part in first["loc"]) or "message") from None
