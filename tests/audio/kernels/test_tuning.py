"""The tuning estimate: planted tunings are found, and librosa finds the same."""

import numpy as np
import pytest

from audio.librosa_recipe import librosa
from segue.audio.kernels.tuning import deviations, fullest, tuning_of
from segue.audio.series import Survey, workspace
from segue.settings import SAMPLE_RATE


def survey(samples: np.ndarray) -> Survey:
    frames = 1 + len(samples) // 512
    with workspace(frames) as work:
        work.sweep(samples, 2, frames)
        return work.survey(frames)


def chord(semitones: float, seed: int) -> np.ndarray:
    """Return two seconds of eight notes that are off A440 by some semitones, in a little noise."""
    rng = np.random.default_rng(seed)
    time = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    notes = 440 * 2 ** ((rng.integers(-15, 30, size=8) + semitones) / 12)
    made = sum(np.sin(2 * np.pi * hz * time + phase) for hz, phase in zip(notes, rng.random(8), strict=True))
    return (0.1 * made + 0.001 * rng.standard_normal(len(time))).astype(np.float32)


@pytest.mark.parametrize("semitones", [-0.45, -0.2, 0.004, 0.13, 0.37])
def test_a_planted_tuning_is_found(semitones):
    assert survey(chord(semitones, seed=3)).tuning == pytest.approx(semitones, abs=0.03)


@pytest.mark.parametrize("seed", range(12))
def test_both_estimates_are_librosas(seed):
    rng = np.random.default_rng(seed)
    samples = (
        chord(rng.uniform(-0.5, 0.5), seed) if seed % 3 else rng.standard_normal(60_000).astype(np.float32)
    )
    magnitudes = np.abs(librosa.stft(samples))
    found = survey(samples)
    assert found.tuning == librosa.estimate_tuning(y=samples, sr=SAMPLE_RATE)
    assert found.power_tuning == librosa.estimate_tuning(S=magnitudes**2, sr=SAMPLE_RATE)


def test_no_peaks_no_deviation():
    assert survey(np.zeros(5000, dtype=np.float32)).tuning == 0
    assert tuning_of(np.empty(0, np.float32), np.empty(0, np.float32)) == 0
    assert fullest(np.zeros(100, dtype=np.int64)) == 0


def test_only_the_higher_half_counts():
    pitches = np.array([440, 440, 440, 450, 450], dtype=np.float32)
    heights = np.array([1, 1, 1, 2, 2], dtype=np.float32)
    # The median height is 1, so all five count; with one high peak more, only the three at 450 Hz.
    assert tuning_of(pitches, heights) == pytest.approx(0, abs=1e-12)
    high = tuning_of(np.append(pitches, np.float32(450)), np.append(heights, np.float32(2)))
    # 12 log2(450 / 440) = 0.389.
    assert high == pytest.approx(0.38)


def test_deviations_are_counted_as_numpy_counts_them():
    pitches = np.random.default_rng(0).uniform(150, 4000, 20_000).astype(np.float32)
    pitches = np.concatenate([pitches, 440 * 2 ** (np.arange(-50, 51) / np.float32(1200))]).astype(np.float32)
    residual = np.mod(12 * librosa.hz_to_octs(pitches), 1.0)
    residual[residual >= 0.5] -= 1.0
    assert np.array_equal(deviations(pitches), np.histogram(residual, np.linspace(-0.5, 0.5, 101))[0])
