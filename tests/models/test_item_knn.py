import numpy as np
import pytest

from segue.models import TrainingData, create
from segue.models.weights import bm25
from support.planted import frame, taste

PLAYS = frame([("a", 1, 1), ("a", 2, 1), ("b", 1, 1), ("b", 2, 1), ("b", 3, 1), ("c", 3, 1), ("c", 4, 1)])
DATA = TrainingData(np.arange(1, 6), interactions=PLAYS)
PLAIN = {"shrink": 1.0, "power": 1.0, "weighting": "binary"}
# Listeners in common over (geometric mean of listeners + 1), tracks 1 to 5:
BY_HAND = np.array(
    [
        [0, 2 / 3, 1 / 3, 0, 0],
        [2 / 3, 0, 1 / 3, 0, 0],
        [1 / 3, 1 / 3, 0, 1 / (np.sqrt(2) + 1), 0],
        [0, 0, 1 / (np.sqrt(2) + 1), 0, 0],
        [0, 0, 0, 0, 0],
    ]
)


def dense(model) -> np.ndarray:
    return model.contributions(np.arange(5), np.ones(5, dtype=np.float32), np.arange(5)).T


def test_similarities_by_hand():
    model = create("item_knn", **PLAIN).fit(DATA)
    assert dense(model) == pytest.approx(BY_HAND, rel=1e-6)
    assert dense(create("item_knn", **{**PLAIN, "power": 2.0}).fit(DATA)) == pytest.approx(
        BY_HAND**2, rel=1e-6
    )
    scored = {item.track_id: item.score for item in model.recommend({1: 1.0, 2: 1.0}, 3)}
    assert scored == pytest.approx({3: 2 / 3, 4: 0, 5: 0})


def test_each_track_keeps_its_nearest_neighbours_only():
    """Track 3 shares one listener each with 1, 2 and 4; 4 has fewer listeners, so it is the nearest."""
    kept = dense(create("item_knn", **PLAIN, neighbours=1).fit(DATA))
    expected = np.zeros((5, 5))
    expected[[1, 0, 3, 2], [0, 1, 2, 3]] = BY_HAND[[1, 0, 3, 2], [0, 1, 2, 3]]
    assert kept == pytest.approx(expected, rel=1e-6)


def test_a_large_catalogue_is_done_in_blocks_that_do_not_show():
    """300 tracks, in blocks of 128, against one product of everything in float64."""
    data = taste(n=300, listeners=60)
    model = create("item_knn", shrink=2.0, power=1.0, weighting="raw", neighbours=300).fit(data)
    x = data.matrix.toarray().astype(np.float64)
    length = np.sqrt((x**2).sum(axis=0))
    expected = x.T @ x / (np.outer(length, length) + 2.0)
    np.fill_diagonal(expected, 0)
    every = np.arange(300)
    found = model.contributions(every, np.ones(300, dtype=np.float32), every).T
    assert np.abs(found - expected).max() < 1e-6


def test_parts_sum_to_the_score_and_a_dislike_lowers_it(fit):
    model = fit("item_knn", taste())
    history, weights = np.array([2, 9, 17, 40]), np.array([1.0, 4.0, -1.0, 2.0], dtype=np.float32)
    parts = model.contributions(history, weights, np.arange(60))
    scores = model._history_scores(history, weights)
    assert np.abs(parts.sum(axis=1) - scores).max() < 1e-5 * np.abs(scores).max()
    assert parts[:, 2].min() < 0
    assert parts[:, 2].max() == 0


def test_bm25_by_hand():
    """Listener a has 2 of 3 tracks, b has 1; counts on the tracks sum to 2, 4 and 0, so they average 2."""
    data = TrainingData(np.arange(1, 4), interactions=frame([("a", 1, 2), ("a", 2, 3), ("b", 2, 1)]))
    found = bm25(data.matrix).toarray()
    rare = {"a": np.log(1 + 1.5 / 2.5), "b": np.log(1 + 2.5 / 1.5)}
    long = {1: 1.2, 2: 1.2 * (0.25 + 0.75 * 2)}
    expected = np.zeros((2, 3))
    expected[0, 0] = rare["a"] * 2 * 2.2 / (2 + long[1])
    expected[0, 1] = rare["a"] * 3 * 2.2 / (3 + long[2])
    expected[1, 1] = rare["b"] * 1 * 2.2 / (1 + long[2])
    assert found == pytest.approx(expected, rel=1e-6)


def test_bm25_serves_too():
    model = create("item_knn", weighting="bm25", shrink=0.0).fit(taste())
    genres = [(item.track_id - 100) % 4 for item in model.recommend({100: 3.0, 104: 2.0}, 5)]
    assert genres.count(0) >= 4
