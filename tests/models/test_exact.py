import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from segue.errors import SegueError
from segue.models import TrainingData, brute_force, create
from segue.models.brute_force import BruteForce
from segue.models.ranking import tie_order
from support.planted import blobs

FEATURES, _ = blobs(80, 20, 5, seed=3, spread=1.0)
DATA = TrainingData(np.arange(80) * 3 + 1, FEATURES)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_neighbours_are_those_of_scikit_learn(metric):
    model = create("exact", metric=metric).fit(DATA)
    ids, scores = model.neighbours(DATA.track_ids, 10)
    distances, places = NearestNeighbors(n_neighbors=11, metric=metric).fit(FEATURES).kneighbors(FEATURES)
    assert np.array_equal(ids, DATA.track_ids[places[:, 1:]])
    expected = 1 - distances[:, 1:] if metric == "cosine" else 1 / (1 + distances[:, 1:])
    assert np.allclose(scores, expected, atol=2e-6)
    for track in DATA.track_ids[:10]:
        assert [item.track_id for item in model.similar([track], 10)] == ids[(track - 1) // 3].tolist()


def test_several_seeds_count_alike_and_a_history_by_its_weights():
    features = np.array([[1, 0], [0, 1], [1, 0.1], [0.1, 1]], dtype=np.float32)
    model = create("exact").fit(TrainingData(np.arange(4), features))
    near, far = 1 / np.hypot(1, 0.1), 0.1 / np.hypot(1, 0.1)
    scores = {item.track_id: item.score for item in model.similar([0, 1], 2)}
    assert scores == pytest.approx({2: (near + far) / 2, 3: (near + far) / 2}, abs=1e-6)
    scores = {item.track_id: item.score for item in model.recommend({0: 3.0, 1: 1.0}, 2)}
    assert scores == pytest.approx({2: (3 * near + far) / 4, 3: (near + 3 * far) / 4}, abs=1e-6)
    disliked = {item.track_id: item.score for item in model.recommend({0: 3.0, 1: -1.0}, 2)}
    assert disliked == pytest.approx({2: near, 3: far}, abs=1e-6)


def test_neighbours_of_everything_and_of_nothing():
    model = create("exact").fit(DATA)
    ids, scores = model.neighbours([1], 500)
    assert ids.shape == scores.shape == (1, 79)
    assert model.neighbours([], 5)[0].size == 0
    alone = create("exact").fit(TrainingData(np.array([1]), FEATURES[:1]))
    assert alone.neighbours([1], 5)[0].shape == (1, 0)
    with pytest.raises(SegueError, match="track 2 is not among the 80"):
        model.neighbours([1, 2], 5)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("k", [1, 10, 5000])
def test_blocks_and_bounds_leave_nothing_out(metric, k, monkeypatch):
    monkeypatch.setattr(brute_force, "_BLOCK", 3000)
    generator = np.random.default_rng(5)
    rows = generator.normal(size=(7001, 6)).astype(np.float32)
    rows[generator.permutation(7001)[:900]] = rows[:900]
    model = create("exact", metric=metric).fit(TrainingData(np.arange(7001), rows))
    asked = np.arange(0, 7001, 500)
    together = model.similar_to_each(asked, k)
    similarity = BruteForce(
        model.rows, tie_order(model.track_ids), euclidean=metric == "euclidean"
    ).similarity
    for track, own in zip(asked, together, strict=True):
        scores = similarity(np.full(7001, track), np.arange(7001))
        order = np.lexsort((tie_order(model.track_ids), -scores))
        order = order[order != track][:k]
        assert [item.track_id for item in own] == order.tolist()
        assert [item.score for item in own] == scores[order].tolist()
        assert model.similar([track], k) == own


def test_equal_tracks_score_equal_and_come_in_the_fixed_order():
    features = np.random.default_rng(2).normal(size=(3, 518)).astype(np.float32)
    model = create("exact").fit(TrainingData(np.arange(3000), features[np.arange(3000) % 3]))
    expected = [i for i in np.argsort(tie_order(model.track_ids)).tolist() if i % 3 == 1 and i != 1]
    found = model.similar([1], 999)
    assert [item.track_id for item in found] == expected
    assert len({item.score for item in found}) == 1
    assert model.similar_to_each(np.arange(40), 999)[1] == found
    assert model.neighbours([1], 999)[0][0].tolist() == expected
