"""ListenBrainz: its JSON of listens and of feedback.

A listen is what the API returns and what each line of ``listens/YEAR/MONTH.jsonl`` in a user's data export
holds (https://listenbrainz.readthedocs.io/en/latest/users/json.html); feedback is a line of its
``feedback.jsonl``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from segue.dataset.exports.base import Listen, Named, NoListen, Opinion, mbid_of, seconds_of, text_of

NAME = "ListenBrainz"


def is_listen(record: Mapping[str, Any]) -> bool:
    """Tell a listen from other objects."""
    return "track_metadata" in record


def is_feedback(record: Mapping[str, Any]) -> bool:
    """Tell feedback from other objects."""
    return "score" in record and ("recording_msid" in record or "recording_mbid" in record)


def listen(record: Mapping[str, Any]) -> Listen | None:
    """Return a listen; None for what is only playing now.

    Raises
    ------
    NoListen
        If artist, title or time are missing or no such thing.
    """
    data = record["track_metadata"]
    if not isinstance(data, Mapping):
        raise NoListen("track_metadata is no object")
    if record.get("listened_at") is None and record.get("playing_now"):
        return None
    info, mapping = _object(data, "additional_info"), _object(data, "mbid_mapping")
    mbids = [mbid_of(each.get("recording_mbid")) for each in (info, mapping)]
    named = Named(
        artist=text_of(data.get("artist_name"), "artist_name", needed=True),
        title=text_of(data.get("track_name"), "track_name", needed=True),
        album=text_of(data.get("release_name"), "release_name"),
        mbids=tuple(dict.fromkeys(mbid for mbid in mbids if mbid)),
        canonical=_canonical(mapping),
    )
    at = seconds_of(record.get("listened_at"), "listened_at")
    msid = mbid_of(data.get("recording_msid") or record.get("recording_msid") or info.get("recording_msid"))
    return Listen(at, named, msid)


def feedback(record: Mapping[str, Any]) -> Opinion | None:
    """Return a love (score 1) or a hate (-1); None for one that was taken back (0).

    Raises
    ------
    NoListen
        If there is no score, no time or no id.
    """
    score = record["score"]
    if isinstance(score, bool) or score not in (-1, 0, 1):
        raise NoListen("score is not 1, 0 or -1")
    if score == 0:
        return None
    mbid, msid = mbid_of(record.get("recording_mbid")), mbid_of(record.get("recording_msid"))
    if not (mbid or msid):
        raise NoListen("recording_mbid and recording_msid are no ids")
    return Opinion(
        "like" if score > 0 else "dislike", seconds_of(record.get("created"), "created"), None, mbid, msid
    )


def _object(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = data.get(name)
    return found if isinstance(found, Mapping) else {}


def _canonical(mapping: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return MusicBrainz' own artist and title: the names of the credit joined as it joins them."""
    artists = mapping.get("artists")
    if not isinstance(artists, list) or not all(isinstance(each, Mapping) for each in artists):
        return None
    parts = [
        f"{text_of(each.get('artist_credit_name'), 'artist_credit_name')}{each.get('join_phrase') or ''}"
        for each in artists[:50]
    ]
    artist = text_of("".join(parts)[:500], "artists")
    title = text_of(mapping.get("recording_name"), "recording_name")
    return (artist, title) if artist and title else None
