import numpy as np
import pytest
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from segue.errors import SegueError
from segue.models.scaling import Scaling, min_max, standardise

X = np.random.default_rng(0).normal(loc=[1, -5, 1e4], scale=[1, 20, 1e-1], size=(50, 3)).astype(np.float32)


@pytest.mark.parametrize(("scale", "reference"), [(standardise, StandardScaler), (min_max, MinMaxScaler)])
def test_as_scikit_learn(scale, reference):
    values, scaling = scale(X)
    assert values.dtype == np.float32
    fitted = reference().fit(X.astype(np.float64))
    assert values == pytest.approx(fitted.transform(X.astype(np.float64)), abs=1e-5)
    assert scaling.apply(X[:7] + 1) == pytest.approx(fitted.transform(X[:7].astype(np.float64) + 1), rel=1e-5)
    again = Scaling(**scaling.to_arrays())
    assert np.array_equal(again.apply(X), values)


@pytest.mark.parametrize("scale", [standardise, min_max])
@pytest.mark.parametrize("constant", [0.0, 0.1, -3e7, 1e-30])
def test_constant_columns_become_zero(scale, constant):
    x = np.column_stack([np.full(101, np.float32(constant)), np.arange(101)])
    values, scaling = scale(x)
    assert not values[:, 0].any()
    assert scaling.constant.tolist() == [True, False]
    assert not scaling.apply(x + 5)[:, 0].any()


@pytest.mark.parametrize("scale", [standardise, min_max])
def test_one_track_is_all_zeros(scale):
    assert scale(np.array([[3.0, -2.0]]))[0].tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_no_number_is_refused(bad):
    x = X.copy()
    x[4, 2] = bad
    with pytest.raises(SegueError, match="1 feature values are not finite, the first in row 4, column 2"):
        standardise(x)
    with pytest.raises(SegueError, match="not finite"):
        min_max(X)[1].apply(x)


def test_shapes_are_checked():
    with pytest.raises(SegueError, match=r"shape \(0, 3\)"):
        standardise(np.empty((0, 3)))
    with pytest.raises(SegueError, match="2 columns given, the scale was made for 3"):
        standardise(X)[1].apply(X[:, :2])
