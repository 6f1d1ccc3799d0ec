"""The plain reference against librosa's definitions, and the extractor against the plain reference."""

import functools

import numpy as np
import pytest

from audio import features_reference as plain
from audio.librosa_recipe import librosa_features
from segue.audio.decode import Decoded, decode
from segue.audio.features import COLUMNS, extract
from segue.audio.kernels.chroma import chroma_cens, chroma_cqt, tonnetz
from segue.audio.kernels.constant_q import constant_q
from segue.settings import Settings

# scipy says so of a row of ones in the synthetic chroma.
pytestmark = pytest.mark.filterwarnings("ignore:Precision loss occurred:RuntimeWarning")

BY_OCTAVES = ("chroma_cens", "chroma_cqt", "tonnetz")
SECONDS = np.arange(3 * plain.RATE) / plain.RATE


def synthetic() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    noise = rng.standard_normal(len(SECONDS))
    chord = sum(0.2 * np.sin(2 * np.pi * 444 * 2 ** (step / 12) * SECONDS) for step in (0, 4, 7, 12, -24))
    made = {
        "noise": 0.1 * noise,
        "tone in noise": 0.5 * np.sin(2 * np.pi * 220 * SECONDS) + 0.1 * noise,
        "gliding tone": 0.4 * np.sin(2 * np.pi * (100 + 800 * SECONDS) * SECONDS) + 0.001 * noise,
        "fading chord": chord * np.exp(-SECONDS) + 0.003 * noise,
        "1,500 samples": 0.1 * noise[:1500],
    }
    return {name: samples.astype(np.float32) for name, samples in made.items()}


SYNTHETIC = synthetic()
CLIPS = ("000/000002.mp3", "001/001652.mp3")


@pytest.fixture(params=[*SYNTHETIC, *CLIPS])
def samples(request) -> np.ndarray:
    if request.param in SYNTHETIC:
        return SYNTHETIC[request.param]
    return clip(request.getfixturevalue("shared_data") / "fma_audio" / request.param)


@functools.cache
def clip(path) -> np.ndarray:
    sound = decode(path, path.stat().st_size, Settings())
    assert isinstance(sound, Decoded)
    return sound.samples


@functools.lru_cache(maxsize=1)
def _series(key: bytes) -> dict[str, np.ndarray]:
    return plain.all_series(np.frombuffer(key, dtype=np.float32))


def series_of(samples: np.ndarray) -> dict[str, np.ndarray]:
    return _series(samples.tobytes())


def deviations(made: np.ndarray, samples: np.ndarray) -> dict[tuple[str, str], float]:
    """Return the worst deviation from the reference by feature and statistic.

    In standard deviations of the series; skew and kurtosis, which have no unit, by one more than their size.
    """
    worst: dict[tuple[str, str], float] = {}
    series = series_of(samples)
    for (feature, statistic, number), value in zip(COLUMNS, made, strict=True):
        row = series[feature][int(number) - 1]
        expected = float(np.nan_to_num(plain.STATISTICS[statistic](row)))
        unit = 1 + abs(expected) if statistic in ("kurtosis", "skew") else row.std()
        rounding = 1e-6 * abs(expected)
        off = max(abs(float(value) - expected) - rounding, 0.0)
        worst[feature, statistic] = max(worst.get((feature, statistic), 0.0), off / unit if off else 0.0)
    return worst


def assert_agree(made: np.ndarray, samples: np.ndarray) -> None:
    worst = deviations(made, samples)
    assert {which: off for which, off in worst.items() if which[0] not in BY_OCTAVES and off > 2e-4} == {}
    if len(samples) < 10 * plain.RATE:
        return
    # The reference does not halve the rate: of that come a thousandth here, and single steps of CENS.
    assert {which: off for which, off in worst.items() if which[0] == "chroma_cqt" and off > 5e-3} == {}
    middle = {which: off for which, off in worst.items() if which[1] in ("mean", "median", "std")}
    assert {which: off for which, off in middle.items() if off > 0.02} == {}


def test_the_reference_and_librosa_define_the_same(samples):
    assert_agree(librosa_features(samples), samples)


def test_the_extractor_gives_the_references_values(samples):
    assert_agree(extract(samples), samples)


@pytest.mark.parametrize("name", CLIPS)
def test_chroma_by_octaves_is_chroma_at_the_full_rate(name, shared_data):
    samples = clip(shared_data / "fma_audio" / name)
    series = series_of(samples)
    tuned = plain.tuning(plain.spectrogram(samples.astype(float), 2048, np.hanning(2049)[:-1]))
    cqt = constant_q(samples, tuned)
    cens = chroma_cens(cqt)
    # A tuning off by a hundredth of a semitone makes 2e-3, filters that are not sparsified 1e-3.
    assert np.abs(chroma_cqt(cqt) - series["chroma_cqt"]).mean() < 2e-4
    assert np.abs(cens - series["chroma_cens"]).mean() < 2e-4
    assert np.abs(tonnetz(cens) - series["tonnetz"]).mean() < 2e-4


def test_frames_and_names_are_in_the_tables_order():
    vector = plain.features(SYNTHETIC["noise"])
    assert vector.shape == (518,)
    assert not deviations(vector, SYNTHETIC["noise"])["zcr", "std"]
    assert sorted(plain.all_series(SYNTHETIC["noise"])) == sorted({feature for feature, _, _ in COLUMNS})
