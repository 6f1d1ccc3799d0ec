import numpy as np
import pytest
from scipy.sparse import csr_matrix

from segue.models import TrainingData, als_sweep
from segue.models.wals import WALS, WALSConfig
from segue.models.weights import weigh_matrix
from support.planted import FIRST_ID, frame, taste

DATA = taste()


def loaded(factors: np.ndarray, **parameters) -> WALS:
    """A model with given factors and a mean of 10 tracks a listener."""
    n = len(factors)
    model = WALS(WALSConfig(**{"rank": factors.shape[1], "starts": 1} | parameters))
    model._catalogue(FIRST_ID + np.arange(n), np.full(n, -1), np.arange(n), np.arange(n, dtype=np.float32))
    model._restore({"factors": factors.astype(np.float32), "mean_plays": np.array(10.0)})
    model._fingerprint = "given"
    return model


def plays_of_many_lengths(listeners: int = 40, tracks: int = 60) -> csr_matrix:
    """Row i has i + 1 plays, every seventh of them a dislike; row 0 likes nothing."""
    generator = np.random.default_rng(3)
    dense = np.zeros((listeners, tracks), dtype=np.float32)
    for i in range(listeners):
        chosen = generator.choice(tracks, size=i + 1, replace=False)
        dense[i, chosen] = np.where(np.arange(i + 1) % 7, generator.uniform(0.2, 3, i + 1), -1)
    return csr_matrix(dense)


@pytest.mark.parametrize("rank", [4, 16, 64])
def test_a_side_is_solved_as_the_normal_equations_say(rank):
    """Rows shorter and longer than the rank, each against its solve in float64; 1e-5 is rounding."""
    weights, alpha = plays_of_many_lengths(), 4.0
    reg = np.linspace(0.5, 5, 40)
    reg[0] = 0
    y, spectrum = als_sweep.to_axes(np.random.default_rng(4).normal(size=(60, rank)).astype(np.float32))
    found = als_sweep.solve(y, spectrum, als_sweep.side(weights, alpha, reg))
    exact = y.astype(np.float64)
    for i, w in enumerate(weights.toarray().astype(np.float64)):
        confidence, preference = 1 + alpha * np.abs(w), (w > 0) * 1.0
        left = (exact.T * confidence) @ exact + reg[i] * np.eye(rank)
        expected = np.linalg.solve(left, exact.T @ (confidence * preference)) if i else np.zeros(rank)
        assert np.abs(found[i] - expected).max() <= 1e-5 * max(1, np.abs(expected).max())


def test_turning_the_factors_changes_no_product():
    y = np.random.default_rng(5).normal(size=(50, 6)).astype(np.float32)
    turned, spectrum = als_sweep.to_axes(y)
    np.testing.assert_allclose(turned @ turned.T, y @ y.T, atol=1e-5)
    np.testing.assert_allclose(turned.T @ turned, np.diag(spectrum), atol=1e-4)


def test_regularisation_is_by_the_count_over_its_mean():
    counts = np.array([0, 2, 8])
    assert als_sweep.mean_count(counts) == 5
    assert als_sweep.scaled_reg(counts, 0.5, 0.0, 5.0).tolist() == [0, 2.5, 2.5]
    assert als_sweep.scaled_reg(counts, 0.5, 1.0, 5.0).tolist() == [0, 1, 4]
    assert als_sweep.scaled_reg(np.array([20]), 0.5, 0.5, 5.0).tolist() == [5]


def test_each_sweep_lowers_the_regularised_error():
    weights, reg = plays_of_many_lengths(), np.full(40, 0.7)
    other = np.where(np.diff(weights.tocsc().indptr) > 0, 0.7, 0)
    dense = weights.toarray().astype(np.float64)
    confidence, preference = 1 + 4 * np.abs(dense), dense > 0
    y = np.random.default_rng(6).normal(scale=0.1, size=(60, 5)).astype(np.float32)
    errors = []
    for _ in range(6):
        x = als_sweep.solve(*als_sweep.to_axes(y), als_sweep.side(weights, 4.0, reg * (np.arange(40) > 0)))
        turned, spectrum = als_sweep.to_axes(x)
        y = als_sweep.solve(turned, spectrum, als_sweep.side(weights.T.tocsr(), 4.0, other))
        miss = confidence * (preference - turned.astype(float) @ y.T) ** 2
        errors.append(
            miss.sum() + 0.7 * float((turned.astype(float) ** 2).sum() + (y.astype(float) ** 2).sum())
        )
    assert all(np.diff(errors) < 0)


@pytest.mark.parametrize("starts", [1, 2])
def test_folding_in_minimises_the_weighted_squared_error(starts):
    generator = np.random.default_rng(5)
    given = generator.normal(size=(30, 4 * starts))
    model = loaded(given, rank=4, starts=starts, reg=0.2, alpha=3.0, weighting="raw", listener_exponent=1.0)
    history, weights = np.array([2, 9, 17]), np.array([1.0, 4.0, -2.0])
    confidence, preference = np.ones(30), np.zeros(30)
    confidence[history] = 1 + 3.0 * np.array([1.0, 4.0, 1.0])
    preference[[2, 9]] = 1
    for i, x in enumerate(model.fold_in(history, weights).reshape(starts, 4)):
        y = model.factors[:, 4 * i : 4 * i + 4].astype(float)
        gradient = y.T @ (confidence * (y @ x - preference)) + 0.2 * 2 * x
        assert np.abs(gradient).max() < 1e-9


def test_folding_in_is_fitting_that_listener_alone():
    """Against the sweep's own solve of everybody from the fitted tracks; each of the 40 has 12 plays."""
    model = WALS(WALSConfig(rank=8, weighting="log", reg=0.6, starts=1)).fit(DATA)
    plays = als_sweep.side(weigh_matrix(DATA.matrix, "log"), 4.0, np.full(40, 0.6 * 12))
    turned, spectrum = als_sweep.to_axes(model.factors)
    together = als_sweep.solve(turned, spectrum, plays) @ turned.T
    np.testing.assert_allclose(model.score_histories(DATA.matrix), together, atol=1e-5)


def test_several_starts_add_up():
    both = WALS(WALSConfig(rank=3, starts=2)).fit(DATA)
    halves = [loaded(both.factors[:, part], rank=3) for part in (slice(0, 3), slice(3, 6))]
    for half in halves:
        half.mean_plays = both.mean_plays
    summed = sum(half.score_histories(DATA.matrix).astype(float) for half in halves)
    np.testing.assert_allclose(both.score_histories(DATA.matrix), summed, rtol=1e-5, atol=1e-6)
    assert not np.allclose(both.factors[:, :3], both.factors[:, 3:])


def test_what_each_track_of_a_history_adds_sums_to_the_score():
    generator = np.random.default_rng(6)
    model = loaded(generator.normal(size=(30, 8)), rank=4, starts=2)
    history, weights = np.array([2, 9, 17, 21]), np.array([1.0, 4.0, -2.0, 0.4])
    added = model.contributions(history, weights, np.arange(30))
    score = model._exact @ model.fold_in(history, weights)
    assert added.shape == (30, 4)
    assert np.abs(added.sum(axis=1) - score).max() < 1e-12
    assert not added[:, 2].any()
    assert np.abs(added[:, [0, 1, 3]]).min() > 0
    assert model.contributions(np.array([2]), np.array([-1.0]), np.arange(30)) is None


def test_a_disliked_track_sinks():
    model = WALS(WALSConfig(rank=8)).fit(DATA)
    liked = {FIRST_ID: 1.0, FIRST_ID + 4: 1.0}
    best = model.recommend(liked, 1)[0].track_id
    row = np.array([0, 4, best - FIRST_ID])
    scores = [model._history_scores(row[:h], np.array([1.0, 1.0, -1.0][:h]))[row[2]] for h in (2, 3)]
    assert scores[1] < 0.8 * scores[0]


def test_learning_from_dislikes():
    """Track 4 is played with track 1 and disliked with track 2: it is liked where it is."""
    pairs = [(f"a{u}", t, 1.0) for u in range(8) for t in (1, 3, 4)]
    pairs += [(f"b{u}", t, w) for u in range(8) for t, w in ((2, 1.0), (3, 1.0), (4, -1.0))]
    model = WALS(WALSConfig(rank=4)).fit(TrainingData(np.arange(1, 6), interactions=frame(pairs)))
    assert model.recommend({1: 1.0}, 4)[0].track_id in (3, 4)
    after = {item.track_id: item.score for item in model.recommend({2: 1.0}, 4)}
    assert after[4] < after[3] / 4
    assert not model.factors[4].any()


def test_a_track_that_nobody_played_is_served_the_most_played():
    model = loaded(np.array([[1.0, 0.0], [0.0, 0.0], [0.9, 0.1], [0.0, 1.0]]))
    assert model.similar([FIRST_ID], 1)[0].track_id == FIRST_ID + 2
    assert [item.track_id - FIRST_ID for item in model.similar([FIRST_ID + 1], 3)] == [3, 2, 0]
    assert [item.track_id - FIRST_ID for item in model.recommend({FIRST_ID + 1: 1.0}, 3)] == [3, 2, 0]


def test_histories_of_every_kind_score_together_as_alone():
    model = WALS(WALSConfig(rank=5, starts=2)).fit(DATA)
    plays = plays_of_many_lengths(20)
    plays = csr_matrix((plays.data, plays.indices, np.r_[0, plays.indptr]), shape=(21, 60))
    together = model.score_histories(plays)
    for row in range(21):
        own = slice(plays.indptr[row], plays.indptr[row + 1])
        alone = model._scores_for(plays.indices[own].astype(np.int64), plays.data[own])
        np.testing.assert_array_equal(together[row], alone)
    np.testing.assert_array_equal(together[:2], np.tile(model.popularity, (2, 1)))
