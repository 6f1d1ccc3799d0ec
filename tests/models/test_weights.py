import numpy as np
import pytest
from scipy.stats import rankdata

from segue.models.weights import weigh


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
