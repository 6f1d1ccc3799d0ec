import numpy as np
import pytest

from segue.errors import SegueError
from segue.evaluation import clustering
from segue.evaluation.clustering import clustering_quality, compare_clusterings
from support.planted import blobs

ROWS = np.array([[0.0], [1.0], [10.0], [12.0]])
LABELS = np.array([0, 0, 1, 1])


def test_two_pairs_on_a_line_by_hand():
    found = clustering_quality(ROWS, LABELS, np.array(["x", "x", "y", "y"]))
    # Own distance 1, 1, 2, 2; to the other pair 11, 10, 9.5, 11.5.
    assert found["silhouette"] == pytest.approx(np.mean([10 / 11, 9 / 10, 7.5 / 9.5, 9.5 / 11.5]))
    # Mean distances to the centres 0.5 and 1, centres 10.5 apart.
    assert found["davies_bouldin"] == pytest.approx(1.5 / 10.5)
    assert found["adjusted_mutual_information"] == pytest.approx(1.0)
    crossed = clustering_quality(ROWS, LABELS, np.array(["x", "y", "x", "y"]))
    assert crossed["adjusted_mutual_information"] <= 0


def test_views_with_nothing_to_look_at():
    alone = clustering_quality(ROWS, np.zeros(4), np.array(["x", "", "x", ""]))
    assert np.isnan(list(alone.values())).all()
    each = clustering_quality(ROWS, np.arange(4))
    assert np.isnan(each["silhouette"])
    with pytest.raises(SegueError, match="do not belong together"):
        clustering_quality(ROWS, LABELS[1:])
    with pytest.raises(SegueError, match="no clustering"):
        compare_clusterings(ROWS, {})


def test_planted_groups_stand_out_from_shuffled_ones(monkeypatch):
    rows, labels = blobs(200, 6, 4)
    genres = np.array([f"g{label}" for label in labels])
    table = compare_clusterings(rows, {"true": labels}, genres).set_index("model")
    assert table["clusters"].tolist() == [4, 4]
    assert table.loc["true", "silhouette"] > 0.7
    assert table.loc["shuffled", "silhouette"] < 0.1
    assert table.loc["true", "davies_bouldin"] < 0.5 < table.loc["shuffled", "davies_bouldin"]
    assert table.loc["true", "adjusted_mutual_information"] == pytest.approx(1)
    assert abs(table.loc["shuffled", "adjusted_mutual_information"]) < 0.05
    monkeypatch.setattr(clustering, "_SAMPLE", 50)
    sampled = clustering_quality(rows, labels)["silhouette"]
    assert sampled == pytest.approx(table.loc["true", "silhouette"], abs=0.05)
    rare = np.zeros(200)
    rare[3] = 1
    assert np.isfinite(clustering_quality(rows, rare)["silhouette"])
