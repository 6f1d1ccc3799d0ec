"""The zero-crossing rate against librosa's."""

import numpy as np
import pytest

from audio.librosa_recipe import librosa
from segue.audio.kernels.zero_crossings import zero_crossing_rate


def rate(samples: np.ndarray) -> np.ndarray:
    frames = 1 + len(samples) // 512
    out = np.empty(frames)
    zero_crossing_rate(samples, 2, *np.empty((2, frames + 8), dtype=np.int64), frames, out)
    return out


@pytest.mark.parametrize("length", [1, 2, 512, 513, 1024, 2048, 5000, 50_000])
def test_noise(length):
    samples = np.random.default_rng(length).standard_normal(length).astype(np.float32)
    assert np.array_equal(rate(samples), librosa.feature.zero_crossing_rate(samples)[0])


def test_what_is_nearly_zero_counts_as_positive():
    rng = np.random.default_rng(0)
    edge = np.float32(1e-10)
    values = np.array([0, -0.0, edge, -edge, np.nextafter(edge, 0), -np.nextafter(edge, 0), 1, -1, -1e-12])
    samples = rng.choice(values.astype(np.float32), size=20_000)
    assert np.array_equal(rate(samples), librosa.feature.zero_crossing_rate(samples)[0])


def test_by_hand():
    samples = np.tile(np.array([1, -1], dtype=np.float32), 4096)
    # Each sample of a whole frame but the first has another sign than the one before it.
    assert rate(samples)[8] == 2047 / 2048
