"""The ETL on folders: names that break other listers, files that are no music, changes between two runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from segue.dataset.folder import FolderDataset
from segue.dataset.inventory import escape
from segue.etl import EtlReport, run_etl
from support.tones import write_tone

pytestmark = pytest.mark.slow

NAMES = [
    b"a:colon.wav",
    b"[brackets] {and} *star?.wav",
    b".leading dot.wav",
    b"_leading underscore.wav",
    "accents é ü ñ 音楽.wav".encode(),
    b"latin-1 caf\xe9.wav",
    b"new\nline.wav",
    b"back\\slash.wav",
    b"copy.wav._COPYING_",
]


@pytest.fixture
def nasty(tmp_path):
    root = tmp_path / "nasty"
    source = write_tone(root / "album" / "source.wav", 1)
    for name in NAMES:
        (Path(os.fsdecode(os.path.join(os.fsencode(root), name)))).write_bytes(source.read_bytes())
    (root / "album" / "circle").symlink_to(root)
    (root / "dangling.wav").symlink_to(root / "nowhere.wav")
    (root / "empty.wav").touch()
    (root / "cover.jpg").write_bytes(b"\xff\xd8\xff")
    (root / "page.mp3").write_text("<html>404</html>")
    with (root / "giant.wav").open("wb") as giant:
        giant.truncate(3_000_000_000)
    os.mkfifo(root / "fifo.wav")
    return root


def regular_files(root: Path) -> set[str]:
    """List a folder by another program."""
    listed = subprocess.run(
        ["find", str(root), "-type", "f", "-printf", r"%P\0"], check=True, capture_output=True
    )
    return {escape(name) for name in listed.stdout.split(b"\0") if name}


def test_every_regular_file_is_one_row_with_the_right_status(nasty, services, store, spark):
    report = run_etl(FolderDataset(nasty, database=store.database), services, store, spark, progress=False)
    report.reconciliation()
    status = {track.path: track.status for track in report.tracks}
    assert status.keys() == regular_files(nasty)
    expected_ok = {escape(name) for name in NAMES if name.endswith(b".wav")} | {"album/source.wav"}
    assert {path for path, value in status.items() if value == "ok"} == expected_ok
    assert {path: value for path, value in status.items() if value != "ok"} == {
        "copy.wav._COPYING_": "ignored",
        "cover.jpg": "ignored",
        "empty.wav": "empty",
        "page.mp3": "not_audio",
        "giant.wav": "too_large",
    }
    # All good files are one content: analysed once by each core at most, then found in the store.
    assert store.features.count(next(store.features._collection.find())["recipe"]) <= 5


def test_names_survive_a_c_locale(nasty, services, store):
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "LC_ALL": "C",
        "SEGUE_MONGO": services.mongo_uri,
        "SEGUE_HOME": str(services.home),
    }
    script = Path(__file__).parent / "etl_process.py"
    subprocess.run([sys.executable, script, nasty, store.database], env=environment, check=True, timeout=300)
    assert {track.path for track in store.tracks.all()} == regular_files(nasty)
    assert store.tracks.count_by_status()["ok"] == 9


def says_where_time_and_memory_went(report: EtlReport, tones: Path) -> None:
    assert list(report.phases) == ["list", "plan", "start workers", "analyse", "find copies", "read back"]
    assert 0 < report.overhead_s < report.seconds
    assert report.seconds == pytest.approx(sum(report.phases.values()), abs=0.1)
    assert {"hash", "decode", "features", "store", "other"} <= report.stage_seconds.keys()
    assert sum(report.stage_seconds.values()) <= report.phases["analyse"] * report.cores
    assert report.audio_s == pytest.approx(40 * 2.0)
    assert report.times_real_time == pytest.approx(80 / report.seconds)
    assert report.bytes_analysed == sum(path.stat().st_size for path in tones.rglob("*.wav"))
    assert 50 < report.worker_mib < 600
    assert 50 < report.child_mib < 600
    seconds, done = zip(*report.timeline, strict=True)
    assert (done[0], done[-1]) == (0, 40)
    assert sorted(set(done)) == list(done)
    assert sorted(seconds) == list(seconds)
    assert seconds[-1] < report.seconds


def test_a_second_run_does_only_what_changed(tones, services, store, spark):
    def run():
        return run_etl(FolderDataset(tones, database=store.database), services, store, spark, progress=False)

    first = run()
    assert (first.analysed, first.unchanged, len(first.tracks)) == (40, 0, 40)
    assert first.counts == {"ok": 40}
    says_where_time_and_memory_went(first, tones)
    second = run()
    assert (second.analysed, second.reused, second.unchanged) == (0, 0, 40)
    assert second.tracks == first.tracks

    (tones / "album 0" / "00.wav").rename(tones / "album 1" / "moved.wav")
    (tones / "album 0" / "04.wav").unlink()
    write_tone(tones / "album 1" / "01.wav", 101)
    write_tone(tones / "album 1" / "new.wav", 102)
    third = run()
    assert third.moved == [("album 0/00.wav", "album 1/moved.wav")]
    assert sorted(third.gone) == ["album 0/00.wav", "album 0/04.wav"]
    assert third.changed == ["album 1/01.wav"]
    assert (third.analysed, third.reused, third.unchanged) == (2, 1, 37)
    assert {track.path for track in store.tracks.all()} == regular_files(tones)


def test_a_changed_threshold_judges_again(tones, services, store, spark):
    dataset = FolderDataset(tones, database=store.database)
    run_etl(dataset, services, store, spark, progress=False)
    strict = services.model_copy(update={"min_duration_s": 5.0})
    assert run_etl(dataset, strict, store, spark, progress=False).counts == {"too_short": 40}


def test_tracks_in_a_folder_that_cannot_be_read_now_are_kept(tones, services, store, spark, monkeypatch):
    dataset = FolderDataset(tones, database=store.database)
    before = run_etl(dataset, services, store, spark, progress=False).tracks
    real = os.scandir

    def scandir(folder):
        if os.fsencode(folder).endswith(b"album 0"):
            raise PermissionError(13, "Permission denied")
        return real(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    report = run_etl(dataset, services, store, spark, progress=False)
    assert (report.unreadable, report.gone, report.files) == (["album 0"], [], 30)
    report.reconciliation()
    assert list(store.tracks.all()) == before
