import numpy as np
import pytest
from scipy.stats import norm

from segue.errors import SegueError
from segue.evaluation.intervals import (
    bootstrap_mean,
    bootstrap_means,
    paired_difference,
    resampled_means,
)


def test_the_interval_of_a_mean_is_that_of_theory():
    values = np.random.default_rng(0).normal(3, 2, size=2_000)
    found = bootstrap_mean(values)
    half = norm.ppf(0.975) * values.std() / np.sqrt(2_000)
    assert found.mean == pytest.approx(values.mean())
    # The quantiles of 2,000 resamples are themselves uncertain by about 4 % of the half width.
    assert found.low == pytest.approx(values.mean() - half, abs=0.12 * half)
    assert found.high == pytest.approx(values.mean() + half, abs=0.12 * half)
    narrower = bootstrap_mean(values, level=0.5)
    assert found.low < narrower.low < narrower.high < found.high


def test_intervals_hold_the_truth_as_often_as_they_say():
    generator = np.random.default_rng(1)
    held = [
        found.low <= 0.5 <= found.high
        for found in (bootstrap_mean(generator.random(60), seed=i) for i in range(300))
    ]
    # 95 % of 300 with a binomial deviation of 1.3 %, and the known slight shortness at 60 values.
    assert 0.90 < np.mean(held) < 0.985


def test_whole_groups_are_drawn():
    values = np.repeat(np.random.default_rng(2).normal(size=40), 25)
    groups = np.repeat(np.arange(40), 25)
    alone, together = bootstrap_mean(values), bootstrap_mean(values, groups=groups)
    by_artist = bootstrap_mean(values[::25])
    assert together.mean == pytest.approx(alone.mean)
    assert (together.high - together.low) == pytest.approx(by_artist.high - by_artist.low, rel=1e-9)
    assert (together.high - together.low) > 4 * (alone.high - alone.low)


def test_pairs_see_a_difference_that_single_intervals_hide():
    generator = np.random.default_rng(3)
    b = generator.normal(0, 1, 400)
    a = b + generator.normal(0.05, 0.1, 400)
    found = paired_difference(a, b)
    assert found.low < 0.05 < found.high
    assert found.p < 0.01
    assert bootstrap_mean(a).low < bootstrap_mean(b).high
    same = paired_difference(b, b)
    assert same == (0, 0, 0, 1)


def test_repeatable_and_dependent_on_the_seed():
    values = np.random.default_rng(4).random(50)
    assert bootstrap_mean(values, seed=1) == bootstrap_mean(values, seed=1)
    assert bootstrap_mean(values, seed=1) != bootstrap_mean(values, seed=2)
    assert bootstrap_mean(np.array([0.25])) == (0.25, 0.25, 0.25)


def test_what_has_no_mean_is_refused():
    for bad in (np.array([]), np.array([[1.0]]), np.array([1.0, np.nan])):
        with pytest.raises(SegueError):
            bootstrap_mean(bad)
    with pytest.raises(SegueError, match="cannot be paired"):
        paired_difference(np.ones(3), np.ones(4))


def test_columns_share_their_draws():
    generator = np.random.default_rng(6)
    first = generator.random(80)
    values = np.column_stack([first, generator.random(80), first + 1])
    assert bootstrap_means(values, seed=3) == [
        pytest.approx(bootstrap_mean(column, seed=3), abs=1e-12) for column in values.T
    ]
    drawn = resampled_means(values, resamples=50, seed=3)
    assert drawn.shape == (50, 3)
    # Drawn together, a constant difference stays one.
    assert drawn[:, 2] - drawn[:, 0] == pytest.approx(np.ones(50))
    groups = np.arange(80) // 4
    assert bootstrap_means(values, groups=groups)[1] == pytest.approx(
        bootstrap_mean(values[:, 1], groups=groups), abs=1e-12
    )
    for bad in (first, np.empty((0, 2)), np.array([[np.nan]])):
        with pytest.raises(SegueError):
            bootstrap_means(bad)


def test_chunks_of_draws_are_one_row_of_draws(monkeypatch):
    values = np.random.default_rng(7).random((30, 1))
    whole = resampled_means(values, resamples=100)
    monkeypatch.setattr("segue.evaluation.intervals._VALUES_AT_ONCE", 70)
    assert resampled_means(values, resamples=100) == pytest.approx(whole)
