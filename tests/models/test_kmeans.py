import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score, silhouette_score

from segue.models import TrainingData
from segue.models.kmeans import describe_clusters, silhouette_over_k
from support.planted import blobs


@pytest.mark.slow
def test_planted_clusters_are_found_and_their_number_has_the_best_silhouette(fit, spark):
    rows, planted = blobs(90, 6, 3, seed=1)
    model = fit("kmeans", TrainingData(np.arange(90), rows), clusters=3, metric="euclidean")
    assert adjusted_rand_score(planted, model.labels) == 1.0
    table = silhouette_over_k(rows, [0, 1, 2, 3, 4, 5, 90, 91], spark=spark)
    assert table["clusters"].tolist() == [2, 3, 4, 5]
    best = table.loc[table["silhouette"].idxmax()]
    assert best["clusters"] == 3
    assert best["silhouette"] == pytest.approx(
        silhouette_score(rows, planted, metric="sqeuclidean"), abs=1e-6
    )
    centres = np.stack([rows[planted == c].mean(axis=0) for c in range(3)])
    assert best["cost"] == pytest.approx(((rows - centres[planted]) ** 2).sum(), rel=1e-5)
    assert (best["smallest"], best["largest"]) == (30, 30)


@pytest.mark.slow
def test_neighbours_come_from_the_cluster_first(fit):
    rows, _ = blobs(40, 6, 4, seed=2, spread=2.0)
    model = fit("kmeans", TrainingData(np.arange(40), rows), clusters=4)
    for track in range(40):
        own = int((model.labels == model.labels[track]).sum()) - 1
        found = [model.labels[item.track_id] for item in model.similar([track], 39)]
        assert set(found[:own]) <= {model.labels[track]}
        assert model.labels[track] not in found[own:]


@pytest.mark.slow
def test_equal_tracks_have_no_silhouette(spark):
    table = silhouette_over_k(np.ones((60, 518)), [2, 8], spark=spark)
    assert table["silhouette"].isna().all()
    assert table["largest"].tolist() == [60, 60]


@pytest.mark.slow
@pytest.mark.parametrize("distinct", [1, 2, 5])
def test_fewer_distinct_tracks_than_clusters_are_a_cluster_each(fit, distinct):
    # So wide that Spark works by blocks, where it fails if it is asked for more.
    rows = np.repeat(np.eye(518)[:distinct], 60, axis=0)
    model = fit("kmeans", TrainingData(np.arange(len(rows)), rows), clusters=8, metric="euclidean")
    assert adjusted_rand_score(np.repeat(np.arange(distinct), 60), model.labels) == 1.0


def test_clusters_are_labelled_by_their_most_frequent_genre():
    labels = np.array([0, 0, 0, 0, 1, 1, 2])
    table = describe_clusters(labels, ["Rock", "Folk", "Rock", None, "Pop", "Folk", None])
    assert table["cluster"].tolist() == [0, 1, 2]
    assert table["tracks"].tolist() == [4, 2, 1]
    assert table["label"].tolist() == ["Rock", "Folk", "unknown"]
    assert table["share"][:2].tolist() == pytest.approx([2 / 3, 1 / 2])
    assert np.isnan(table["share"][2])


@pytest.mark.slow
def test_each_clusters_tracks_are_listed_nearest_its_centre_first(fit):
    rows, planted = blobs(40, 6, 4, seed=2)
    model = fit("kmeans", TrainingData(np.arange(40) + 5, rows), clusters=4, metric="euclidean")
    assert adjusted_rand_score(planted, model.labels) == 1.0
    listed = model.tracks_by_cluster()
    assert sorted(listed["track_id"]) == list(range(5, 45))
    for cluster, own in listed.groupby("cluster"):
        members = np.flatnonzero(model.labels == cluster)
        distance = np.linalg.norm(rows[members] - rows[members].mean(axis=0), axis=1)
        assert own["track_id"].tolist() == (members[np.argsort(distance)] + 5).tolist()
        assert own["place"].tolist() == list(range(1, 11))
        np.testing.assert_allclose(own["distance"], np.sort(distance), rtol=1e-4)
