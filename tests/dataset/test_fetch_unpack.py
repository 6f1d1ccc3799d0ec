"""Unpacking: nothing outside of the target, nothing twice, no bombs, and a killed one goes on."""

import os
import re
import signal
import stat
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from segue.dataset.fetch import download as download_module
from segue.dataset.fetch.unpack import marker, unpack
from segue.dataset.zip_members import read_directory
from segue.errors import SegueError
from support.waiting import wait_until

FILES = {"set/a.csv": b"a,b\n1,2\n" * 500, "set/deep/b.mp3": bytes(range(256)) * 40, "set/empty": b""}


def write_zip(path: Path, members: dict, method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Write an archive of names or `zipfile.ZipInfo` and contents."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            info = name if isinstance(name, zipfile.ZipInfo) else zipfile.ZipInfo(name)
            archive.writestr(info, content, method)
    return path


def info(name: str, mode: int = 0, system: int = 3) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo("x")
    made.filename, made.create_system, made.external_attr = name, system, mode << 16
    return made


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder.parent).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def everything(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_an_archive_is_unpacked_whole(tmp_path, method):
    archive = write_zip(tmp_path / "set.zip", FILES | {"set/bare/": b""}, method)
    assert unpack(archive, tmp_path / "set") == 3
    assert contents(tmp_path / "set") == FILES
    assert (tmp_path / "set" / "bare").is_dir()
    assert {path.name for path in tmp_path.iterdir()} == {"set.zip", "set", ".set.unpacked"}


def test_a_flat_archive_gets_a_folder(tmp_path):
    archive = write_zip(tmp_path / "flat.zip", {"users.dat": b"1\t2\n", "readme.txt": b"hello"})
    unpack(archive, tmp_path / "set", flat=True)
    assert contents(tmp_path / "set") == {"set/users.dat": b"1\t2\n", "set/readme.txt": b"hello"}


@pytest.mark.parametrize(
    ("member", "words"),
    [
        ("/etc/passwd", "is an absolute path"),
        ("//server/share", "is an absolute path"),
        ("C:/windows", "is an absolute path"),
        ("c:secret", "is an absolute path"),
        ("../up", "leads elsewhere"),
        ("set/../../up", "leads elsewhere"),
        ("set/./a", "leads elsewhere"),
        ("set//a", "leads elsewhere"),
        ("set\\..\\..\\up", "has a backslash"),
        ("\\\\server\\share", "has a backslash"),
        ("set/a\0.csv", "has a zero byte"),
        ("other/a", "is outside of the folder set"),
        ("set", "is outside of the folder set"),
        (info("set/link", stat.S_IFLNK | 0o777), "is a link"),
        (info("set/tty", stat.S_IFCHR | 0o666), "is a device, a pipe"),
        (info("set/disk", stat.S_IFBLK | 0o666), "is a device, a pipe"),
        (info("set/pipe", stat.S_IFIFO | 0o666), "is a device, a pipe"),
        (info("set/socket", stat.S_IFSOCK | 0o666), "is a device, a pipe"),
        (info("set/folder", stat.S_IFDIR | 0o777), "not what its name says"),
    ],
)
def test_what_leads_outside_is_refused_before_anything_is_written(tmp_path, member, words):
    inside = tmp_path / "inside"
    inside.mkdir()
    member = member if isinstance(member, zipfile.ZipInfo) else info(member)
    archive = write_zip(inside / "set.zip", {"set/first": b"1", member: b"/etc/passwd"})
    before = everything(tmp_path)
    with pytest.raises(SegueError, match=rf"set\.zip is not unpacked: .* in it .*{words}"):
        unpack(archive, inside / "set")
    assert everything(tmp_path) == before


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["set/a", "set/b", "set/a"], "'set/a' stands in it twice"),
        (["set/a", "set/a/b"], "'set/a' in it is both a file and a folder"),
        (["set/a/b", "set/a"], "'set/a' stands in it twice"),
    ],
)
def test_nothing_overwrites_another(tmp_path, names, words):
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for name in names:
            archive.writestr(name, name)
    with pytest.raises(SegueError, match=re.escape(words)):
        unpack(tmp_path / "set.zip", tmp_path / "set")
    assert everything(tmp_path) == {"set.zip"}


def test_names_that_are_not_utf8_keep_their_bytes(tmp_path):
    archive = write_zip(tmp_path / "set.zip", {"set/caf#.mp3": b"1", "set/é.mp3": b"2"})
    archive.write_bytes(archive.read_bytes().replace(b"caf#", b"caf\xe9"))
    unpack(archive, tmp_path / "set")
    assert set(os.listdir(os.fsencode(tmp_path / "set"))) == {b"caf\xe9.mp3", "é.mp3".encode()}


def test_a_name_that_claims_utf8_and_is_not_is_refused(tmp_path):
    archive = write_zip(tmp_path / "set.zip", {"set/é.mp3": b"2"})
    archive.write_bytes(archive.read_bytes().replace("é".encode(), b"\xe9\xe9"))
    with pytest.raises(SegueError, match=r"is no whole zip archive \('utf-8' codec"):
        unpack(archive, tmp_path / "set")


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_a_bomb_by_its_own_words_is_refused(tmp_path, method):
    archive = write_zip(tmp_path / "set.zip", {"set/zeros": bytes(20 << 20)}, method)
    with pytest.raises(
        SegueError, match=r"claims to hold 20,971,520 bytes, more than 200 times its own size"
    ):
        unpack(archive, tmp_path / "set")
    assert everything(tmp_path) == {"set.zip"}


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_a_bomb_that_lies_is_stopped_at_what_it_claims(tmp_path, method):
    archive = write_zip(tmp_path / "set.zip", {"set/zeros": bytes(30 << 20)}, method)
    content = archive.read_bytes()
    archive.write_bytes(content.replace(struct.pack("<I", 30 << 20), struct.pack("<I", 20_000)))
    tracemalloc.start()
    try:
        with pytest.raises(SegueError, match=r"set/zeros unpacks to more than the 20,000 bytes it claims"):
            unpack(archive, tmp_path / "set")
        # Decompression ends with the first block that is too much.
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) < 1 << 20


def test_damage_names_the_file_and_keeps_the_others(tmp_path):
    archive = write_zip(tmp_path / "set.zip", FILES, zipfile.ZIP_STORED)
    whole = archive.read_bytes()
    archive.write_bytes(whole.replace(bytes(range(256)), bytes(256), 1))
    with pytest.raises(SegueError, match=r"part only: set/deep/b\.mp3 is damaged \(its CRC-32 is \w{8}, not"):
        unpack(archive, tmp_path / "set")
    assert not (tmp_path / "set").exists()
    staging = tmp_path / ".set.unpacking"
    # Every other file is there, those behind the damaged one too.
    assert {path.name for path in (staging / "set").rglob("*") if path.is_file()} == {"a.csv", "empty"}
    kept = staging / "set" / "a.csv"
    assert kept.read_bytes() == FILES["set/a.csv"]
    was = kept.stat()
    archive.write_bytes(whole)
    unpack(archive, tmp_path / "set")
    assert contents(tmp_path / "set") == FILES
    now = (tmp_path / "set" / "a.csv").stat()
    assert (now.st_ino, now.st_mtime_ns) == (was.st_ino, was.st_mtime_ns)
    assert not staging.exists()


def test_files_of_the_right_size_and_other_content_are_not_kept(tmp_path):
    archive = write_zip(tmp_path / "set.zip", FILES)
    old = tmp_path / ".set.unpacking" / "set" / "a.csv"
    old.parent.mkdir(parents=True)
    old.write_bytes(bytes(len(FILES["set/a.csv"])))
    unpack(archive, tmp_path / "set")
    assert contents(tmp_path / "set") == FILES


@pytest.mark.parametrize(
    ("cut", "words"), [(100, "no whole zip"), (-30, "no whole zip"), (0, "no whole zip archive")]
)
def test_an_archive_that_breaks_off_is_refused(tmp_path, cut, words):
    archive = write_zip(tmp_path / "set.zip", FILES)
    archive.write_bytes(archive.read_bytes()[:cut])
    with pytest.raises(SegueError, match=words):
        unpack(archive, tmp_path / "set")


def test_what_is_packed_in_an_unknown_way_says_how_to_unpack_it(tmp_path):
    archive = write_zip(tmp_path / "set.zip", {"set/a": b"1" * 100}, zipfile.ZIP_LZMA)
    with pytest.raises(
        SegueError, match="set/a is packed with LZMA, which is not read here: unpack it with 7z"
    ):
        unpack(archive, tmp_path / "set")
    encrypted = write_zip(tmp_path / "other.zip", {"set/a": b"1" * 100})
    content = bytearray(encrypted.read_bytes())
    content[content.index(b"PK\1\2") + 8] |= 1
    encrypted.write_bytes(content)
    with pytest.raises(SegueError, match="set/a is encrypted"):
        unpack(encrypted, tmp_path / "set")


def test_members_that_are_not_where_the_directory_says_are_refused(tmp_path):
    archive = write_zip(tmp_path / "set.zip", {"set/a": b"1", "set/b": b"2"}, zipfile.ZIP_STORED)
    content = bytearray(archive.read_bytes())
    # Both entries point to the first member: how bombs of overlapping members are made.
    second = content.index(b"PK\1\2", content.index(b"PK\1\2") + 1)
    content[second + 42 : second + 46] = bytes(4)
    archive.write_bytes(content)
    assert [member.offset for member in read_directory(archive)] == [0, 0]
    with pytest.raises(SegueError, match="set/b is not where the archive's directory says"):
        unpack(archive, tmp_path / "set")


def test_a_disk_without_room_is_said_before_anything_is_written(tmp_path, monkeypatch):
    archive = write_zip(tmp_path / "set.zip", FILES)
    monkeypatch.setattr(download_module.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 100}))
    with pytest.raises(SegueError, match="make room"):
        unpack(archive, tmp_path / "set")
    assert not any(path.is_file() for path in (tmp_path / ".set.unpacking").rglob("*"))


def test_a_file_that_cannot_be_written_ends_it_at_once(tmp_path):
    archive = write_zip(tmp_path / "set.zip", {f"set/{'x' * 256}": b"1"} | FILES)
    with pytest.raises(SegueError, match=r"xxx' cannot be written \(File name too long\): mend that and run"):
        unpack(archive, tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_a_killed_unpacking_goes_on(tmp_path):
    members = {f"set/{number:04d}.bin": str(number).encode() for number in range(4_000)}
    archive = write_zip(tmp_path / "set.zip", members, zipfile.ZIP_STORED)
    code = (
        "import sys; from pathlib import Path; from segue.dataset.fetch.unpack import unpack\n"
        "unpack(Path(sys.argv[1]), Path(sys.argv[2]))"
    )
    target = tmp_path / "set"
    command = [sys.executable, "-c", code, str(archive), str(target)]
    staging = tmp_path / ".set.unpacking" / "set"
    with subprocess.Popen(command) as process:
        wait_until(lambda: staging.is_dir() and len(os.listdir(staging)) > 10, 20, "some files are there")
        process.send_signal(signal.SIGKILL)
    assert not target.exists()
    kept = {path.name: path.stat().st_ino for path in staging.glob("*.bin")}
    assert 10 <= len(kept) < len(members)
    unpack(archive, target)
    assert contents(target) == members
    assert {name: (target / name).stat().st_ino for name in kept} == kept
    assert marker(target).exists()
    assert not (tmp_path / ".set.unpacking").exists()
