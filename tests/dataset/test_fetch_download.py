"""Downloads from a server that misbehaves: gone on with or refused, never a wrong file left in place."""

import hashlib
import io
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from segue.dataset.fetch import download as download_module
from segue.dataset.fetch import http
from segue.dataset.fetch.download import Patience, state_file
from segue.dataset.fetch.get import Fetched, Wishes, fetch
from segue.dataset.fetch.sources import Source
from segue.errors import SegueError
from support.misbehaving import Behaviour, change, hang_up, misbehaving, only, silent, status
from support.waiting import wait_until

PATIENCE = Patience(timeout_s=0.4, attempts=3, pause_s=0.01, slowest=2_000)


def zipped(seed: int, size: int = 600_000) -> bytes:
    """Return a stored zip archive of one file of random bytes."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(zipfile.ZipInfo("tiny/noise.bin"), random.Random(seed).randbytes(size))
    return made.getvalue()


CONTENT = zipped(1)
OTHER = zipped(2)


def source(url: str, content: bytes = CONTENT, **changes: object) -> Source:
    made = Source(
        "tiny", "Tiny", f"{url}/tiny.zip", len(content), True, len(content),
        ("sha1", hashlib.sha1(content).hexdigest()), "tiny", "CC0", "nobody",
    )  # fmt: skip
    return replace(made, **changes)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


@pytest.fixture
def server() -> Iterator[tuple[str, Behaviour]]:
    with misbehaving(CONTENT) as running:
        yield running


class Attempt:
    """Fetches the archive to a folder and keeps what was said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []

    def __call__(self, what: Source, **wishes: object) -> Fetched:
        wanted = Wishes(**({"unpacked": False, "patience": PATIENCE} | wishes))
        return fetch(what, self.folder, wanted, self.said.append)

    @property
    def files(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()} if self.folder.exists() else set()

    @property
    def archive(self) -> bytes:
        return (self.folder / "tiny.zip").read_bytes()


@pytest.fixture
def attempt(tmp_path: Path) -> Attempt:
    return Attempt(tmp_path / "data")


def test_a_file_comes_whole_and_once(server, attempt):
    url, behaviour = server
    found = attempt(source(url))
    assert (found.new, Path(found.path)) == (True, attempt.folder / "tiny.zip")
    assert found.verified_by == f"SHA1 {hashlib.sha1(CONTENT).hexdigest()}"
    assert attempt.archive == CONTENT
    assert attempt.files == {"tiny.zip"}
    again = attempt(source(url))
    assert not again.new
    assert behaviour.seen == [("/tiny.zip", None, None)]


@pytest.mark.parametrize("reset", [False, True])
def test_what_breaks_off_is_gone_on_with(server, attempt, reset):
    url, behaviour = server
    behaviour.faults = [only(cut=200_000, reset=reset), only(cut=150_000, reset=reset)]
    attempt(source(url))
    assert attempt.archive == CONTENT
    assert len(behaviour.seen) == 3
    (_, first, _), (_, second, condition), _ = behaviour.seen
    assert first is None
    assert condition == behaviour.tag
    if not reset:  # A reset may take bytes with it that were on their way.
        assert second == "bytes=200000-"
        assert re.fullmatch(
            r"tiny\.zip: it breaks off after 200,000 of 600,\d+ bytes; trying again in 0\.01 s \(2 of 3\)",
            attempt.said[0],
        )


def test_an_attempt_that_gives_up_leaves_what_the_next_one_goes_on_with(server, attempt):
    url, behaviour = server
    behaviour.faults = [only(cut=100_000), hang_up, hang_up]
    with pytest.raises(SegueError, match=r"3 times in a row: run the same command again later, it goes on"):
        attempt(source(url))
    assert attempt.files == {"tiny.zip.part", "tiny.zip.part.json"}
    attempt(source(url))
    assert behaviour.seen[-1] == ("/tiny.zip", "bytes=100000-", behaviour.tag)
    assert attempt.archive == CONTENT
    assert attempt.files == {"tiny.zip"}


def test_a_long_download_may_break_more_often_than_it_may_fail(server, attempt, monkeypatch):
    url, behaviour = server
    monkeypatch.setattr(download_module, "_WORTH_IT", 50_000)
    behaviour.cut = 60_000
    attempt(source(url))
    assert attempt.archive == CONTENT
    assert len(behaviour.seen) == 11
    assert {line.rpartition("(")[2] for line in attempt.said[:-1]} == {"2 of 3)"}


def test_a_server_without_ranges_starts_over(server, attempt):
    url, behaviour = server
    behaviour.ranges = False
    behaviour.faults = [only(cut=100_000, ranges=False)]
    attempt(source(url))
    assert attempt.archive == CONTENT
    assert "tiny.zip: the server sends it from the beginning: starting over" in attempt.said


@pytest.mark.parametrize("etag", [True, False])
def test_two_versions_are_never_spliced(server, attempt, etag):
    url, behaviour = server
    behaviour.etag = etag
    # The first version is cut; then the right one is there, with another time.
    behaviour.content, right = OTHER, CONTENT
    behaviour.faults = [only(cut=300_000)]

    def changed(handler) -> bool:
        behaviour.modified = "Sat, 15 Jul 2017 00:00:00 GMT"
        return change(right)(handler)

    behaviour.faults.append(changed)
    attempt(source(url))
    assert attempt.archive == CONTENT
    assert behaviour.seen[1][1] == "bytes=300000-"
    assert behaviour.seen[1][2]


def test_a_server_that_goes_on_with_another_version_is_caught(server, attempt):
    url, behaviour = server
    behaviour.content = OTHER
    behaviour.faults = [only(cut=300_000)]

    def ignore_condition(handler) -> bool:
        behaviour.content = CONTENT
        del handler.headers["If-Range"]
        return False

    behaviour.faults.append(ignore_condition)
    attempt(source(url))
    assert attempt.archive == CONTENT
    assert any("another one now: starting over" in line for line in attempt.said)


def test_without_a_version_only_a_checksum_allows_going_on(server, attempt, tmp_path):
    url, behaviour = server
    behaviour.etag, behaviour.modified = False, ""
    behaviour.faults = [only(cut=300_000)]
    attempt(source(url))
    assert behaviour.seen[-1][1] == "bytes=300000-"
    behaviour.faults = [only(cut=300_000)]
    other = Attempt(tmp_path / "unverified")
    other(source(url, checksum=None))
    assert behaviour.seen[-1][1] is None
    assert other.archive == CONTENT


def test_a_part_that_is_already_whole_is_only_verified(server, attempt):
    url, behaviour = server
    behaviour.faults = [only(cut=600_000), hang_up, hang_up]
    with pytest.raises(SegueError):
        attempt(source(url))
    part = attempt.folder / "tiny.zip.part"
    part.write_bytes(CONTENT)
    attempt(source(url))
    assert behaviour.seen[-1][1] == f"bytes={len(CONTENT)}-"
    assert attempt.archive == CONTENT


def test_a_part_that_is_longer_than_the_file_is_dropped(server, attempt):
    url, behaviour = server
    behaviour.faults = [only(cut=1_000), hang_up, hang_up]
    with pytest.raises(SegueError):
        attempt(source(url))
    (attempt.folder / "tiny.zip.part").write_bytes(CONTENT + b"more")
    attempt(source(url))
    assert attempt.archive == CONTENT
    assert any("has no more after" in line for line in attempt.said)


@pytest.mark.parametrize("said", ["bytes 5-9/10", "bytes */10", "nonsense", "bytes 100000-/9"])
def test_another_part_than_was_asked_for_is_never_taken(server, attempt, said):
    url, behaviour = server

    def other_part(handler) -> bool:
        handler.send_response(206)
        handler.send_header("Content-Range", said)
        handler.send_header("Content-Length", "5")
        handler.end_headers()
        handler.wfile.write(b"wrong")
        return True

    behaviour.faults = [only(cut=100_000), other_part]
    attempt(source(url))
    assert attempt.archive == CONTENT
    assert behaviour.seen[2][1] is None


def test_a_weak_tag_is_no_condition_but_tells_versions_apart(server, attempt):
    url, behaviour = server

    def weak(etag: str, **now: object):
        def fault(handler) -> bool:
            handler.behaviour = replace(
                handler.behaviour, etag=False, modified="", extra={"ETag": etag}, **now
            )
            return False

        return fault

    behaviour.faults = [weak('W/"1"', cut=100_000), weak('W/"2"'), weak('W/"2"')]
    attempt(source(url))
    assert [condition for _, _, condition in behaviour.seen] == [None, None, None]
    assert [asked for _, asked, _ in behaviour.seen] == [None, "bytes=100000-", None]
    assert attempt.archive == CONTENT


@pytest.mark.parametrize("state", [None, "{", '{"etag": 1}', "[]"])
def test_a_part_of_unknown_origin_is_not_gone_on_with(server, attempt, state):
    url, behaviour = server
    attempt.folder.mkdir()
    part = attempt.folder / "tiny.zip.part"
    part.write_bytes(b"something else")
    if state is not None:
        state_file(part).write_text(state)
    attempt(source(url))
    assert attempt.archive == CONTENT
    assert behaviour.seen == [("/tiny.zip", None, None)]


@pytest.mark.parametrize("code", [500, 502, 503, 429])
def test_a_server_out_of_order_is_tried_again(server, attempt, code):
    url, behaviour = server
    behaviour.faults = [status(code), status(code)]
    attempt(source(url))
    assert attempt.archive == CONTENT
    assert [f"the server answers {code}" in line for line in attempt.said[:2]] == [True, True]


def test_a_server_may_ask_for_a_pause(server, attempt, monkeypatch):
    url, behaviour = server
    slept: list[float] = []
    # Its own clock alone: threads of other tests sleep as well.
    monkeypatch.setattr(
        download_module, "time", SimpleNamespace(sleep=slept.append, monotonic=time.monotonic)
    )
    behaviour.faults = [status(503, Retry_After="7"), status(503, Retry_After="99999"), hang_up]
    with pytest.raises(SegueError):
        attempt(source(url))
    assert slept == [7.0, 120.0]


@pytest.mark.parametrize(
    ("code", "words"), [(404, "is not there"), (410, "is not there"), (403, "is refused"), (400, "cannot be")]
)
def test_what_will_not_change_is_said_at_once(server, attempt, code, words):
    url, behaviour = server
    behaviour.always = status(code)
    with pytest.raises(SegueError, match=rf"tiny\.zip {words}.*{code}.*--mirror"):
        attempt(source(url))
    assert len(behaviour.seen) == 1
    assert attempt.files == set()


def test_a_refused_connection_is_tried_a_few_times(attempt):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(SegueError, match=r"cannot be reached \(Connection refused\), 3 times in a row"):
            attempt(source(url))
    assert len(attempt.said) == 2
    assert attempt.files == set()


def test_a_silent_server_is_left_after_the_timeout(server, attempt):
    url, behaviour = server
    behaviour.always = silent(1.0)
    with pytest.raises(SegueError, match="the server does not answer in time, 3 times"):
        attempt(source(url))


def test_a_download_that_stalls_is_gone_on_with(server, attempt):
    url, behaviour = server
    behaviour.faults = [only(piece=100_000, pause_s=1.0)]
    attempt(source(url))
    assert attempt.archive == CONTENT
    assert "the server says nothing any more" in attempt.said[0]
    assert behaviour.seen[1][1] == "bytes=100000-"


def test_a_trickle_is_as_bad_as_silence(server, attempt):
    url, behaviour = server
    behaviour.faults = [only(piece=10, pause_s=0.02)]
    attempt(source(url))
    assert attempt.archive == CONTENT
    assert re.search(r"only \d+ bytes a second come", attempt.said[0])


def test_a_slow_but_steady_server_is_waited_for(server, attempt):
    url, behaviour = server
    behaviour.piece, behaviour.pause_s = 40_000, 0.05
    attempt(source(url))
    assert attempt.archive == CONTENT
    assert len(behaviour.seen) == 1


def test_corrupted_bytes_are_removed_and_both_digests_named(server, attempt):
    url, behaviour = server
    wrong = bytearray(CONTENT)
    wrong[300_000] ^= 1
    behaviour.content = bytes(wrong)
    message = (
        rf"has the SHA1 {hashlib.sha1(wrong).hexdigest()} and should have {hashlib.sha1(CONTENT).hexdigest()}"
        ": it is removed. Run the same command again"
    )
    with pytest.raises(SegueError, match=message):
        attempt(source(url))
    assert attempt.files == set()


def test_without_a_checksum_damage_is_found_by_the_crc_of_each_file(server, attempt):
    url, behaviour = server
    wrong = bytearray(CONTENT)
    wrong[300_000] ^= 1
    behaviour.content = bytes(wrong)
    with pytest.raises(SegueError, match=r"damaged: tiny/noise\.bin is damaged \(its CRC-32 is \w{8}, not"):
        attempt(source(url, checksum=None))
    behaviour.content = b"<html>Please log in</html>"
    with pytest.raises(SegueError, match="is no whole zip archive: it is removed"):
        attempt(source(url, checksum=None, exact=False))
    assert attempt.files == set()


def test_a_length_that_is_too_short_is_refused(server, attempt):
    url, behaviour = server
    behaviour.announced = 1_000
    with pytest.raises(
        SegueError, match=r"has 1,000 bytes, and tiny\.zip should have 600,\d+: it is another"
    ):
        attempt(source(url))
    # Where the size is not known either, what comes is no whole archive.
    with pytest.raises(SegueError, match="is no whole zip archive: it is removed"):
        attempt(source(url, exact=False, checksum=None))
    assert attempt.files == set()


def test_a_length_that_is_too_long_is_refused(server, attempt):
    url, behaviour = server
    behaviour.announced = len(CONTENT) + 1_000
    with pytest.raises(SegueError, match=r"bytes, and tiny\.zip should have"):
        attempt(source(url))
    # Where the size is not known, the rest is asked for, and there is none.
    behaviour.ranges = False
    with pytest.raises(SegueError, match=r"breaks off after 600,\d+ of 601,\d+ bytes, 3 times in a row"):
        attempt(source(url, exact=False, checksum=None))
    assert "tiny.zip" not in attempt.files
    behaviour.ranges = True
    attempt(source(url, exact=False))
    assert attempt.archive == CONTENT


def test_more_than_expected_is_cut_off(server, attempt):
    url, behaviour = server
    behaviour.length = False
    behaviour.content = CONTENT + bytes(10_000_000)
    with pytest.raises(SegueError, match=r"sends more than the 600,\d+ bytes it should have: it was cut off"):
        attempt(source(url))
    assert attempt.files == set()
    behaviour.length = True
    with pytest.raises(SegueError, match="far more than the 600,"):
        attempt(source(url, exact=False))


def test_a_server_that_names_no_length_is_read_to_the_end(server, attempt):
    url, behaviour = server
    behaviour.length = False
    behaviour.faults = [only(length=False, cut=100_000)]
    attempt(source(url))
    assert attempt.archive == CONTENT
    assert behaviour.seen[1][1] == "bytes=100000-"


def test_a_content_encoding_is_refused(server, attempt):
    url, behaviour = server
    behaviour.encoding = "gzip"
    with pytest.raises(SegueError, match=r"comes packed a second time \(gzip\)"):
        attempt(source(url))


def test_redirects_are_followed_on_the_web_only(server, attempt, tmp_path):
    url, behaviour = server
    behaviour.faults = [status(302, Location="/elsewhere.zip")]
    attempt(source(url))
    assert [path for path, _, _ in behaviour.seen] == ["/tiny.zip", "/elsewhere.zip"]
    secret = tmp_path / "secret"
    secret.write_bytes(CONTENT)
    for target in (f"file://{secret}", "ftp://127.0.0.1/tiny.zip", "data:text/plain,a"):
        behaviour.faults = [status(302, Location=target)]
        other = Attempt(tmp_path / "other")
        with pytest.raises(SegueError, match=re.escape(target)):
            other(source(url))
        assert other.files == set()
    behaviour.always = status(302, Location="/tiny.zip")
    with pytest.raises(SegueError, match="redirected in a circle"):
        Attempt(tmp_path / "circle")(source(url))


def test_a_redirect_never_leaves_encryption():
    request = http.urllib.request.Request("https://safe.example/tiny.zip")
    with pytest.raises(SegueError, match="which is not followed"):
        http._Redirects().redirect_request(request, io.BytesIO(), 302, "", {}, "http://safe.example/tiny.zip")


def test_a_certificate_that_nobody_vouches_for_is_refused(attempt, tmp_path):
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("no openssl on the PATH, which makes the certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [program, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-addext",
         "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    with misbehaving(CONTENT, (certificate, key)) as (safe, there):
        with pytest.raises(SegueError, match=r"the certificate of 127\.0\.0\.1 cannot be verified \(self"):
            attempt(source(safe))
        assert there.seen == []
    assert attempt.said == []


def test_certificates_are_checked():
    (handler,) = [each for each in http._opener().handlers if type(each).__name__ == "HTTPSHandler"]
    context = handler._context
    assert context.check_hostname
    assert context.verify_mode.name == "CERT_REQUIRED"


def test_a_proxy_of_the_environment_is_used(server, attempt, monkeypatch):
    url, behaviour = server
    monkeypatch.setenv("http_proxy", url)
    attempt(source("http://somewhere.invalid"))
    assert behaviour.seen[0][0] == "http://somewhere.invalid/tiny.zip"
    assert attempt.archive == CONTENT


def test_a_disk_that_is_too_small_is_said_before_anything_comes(server, attempt, monkeypatch):
    url, _ = server
    usage = type("Usage", (), {"free": len(CONTENT) + 99})
    monkeypatch.setattr(download_module.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(SegueError, match=r"needs 0\.00 GiB more and has 0\.00 GiB free: make room"):
        attempt(source(url, unpacked=100), unpacked=True)
    assert attempt.files == set()
    attempt(source(url, unpacked=100))


def test_a_disk_that_fills_up_keeps_what_came(server, attempt, monkeypatch):
    resource = pytest.importorskip("resource")
    url, _ = server
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
    try:
        with pytest.raises(
            SegueError, match=r"cannot be written \(File too large\): .* it goes on from here"
        ):
            attempt(source(url))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert "tiny.zip" not in attempt.files
    attempt(source(url))
    assert attempt.archive == CONTENT


_PROCESS = """
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from segue.dataset.fetch.get import Wishes, fetch
from segue.dataset.fetch.sources import Source
url, sha1, size, folder = sys.argv[1:]
tiny = Source("tiny", "", url, int(size), True, 0, ("sha1", sha1), "tiny", "", "")
fetch(tiny, Path(folder), Wishes(unpacked=False), print)
"""


def start_process(url: str, folder: Path) -> subprocess.Popen[str]:
    digest = hashlib.sha1(CONTENT).hexdigest()
    command = [sys.executable, "-c", _PROCESS, f"{url}/tiny.zip", digest, str(len(CONTENT)), str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_process_is_gone_on_from(server, attempt, end):
    url, behaviour = server
    behaviour.faults = [only(piece=50_000, pause_s=0.3)]
    part = attempt.folder / "tiny.zip.part"
    with start_process(url, attempt.folder) as process:
        wait_until(lambda: part.exists() and part.stat().st_size >= 100_000, 20, "some has come")
        # While it is at work, another one is told so.
        with pytest.raises(SegueError, match=rf"another process \({process.pid}\) is fetching tiny to"):
            attempt(source(url))
        process.send_signal(end)
        process.communicate(timeout=20)
    assert process.returncode != 0
    got = part.stat().st_size
    assert "tiny.zip" not in attempt.files
    attempt(source(url))
    assert behaviour.seen[-1][1] == f"bytes={got}-"
    assert got >= 100_000
    assert attempt.archive == CONTENT
    assert attempt.files == {"tiny.zip"}
