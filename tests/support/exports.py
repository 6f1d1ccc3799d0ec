"""Listening histories in the forms that ListenBrainz and Last.fm give them."""

import json
import zipfile
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

START = 1_700_000_000
"""2023-11-14 22:13:20 UTC."""


def listen(at: Any, artist: str, title: str, album: str = "", **more: Any) -> dict[str, Any]:
    """Return a listen as ListenBrainz' data export has it."""
    return {
        "listened_at": at,
        "inserted_at": START + 1e8 + 0.5,
        "track_metadata": {
            "artist_name": artist,
            "track_name": title,
            "release_name": album,
            "recording_msid": more.get("msid", ""),
            "additional_info": {
                "submission_client": "navidrome",
                "duration_ms": 200_000,
                "tracknumber": 3,
                **({"recording_mbid": more["mbid"]} if "mbid" in more else {}),
            },
            "mbid_mapping": more.get("mapping"),
        },
    }


def listenbrainz_zip(path: Path, listens: Iterable[dict], feedback: Iterable[dict] = ()) -> Path:
    """Write a data export: ``user.json``, a file a month of listens, feedback, pinned recordings."""
    months: dict[str, list[dict]] = defaultdict(list)
    for each in listens:
        at = datetime.fromtimestamp(float(each["listened_at"]), UTC)
        months[f"listens/{at.year}/{at.month}.jsonl"].append(each)
    with zipfile.ZipFile(path, "w", compression=zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("user.json", '{"user_id": 1, "username": "ann"}\n')
        for name, of_month in months.items():
            archive.writestr(name, json_lines(of_month))
        if feedback := list(feedback):
            archive.writestr("feedback.jsonl", json_lines(feedback))
        archive.writestr("pinned_recording.jsonl", '{"recording_msid": "x", "blurb_content": "my song"}\n')
    return path


def json_lines(records: Iterable[Any]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def scrobble(at: int | None, by: str, title: str, **more: Any) -> dict[str, Any]:
    """Return a track of Last.fm's ``user.getRecentTracks``; without a time one that is playing now."""
    track = {
        "artist": {"mbid": "", "#text": by},
        "streamable": "0",
        "image": [{"size": "small", "#text": ""}],
        "mbid": "",
        "album": {"mbid": "", "#text": "An Album"},
        "name": title,
        "url": "https://www.last.fm/music/x",
    }
    if at is None:
        track["@attr"] = {"nowplaying": "true"}
    else:
        track["date"] = {"uts": str(at), "#text": f"{datetime.fromtimestamp(at, UTC):%d %b %Y, %H:%M}"}
    return track | more
