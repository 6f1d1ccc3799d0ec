"""Pitch classes over time: librosa's values, and those that anyone can work out."""

import numpy as np
import pytest

from segue.audio.decode import Decoded, decode
from segue.audio.kernels.chroma import chroma_cens, chroma_cqt, tonnetz
from segue.audio.kernels.constant_q import constant_q
from segue.settings import Settings

FOLDING = {"n_chroma": 12, "n_octaves": 7, "bins_per_octave": 12}


def random_cqt(frames: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).gamma(0.3, size=(84, frames)).astype(np.float32)


def check(cqt: np.ndarray) -> None:
    from librosa import feature

    cens = chroma_cens(cqt)
    # A float32's rounding, where one quantised step is 0.25 before smoothing.
    for made, expected in (
        (chroma_cqt(cqt), feature.chroma_cqt(C=cqt, **FOLDING)),
        (cens, feature.chroma_cens(C=cqt, **FOLDING)),
        (tonnetz(cens), feature.tonnetz(chroma=cens)),
    ):
        np.testing.assert_allclose(made, expected, rtol=0, atol=2e-7)


@pytest.mark.parametrize("frames", [1, 2, 20, 41, 42, 1_292])
def test_random_magnitudes_give_librosas_values(frames):
    check(random_cqt(frames, frames))


@pytest.mark.parametrize("clip", ["000/000002.mp3", "000/000255.mp3", "001/001645.mp3"])
def test_a_clip_gives_librosas_values(clip, shared_data):
    path = shared_data / "fma_audio" / clip
    sound = decode(path, path.stat().st_size, Settings())
    assert isinstance(sound, Decoded)
    check(constant_q(sound.samples, 0.08))


def test_magnitudes_near_the_steps_of_the_quantisation_fall_as_librosas_do():
    # Shares of .4, .2, .1 and .05 and their neighbours in float32.
    cqt = np.zeros((84, 300), dtype=np.float32)
    cqt[0:8] = np.array([0.4, 0.2, 0.1, 0.05, 0.0500001, 0.0999999, 0.07, 0.03], dtype=np.float32)[:, None]
    cqt *= np.random.default_rng(0).uniform(1e-3, 10, 300).astype(np.float32)
    check(cqt)


def test_frames_too_quiet_for_their_norm_are_left_as_they_are():
    cqt = random_cqt(60)
    cqt[:, :10] = 0
    cqt[:, 10:20] *= np.float32(1e-41)
    cqt[:, 20:30] *= np.float32(1e-30)
    check(cqt)


def test_silence_gives_zeros():
    silent = np.zeros((84, 50), dtype=np.float32)
    assert not chroma_cqt(silent).any()
    assert not chroma_cens(silent).any()
    assert not tonnetz(chroma_cens(silent)).any()


def test_one_pitch_class_in_all_octaves():
    cqt = np.zeros((84, 50), dtype=np.float32)
    cqt[9::12] = 0.1  # A
    for made in (chroma_cqt(cqt), chroma_cens(cqt)):
        assert made.shape == (12, 50)
        assert made.dtype == np.float32
        assert made[9] == pytest.approx(np.ones(50))
        assert not np.delete(made, 9, axis=0).any()
    # A is 9 of 12 from C: fifths 9 * 7 / 6, minor thirds 9 * 3 / 2 and major thirds 9 * 2 / 3 half turns.
    angles = np.pi * 9 * np.array([7 / 6, 3 / 2, 2 / 3])
    circle = np.stack([np.sin(angles), np.cos(angles)], axis=1) * [[1], [1], [0.5]]
    assert tonnetz(chroma_cens(cqt))[:, 25] == pytest.approx(circle.ravel(), abs=1e-6)
