import numpy as np
import pytest
from scipy.sparse import csr_matrix

from segue.models import TrainingData, create
from segue.models.coefficients import ItemSpace, UserSpace, restored
from support.planted import frame, taste

X = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 1.0], [1.0, 0.0, 3.0]])
PENALTY = np.array([2.0, 4.0, 1.0])
FORMS = pytest.mark.parametrize("form", [ItemSpace, UserSpace])


def naive(x: np.ndarray, penalty: np.ndarray, self_free: bool) -> np.ndarray:
    """Each column of B by its own least squares; for EASE without the track itself among the predictors."""
    n = x.shape[1]
    b = np.zeros((n, n))
    for j in range(n):
        used = np.flatnonzero(np.arange(n) != j) if self_free else np.arange(n)
        left = x[:, used].T @ x[:, used] + np.diag(penalty[used])
        b[used, j] = np.linalg.solve(left, x[:, used].T @ x[:, j])
    return b


def test_two_tracks_by_hand():
    """X'X = [[2, 1], [1, 2]] and (X'X + L)^-1 = [[4, -1], [-1, 3]] / 11, so B = [[7, 2], [1, 5]] / 11."""
    x, penalty = np.array([[1.0, 1.0], [1.0, 0.0], [0.0, 1.0]]), np.array([1.0, 2.0])
    for form in (ItemSpace, UserSpace):
        ridge = form.solve(csr_matrix(x), penalty, self_free=False)
        ease = form.solve(csr_matrix(x), penalty, self_free=True)
        both = np.arange(2)
        assert ridge.entries(both, both) == pytest.approx(np.array([[7, 2], [1, 5]]) / 11, rel=1e-6)
        assert ease.entries(both, both) == pytest.approx(np.array([[0, 1 / 3], [1 / 4, 0]]), rel=1e-6)


@FORMS
@pytest.mark.parametrize("self_free", [False, True])
def test_three_by_three_against_a_regression_for_each_track(form, self_free):
    found = form.solve(csr_matrix(X), PENALTY, self_free=self_free)
    expected = naive(X, PENALTY, self_free)
    every = np.arange(3)
    assert found.entries(every, every) == pytest.approx(expected, rel=1e-5, abs=1e-7)
    weights = np.array([2.0, -1.0])
    assert found.scores(np.array([2, 0]), weights) == pytest.approx(weights @ expected[[2, 0]], rel=1e-5)


@pytest.mark.parametrize("self_free", [False, True])
def test_both_spaces_agree(self_free):
    generator = np.random.default_rng(3)
    x = csr_matrix(generator.random((40, 60)) * (generator.random((40, 60)) < 0.2) - 0.02, dtype=np.float32)
    penalty = 1 + generator.random(60)
    item, user = (form.solve(x, penalty, self_free=self_free) for form in (ItemSpace, UserSpace))
    one, other = item.batch_scores(x), user.batch_scores(x)
    assert np.abs(one - other).max() < 1e-5 * np.abs(one).max()
    for form in (item, user):
        alone = np.array([form.scores(x[i].indices, x[i].data) for i in range(40)])
        assert np.abs(form.batch_scores(x) - alone).max() < 1e-5 * np.abs(alone).max()
        again = restored(form.state())
        assert type(again) is type(form)
        assert np.array_equal(again.batch_scores(x), form.batch_scores(x))


@pytest.mark.parametrize("name", ["ridge", "ease"])
@pytest.mark.parametrize("listeners", [40, 90])
def test_parts_sum_to_the_score_in_either_space(fit, name, listeners):
    data = taste(listeners=listeners)
    model = fit(name, data)
    assert isinstance(model.coefficients, UserSpace if listeners < 60 else ItemSpace)
    history, weights = np.array([2, 9, 17, 40]), np.array([1.0, 4.0, -1.0, 2.0], dtype=np.float32)
    parts = model.contributions(history, weights, np.arange(60))
    scores = model._history_scores(history, weights)
    assert parts.shape == (60, 4)
    assert np.abs(parts.sum(axis=1) - scores).max() < 1e-5 * np.abs(scores).max()


@pytest.mark.parametrize("name", ["ridge", "ease"])
def test_a_dislike_lowers_what_is_played_with_it(fit, name):
    model = fit(name, taste())
    before = model._history_scores(np.array([0]), np.array([1.0]))
    after = model._history_scores(np.array([0, 1]), np.array([1.0, -1.0]))
    same_genre = np.arange(5, 60, 4)
    assert (after - before)[same_genre].mean() < 0


def test_beyond_the_limit_the_most_played_are_solved_for_and_the_others_follow_by_popularity():
    """Tracks 1 to 6 have 6, 5, ... 1 listeners; with room for three, 4, 5 and 6 come last in this order."""
    plays = [(f"u{u}", t, 1.0) for t in range(1, 7) for u in range(7 - t)]
    data = TrainingData(np.arange(1, 8), interactions=frame(plays))
    for name in ("ridge", "ease"):
        model = create(name, most=3).fit(data)
        assert model.tracks.tolist() == [0, 1, 2]
        assert [item.track_id for item in model.recommend({1: 1.0}, 9)][2:] == [4, 5, 6, 7]
        whole = create(name, most=3).fit(TrainingData(np.arange(1, 4), interactions=frame(plays)))
        assert model.recommend({1: 1.0}, 2) == whole.recommend({1: 1.0}, 2)
        assert [item.track_id for item in model.recommend({5: 1.0}, 3)] == [1, 2, 3]
