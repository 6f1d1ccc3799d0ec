"""The transform against scipy's in double precision, and its tiles against librosa's spectrogram."""

import numpy as np
import pytest
import scipy.signal

from audio.librosa_recipe import librosa
from segue.audio.kernels.spectrum import BINS, TILE, stride_of, tiles_of, transform
from segue.audio.series import workspace


def spectrogram(samples: np.ndarray) -> np.ndarray:
    frames = 1 + len(samples) // 512
    with workspace(frames) as work:
        work.sweep(samples, 2, frames)
        tiles = work.spectra[: tiles_of(frames) * BINS * TILE].reshape(-1, BINS, TILE)
        return tiles.transpose(1, 0, 2).reshape(BINS, -1)[:, :frames].copy()


@pytest.mark.filterwarnings("ignore:n_fft=.* is too large for input signal:UserWarning")
@pytest.mark.parametrize("length", [1, 511, 512, 1535, 2048, 5000, 8191, 8192, 100_000])
def test_magnitudes_are_librosas_but_for_the_last_bit(length):
    samples = np.random.default_rng(length).standard_normal(length).astype(np.float32)
    np.testing.assert_allclose(spectrogram(samples), np.abs(librosa.stft(samples)), rtol=3e-7, atol=0)


def test_a_quiet_tone_stands_beside_a_loud_one():
    """Single precision would hide what is 150 dB below the loudest."""
    time = np.arange(8 * 2048)
    samples = np.sin(2 * np.pi * 100 * time / 2048)
    expected = np.fft.rfft(samples.astype(np.float32)[2048:4096] * transform().window)
    made = spectrogram(samples.astype(np.float32))[:, 6]
    assert np.abs(expected).max() > 511
    np.testing.assert_allclose(made, np.abs(expected), rtol=1e-5, atol=1e-9)


def test_the_window_is_scipys():
    assert np.array_equal(transform().window, scipy.signal.get_window("hann", 2048))


def test_tiles_cover_all_frames():
    assert [tiles_of(frames) for frames in (1, 16, 17)] == [1, 1, 2]
    assert stride_of(2) >= 2 * TILE + 3
