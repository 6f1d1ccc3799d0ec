"""A zip archive as a folder: listed once, read at random, by several processes, damaged or not."""

import multiprocessing
import os
import pickle
import random
import struct
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile
from fsspec.implementations.zip import ZipFileSystem

from segue.audio.analyse import Analysed, Analyser
from segue.audio.reading import Rejected
from segue.dataset import zip_folder
from segue.dataset.inventory import join, open_root, scan, sha256
from segue.dataset.zip_folder import ZipFolder, open_zip
from segue.dataset.zip_members import UnreadableMember
from segue.errors import SegueError
from segue.settings import Settings
from support.fma_archive import archive, damage

METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2]
NOISE = random.Random(5).randbytes(300_000)
FILES = {"set/000/a.mp3": NOISE, "set/000/b é.mp3": b"", "set/list.txt": b"x" * 10_000, "top": b"1"}


@pytest.mark.parametrize("method", METHODS)
def test_files_are_listed_and_read(tmp_path, method):
    made = archive(tmp_path / "set.zip", FILES, method)
    for root, prefix in ((f"zip://::{made}", ""), (f"zip://set::{made}", "set/")):
        fs, base = open_root(root)
        entries = scan(root)
        assert {prefix + entry.path: entry.size for entry in entries} == {
            name: len(content) for name, content in FILES.items() if name.startswith(prefix)
        }
        for entry in entries:
            with fs.open(join(base, entry.path), "rb") as file:
                assert file.read() == FILES[prefix + entry.path]


def test_folders(tmp_path):
    fs, _ = open_root(f"zip://::{archive(tmp_path / 'set.zip', FILES | {'bare/': b''})}")
    assert fs.ls("", detail=False) == ["bare", "set", "top"]
    assert fs.ls("bare") == []
    assert [(info["name"], info["type"]) for info in fs.ls("set")] == [
        ("set/000", "directory"), ("set/list.txt", "file"),
    ]  # fmt: skip
    assert (fs.isdir("set/000"), fs.isfile("set/000"), fs.exists("set/001")) == (True, False, False)
    with pytest.raises(FileNotFoundError, match="there is no set/none"):
        fs.open("set/none")
    with pytest.raises(OSError, match="only read, never written"):
        fs.open("set/new", "wb")


def test_what_is_no_local_archive_is_left_to_fsspec(tmp_path):
    made = archive(tmp_path / "a::b.zip", FILES)
    assert isinstance(open_root(f"zip://set::{made}")[0], ZipFolder)
    other = archive(tmp_path / "c.zip", FILES)
    cached, _ = open_root(f"zip://set::simplecache::{other}")
    assert type(cached) is ZipFileSystem
    assert cached.cat("top") == b"1"
    assert open_zip(str(other)) is None
    assert open_zip("s3://bucket/key") is None


def test_the_directory_is_read_once_per_state_of_the_archive(tmp_path, monkeypatch):
    made = archive(tmp_path / "set.zip", FILES)
    read: list[str] = []
    original = zip_folder.read_directory
    monkeypatch.setattr(zip_folder, "read_directory", lambda path: read.append(path) or original(path))
    for _ in range(3):
        fs, _ = open_root(f"zip://set::{made}")
        pickle.loads(pickle.dumps(fs)).ls("set")
    assert read == [str(made)]
    archive(made, {"set/other.mp3": b"2"})
    assert [entry.path for entry in scan(f"zip://set::{made}")] == ["other.mp3"]
    assert len(read) == 2


def _digest(work: tuple[ZipFolder, str]) -> str:
    return sha256(*work)


def test_processes_and_threads_read_at_once(tmp_path):
    contents = {f"set/{number}": random.Random(number).randbytes(50_000) for number in range(40)}
    fs, base = open_root(f"zip://set::{archive(tmp_path / 'set.zip', contents, zipfile.ZIP_DEFLATED)}")
    expected = [sha256(fs, join(base, str(number))) for number in range(40)]
    work = [(fs, join(base, str(number))) for number in range(40)] * 3
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(_digest, work)) == expected * 3
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.map(_digest, work) == expected * 3


@pytest.mark.parametrize("method", METHODS)
def test_a_large_member_is_read_at_random_without_being_held(tmp_path, monkeypatch, method):
    monkeypatch.setattr(zip_folder, "_IN_MEMORY", 100_000)
    fs, base = open_root(f"zip://set::{archive(tmp_path / 'set.zip', FILES, method)}")
    with fs.open(join(base, "000/a.mp3")) as file:
        assert file.read(10) == NOISE[:10]
        assert file.tell() == 10
        assert file.seek(-20, os.SEEK_END) == len(NOISE) - 20
        assert file.read() == NOISE[-20:]
        assert file.seek(150_000) == 150_000
        assert file.read(100) == NOISE[150_000:150_100]
    assert file.closed
    with fs.open(join(base, "000/a.mp3")) as file:
        assert file.read() == NOISE


def test_damage_is_an_error_of_that_file_alone(tmp_path):
    made = archive(tmp_path / "set.zip", FILES, zipfile.ZIP_STORED)
    damage(made, "set/000/a.mp3")
    fs, base = open_root(f"zip://set::{made}")
    with pytest.raises(UnreadableMember) as caught:
        fs.open(join(base, "000/a.mp3"))
    assert "set/000/a.mp3 is damaged (its CRC-32 is" in caught.value.strerror
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    assert fs.open(join(base, "list.txt")).read() == FILES["set/list.txt"]


@pytest.mark.parametrize("method", METHODS)
def test_a_member_that_unpacks_to_more_than_it_says_is_stopped(tmp_path, method):
    made = archive(tmp_path / "set.zip", {"set/zeros": bytes(5_000_000)}, method)
    claimed = made.read_bytes().replace(struct.pack("<I", 5_000_000), struct.pack("<I", 1_000))
    made.write_bytes(claimed)
    fs, _ = open_root(f"zip://::{made}")
    with pytest.raises(UnreadableMember, match=r"more than the 1,000 bytes it claims|CRC-32"):
        fs.open("set/zeros")


def test_what_is_no_archive_is_said(tmp_path):
    (tmp_path / "set.zip").write_bytes(b"PK\x03\x04 and so on")
    with pytest.raises(
        SegueError, match=r"set\.zip is no whole zip archive .*: remove it and fetch it again"
    ):
        open_root(f"zip://::{tmp_path}/set.zip")


def test_every_clip_decodes_as_it_does_from_a_folder(shared_data, tmp_path):
    clips = sorted((shared_data / "fma_audio").rglob("*.mp3"))[:3]
    contents = {f"fma_small/{clip.parent.name}/{clip.name}": clip.read_bytes() for clip in clips}
    made = archive(tmp_path / "fma_small.zip", contents)
    settings = Settings(home=tmp_path)
    analyser = Analyser(settings)
    try:
        fs, base = open_root(f"zip://fma_small::{made}")
        local, folder = open_root(shared_data / "fma_audio")
        for entry in scan(f"zip://fma_small::{made}"):
            packed = analyser.analyse(fs, join(base, entry.path), entry.size)[0]
            plain = analyser.analyse(local, join(folder, entry.path), entry.size)[0]
            assert isinstance(packed, Analysed)
            assert isinstance(plain, Analysed)
            np.testing.assert_array_equal(packed.vector, plain.vector)
        damage(made, next(iter(contents)))
        fs, base = open_root(f"zip://fma_small::{made}")
        broken = analyser.analyse(fs, join(base, f"{clips[0].parent.name}/{clips[0].name}"), 1_000_000)[0]
        assert isinstance(broken, Rejected)
        assert broken.status == "missing"
        assert f"{clips[0].name} is damaged" in broken.detail
    finally:
        analyser.close()


def test_libsndfile_seeks_in_a_large_member(tmp_path, monkeypatch):
    monkeypatch.setattr(zip_folder, "_IN_MEMORY", 1_000)
    sound = np.linspace(-0.5, 0.5, 20_000)
    soundfile.write(tmp_path / "a.wav", sound, 22_050)
    made = archive(tmp_path / "set.zip", {"a.wav": (tmp_path / "a.wav").read_bytes()})
    fs, _ = open_root(f"zip://::{made}")
    with fs.open("a.wav") as file, soundfile.SoundFile(file) as opened:
        opened.seek(10_000)
        np.testing.assert_allclose(opened.read(), sound[10_000:], atol=1e-4)
