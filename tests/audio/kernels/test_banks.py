"""The filter banks against librosa's."""

import numpy as np
import pytest

from audio.librosa_recipe import librosa
from segue.audio.kernels.banks import chroma_bank, mel_bank, octave_bands


def test_mel_filters_are_librosas():
    bank = mel_bank()
    dense = np.zeros((128, 1025), dtype=np.float32)
    for row, start, a, b in zip(dense, bank.start, bank.offset[:-1], bank.offset[1:], strict=True):
        row[start : start + b - a] = bank.weights[a:b]
    np.testing.assert_allclose(dense, librosa.filters.mel(sr=22_050, n_fft=2048), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("tuning", [-0.5, -0.07, 0.0, 0.49])
def test_chroma_filters_are_librosas(tuning):
    expected = librosa.filters.chroma(sr=22_050, n_fft=2048, tuning=tuning)
    np.testing.assert_allclose(chroma_bank(tuning).reshape(1025, 12).T, expected, rtol=1e-6, atol=1e-12)


def test_octave_bands_by_hand():
    bands = octave_bands()
    # A bin is 10.77 Hz wide: 200 Hz lie between bins 18 and 19, and bins 19 to 37 up to 400 Hz.
    assert (bands.low[0], bands.high[0]) == (0, 18)
    assert (bands.low[1], bands.high[1]) == (18, 37)
    assert bands.high[6] == 1025
    # Two hundredths of 20, 38, 75, 150, 298 and 431 bins.
    assert bands.taken.tolist() == [1, 1, 1, 2, 3, 6, 9]
