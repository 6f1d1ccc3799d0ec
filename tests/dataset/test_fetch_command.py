"""`segue data`: what there is, fetched from a mirror, and used by the data set that reads it."""

import hashlib
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from segue.commands.data import data
from segue.dataset.fetch import get as get_module
from segue.dataset.fetch import sources
from segue.dataset.fetch.get import Wishes, fetch
from segue.dataset.fetch.progress import Progress
from segue.dataset.fetch.sources import SOURCES, find_source
from segue.dataset.fma import FmaDataset
from segue.dataset.inventory import scan
from segue.errors import SegueError, UsageError
from support.fma_archive import archive, tables


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with tiny archives in place of FMA's, whose checksums are the ones expected."""
    written = tables(tmp_path / "tables", [2, 3])
    contents = {
        "fma_metadata": {f"fma_metadata/{name.name}": name.read_bytes() for name in written.iterdir()},
        "fma_small": {"fma_small/000/000002.mp3": b"one" * 100, "fma_small/checksums": b"none\n"},
    }
    folder = tmp_path / "mirror"
    folder.mkdir()
    for name, content in contents.items():
        made = archive(folder / f"{name}.zip", content).read_bytes()
        checksum = ("sha1", hashlib.sha1(made).hexdigest())
        tiny = replace(SOURCES[name], size=len(made), unpacked=1_000, checksum=checksum)
        monkeypatch.setitem(sources.SOURCES, name, tiny)
    return folder


def run(*arguments: object) -> str:
    """Run the command as a program's, without a terminal, and return what it prints for a program."""
    result = CliRunner().invoke(data, [str(each) for each in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_what_is_published_is_what_stands_here():
    # README of mdeff/fma, section Usage; ml-25m.zip.md5 and ml-32m.zip.md5 of GroupLens.
    assert {source.archive: source.checksum for source in SOURCES.values()} == {
        "fma_metadata.zip": ("sha1", "f0df49ffe5f2a6008d7dc83c6915b31835dfe733"),
        "fma_small.zip": ("sha1", "ade154f733639d52e35e32f5593efe5be76c6d70"),
        "fma_medium.zip": ("sha1", "c67b69ea232021025fca9231fc1c7c1a063ab50b"),
        "fma_large.zip": ("sha1", "497109f4dd721066b5ce5e5f250ec604dc78939e"),
        "fma_full.zip": ("sha1", "0f0ace23fbe9ba30ecb7e95f763e435ea802b8ab"),
        "hetrec2011-lastfm-2k.zip": None,
        "ml-latest-small.zip": None,
        "ml-25m.zip": ("md5", "6b51fb2759a8657d3bfcbfc42b592ada"),
        "ml-32m.zip": ("md5", "d472be332d4daa821edc399621853b57"),
    }
    for source in SOURCES.values():
        assert source.url.startswith("https://")
        assert source.licence
        assert source.citation
        assert source.size <= source.most_bytes
    # The README's rounded sizes.
    rounded = {"metadata": 342 / 1024, "small": 7.2, "medium": 22, "large": 93, "full": 879}
    for part, gib in rounded.items():
        assert SOURCES[f"fma_{part}"].size / 2**30 == pytest.approx(gib, rel=0.01)


def test_names():
    assert find_source("movielens").name == "movielens-32m"
    with pytest.raises(
        UsageError, match="no data set 'fma_tiny' to fetch: choose from fma_metadata, fma_small"
    ):
        find_source("fma_tiny")


def test_the_list_says_size_licence_and_place(monkeypatch, tmp_path):
    monkeypatch.setenv("SEGUE_DATA", str(tmp_path))
    (tmp_path / "fma_small").mkdir()
    lines = run("list")
    assert f"7.2 GiB, unpacked 7.2 GiB; SHA1 {SOURCES['fma_small'].checksum[1]}" in lines
    assert f"to {tmp_path / 'fma_small'} (there)" in lines
    assert "no published checksum; the CRC-32 of each file in it" in lines
    listed = json.loads(run("list", "--json"))
    assert listed["hetrec2011-lastfm-2k"]["licence"] == "non-commercial use"
    assert listed["movielens-25m"]["path"] == str(tmp_path / "ml-25m")


def test_the_readmes_two_commands(mirror, tmp_path):
    place = tmp_path / "fma"
    printed = run("fetch", "fma_metadata", "fma_small", "--to", place, "--mirror", mirror)
    assert f"fma_small: 2 files are unpacked to {place / 'fma_small'}" in printed
    assert {path.name for path in place.iterdir()} == {
        "fma_metadata", "fma_small", ".fma_metadata.unpacked", ".fma_small.unpacked",
    }  # fmt: skip
    dataset = FmaDataset(place, "small")
    assert [(track.path, track.status) for track in dataset.catalogue(scan(dataset.root))] == [
        ("000/000002.mp3", ""), (None, "missing"), ("checksums", "ignored"),
    ]  # fmt: skip
    again = json.loads(
        run("fetch", "fma_small", "fma_small", "--to", place, "--mirror", tmp_path / "mirror", "--json")
    )
    assert {name: (each["new"], each["path"]) for name, each in again.items()} == {
        "fma_small": (False, str(place / "fma_small"))
    }
    # The mirror's own files are as they were.
    assert {path.name for path in mirror.iterdir()} == {"fma_metadata.zip", "fma_small.zip"}


def test_licence_and_citation_are_shown_before(mirror, tmp_path):
    result = CliRunner().invoke(data, ["fetch", "fma_small", "--to", str(tmp_path), "--mirror", str(mirror)])
    assert "licence: metadata CC BY 4.0; each clip under the licence that its artist chose" in result.stderr
    assert "cite: M. Defferrard" in result.stderr


def test_archives_that_are_not_unpacked_are_read_as_they_are(mirror, tmp_path):
    place = tmp_path / "fma"
    run("fetch", "fma_metadata", "fma_small", "--to", place, "--mirror", mirror, "--no-unpack")
    assert {path.name for path in place.iterdir()} == {"fma_metadata.zip", "fma_small.zip"}
    dataset = FmaDataset(place, "small")
    assert dataset.root == f"zip://fma_small::{place / 'fma_small.zip'}"
    said: list[str] = []
    dataset.prepare(said.append)
    assert said == [f"The clips are read out of {place / 'fma_small.zip'}, without unpacking it"]
    assert [(track.path, track.status) for track in dataset.catalogue(scan(dataset.root))] == [
        ("000/000002.mp3", ""), (None, "missing"), ("checksums", "ignored"),
    ]  # fmt: skip
    # An archive that was there before stays when it is unpacked; an unpacked folder is used before it.
    run("fetch", "fma_small", "--to", place, "--mirror", mirror)
    assert (place / "fma_small.zip").exists()
    assert FmaDataset(place, "small").root == str(place / "fma_small")
    FmaDataset(place, "small").prepare(said.append)
    assert len(said) == 1


def test_keep_zip_keeps_it(mirror, tmp_path):
    run("fetch", "fma_small", "--to", tmp_path / "fma", "--mirror", mirror, "--keep-zip")
    linked = tmp_path / "fma" / "fma_small.zip"
    assert linked.samefile(mirror / "fma_small.zip")
    assert (tmp_path / "fma" / "fma_small").is_dir()


def test_a_mirror_on_another_file_system_is_copied(mirror, tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(get_module.os, "link", refuse)
    run("fetch", "fma_small", "--to", tmp_path / "fma", "--mirror", mirror, "--no-unpack")
    copied = tmp_path / "fma" / "fma_small.zip"
    assert not copied.samefile(mirror / "fma_small.zip")
    assert copied.read_bytes() == (mirror / "fma_small.zip").read_bytes()


def test_a_mirror_is_verified_and_never_changed(mirror, tmp_path):
    wrong = (mirror / "fma_small.zip").read_bytes()[:-1] + b"!"
    (mirror / "fma_small.zip").write_bytes(wrong)
    wishes = Wishes(mirror, unpacked=False)
    with pytest.raises(SegueError, match=rf"has the SHA1 {hashlib.sha1(wrong).hexdigest()} and should have"):
        fetch(sources.SOURCES["fma_small"], tmp_path / "fma", wishes, print)
    assert list((tmp_path / "fma").iterdir()) == []
    assert (mirror / "fma_small.zip").read_bytes() == wrong
    (mirror / "fma_small.zip").unlink()
    with pytest.raises(SegueError, match=rf"no fma_small\.zip in {re.escape(str(mirror))}: put it there"):
        fetch(sources.SOURCES["fma_small"], tmp_path / "fma", wishes, print)


def test_what_somebody_else_put_there_is_not_touched(mirror, tmp_path):
    place = tmp_path / "fma"
    place.mkdir()
    small = sources.SOURCES["fma_small"]
    (place / "fma_small.zip").write_bytes(b"mine")
    with pytest.raises(SegueError, match=r"is there, but has 4 bytes and should have .*: remove it, or name"):
        fetch(small, place, Wishes(mirror), print)
    assert (place / "fma_small.zip").read_bytes() == b"mine"
    (place / "fma_small.zip").unlink()
    (place / "fma_small").mkdir()
    with pytest.raises(SegueError, match="is there, but was not unpacked by this command"):
        fetch(small, place, Wishes(mirror), print)
    assert list(place.iterdir()) == [place / "fma_small"]


class Killed(BaseException):
    """Stands for the end of the process at one place."""


def test_an_archive_fetched_only_to_be_unpacked_goes_when_that_was_interrupted(mirror, tmp_path, monkeypatch):
    place, small = tmp_path / "fma", sources.SOURCES["fma_small"]

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(get_module, "unpack", killed)
        with pytest.raises(Killed):
            fetch(small, place, Wishes(mirror), print)
    assert (place / "fma_small.zip").exists()
    with monkeypatch.context() as patch:
        patch.setattr(get_module, "_drop_unwanted", killed)
        with pytest.raises(Killed):
            fetch(small, place, Wishes(mirror), print)
    assert {path.name for path in place.iterdir()} == {
        "fma_small", ".fma_small.unpacked", "fma_small.zip", ".fma_small.zip.unwanted",
    }  # fmt: skip
    assert not fetch(small, place, Wishes(mirror), print).new
    assert {path.name for path in place.iterdir()} == {"fma_small", ".fma_small.unpacked"}


class Screen(io.StringIO):
    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_moves_in_a_terminal_and_is_rare_elsewhere(terminal, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("segue.dataset.fetch.progress.time.monotonic", lambda: now[0])
    screen = Screen(terminal)
    with Progress("fma_small.zip", 10 << 20, 2 << 20, screen) as progress:
        for _ in range(8):
            now[0] += 8.0
            progress.add(1 << 20)
            # 8 s for a MiB that came now: what was there before does not count.
        assert "10.0M/10.0M" in progress.line()
        assert "131kB/s" in progress.line()
    shown = screen.getvalue()
    assert shown.count("fma_small.zip") == (8 if terminal else 2)
    assert ("\r" in shown) == terminal
