"""Every feature against librosa's: on all real sounds, and on signals made to be difficult."""

import numpy as np
import pytest

from audio.librosa_recipe import librosa_features
from audio.parity import SPREAD, sounds, table, tolerances
from segue.audio.columns import COLUMNS
from segue.audio.features import extract
from segue.settings import SAMPLE_RATE, Settings

SECONDS = np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE
NOISE = 0.1 * np.random.default_rng(1).standard_normal(len(SECONDS))
SILENCE = np.zeros(SAMPLE_RATE)


def tone(hz: float) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hz * SECONDS)


def clicks() -> np.ndarray:
    made = 0.001 * NOISE
    made[::7001] = 1
    return made


SIGNALS = {
    "tone": tone(440), "low tone": tone(60), "tone on a bin": tone(100 * SAMPLE_RATE / 2048),
    "two tones and noise": tone(220) + tone(331) + 0.01 * NOISE, "noise": NOISE, "clicks": clicks(),
    "square": np.sign(tone(110)), "quiet": 1e-6 * NOISE, "very quiet": 1e-12 * NOISE, "loud": 1000 * NOISE,
    "silence, then noise": np.concatenate([SILENCE, NOISE]), "silence": SILENCE,
    "tone, then silence": np.concatenate([tone(440), SILENCE]), "noise about a constant": 0.5 + NOISE,
    "impulse": np.eye(1, 3 * SAMPLE_RATE, 30_000)[0], "ramp": np.linspace(-1, 1, 3 * SAMPLE_RATE),
}  # fmt: skip
LENGTHS = (1, 2, 511, 512, 1024, 2047, 2048, 2049, 3000, 5000, 8192)
# What three frames or rounding alone make of a fourth moment says nothing of a sound.
_SHAPES = np.array([statistic in ("skew", "kurtosis") for _, statistic, _ in COLUMNS])
# Some spectra are flat, and their contrast is rounding.
_CONTRAST = np.array([feature == "spectral_contrast" for feature, _, _ in COLUMNS])


@pytest.mark.parametrize("name", SIGNALS)
def test_features_of_difficult_signals_are_librosas(name):
    samples = SIGNALS[name].astype(np.float32)
    far = tolerances(extract(samples), librosa_features(samples))
    if name == "impulse":
        far[_SHAPES & _CONTRAST] = 0
    assert far.max() < 1, f"\n{table(far)}"


@pytest.mark.filterwarnings("ignore:n_fft=.* is too large for input signal:UserWarning")
@pytest.mark.parametrize("length", LENGTHS)
def test_features_of_tiny_clips_are_librosas(length):
    samples = NOISE[:length].astype(np.float32)
    far = tolerances(extract(samples), librosa_features(samples))
    far[_SHAPES] = 0
    assert far.max() < 1, f"\n{table(far)}"


@pytest.mark.slow
def test_features_of_all_real_sounds_are_librosas(shared_data):
    folders = [shared_data / name for name in ("fma_audio", "cc_music", "odd_audio")]
    references, distances = {}, []
    for path, samples in sounds(folders, Settings()):
        references[path] = librosa_features(samples)
        distances.append(tolerances(extract(samples), references[path]))
    assert len(distances) >= 70
    worst = np.max(distances, axis=0)
    assert worst.max() < 1, f"\n{table(worst)}"
    real = [reference for path, reference in references.items() if "odd_audio" not in path.parts]
    np.testing.assert_allclose(np.std(real, axis=0), SPREAD, rtol=0.02, atol=1e-6)
