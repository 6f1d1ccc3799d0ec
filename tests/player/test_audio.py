"""Clips: whole, in ranges, unchanged, by odd names, and never from outside their folder."""

import hashlib
import os
import random
import socket
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from segue.dataset.base import Track
from segue.dataset.inventory import unescape
from segue.player.audio import Clips, Source, Unsatisfiable, byte_range, content_type, open_below
from segue.store import Store
from support.visitor import Server, Visitor
from support.waiting import wait_until

SIZE = 1_000


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (None, None), ("", None), ("bytes=", None), ("bytes=-", None), ("items=0-1", None),
        ("bytes=a-b", None),
        ("bytes=5-2", None), ("bytes=0-1,5-6", None), ("bytes=0-1;x", None), ("bytes 0-1", None),
        ("bytes=٠-١", None), ("bytes=1_0-20", None), ("bytes=+1-2", None), ("bytes=" + "9" * 30 + "-", None),
        ("bytes=0-0", (0, 1)), ("bytes=0-", (0, 1000)), ("bytes=0-999", (0, 1000)),
        ("bytes=0-5000", (0, 1000)),
        ("bytes=999-", (999, 1)), ("bytes=200-299", (200, 100)), ("bytes=-1", (999, 1)),
        ("bytes=-2000", (0, 1000)), ("Bytes = 3-4 ", (3, 2)),
    ],
)  # fmt: skip
def test_a_range_is_read_as_the_standard_says(header: str | None, found: tuple[int, int] | None):
    assert byte_range(header, SIZE) == found


@pytest.mark.parametrize(
    ("header", "size"),
    [("bytes=1000-", 1000), ("bytes=1000-2000", 1000), ("bytes=-0", 1000), ("bytes=0-", 0), ("bytes=-5", 0)],
)
def test_a_range_beyond_the_end_is_unsatisfiable(header: str, size: int):
    with pytest.raises(Unsatisfiable):
        byte_range(header, size)


def test_a_range_gives_what_slicing_gives():
    content = bytes(range(10))
    for first in range(10):
        for last in range(first, 14):
            start, length = byte_range(f"bytes={first}-{last}", 10)
            assert content[start : start + length] == content[first : last + 1]
        start, length = byte_range(f"bytes=-{first + 1}", 10)
        assert content[start : start + length] == content[-first - 1 :]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("a/B.MP3", "audio/mpeg"),
        ("a.oga", "audio/ogg"),
        ("x.html", "application/octet-stream"),
        ("mp3", None),
    ],
)
def test_a_clips_type_comes_from_its_extension_and_is_never_text(path: str, kind: str | None):
    assert content_type(path) == (kind or "application/octet-stream")


def test_only_regular_files_below_the_folder_are_opened(music: Path):
    root = os.fsencode(music)
    for trick in (
        b"../secret.wav", b"/etc/passwd", b"link.wav", b"out/secret.wav", b"pipe.wav", b"deep", b".", b"",
        b"deep/../plain.mp3", b"deep//er/track.wav", b"plain.mp3/", b"./plain.mp3", b"plain.mp3\0",
        b"gone.wav", b"plain.mp3/x",
    ):  # fmt: skip
        with pytest.raises((FileNotFoundError, NotADirectoryError)):
            open_below(root, trick)
    with open_below(root, b"deep/er/track.wav") as file:
        assert file.read(10) == (music / "deep" / "er" / "track.wav").read_bytes()[:10]


def test_a_root_that_is_itself_a_link_is_followed(music: Path, tmp_path: Path):
    (tmp_path / "here").symlink_to(music)
    with open_below(os.fsencode(tmp_path / "here"), b"plain.mp3") as file:
        assert file.read() == (music / "plain.mp3").read_bytes()


def test_files_are_closed_when_a_path_is_refused(music: Path):
    before = len(os.listdir("/proc/self/fd"))
    for trick in (b"out/secret.wav", b"pipe.wav", b"deep/er/gone", b"link.wav"):
        with pytest.raises((FileNotFoundError, NotADirectoryError)):
            open_below(os.fsencode(music), trick)
    assert len(os.listdir("/proc/self/fd")) == before


class OneTrack:
    """A catalogue of one track."""

    def __init__(self, track: Track) -> None:
        self.track = track

    def by_ids(self, track_ids: list[int]) -> dict[int, Track]:
        return {each: self.track for each in track_ids if each == self.track.track_id}


def test_a_clip_is_read_through_fsspec_too(tmp_path: Path):
    content = random.Random(1).randbytes(5_000)
    with zipfile.ZipFile(tmp_path / "music.zip", "w") as archive:
        archive.writestr("in side/a#b.mp3", content)
    tracks = OneTrack(Track(7, path="in side/a#b.mp3", status="ok"))
    clips = Clips(lambda: Source(f"zip://::{tmp_path / 'music.zip'}", tracks))
    clip = clips.open(7)
    with clip.file as file:
        file.seek(100)
        assert (clip.track.track_id, clip.size, file.read(50)) == (7, 5_000, content[100:150])
    with pytest.raises(FileNotFoundError):
        clips.open(8)


@pytest.fixture(scope="module")
def ears(player: Server) -> Iterator[Visitor]:
    with Visitor(player) as made:
        yield made.sign_up()


@pytest.fixture(scope="module")
def long(catalogue: Store) -> Track:
    return next(each for each in catalogue.tracks.all() if each.path == "long.wav")


@pytest.mark.slow
def test_every_clip_is_served_whole_whatever_its_name(ears: Visitor, catalogue: Store, music: Path):
    served = 0
    for track in catalogue.tracks.all():
        if track.sha256 is None:
            continue
        answer = ears.get(f"/audio/{track.track_id}")
        content = Path(os.fsdecode(os.path.join(os.fsencode(music), unescape(track.path)))).read_bytes()
        assert (answer.status_code, answer.content) == (200, content), track.path
        assert answer.headers["Content-Length"] == str(len(content))
        assert answer.headers["Content-Type"] == content_type(track.path)
        assert answer.headers["Etag"] == f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        assert answer.headers["Cache-Control"].startswith("private")
        assert answer.headers["Accept-Ranges"] == "bytes"
        served += 1
    assert served == 12


@pytest.mark.slow
def test_tricks_and_unusable_tracks_are_not_found(ears: Visitor, catalogue: Store):
    refused = [track.track_id for track in catalogue.tracks.all() if track.sha256 is None]
    assert len(refused) == 10
    for track_id in [*refused, 0, 2**53]:
        answer = ears.get(f"/audio/{track_id}")
        assert answer.status_code == 404, track_id
        assert "secret" not in answer.text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("header", "status", "first", "length"),
    [
        ("bytes=0-", 206, 0, 1_300_001),
        ("bytes=300000-899999", 206, 300_000, 600_000),
        ("bytes=-7", 206, 1_299_994, 7),
        ("bytes=1300000-", 206, 1_300_000, 1),
        ("bytes=0-1,4-5", 200, 0, 1_300_001),
        ("nonsense", 200, 0, 1_300_001),
    ],
)
def test_a_range_is_answered_with_exactly_it(
    ears: Visitor, long: Track, music: Path, header: str, status: int, first: int, length: int
):
    answer = ears.get(f"/audio/{long.track_id}", headers={"Range": header})
    assert answer.status_code == status
    assert answer.content == (music / "long.wav").read_bytes()[first : first + length]
    shown = f"bytes {first}-{first + length - 1}/1300001" if status == 206 else None
    assert answer.headers.get("Content-Range") == shown


@pytest.mark.slow
def test_a_range_beyond_the_end_is_416(ears: Visitor, long: Track):
    answer = ears.get(f"/audio/{long.track_id}", headers={"Range": "bytes=1300001-"})
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, "bytes */1300001")
    assert answer.content == b""


@pytest.mark.slow
def test_head_says_what_get_would(ears: Visitor, long: Track):
    address = ears.server.url(f"/audio/{long.track_id}")
    got = ears.session.get(address, timeout=10)
    for headers in ({}, {"Range": "bytes=10-19"}):
        said = ears.session.head(address, headers=headers, timeout=10)
        assert (said.status_code, said.content) == (200, b"")
        for name in ("Content-Length", "Content-Type", "Etag", "Content-Range"):
            assert said.headers.get(name) == got.headers.get(name)


@pytest.mark.slow
def test_what_the_browser_has_is_not_sent_again(ears: Visitor, long: Track):
    address = f"/audio/{long.track_id}"
    tag = ears.get(address).headers["Etag"]
    for header in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        answer = ears.get(address, headers={"If-None-Match": header})
        assert (answer.status_code, answer.content, answer.headers["Etag"]) == (304, b"", tag)
    assert ears.get(address, headers={"If-None-Match": '"x"'}).status_code == 200
    for header, status in ((tag, 200), ("*", 200), ('"x"', 412), (f"W/{tag}", 412)):
        assert ears.get(address, headers={"If-Match": header}).status_code == status
    part = {"Range": "bytes=0-9"}
    assert ears.get(address, headers=part | {"If-Range": tag}).status_code == 206
    for other in ('"x"', f"W/{tag}", "Sat, 21 Nov 2026 00:00:00 GMT"):
        assert ears.get(address, headers=part | {"If-Range": other}).status_code == 200


@pytest.mark.slow
def test_a_file_that_changed_has_another_tag(ears: Visitor, catalogue: Store, music: Path):
    track = next(each for each in catalogue.tracks.all() if each.path == "plain.mp3")
    before = ears.get(f"/audio/{track.track_id}").headers["Etag"]
    path = music / "plain.mp3"
    content, times = path.read_bytes(), path.stat()
    try:
        path.write_bytes(content[::-1])
        after = ears.get(f"/audio/{track.track_id}", headers={"If-None-Match": before})
        assert (after.status_code, after.content) == (200, content[::-1])
        assert after.headers["Etag"] != before
    finally:
        path.write_bytes(content)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.mark.slow
def test_others_are_served_while_one_listener_reads_slowly(ears: Visitor, other: Visitor, long: Track):
    """Twenty connections ask for a clip and read nothing: no other waits for them, and one has a share."""
    at = urlsplit(ears.server.address)
    head = f"GET /audio/{long.track_id} HTTP/1.1\r\nHost: {at.netloc}\r\nCookie: {ears.cookies()}"
    request = f"{head}\r\n\r\n".encode()
    slow = []
    try:
        for _ in range(20):
            opened = socket.socket()
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            opened.connect((at.hostname, at.port))
            opened.sendall(request)
            slow.append(opened)
        answer = other.get(f"/audio/{long.track_id}")
        assert len(answer.content) == 1_300_001
        assert answer.elapsed.total_seconds() < 2
        refused = ears.get(f"/audio/{long.track_id}")
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "5")
    finally:
        for opened in slow:
            opened.close()
    wait_until(lambda: ears.get(f"/audio/{long.track_id}").status_code == 200, 10, "the places are free")
