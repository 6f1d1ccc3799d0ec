"""The parts of the ETL that need no Spark: batches, what an earlier analysis is worth, the report."""

from dataclasses import replace

import pytest

from segue.dataset.base import OK, Track
from segue.etl.batch import BatchResult, is_reusable, limits
from segue.etl.report import Estimate, EtlReport, moved_files
from segue.etl.workers import in_tasks, sample
from segue.settings import Settings
from segue.store.features import Analysis


def test_tasks_hold_every_track_once_and_become_smaller_towards_the_end():
    tracks = [Track(number, size=number % 7) for number in range(1_000)]
    tasks = in_tasks(tracks, cores=2)
    assert sorted(track.track_id for task in tasks for track in task) == list(range(1_000))
    sizes = [len(task) for task in tasks]
    assert sizes == sorted(sizes, reverse=True)
    assert (sizes[0], sizes[-3]) == (64, 3)
    # A core that takes the last full task leaves the others as much to do meanwhile.
    assert sum(size for size in sizes if size < 64) >= 2 * 64
    assert [len(task) for task in in_tasks(tracks[:8], cores=4)] == [2, 2, 1, 1, 1, 1]
    assert in_tasks(tracks[:1], cores=2) == [tracks[:1]]
    assert in_tasks([], cores=2) == []


def test_a_large_collection_has_larger_tasks_and_not_more():
    tasks = in_tasks([Track(number) for number in range(300_000)], cores=2)
    assert len(tasks[0]) == 150
    assert len(tasks) < 2_050


def test_larger_files_come_first():
    tracks = [Track(1, size=5), Track(2), Track(3, size=9)]
    assert [[track.track_id for track in task] for task in in_tasks(tracks, cores=2)] == [[3, 1], [2]]


def test_a_sample_is_taken_from_everywhere():
    tracks = [Track(number) for number in range(9)]
    first, rest = sample(tracks, 3)
    assert [track.track_id for track in first] == [0, 3, 6]
    assert [track.track_id for track in rest] == [1, 2, 4, 5, 7, 8]
    assert sample(tracks[:2], 6) == (tracks[:2], [])
    assert sample([], 6) == ([], [])


@pytest.mark.parametrize(
    ("status", "same_limits", "reusable"),
    [
        ("ok", True, True),
        ("ok", False, False),
        ("too_short", False, False),
        ("not_audio", False, True),
        ("timeout", True, False),
    ],
)
def test_what_an_earlier_analysis_is_worth(status, same_limits, reusable):
    settings = Settings()
    held = limits(settings) if same_limits else "others"
    assert is_reusable(Analysis("ab", "r", status, held, had_ffmpeg=True), settings) is reusable


def test_what_libsndfile_gave_up_on_is_tried_again_when_ffmpeg_has_come(tmp_path, monkeypatch):
    settings = Settings()
    held = limits(settings)
    stopped = (
        Analysis("ab", "r", "unsupported", held),
        Analysis("ab", "r", "too_short", held),
        Analysis("ab", "r", OK, held, warnings=["truncated"]),
    )
    whole = Analysis("ab", "r", OK, held)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert all(is_reusable(each, settings) for each in (*stopped, whole))
    for name in ("ffmpeg", "ffprobe"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    # Another PATH, as what is found is remembered by it.
    monkeypatch.setenv("PATH", f"{tmp_path}:{tmp_path}")
    assert not any(is_reusable(each, settings) for each in stopped)
    assert all(is_reusable(replace(each, had_ffmpeg=True), settings) for each in stopped)
    assert is_reusable(whole, settings)


def test_nothing_known_is_not_reusable():
    assert not is_reusable(None, Settings())


def report(tracks, files):
    return EtlReport("db", files, tracks, Estimate(0, 0.0, 0, 0))


def test_the_report_reconciles_or_fails():
    tracks = [
        Track(1, path="a.mp3", status="ok"),
        Track(2, path="b.mp3", status="empty", detail="no bytes"),
        Track(3, status="missing"),
        Track(4, path="c.txt", status="ignored", named=False),
    ]
    sums = report(tracks, 3).reconciliation()["count"]
    assert sums["rows in all"] == 4
    assert sums["… of them ok"] == 1
    assert sums["rows the data set names"] == 3
    assert report(tracks, 3).rejected["status"].tolist() == ["empty", "ignored"]
    with pytest.raises(AssertionError, match="4 files but 3 rows"):
        report(tracks, 4).reconciliation()
    with pytest.raises(AssertionError, match="twice"):
        report([*tracks, Track(1)], 3).reconciliation()


def test_a_moved_file_is_known_by_its_content():
    gone = [Track(1, path="old.mp3", sha256="aa"), Track(2, path="lost.mp3", sha256="bb")]
    assert moved_files(gone, [Track(3, path="new.mp3", sha256="aa")]) == [("old.mp3", "new.mp3")]


def test_results_add_up_and_peaks_do_not():
    one = BatchResult(files=3, analysed=2, bytes=10, audio_s=60.0, worker_mib=200.0, seconds={"hash": 1.0})
    other = BatchResult(
        files=1, failed=1, worker_mib=150.0, child_mib=90.0, seconds={"hash": 1.0, "store": 2.0}
    )
    both = BatchResult(
        files=4, analysed=2, failed=1, bytes=10, audio_s=60.0, worker_mib=200.0, child_mib=90.0,
        seconds={"hash": 2.0, "store": 2.0},
    )  # fmt: skip
    assert one + other == other + one == both
