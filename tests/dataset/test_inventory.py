"""The lister: every regular file once, whatever its name."""

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest

from segue.dataset.inventory import (
    child_of,
    escape,
    is_audio_name,
    join,
    open_root,
    path_id,
    scan,
    sha256,
    unescape,
)
from segue.errors import SegueError

NAMES = [
    b"a:colon.mp3", b"[brackets] {and} *star?.mp3", b".leading dot.mp3", b"_underscore.mp3", b"-dash.mp3",
    "accents é ü ñ 音楽.mp3".encode(), b"latin-1 caf\xe9.mp3", b"new\nline\t.mp3", b"back\\slash \\x41.mp3",
    b" blanks .mp3", b"copy.mp3._COPYING_", b"~tilde", b"file:colons", b"a::b", b"%41 #?&.mp3", b"\x7f\x01",
    "e\u0301 decomposed".encode(), "\u2028 separator".encode(), b"CON", b"x" * 255,
]  # fmt: skip


@pytest.fixture
def nasty(tmp_path):
    root = tmp_path / "root"
    for folder in (b"", b"folder \xff\n: [x]", b".hidden/deep"):
        below = os.path.join(os.fsencode(root), folder)
        os.makedirs(below)
        for name in NAMES:
            with open(os.path.join(below, name), "wb") as file:
                file.write(folder + name)
    (root / "circle").symlink_to(root)
    (root / "up").symlink_to("..")
    (root / "dangling.mp3").symlink_to(root / "nowhere.mp3")
    (root / "out.mp3").symlink_to("/etc/hostname")
    (root / "twice.mp3").symlink_to(root / "~tilde")
    os.mkfifo(root / "fifo.mp3")
    (root / "empty folder").mkdir()
    return root


def listed_by_find(root) -> set[bytes]:
    command = ["find", os.fsencode(root), "-type", "f", "-printf", r"%P\0"]
    return set(subprocess.run(command, check=True, capture_output=True).stdout.split(b"\0")) - {b""}


def test_every_regular_file_is_listed_once_and_can_be_opened(nasty):
    entries = scan(nasty)
    assert len(entries) == 3 * len(NAMES)
    assert {unescape(entry.path) for entry in entries} == listed_by_find(nasty)
    assert [entry.path for entry in entries] == sorted({entry.path for entry in entries})
    fs, base = open_root(nasty)
    for entry in entries:
        entry.path.encode("utf-8")
        assert entry.path.isprintable() or "\u2028" in entry.path
        with fs.open(join(base, entry.path), "rb") as file:
            content = file.read()
        folder, _, name = unescape(entry.path).rpartition(b"/")
        assert content == folder + name
        assert entry.size == len(content)
        stat = os.stat(os.path.join(os.fsencode(nasty), unescape(entry.path)))
        assert entry.mtime_ns == stat.st_mtime_ns


def test_the_locale_changes_nothing(nasty):
    code = (
        "import sys; from segue.dataset.inventory import *; fs, base = open_root(sys.argv[1])\n"
        "for entry in scan(sys.argv[1]): print(entry.path, sha256(fs, join(base, entry.path)))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code, nasty],
            check=True,
            capture_output=True,
            env={"PATH": os.environ["PATH"], "LC_ALL": locale, "PYTHONIOENCODING": "utf-8"},
        ).stdout
        for locale in ("C", "POSIX", "C.UTF-8")
    }
    assert len(outputs) == 1
    assert outputs.pop().count(b"\n") == 3 * len(NAMES)


def test_any_bytes_survive_being_escaped():
    every = bytes(range(256)) * 2 + b"\\x41\\\\x" + "é\ud7ff音".encode()
    text = escape(every)
    assert unescape(text) == every
    text.encode("utf-8")
    assert escape(b"caf\xe9\n") == r"caf\xe9\x0a"
    # Two names that look alike stay two.
    assert escape(b"\xe9") != escape(rb"\xe9")


def test_a_zip_archive_is_listed_and_read_through_its_url(tmp_path):
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(zipfile.ZipInfo("b/c: é.mp3", (2020, 1, 2, 3, 4, 6)), b"sound")
        file.writestr("d.mp3", b"")
    url = f"zip://::{archive}"
    entries = scan(url)
    assert [(entry.path, entry.size) for entry in entries] == [("b/c: é.mp3", 5), ("d.mp3", 0)]
    # 2020-01-02 03:04:06 UTC.
    assert entries[0].mtime_ns == 1_577_934_246 * 10**9
    fs, base = open_root(url)
    # printf sound | sha256sum
    expected = "dd29442deca69f52c50006b831cb216edf78a7da33748f0a80ff19f2ebe57ecd"
    assert sha256(fs, join(base, "b/c: é.mp3")) == expected
    assert [entry.path for entry in scan(child_of(url, "b"))] == ["c: é.mp3"]


def test_the_hash_is_of_the_content(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    # The example of FIPS 180-4.
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256(open_root(tmp_path)[0], str(tmp_path / "abc")) == expected


@pytest.mark.parametrize("name", ["absent", "file"])
def test_what_is_no_folder_is_refused(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(SegueError, match=f"{name} is not a folder: give the folder that holds the music"):
        scan(tmp_path / name)


def test_a_url_that_nothing_opens_is_refused(tmp_path):
    with pytest.raises(SegueError, match="cannot be opened"):
        scan("nosuch://bucket/music")
    with pytest.raises(SegueError, match="cannot be opened"):
        scan(f"zip://::{tmp_path}/absent.zip")


def test_a_folder_may_be_named_like_a_url(tmp_path):
    (tmp_path / "a::b").mkdir()
    (tmp_path / "a::b" / "c.mp3").write_bytes(b"1")
    assert [entry.path for entry in scan(tmp_path / "a::b")] == ["c.mp3"]


@pytest.fixture
def open_folder():
    """A folder that any user may enter, while this process is not root."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65_534)
        try:
            yield Path(folder)
        finally:
            os.seteuid(user)


def test_a_folder_that_may_not_be_read_is_named_and_passed_over(open_folder):
    (open_folder / "song.mp3").touch()
    (open_folder / "secret").mkdir(mode=0)
    unreadable: list[str] = []
    assert [entry.path for entry in scan(open_folder, unreadable)] == ["song.mp3"]
    assert unreadable == ["secret"]
    with pytest.raises(SegueError, match=r"secret cannot be read \(Permission denied\)"):
        scan(open_folder / "secret")


def test_a_file_that_disappears_meanwhile_is_left_out(tmp_path, monkeypatch):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "c.mp3").touch()
    scandir = os.scandir

    def scandir_and_remove(path):
        found = scandir(path)
        if os.fsdecode(path).endswith("a"):
            os.rmdir(os.path.join(path, b"b"))
        return found

    monkeypatch.setattr(os, "scandir", scandir_and_remove)
    assert [entry.path for entry in scan(tmp_path)] == ["c.mp3"]


def test_audio_is_known_by_its_extension():
    assert is_audio_name("a/b.MP3")
    assert is_audio_name("a.b.flac")
    assert not is_audio_name("mp3")
    assert not is_audio_name("a.mp3/b.txt")


def test_ids_are_exact_in_every_json_reader():
    ids = {path_id(f"{number}.mp3") for number in range(10_000)}
    assert len(ids) == 10_000
    assert max(ids) < 2**53
    # printf a.mp3 | sha256sum begins with d5e42b11634fa8.
    assert path_id("a.mp3") == 0xD5E42B11634FA8 >> 3
