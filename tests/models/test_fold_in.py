"""A listener's factors against the least squares that a refit with the tracks' factors fixed solves."""

import numpy as np
import pytest

from segue.models import TrainingData, create
from segue.models.als import ALS, ALSConfig
from segue.models.for_history import as_arrays
from segue.models.weights import weigh
from support.planted import taste

DATA = taste()
RNG = np.random.default_rng(3)
FACTORS = RNG.normal(scale=0.4, size=(DATA.size, 8)).astype(np.float32)
HISTORY = np.array([3, 7, 8, 20, 41, 55])
WEIGHTS = np.array([3.0, 0.4, -0.25, 1.4, -1.0, 0.37])
"""Liked, begun, broken off, heard, disliked, and heard long ago."""


def als(**config) -> ALS:
    model = ALS(ALSConfig(rank=8, **config))
    model._catalogue(DATA.track_ids, DATA.artist_ids, DATA.recording_ids, DATA.popularity)
    model._restore({"factors": FACTORS})
    model._fingerprint = DATA.fingerprint
    return model


def refit(y: np.ndarray, confidence: np.ndarray, preference: np.ndarray, penalty: float) -> np.ndarray:
    """Minimise sum_i c_i (p_i - x'y_i)^2 + penalty |x|^2 over all rows of y."""
    y, root = y.astype(np.float64), np.sqrt(confidence)
    rows = np.vstack([root[:, None] * y, np.sqrt(penalty) * np.eye(y.shape[1])])
    return np.linalg.lstsq(rows, np.concatenate([root * preference, np.zeros(y.shape[1])]))[0]


def implicit(w: np.ndarray, alpha: float, n: int) -> tuple[np.ndarray, np.ndarray]:
    confidence, preference = np.ones(n), np.zeros(n)
    confidence[HISTORY] += alpha * np.abs(w)
    preference[HISTORY] = w > 0
    return confidence, preference


@pytest.mark.parametrize("weighting", ["percentile", "raw", "binary"])
def test_implicit_als_is_refitted_exactly(weighting):
    model = als(reg=0.3, alpha=5.0, weighting=weighting)
    w = weigh(WEIGHTS, None, weighting).astype(np.float64)
    expected = refit(FACTORS, *implicit(w, 5.0, DATA.size), 0.3 * np.count_nonzero(w > 0))
    assert model.fold_in(HISTORY, WEIGHTS) == pytest.approx(expected, abs=1e-5)
    assert w[2] == -0.25


def test_explicit_als_is_refitted_exactly():
    model = als(reg=0.3, implicit=False, weighting="raw")
    expected = refit(FACTORS[HISTORY], np.ones(HISTORY.size), WEIGHTS, 0.3 * HISTORY.size)
    assert model.fold_in(HISTORY, WEIGHTS) == pytest.approx(expected, abs=1e-5)


def test_each_start_of_weighted_als_is_refitted_exactly():
    model = create("wals", rank=6, starts=3, iterations=4, alpha=5.0).fit(DATA)
    w = weigh(WEIGHTS, None, model.config.weighting).astype(np.float64)
    n, mean = np.count_nonzero(w > 0), model.mean_plays
    penalty = model.config.reg * mean * (n / mean) ** model.config.listener_exponent
    parts = [
        refit(model.factors[:, start : start + 6], *implicit(w, 5.0, DATA.size), penalty)
        for start in (0, 6, 12)
    ]
    assert model.fold_in(HISTORY, WEIGHTS) == pytest.approx(np.concatenate(parts), abs=1e-5)


@pytest.mark.parametrize("size", [5, 40])
def test_the_ranking_and_the_reasons_of_one_solution_are_those_of_two(size):
    """With more plays than factors the reasons are solved for apart."""
    history = np.random.default_rng(size).permutation(DATA.size)[:size]
    weights = np.where(np.arange(size) % 5 == 4, -1, 1 + np.arange(size) / 10).astype(np.float32)
    known = dict(zip(DATA.track_ids[history].tolist(), weights.tolist(), strict=True))
    for model in (als(), create("wals", rank=6, starts=2, iterations=3).fit(DATA)):
        ranked = model.ranked_for_each([(history, weights)], 12)[0]
        ids = model.track_ids[ranked.places].tolist()
        assert ids == [item.track_id for item in model.recommend(known, 12)]
        bases, because = ranked.explain(ranked.places)
        expected = as_arrays(model.explain(known, ids))
        np.testing.assert_array_equal(bases, expected[0])
        np.testing.assert_array_equal(because[:, : expected[1].shape[1]], expected[1])
        assert (because[:, expected[1].shape[1] :] == -1).all()
        assert model.ranked_for_each([(history, -np.abs(weights))], 12) == [None]


def test_a_skip_weighs_less_in_a_taste_than_a_dislike():
    model = als(alpha=20.0)
    liked, other = np.array([3]), np.array([3, 8])
    score = {w: float(FACTORS[8] @ model.fold_in(other, np.array([2.0, w]))) for w in (-0.25, -0.5, -1.0)}
    without = float(FACTORS[8] @ model.fold_in(liked, np.array([2.0])))
    assert abs(score[-1.0]) < abs(score[-0.5]) < abs(score[-0.25]) < abs(without)


def test_copies_are_left_out_of_the_ranking_as_they_are_of_lists():
    data = TrainingData(DATA.track_ids, DATA.features, None, np.arange(60) // 3, DATA.interactions)
    model = create("wals", rank=6, starts=1, iterations=3).fit(data)
    known = {int(data.track_ids[4]): 1.0, int(data.track_ids[30]): 2.0}
    ranked = model.ranked_for_each([(np.array([4, 30]), np.float32([1.0, 2.0]))], 60)[0]
    assert data.track_ids[ranked.places].tolist() == [i.track_id for i in model.recommend(known, 60)]
    assert ranked.places.size == 18
