"""The statistics against numpy and scipy, where they are sound and where rounding decides."""

import numpy as np
import pytest
from scipy import stats

from segue.audio.kernels.moments import BY_FRAME, FLOAT32, FLOAT64, summarise

pytestmark = pytest.mark.filterwarnings("ignore:Precision loss occurred:RuntimeWarning")


def expected(series: np.ndarray) -> np.ndarray:
    of = (stats.kurtosis, np.max, np.mean, np.median, np.min, stats.skew, np.std)
    made = np.stack([statistic(series, axis=1) for statistic in of], axis=1).astype(float)
    return np.where(np.isfinite(made), made, 0)


def made(series: np.ndarray, kind: int) -> np.ndarray:
    rows, frames = series.shape
    held = np.full((rows, frames + 8), np.nan)
    held[:, :frames] = series
    return summarise(held, frames, np.full(rows, kind))


def test_a_series_by_hand():
    (kurtosis, most, mean, median, least, skew, std) = made(np.array([[1.0, 1.0, 1.0, 5.0]]), FLOAT64)[0]
    # Deviations -1, -1, -1, 3: second moment 3, third 6, fourth 21.
    assert (most, mean, median, least) == (5, 2, 1, 1)
    assert (std, skew, kurtosis) == pytest.approx((3**0.5, 6 / 3**1.5, 21 / 9 - 3))


@pytest.mark.parametrize("frames", [1, 2, 3, 100, 1291, 1292])
def test_series_of_all_shapes(frames):
    rng = np.random.default_rng(frames)
    series = np.concatenate([rng.standard_normal((5, frames)), rng.exponential(size=(5, frames)) - 1000])
    np.testing.assert_allclose(made(series, FLOAT64), expected(series), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("kind", "dtype", "order"),
    [
        (FLOAT64, "f8", "C"),
        (FLOAT64 + BY_FRAME, "f8", "F"),
        (FLOAT32, "f4", "C"),
        (FLOAT32 + BY_FRAME, "f4", "F"),
    ],
)
@pytest.mark.parametrize("spread", [0, 1e-17, 1e-16, 1e-8, 1e-7])
@pytest.mark.parametrize("level", [0.0, 1.0, 0.2886751, -1131.37, 3e-5])
def test_nearly_constant_series_round_as_in_scipy(kind, dtype, order, spread, level):
    rng = np.random.default_rng(5)
    series = level * (1 + spread * rng.standard_normal((12, 1291)))
    series = np.asarray(series, dtype=dtype, order=order)
    found, wanted = made(series, kind), expected(series)
    np.testing.assert_allclose(found[:, [0, 5]], wanted[:, [0, 5]], rtol=2e-3, atol=1e-9)
    # numpy's single precision is off by some millionths in mean and std.
    np.testing.assert_allclose(found[:, 1:5], wanted[:, 1:5], rtol=1e-5)
    np.testing.assert_allclose(found[:, 6], wanted[:, 6], atol=1e-5 * abs(level))


def test_too_faint_for_single_precision():
    series = (1e-12 * np.random.default_rng(0).random((1, 200))).astype(np.float32)
    assert made(series, FLOAT32)[0, [0, 5]].tolist() == [0, pytest.approx(expected(series)[0, 5], rel=1e-3)]
