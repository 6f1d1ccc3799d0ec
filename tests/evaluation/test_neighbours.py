import numpy as np
import pytest

from segue.errors import SegueError
from segue.evaluation.neighbours import lsh_grid, recall_for_comparisons
from segue.models import TrainingData, create
from segue.models.content import unit_rows
from support.planted import blobs

pytestmark = pytest.mark.slow


def test_wider_buckets_and_more_tables_find_more_and_compare_more(spark):
    rows = unit_rows(blobs(150, 30, 6, spread=2.0)[0])
    table = lsh_grid(rows, [0.05, 100.0], [1, 4], spark=spark, timed=1).set_index(["bucket_length", "tables"])
    recall, compared = table["recall_at_10"], table["compared"]
    assert recall[0.05, 1] < recall[0.05, 4] < recall[100.0, 4]
    assert compared[0.05, 1] < compared[0.05, 4] < compared[100.0, 4]
    # A bucket wider than the sphere is split by 0 only: two halves a table.
    assert recall[100.0, 1] > compared[100.0, 1]
    assert compared[100.0, 1] == pytest.approx(0.5, abs=0.1)
    assert (recall > compared).all()
    assert (table[["spark_ms", "bucket_ms", "exact_ms"]] > 0).all(axis=None)


def test_the_objective_prefers_buckets_that_find_much_for_little(spark):
    data = TrainingData(np.arange(150), blobs(150, 30, 6, spread=0.5)[0])
    worth = [
        recall_for_comparisons(create("lsh", spark=spark, bucket_length=length).fit(data))
        for length in (0.001, 0.3, 1000.0)
    ]
    assert worth[1] > max(worth[0], worth[2])
    assert all(-1 <= value <= 1 for value in worth)


def test_two_tracks_are_the_least(spark):
    table = lsh_grid(np.eye(2), [100.0], [1], spark=spark, timed=1)
    assert table.columns[2] == "recall_at_10"
    with pytest.raises(SegueError, match="two tracks"):
        lsh_grid(np.eye(1), [1.0], [1], spark=spark)
