import numpy as np
import pytest
from scipy.sparse import csr_matrix

from segue.models import TrainingData
from segue.models.als import ALS, ALSConfig
from support.planted import FIRST_ID, frame, taste

DATA = taste()


class WithSparks(ALS):
    """Keeps Spark's own model beside ours."""

    def fit_spark(self, data):
        self.sparks = super().fit_spark(data)
        return self.sparks


@pytest.mark.slow
@pytest.mark.parametrize(
    "config",
    [
        ALSConfig(rank=8, reg=0.3, iterations=12),
        ALSConfig(rank=5, reg=0.05, alpha=40, weighting="raw", iterations=10),
        ALSConfig(rank=5, reg=0.05, implicit=False, weighting="raw", iterations=10),
    ],
)
def test_folding_a_listener_in_gives_spark_s_own_factors(spark, config):
    """Spark ends each sweep with the listeners, solved in float64, kept as float32: 1e-5 is rounding."""
    model = WithSparks(config, spark=spark).fit(DATA)
    own = model.sparks.userFactors.toPandas()
    assert len(own) == 40
    for user, factors in zip(own["id"], own["features"], strict=True):
        row = DATA.matrix[user]
        folded = model.fold_in(row.indices, row.data)
        assert folded == pytest.approx(np.array(factors), abs=1e-5 * float(np.abs(factors).max()))


def loaded(factors: np.ndarray, **parameters) -> ALS:
    """A model with given factors, without Spark."""
    n, rank = factors.shape
    model = ALS(ALSConfig(rank=rank, **parameters))
    model._catalogue(FIRST_ID + np.arange(n), np.full(n, -1), np.arange(n), np.arange(n, dtype=np.float32))
    model._restore({"factors": factors.astype(np.float32)})
    model._fingerprint = "given"
    return model


def test_folding_in_minimises_the_weighted_squared_error():
    generator = np.random.default_rng(5)
    model = loaded(generator.normal(size=(30, 4)), reg=0.2, alpha=3.0, weighting="raw")
    history, weights = np.array([2, 9, 17]), np.array([1.0, 4.0, -2.0])
    x = model.fold_in(history, weights)
    confidence, preference = np.ones(30), np.zeros(30)
    confidence[history] = 1 + 3.0 * np.array([1.0, 4.0, 1.0])
    preference[[2, 9]] = 1
    y = model.factors.astype(float)
    gradient = y.T @ (confidence * (y @ x - preference)) + 0.2 * 2 * x
    assert np.abs(gradient).max() < 1e-9


def test_folding_ratings_in_minimises_the_squared_error_of_those_given():
    """Three ratings and two factors: ridge regression of the ratings on the factors, penalty 0.2 times 3."""
    factors = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [2.0, -1.0]])
    model = loaded(factors, reg=0.2, implicit=False, weighting="raw")
    x = model.fold_in(np.array([0, 1, 2]), np.array([5.0, 1.0, 4.0]))
    assert x == pytest.approx(np.linalg.solve([[2.6, 1], [1, 2.6]], [9, 5]))
    scores = {item.track_id: item.score for item in model.recommend({100: 5.0, 101: 1.0, 102: 4.0}, 1)}
    assert scores == pytest.approx({103: 2 * x[0] - x[1]})


@pytest.mark.parametrize("implicit", [True, False])
def test_many_listeners_at_once_and_one_who_is_not_known(implicit):
    generator = np.random.default_rng(8)
    model = loaded(np.vstack([generator.normal(size=(9, 3)), np.zeros(3)]), reg=0.2, implicit=implicit)
    histories = np.array([[1, 0, 0, 4, 0, 0, 0, 0, 0, 2], [0] * 9 + [3], [0, -1, 2, 0, 0, 0, 0, 1, 0, 0]])
    found = model.score_histories(csr_matrix(histories, dtype=np.float32))
    for row, scores in zip(histories[[0, 2]], found[[0, 2]], strict=True):
        played = np.flatnonzero(row)
        alone = model._history_scores(played, row[played].astype(np.float32))
        assert scores == pytest.approx(alone, rel=1e-5, abs=1e-6)
    assert found[1].tolist() == model.popularity.tolist()


@pytest.mark.parametrize("implicit", [True, False])
def test_what_each_track_of_a_history_adds_sums_to_the_score(implicit):
    generator = np.random.default_rng(6)
    model = loaded(generator.normal(size=(30, 4)), reg=0.2, implicit=implicit)
    history, weights = np.array([2, 9, 17, 21]), np.array([1.0, 4.0, -2.0, 0.4])
    added = model.contributions(history, weights, np.arange(30))
    score = model.factors.astype(float) @ model.fold_in(history, weights)
    assert added.shape == (30, 4)
    assert np.abs(added.sum(axis=1) - score).max() < 1e-12
    assert added[:, 2].any() != implicit
    assert np.abs(added[:, [0, 1, 3]]).min() > 0


def test_the_track_that_an_item_resembles_adds_most_to_its_score():
    model = loaded(np.array([[1.0, 0.0], [0.0, 1.0], [0.9, 0.1], [0.1, 0.9]]))
    added = model.contributions(np.array([0, 1]), np.array([1.0, 1.0]), np.array([2, 3]))
    assert added.argmax(axis=1).tolist() == [0, 1]


def test_a_track_that_nobody_played_is_served_the_most_played():
    model = loaded(np.array([[1.0, 0.0], [0.0, 0.0], [0.9, 0.1], [0.0, 1.0]]))
    assert model.similar([FIRST_ID], 1)[0].track_id == FIRST_ID + 2
    assert [item.track_id - FIRST_ID for item in model.similar([FIRST_ID + 1], 3)] == [3, 2, 0]
    assert [item.track_id - FIRST_ID for item in model.recommend({FIRST_ID + 1: 1.0}, 3)] == [3, 2, 0]


@pytest.mark.slow
def test_tracks_without_plays_score_nothing(fit):
    data = TrainingData(np.array([1, 2, 3]), interactions=frame([("a", 1, 2), ("b", 1, 1), ("b", 2, 1)]))
    model = fit("als", data, rank=2)
    assert not model.factors[2].any()
    assert [item.track_id for item in model.recommend({1: 1.0}, 3)] == [2, 3]


@pytest.mark.slow
def test_explicit_feedback_learns_who_likes_what(spark):
    """Half the listeners rate even tracks 5 and odd ones 1, the others the reverse; a fifth is missing."""
    ratings = frame(
        (f"l{u}", i, 5.0 if (u + i) % 2 == 0 else 1.0) for u in range(8) for i in range(12) if (3 * u + i) % 5
    )
    config = ALSConfig(rank=4, reg=0.01, implicit=False, weighting="raw")
    model = ALS(config, spark=spark).fit(TrainingData(np.arange(12), interactions=ratings))
    found = model.recommend({0: 5.0, 1: 1.0, 2: 5.0, 3: 1.0}, 8)
    assert {item.track_id for item in found[:4]} == {4, 6, 8, 10}
    assert [item.score for item in found[:4]] == pytest.approx([5] * 4, abs=0.3)
    assert [item.score for item in found[4:]] == pytest.approx([1] * 4, abs=0.3)
