"""The ETL on the odd files of other projects' tests and on real clips made bad: one row each, nobody dies."""

import csv
import shutil
from collections import Counter

import pytest

from segue.dataset.base import OK, REASONS
from segue.dataset.folder import FolderDataset
from segue.etl import run_etl
from support.mutations import FFMPEG, mutations, short_clips

pytestmark = pytest.mark.slow

READ_ON = {
    "odd_audio/minimp3/l3-he_mode.bit.mp3",
    "odd_audio/minimp3/l3-nonstandard-compl-sideinfo-size.bit.mp3",
}
"""Too short by what libsndfile makes of them, which stops at their first bad stretch; FFmpeg reads on."""


def failed_tasks(spark, group: str) -> int:
    """Return how many tasks of a job group failed; one does when its Python worker dies."""
    tracker = spark.sparkContext.statusTracker()
    stages = [stage for job in tracker.getJobIdsForGroup(group) for stage in tracker.getJobInfo(job).stageIds]
    assert stages
    return sum(tracker.getStageInfo(stage).numFailedTasks for stage in stages)


def known_statuses(rows, settings) -> dict[str, str]:
    """Return the statuses that the manifest's columns decide: of what libsndfile reads to the end."""
    return {
        row["path"]: "too_short" if float(row["seconds"]) < settings.min_duration_s
        else "silent" if float(row["peak"]) < settings.silence_peak else OK
        for row in rows if row["libsndfile"] == "ok"
    }  # fmt: skip


@pytest.mark.parametrize("count", [100, pytest.param(1_000, marks=pytest.mark.soak)])
def test_bad_files_are_one_row_each_and_no_process_dies(count, shared_data, services, store, spark, tmp_path):
    root = tmp_path / "bad"
    shutil.copytree(shared_data / "odd_audio", root / "odd_audio")
    (tmp_path / "clips").mkdir()
    (root / "made").mkdir()
    for name, content, _ in mutations(short_clips(tmp_path / "clips", shared_data), count, seed=1):
        (root / "made" / name).write_bytes(content)
    spark.sparkContext.setJobGroup(str(tmp_path), "bad files")
    report = run_etl(FolderDataset(root, database=store.database), services, store, spark, progress=False)
    assert failed_tasks(spark, str(tmp_path)) == 0
    report.reconciliation()

    with (root / "odd_audio" / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    status = {track.path: track.status for track in report.tracks if track.status != "ignored"}
    assert len(rows) == 99
    assert {path for path in status if path.startswith("odd_audio/")} == {row["path"] for row in rows}
    assert len([path for path in status if path.startswith("made/")]) == count
    known = known_statuses(rows, services)
    assert {path for path in known if status[path] != known[path]} <= (READ_ON if FFMPEG else set())
    found = Counter(status.values())
    assert set(found) <= {OK, *REASONS} - {"timeout", "missing"}
    # A cut or renamed clip is still sound, garbage is none: both kinds are there.
    assert min(found[OK], sum(found.values()) - found[OK]) > count // 5
    assert report.worker_mib < 600
    assert all(track.detail for track in report.tracks if track.status != OK)
