import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from segue.models import TrainingData
from segue.models.bisecting import bisecting_estimator
from segue.models.kmeans import silhouette_over_k

pytestmark = pytest.mark.slow


def test_pairs_of_pairs_are_found_and_their_number_has_the_best_silhouette(fit, spark):
    # Halving finds groups that halves of the whole keep together; it would cut through others.
    planted = np.arange(40) % 4
    centres = np.array([[0, 0], [0, 6], [30, 0], [30, 6]])
    rows = centres[planted] + np.random.default_rng(0).normal(scale=0.3, size=(40, 2))
    table = silhouette_over_k(rows, [3, 4, 5], spark=spark, iterations=5, estimator=bisecting_estimator)
    assert table["clusters"].tolist() == [3, 4, 5]
    assert table["clusters"][table["silhouette"].idxmax()] == 4
    data = TrainingData(np.arange(40), rows)
    model = fit("bisecting", data, clusters=4, metric="euclidean")
    assert adjusted_rand_score(planted, model.labels) == 1.0
    assert model.tracks_by_cluster().groupby("cluster")["distance"].apply(np.diff).map(np.min).min() >= 0


def test_two_clusters_part_the_two_groups(fit):
    rows = np.array([[0, 0], [0, 1], [9, 0], [9, 1], [9, 2]], dtype=np.float32)
    model = fit("bisecting", TrainingData(np.arange(5), rows), clusters=2, metric="euclidean")
    assert model.labels[0] == model.labels[1] != model.labels[2]
    assert len(set(model.labels[2:])) == 1
    assert sorted(model.centres.tolist()) == [[0, 0.5], [9, 1]]
