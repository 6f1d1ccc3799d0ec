"""The ETL on the published tables and clips."""

import pytest

from segue.audio.features import COLUMNS
from segue.dataset.fma import FmaDataset
from segue.etl import run_etl

pytestmark = pytest.mark.slow


def test_every_row_of_the_tables_and_every_clip_is_accounted_for(shared_data, services, store, spark):
    dataset = FmaDataset(shared_data, database=store.database)
    report = run_etl(dataset, services, store, spark, progress=False)
    report.reconciliation()
    named = [track for track in report.tracks if track.named]
    assert len(named) == 682
    assert {track.status for track in named} == {"ok", "missing"}
    ok = [track for track in named if track.status == "ok"]
    assert len(ok) == 14
    vectors = dict(store.features.vectors(next(store.features._collection.find())["recipe"]))
    assert all(len(vectors[track.sha256]) == len(COLUMNS) == 518 for track in ok)
    assert {track.path: track.status for track in report.tracks if not track.named} == {
        "001/001645.mp3": "ignored",
        "001/001652.mp3": "ignored",
        "clips.csv": "ignored",
    }
    assert report.unchanged == 0
    again = run_etl(dataset, services, store, spark, progress=False)
    assert (again.analysed, again.unchanged) == (0, len(report.tracks))
