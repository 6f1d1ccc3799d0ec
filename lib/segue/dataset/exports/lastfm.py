"""Last.fm: the JSON of its API, as ``user.getRecentTracks`` and ``user.getLovedTracks`` return it.

Documented at https://www.last.fm/api/show/user.getRecentTracks; an artist is ``{"#text": name}``, or
``{"name": name}`` in the extended form, which also says whether the track is loved.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from segue.dataset.exports.base import Listen, Named, NoListen, Opinion, mbid_of, seconds_of, text_of

NAME = "Last.fm"


def is_track(record: Mapping[str, Any]) -> bool:
    """Tell a track of either list from other objects."""
    return "name" in record and "artist" in record


def track(record: Mapping[str, Any], *, loved_list: bool = False) -> Listen | Opinion | None:
    """Return what a track says: a listen, a love in the list of loved tracks, None for what is playing now.

    Raises
    ------
    NoListen
        If artist, title or time are missing or no such thing.
    """
    marks = record.get("@attr")
    if isinstance(marks, Mapping) and str(marks.get("nowplaying")).lower() == "true":
        return None
    artist, album = record["artist"], record.get("album")
    named = Named(
        artist=text_of(_name(artist), "artist", needed=True),
        title=text_of(record["name"], "name", needed=True),
        album=text_of(_name(album), "album"),
        mbids=tuple(mbid for mbid in (mbid_of(record.get("mbid")),) if mbid),
    )
    date = record.get("date")
    if not isinstance(date, Mapping):
        raise NoListen("date is missing")
    at = seconds_of(date.get("uts"), "date.uts")
    # The two lists have one form but for this: a loved track has no album.
    if loved_list or (album is None and isinstance(artist, Mapping) and "url" in artist):
        return Opinion("like", at, named)
    return Listen(at, named, loved=str(record.get("loved")) == "1")


def _name(value: Any) -> Any:
    if isinstance(value, Mapping):
        return value.get("#text") or value.get("name")
    return value
