"""What the page and its kernel say to each other: a closed set of small validated messages."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)

from segue.live.events import Kind, Malformed, Source, TrackId
from segue.store.playlists import MOST_TRACKS

MAX_BYTES = 16_384
"""A larger message from a page is dropped."""


class _FromPage(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _one_line(name: str) -> str:
    line = " ".join("".join(each if each.isprintable() else " " for each in name).split())
    if not 1 <= len(line) <= 100:
        raise ValueError("a name has 1 to 100 characters")
    return line


PlaylistName = Annotated[str, Field(max_length=400), AfterValidator(_one_line)]
"""A name as it is kept: one line of 1 to 100 characters that can be seen."""


class Play(_FromPage):
    """A play as `history` told of it."""

    at: AwareDatetime
    event_id: UUID


class Question(_FromPage):
    """What the store answers (`segue.player.answers`): a message of the same ``request``, or `failed`."""

    request: int = Field(ge=0, lt=2**53)


class Hello(_FromPage):
    """The page is ready; answered by `welcome`."""

    type: Literal["hello"]


class Find(Question):
    """Search title, artist, album and genre; empty text lists everything. Answered by `found`.

    ``genre``, ``licence`` and ``length`` narrow it to one value, ``unheard`` to what was never played.
    ``among`` asks for just these tracks instead: `found` has those that are there, in that order.
    """

    type: Literal["find"]
    text: str = Field("", max_length=200)
    offset: int = Field(0, ge=0, le=200_000)
    genre: str | None = Field(None, max_length=500)
    licence: str | None = Field(None, max_length=500)
    length: Literal["short", "medium", "long"] | None = None
    unheard: bool = False
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


class Ratings(Question):
    """Ask which tracks this listener gave stars. Answered by `ratings`."""

    type: Literal["ratings"]


class History(Question):
    """Ask what this listener played, newest first, before a play that the page has. Answered by `history`."""

    type: Literal["history"]
    before: Play | None = None


class Playlists(Question):
    """Ask for the names of this listener's playlists. Answered by `playlists`."""

    type: Literal["playlists"]


class _OfPlaylist(Question):
    playlist_id: UUID


class ReadPlaylist(_OfPlaylist):
    """Ask for one playlist with its tracks' cards. Answered by `playlist`, as each change of one is."""

    type: Literal["read_playlist"]


class MakePlaylist(_OfPlaylist):
    """Make a playlist under an id of the page's choice; the same again changes nothing."""

    type: Literal["make_playlist"]
    name: PlaylistName
    tracks: list[TrackId] = Field([], max_length=MOST_TRACKS)


class RenamePlaylist(_OfPlaylist):
    """Give a playlist another name."""

    type: Literal["rename_playlist"]
    name: PlaylistName


class AddToPlaylist(_OfPlaylist):
    """Put tracks at the end of a playlist; those that it has stay where they are."""

    type: Literal["add_to_playlist"]
    tracks: list[TrackId] = Field(min_length=1, max_length=MOST_TRACKS)


class RemoveFromPlaylist(_OfPlaylist):
    """Take tracks out of a playlist."""

    type: Literal["remove_from_playlist"]
    tracks: list[TrackId] = Field(min_length=1, max_length=MOST_TRACKS)


class MoveInPlaylist(_OfPlaylist):
    """Put a track of a playlist before another, or at the end."""

    type: Literal["move_in_playlist"]
    track_id: TrackId
    before: TrackId | None = None


class DeletePlaylist(_OfPlaylist):
    """Delete a playlist unless it is another version than the page has. Answered by `playlists`."""

    type: Literal["delete_playlist"]
    version: int = Field(ge=1, lt=2**53)


class Radio(Question):
    """Ask for what a radio plays next (`segue.player.radio.Station`). Answered by `radio`."""

    type: Literal["radio"]
    plus: list[TrackId] = Field(min_length=1, max_length=10)
    minus: list[TrackId] = Field([], max_length=10)
    likes: list[TrackId] = Field([], max_length=20)
    skips: list[TrackId] = Field([], max_length=20)
    heard: list[TrackId] = Field([], max_length=200)


class Map(Question):
    """Ask for the map: all places, or a sample of many. Answered by `map`."""

    type: Literal["map"]


class MapTile(Question):
    """Ask for more points of one part of a version of the map. Answered by `map_tile`."""

    type: Literal["map_tile"]
    tile: int = Field(ge=0, lt=10_000)
    version: str = Field(pattern=r"^[0-9a-f]{16}$")


class MapPlaces(Question):
    """Ask where on the map some tracks are. Answered by `map_places`."""

    type: Literal["map_places"]
    tracks: list[TrackId] = Field(max_length=60)


class MapPath(Question):
    """Ask for the way from one track to another. Answered by `map_path`."""

    type: Literal["map_path"]
    first: TrackId
    last: TrackId


class AboutTrack(Question):
    """Ask about one track. Answered by `track`."""

    type: Literal["track"]
    track_id: TrackId


class ArtistTracks(Question):
    """Ask for the tracks of exactly this artist. Answered by `artist`."""

    type: Literal["artist"]
    name: str = Field(min_length=1, max_length=500)
    offset: int = Field(0, ge=0, le=200_000)


class Clusters(Question):
    """Ask what clusters there are. Answered by `clusters`."""

    type: Literal["clusters"]


class ClusterTracks(Question):
    """Ask for the tracks of a cluster. Answered by `cluster`."""

    type: Literal["cluster"]
    number: int = Field(ge=0, le=10_000)
    offset: int = Field(0, ge=0, le=200_000)


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


Message = (
    Hello
    | Find
    | Act
    | Home
    | MyActivity
    | AllActivity
    | Ratings
    | History
    | Playlists
    | ReadPlaylist
    | MakePlaylist
    | RenamePlaylist
    | AddToPlaylist
    | RemoveFromPlaylist
    | MoveInPlaylist
    | DeletePlaylist
    | Radio
    | Map
    | MapTile
    | MapPlaces
    | MapPath
    | AboutTrack
    | ArtistTracks
    | Clusters
    | ClusterTracks
)
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
