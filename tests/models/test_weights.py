import numpy as np
import pytest
from scipy.stats import rankdata

from segue.models.als_sweep import scaled_reg
from segue.models.kernels import fold, pick
from segue.models.weights import Weighting, weigh


def test_percentiles_within_each_listener_by_hand():
    values, listeners = [10, 30, 20, 5, 5], [0, 0, 0, 1, 1]
    # Listener 0: mid-ranks 1/6, 5/6, 3/6; listener 1: a tie, 1/2 each.
    shares = np.array([1 / 6, 5 / 6, 3 / 6, 1 / 2, 1 / 2])
    assert weigh(values, listeners, "percentile") == pytest.approx((1 + 3 * shares) / 2.5)


def test_percentiles_against_scipy():
    generator = np.random.default_rng(0)
    values, listeners = generator.integers(1, 9, 300), generator.integers(0, 12, 300)
    found = weigh(values, listeners, "percentile")
    for listener in range(12):
        own = values[listeners == listener]
        expected = (1 + 3 * (rankdata(own) - 0.5) / own.size) / 2.5
        assert found[listeners == listener] == pytest.approx(expected, rel=1e-6)
        assert found[listeners == listener].mean() == pytest.approx(1, rel=1e-6)


def test_the_other_weightings_and_dislikes():
    values, one = [3.0, -4.0, 0.0, 7.0], np.zeros(4)
    assert weigh(values, one, "raw").tolist() == [3, -1, -1, 7]
    assert weigh(values, one, "binary").tolist() == [1, -1, -1, 1]
    assert weigh(values, one, "log") == pytest.approx([np.log(4), -1, -1, np.log(8)])
    assert weigh(values, one, "percentile") == pytest.approx([1.75 / 2.5, -1, -1, 3.25 / 2.5])
    assert weigh([], [], "percentile").size == 0


@pytest.mark.parametrize("weighting", fold.WEIGHTINGS)
def test_the_compiled_pass_weighs_one_listener_the_same(weighting: Weighting):
    generator = np.random.default_rng(3)
    factors = generator.random((40, 5), dtype=np.float32)
    factors.flags.writeable = False
    for size in (0, 1, 30):
        history = generator.permutation(40)[:size]
        values = generator.choice([-3.0, -1.0, -0.25, 0.0, 1.0, 2.0, 2.5, 7.0], size)
        y, extra, target, reg = fold.weighed(
            factors, history, values, fold.WEIGHTINGS.index(weighting), 4.0, 0.6, 0.5, 12.0
        )
        weights = weigh(values, None, weighting).astype(np.float64)
        assert y.tolist() == factors[history].tolist()
        assert extra == pytest.approx(4 * np.abs(weights), rel=1e-12)
        assert target == pytest.approx(np.where(weights > 0, 1 + 4 * weights, 0), rel=1e-12)
        assert reg == pytest.approx(
            scaled_reg(np.count_nonzero(weights > 0, keepdims=True), 0.6, 0.5, 12.0)[0]
        )


def test_the_foremost_are_those_that_sorting_puts_first():
    generator = np.random.default_rng(4)
    for size in (0, 1, 7, 400):
        scores, tie = generator.integers(0, 50, size) / 7, generator.permutation(size).astype(np.uint64)
        expected = np.lexsort((tie, -scores))
        for k in (0, 1, 5, 400, 1_000):
            assert pick.foremost(scores, tie, k).tolist() == expected[:k].tolist()
