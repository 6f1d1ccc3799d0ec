import numpy as np
import pytest

from segue.models import TrainingData
from segue.models.bisecting import bisecting_estimator
from segue.models.kmeans import silhouette_over_k
from support.planted import blobs

pytestmark = pytest.mark.slow


def test_the_planted_number_has_the_best_silhouette(spark):
    rows, _ = blobs(60, 6, 4, seed=2)
    table = silhouette_over_k(rows, [3, 4, 5], spark=spark, iterations=5, estimator=bisecting_estimator)
    assert table["clusters"].tolist() == [3, 4, 5]
    assert table["clusters"][table["silhouette"].idxmax()] == 4


def test_two_clusters_part_the_two_groups(fit):
    rows = np.array([[0, 0], [0, 1], [9, 0], [9, 1], [9, 2]], dtype=np.float32)
    model = fit("bisecting", TrainingData(np.arange(5), rows), clusters=2, metric="euclidean")
    assert model.labels[0] == model.labels[1] != model.labels[2]
    assert len(set(model.labels[2:])) == 1
    assert sorted(model.centres.tolist()) == [[0, 0.5], [9, 1]]
