"""Building the demo catalogue: the same bytes by seed, nothing twice, going on after a kill."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from segue.dataset.compose import build as builder
from segue.dataset.compose.build import Layout, build
from segue.dataset.compose.catalogue import Recipe
from segue.errors import SegueError

SMALL = Recipe(8, 0, 3.0)


def digests(root: Path) -> dict[str, str]:
    """Return the SHA-256 of every file but the lock, by path."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("small") / "catalogue"
    assert build(root, SMALL)
    return root


def test_equal_seeds_give_equal_bytes_and_others_other_music(small, tmp_path):
    build(tmp_path / "same", SMALL)
    assert digests(tmp_path / "same") == digests(small)
    build(tmp_path / "other", Recipe(8, 1, 3.0))
    first, other = digests(small), digests(tmp_path / "other")
    composed = [name for name in first if name.startswith("fma_demo/200/")]
    assert len(composed) == 13
    same = {name for name in composed if first[name] == other[name]}
    assert same == {"fma_demo/200/200010.mp3", "fma_demo/200/200012.mp3"}  # the error page and the empty file


def test_a_second_call_touches_nothing(small):
    before = {path: path.stat().st_mtime_ns for path in small.rglob("*")}
    assert not build(small, SMALL)
    assert {path: path.stat().st_mtime_ns for path in small.rglob("*")} == before


def test_what_is_there_of_a_partial_composition_is_kept(small, tmp_path):
    root = tmp_path / "partial"
    build(root, SMALL)
    layout = Layout(root)
    layout.manifest.unlink()
    for track_id in (200_003, 200_008):
        layout.clip(track_id).unlink()
    (root / "tmp").mkdir()
    (root / "tmp" / "200003.mp3.99.part").write_bytes(b"half")
    kept = {path: path.stat().st_mtime_ns for path in layout.clips.glob("*/*")}
    assert build(root, SMALL)
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in kept.items())
    assert digests(root) == digests(small)


def test_a_damaged_file_is_made_anew(small, tmp_path):
    root = tmp_path / "damaged"
    build(root, SMALL)
    layout = Layout(root)
    layout.clip(200_001).write_bytes(b"rot")
    layout.clip(2).unlink()
    assert build(root, SMALL)
    assert digests(root) == digests(small)


def test_another_version_of_the_composer_makes_everything_anew(tmp_path, monkeypatch):
    root = tmp_path / "old"
    build(root, SMALL)
    stray = Layout(root).clips / "200" / "200999.mp3"
    stray.write_bytes(b"of the old composer")
    monkeypatch.setattr(builder, "COMPOSER_VERSION", builder.COMPOSER_VERSION + 1)
    assert build(root, SMALL)
    assert not stray.exists()


def test_progress_is_told_in_few_lines_and_ends_with_all(tmp_path):
    lines: list[str] = []
    build(tmp_path / "told", SMALL, lines.append)
    assert 5 <= len(lines) <= 10
    assert lines[-1] == "Composing the demo: 43 of 43 files"


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(SegueError, match=r"cannot be written to .*file/demo"):
        build(tmp_path / "file" / "demo", SMALL)


@pytest.mark.slow
def test_killed_midway_it_goes_on_and_leaves_no_process(tmp_path):
    recipe = Recipe(16, 0, 10.0)
    root = tmp_path / "killed"
    code = (
        "from pathlib import Path; from segue.dataset.compose.build import build;"
        "from segue.dataset.compose.catalogue import Recipe;"
        f"build(Path({str(root)!r}), Recipe(16, 0, 10.0), workers=2)"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    clips = Layout(root).clips
    deadline = time.monotonic() + 120
    while len(list(clips.glob("200/*"))) < 3 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    workers = psutil.Process(process.pid).children(recursive=True)
    assert workers
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(workers, timeout=30)
    assert not alive
    assert not Layout(root).manifest.exists()
    there = {path: path.stat().st_mtime_ns for path in clips.glob("200/*")}
    assert 3 <= len(there) < 21
    assert build(root, recipe)
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in there.items())
    build(tmp_path / "undisturbed", recipe, workers=2)
    assert digests(root) == digests(tmp_path / "undisturbed")
    assert json.loads(Layout(root).manifest.read_text())["recipe"] == {
        "seconds": 10.0,
        "seed": 0,
        "tracks": 16,
    }
