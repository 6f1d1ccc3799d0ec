"""The ETL on FMA's clips inside an archive, packed in each way, one of them damaged."""

import hashlib
import zipfile

import pytest

from segue.dataset.fma import FmaDataset
from segue.etl import run_etl
from support.fma_archive import damage, tables

pytestmark = pytest.mark.slow

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)


def test_clips_are_analysed_out_of_an_archive(shared_data, tmp_path, services, store, spark):
    clips = sorted((shared_data / "fma_audio").rglob("*.mp3"))[:7]
    tables(tmp_path / "fma_metadata", [int(clip.stem) for clip in clips])
    made = tmp_path / "fma_small.zip"
    with zipfile.ZipFile(made, "w") as archive:
        for number, clip in enumerate(clips):
            archive.write(clip, f"fma_small/{clip.parent.name}/{clip.name}", METHODS[number % 3])
    broken = clips[2]
    damage(made, f"fma_small/{broken.parent.name}/{broken.name}")
    dataset = FmaDataset(tmp_path, "small", database=store.database)
    assert dataset.root == f"zip://fma_small::{made}"
    report = run_etl(dataset, services, store, spark, progress=False)
    report.reconciliation()
    found = {track.track_id: track for track in report.tracks}
    assert {track_id for track_id, track in found.items() if track.status == "ok"} == {
        int(clip.stem) for clip in clips if clip != broken
    }
    for clip in clips:
        track = found[int(clip.stem)]
        if clip == broken:
            assert track.status == "missing"
            assert f"{broken.name} is damaged" in track.detail
        else:
            assert track.sha256 == hashlib.sha256(clip.read_bytes()).hexdigest()
    again = run_etl(dataset, services, store, spark, progress=False)
    assert (again.analysed, again.unchanged) == (0, len(clips) - 1)
