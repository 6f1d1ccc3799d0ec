"""The constant-Q transform: librosa's values, on tones that anyone can check, and at the edges."""

import numpy as np
import pytest

from segue.audio.decode import Decoded, decode
from segue.audio.kernels.constant_q import constant_q
from segue.settings import SAMPLE_RATE, Settings

# Of the loudest value: some roundings of float32. A filter's sparsified hundredth is 1e-2.
ROUNDINGS = 1e-6


def librosa_cqt(samples: np.ndarray, tuning: float) -> np.ndarray:
    import librosa

    return np.abs(
        librosa.cqt(samples, sr=22050, hop_length=512, n_bins=84, bins_per_octave=12, tuning=tuning)
    )


def assert_equal_up_to_roundings(made: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(made, expected, rtol=0, atol=ROUNDINGS * expected.max())


def noise(count: int) -> np.ndarray:
    return np.random.default_rng(count).standard_normal(count).astype(np.float32)


@pytest.mark.parametrize("tuning", [-0.5, -0.37, -0.01, 0.0, 0.12, 0.49])
def test_noise_gives_librosas_values_at_any_tuning(tuning):
    samples = noise(30_000)
    expected = librosa_cqt(samples, tuning)
    assert_equal_up_to_roundings(constant_q(samples, tuning), expected)


@pytest.mark.parametrize("clip", ["000/000002.mp3", "000/000182.mp3", "001/001652.mp3"])
def test_a_clip_gives_librosas_values(clip, shared_data):
    path = shared_data / "fma_audio" / clip
    sound = decode(path, path.stat().st_size, Settings())
    assert isinstance(sound, Decoded)
    expected = librosa_cqt(sound.samples, -0.23)
    assert_equal_up_to_roundings(constant_q(sound.samples, -0.23), expected)


@pytest.mark.filterwarnings("ignore:n_fft=256 is too large for input signal:UserWarning")
@pytest.mark.parametrize(
    "count", [*range(1, 20), 63, 64, 65, 127, 128, 255, 256, 257, 511, 512, 513, 1023, 1024, 3333, 5000]
)
def test_a_short_sound_gives_librosas_values(count):
    samples = noise(count)
    expected = librosa_cqt(samples, 0.0)
    assert_equal_up_to_roundings(constant_q(samples, 0.0), expected)


def test_silence_gives_zeros():
    made = constant_q(np.zeros(3 * SAMPLE_RATE, dtype=np.float32), 0.0)
    assert made.shape == (84, 1 + 3 * SAMPLE_RATE // 512)
    assert made.dtype == np.float32
    assert not made.any()


def test_digital_silence_before_sound_holds_the_same_roundings():
    # Chroma divides each frame by its largest value, so that even roundings show.
    samples = np.concatenate([np.zeros(3 * SAMPLE_RATE, dtype=np.float32), noise(SAMPLE_RATE)])
    silent = slice(0, 2 * SAMPLE_RATE // 512)
    expected = librosa_cqt(samples, 0.0)[:, silent]
    assert 0 < expected.max() < 1e-9
    np.testing.assert_allclose(
        constant_q(samples, 0.0)[:, silent], expected, rtol=0.01, atol=1e-3 * expected.max()
    )


@pytest.mark.parametrize("tuning", [0.0, 0.3])
def test_a_tone_is_loudest_in_its_own_bin(tuning):
    time = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    for bin_ in (9, 33, 45, 57, 83):
        hz = 440 * 2 ** ((bin_ + tuning - 45) / 12)
        middle = constant_q(np.sin(2 * np.pi * hz * time).astype(np.float32), tuning)[:, 43]
        assert int(np.argmax(middle)) == bin_
        # A filter of L1 norm 1 halves a sine's amplitude; librosa's scale is the root of its length.
        length = SAMPLE_RATE / (hz * (2 ** (1 / 6) - 1) / (2 ** (1 / 6) + 1))
        assert middle[bin_] == pytest.approx(0.5 * np.sqrt(length), rel=0.01)


def test_the_samples_stay_as_they_were():
    samples = noise(20_000)
    before = samples.copy()
    constant_q(samples, 0.0)
    assert np.array_equal(samples, before)
