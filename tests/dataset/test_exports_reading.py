"""Exports of every known form say the same; what is no export says what it is."""

import gzip
import io
import json
import time
import zipfile
from datetime import UTC, datetime

import pytest

from segue.dataset.exports.base import Bad, Listen, Opinion
from segue.dataset.exports.reading import open_export
from segue.errors import SegueError
from support.exports import START, json_lines, listen, listenbrainz_zip, scrobble

HEARD = [
    (START, "Björk", "Jóga"),
    (START + 240, "The Beatles", "Help!"),
    (START + 480, "日本", "“Quoted”, twice"),
]
LISTENS = [listen(*each) for each in HEARD]
SCROBBLES = [scrobble(*each) for each in reversed(HEARD)]
MBID = "98255a8c-017a-4bc7-8dd6-1fa36124572b"


def read(path) -> list:
    with open_export(path) as export:
        return list(export.entries())


def names(entries, minutes=False) -> list[tuple[int, str, str]]:
    return sorted(
        (each.at - each.at % 60 if minutes else each.at, each.named.artist, each.named.title)
        for each in entries
        if isinstance(each, Listen)
    )


def rows(*columns: str, head: str = "", stamp=None) -> str:
    stamp = stamp or (lambda at: f"{datetime.fromtimestamp(at, UTC):%d %b %Y %H:%M}")
    out = io.StringIO()
    out.write(head)
    for at, artist, title in HEARD:
        fields = {"artist": artist, "title": title, "album": "X", "time": stamp(at), "uts": str(at), "": ""}
        out.write(",".join('"' + fields[name].replace('"', '""') + '"' for name in columns) + "\r\n")
    return out.getvalue()


EXPORTS = {
    "a listen a line": json_lines(LISTENS),
    "an answer of the API": json.dumps({"payload": {"count": 3, "user_id": "ann", "listens": LISTENS}}),
    "the same, indented": json.dumps({"payload": {"count": 3, "listens": LISTENS}}, indent=2),
    "an array": json.dumps(LISTENS),
    "an array, a listen a line": "[" + ",\n".join(map(json.dumps, LISTENS)) + "]",
    "a submission": json.dumps({"listen_type": "import", "payload": LISTENS}),
    "answers, one a line": json_lines({"payload": {"listens": [each]}} for each in LISTENS),
    "recent tracks": json.dumps({"recenttracks": {"@attr": {"page": "1"}, "track": SCROBBLES}}),
    "pages, the last of one": json.dumps(
        [{"recenttracks": {"track": each}} for each in (SCROBBLES[:2], SCROBBLES[2])]
    ),
    "pages without their name": json.dumps([{"track": SCROBBLES[:1], "@attr": {}}, {"track": SCROBBLES[1:]}]),
    "arrays of tracks": json.dumps([SCROBBLES[:1], SCROBBLES[1:]]),
    "a scrobble a line": json_lines(SCROBBLES),
    "columns by name": rows("uts", "time", "artist", "", "album", "", "title", "",
                            head="uts,utc_time,artist,artist_mbid,album,album_mbid,track,track_mbid\r\n"),
    "ISO times": rows("title", "artist", "time", head="\ufeffTrack Name,Artist Name,Listened At\n",
                      stamp=lambda at: datetime.fromtimestamp(at, UTC).isoformat()),
}  # fmt: skip


@pytest.mark.parametrize("packed", ["plain", "gzip", "zip"])
@pytest.mark.parametrize("content", EXPORTS.values(), ids=EXPORTS)
def test_every_form_gives_the_same_listens(tmp_path, content, packed):
    path, raw = tmp_path / "no.ending", content.encode()
    if packed == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("anything", raw)
    else:
        path.write_bytes(
            gzip.compress(raw) if packed == "gzip" else b"\xef\xbb\xbf" + raw.removeprefix(b"\xef\xbb\xbf")
        )
    entries = read(path)
    assert names(entries) == HEARD
    assert len(entries) == 3


def test_last_fm_to_csv_has_no_header_and_tells_the_minute(tmp_path):
    path = tmp_path / "ann.csv"
    path.write_text("Now Playing,X,Someone,\n" + rows("artist", "album", "title", "time"), encoding="utf-8")
    assert names(read(path)) == [(at - at % 60, artist, title) for at, artist, title in HEARD]


def test_a_data_export_of_listenbrainz(tmp_path):
    mapping = {
        "recording_name": "Help!", "recording_mbid": MBID.upper(),
        "artists": [{"artist_credit_name": "Beatles", "join_phrase": " & "}, {"artist_credit_name": "X"}],
    }  # fmt: skip
    loved = {"recording_msid": MBID, "recording_mbid": None, "score": 1, "created": START + 9}
    hated = {"recording_msid": None, "recording_mbid": MBID, "score": -1, "created": START + 10}
    listens = [listen(START + 0.000001, "The Beatles", "Help", msid=MBID, mapping=mapping), LISTENS[0]]
    path = listenbrainz_zip(tmp_path / "e", listens, [loved, hated, loved | {"score": 0}])
    with open_export(path) as export:
        entries = list(export.entries())
        assert export.form == "ListenBrainz"
        assert list(export.ignored) == ["user.json", "pinned_recording.jsonl"]
    assert entries[:2] == [
        Opinion("like", START + 9, msid=MBID), Opinion("dislike", START + 10, mbid=MBID),
    ]  # fmt: skip
    assert (entries[2].at, entries[2].named.mbids, entries[2].named.canonical) == (
        START, (MBID,), ("Beatles & X", "Help!"),
    )  # fmt: skip


def test_what_last_fm_says_is_loved(tmp_path):
    path = tmp_path / "loved.json"
    loved = {
        "name": "Help!",
        "artist": {"name": "The Beatles", "url": "u", "mbid": ""},
        "date": {"uts": str(START)},
    }
    path.write_text(json.dumps({"lovedtracks": {"track": [loved], "@attr": {}}}))
    (opinion,) = read(path)
    assert (opinion.kind, opinion.at, opinion.named.title) == ("like", START, "Help!")
    extended = scrobble(START, "", "Help!", loved="1", artist={"name": "The Beatles", "url": "u"})
    path.write_text(json.dumps({"recenttracks": {"track": [scrobble(None, "x", "now"), extended]}}))
    (heard,) = read(path)
    assert (heard.loved, heard.named.artist) == (True, "The Beatles")


def test_bad_lines_are_told_and_the_others_read(tmp_path):
    path = tmp_path / "x"
    good = json.dumps(LISTENS[0]).encode()
    lines = [
        good,
        b'{"listened_at": 17000',
        b"\xff\xfe",
        b'["no object"]',
        b'{"listened_at": 1700000000}',
        b"x" * (1 << 20),
        b"[" * 100_000,
        *(
            json.dumps(listen(at, "A", "B")).encode()
            for at in (0, time.time() + 60, "soon", None, True, 1e300)
        ),
        json.dumps(listen(START, "", "B")).encode(),
        json.dumps(listen(START, "A", "B" * 1_001)).encode(),
        good,
        good[:-9],
    ]
    path.write_bytes(b"\n".join(lines))
    entries = read(path)
    bad = [each for each in entries if isinstance(each, Bad)]
    assert [each.where for each in bad] == [f"line {n}" for n in (*range(2, 16), 17)]
    assert {each.file for each in bad} == {str(path)}
    assert len(entries) == len(lines)
    told = " / ".join(each.reason for each in bad)
    for reason in ("breaks off", "UTF-8", "no object", "no listen", "MiB", "before October 2002", "future",
                   "no time", "artist_name is empty", "1,000 characters"):  # fmt: skip
        assert reason in told


def test_bad_rows_and_entries_are_told_too(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(
        b"A,X,One,14 Nov 2023 22:13\nB\xe9,X,Two,14 Nov 2023 22:14\nC,X\nD,X,Three,14 Foo 2023 22:15\n"
    )
    assert [each.where for each in read(path)[1:]] == ["line 2", "line 3", "line 4"]
    path.write_text(json.dumps({"recenttracks": {"track": [SCROBBLES[0], {"name": "no artist"}]}}))
    assert read(path)[1] == Bad(str(path), "entry 2", "an object, but no listen")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"<!DOCTYPE html><h1>502</h1>", "web page"),
        (json_lines(LISTENS).encode("utf-16"), "UTF-16"),
        (b"\x00\x01\x02", "neither JSON nor a table"),
        (b"just,some,words,here\n", "neither JSON nor a table"),
        (b'{"payload": {"listens": []}}', "without any listen"),
        (b'{"user": 1}\n', "without any listen"),
        (EXPORTS["the same, indented"][:-40].encode(), "breaks off"),
        (b"[" * 100_000, "nested too deep"),
        (gzip.compress(EXPORTS["an array"].encode())[:-30], "is damaged or breaks off"),
        (b"PK\x03\x04 and no more", "is damaged or breaks off"),
        (gzip.compress(json_lines(LISTENS[:1]).encode() + b" " * (70 << 20), 1), "200 times its own size"),
    ],
)
def test_what_is_no_export_is_said(tmp_path, content, said):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(SegueError, match=said):
        read(path)


def test_files_that_are_not_there_or_hold_nothing(tmp_path):
    with pytest.raises(SegueError, match="No such file"):
        read(tmp_path / "none")
    with pytest.raises(SegueError, match="not a file"):
        read(tmp_path)
    path = listenbrainz_zip(tmp_path / "zip", [])
    with pytest.raises(SegueError, match="holds no listening history"):
        read(path)
    whole = listenbrainz_zip(tmp_path / "whole", LISTENS).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SegueError, match="damaged or breaks off"):
        read(path)
