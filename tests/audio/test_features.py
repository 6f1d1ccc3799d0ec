"""The 518 features: their order, their values on known signals, their subsets."""

import csv
import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile

from segue.audio.decode import Decoded, decode
from segue.audio.features import COLUMNS, GROUPS, RECIPE, columns_of, extract, recipe
from segue.errors import UsageError
from segue.settings import SAMPLE_RATE, Settings

INDEX = {column: position for position, column in enumerate(COLUMNS)}


def sine(hz: float, seconds: float = 3.0, amplitude: float = 0.5) -> np.ndarray:
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (amplitude * np.sin(2 * np.pi * hz * time)).astype(np.float32)


def value(vector: np.ndarray, feature: str, statistic: str, number: int = 1) -> float:
    return float(vector[INDEX[feature, statistic, f"{number:02d}"]])


def test_columns_are_those_of_the_published_table(shared_data):
    with (shared_data / "fma_metadata" / "features_reference.csv").open(newline="") as file:
        header = [row[1:] for row, _ in zip(csv.reader(file), range(3), strict=False)]
    assert list(zip(*header, strict=True)) == list(COLUMNS)
    assert len(set(COLUMNS)) == 518


def test_a_tone_of_440_hz():
    vector = extract(sine(440.0))
    assert vector.shape == (518,)
    assert vector.dtype == np.float32
    # 440 Hz crosses zero 880 times a second.
    assert value(vector, "zcr", "median") == pytest.approx(880 / SAMPLE_RATE, rel=0.01)
    # A sine's root mean square is amplitude / sqrt(2); the Hann window keeps 3/8 of its power.
    assert value(vector, "rmse", "median") == pytest.approx(0.5 / math.sqrt(2) * math.sqrt(3 / 8), rel=0.01)
    assert value(vector, "spectral_centroid", "median") == pytest.approx(440, rel=0.02)
    # Pitch class 10 of 12, counted from C, is A.
    for chroma in ("chroma_stft", "chroma_cqt", "chroma_cens"):
        means = [value(vector, chroma, "mean", number) for number in range(1, 13)]
        assert int(np.argmax(means)) + 1 == 10


@pytest.mark.filterwarnings("ignore:Precision loss occurred:RuntimeWarning")
def test_values_equal_librosa_and_scipy_called_one_by_one():
    from scipy import stats

    from audio.librosa_recipe import librosa

    rng = np.random.default_rng(7)
    samples = (sine(220) + 0.1 * rng.standard_normal(3 * SAMPLE_RATE)).astype(np.float32)
    vector = extract(samples)
    series = {
        "mfcc": librosa.feature.mfcc(y=samples, sr=SAMPLE_RATE, n_mfcc=20),
        "spectral_centroid": librosa.feature.spectral_centroid(y=samples, sr=SAMPLE_RATE),
        "spectral_bandwidth": librosa.feature.spectral_bandwidth(y=samples, sr=SAMPLE_RATE),
        "spectral_contrast": librosa.feature.spectral_contrast(y=samples, sr=SAMPLE_RATE),
        "spectral_rolloff": librosa.feature.spectral_rolloff(y=samples, sr=SAMPLE_RATE),
        "chroma_stft": librosa.feature.chroma_stft(y=samples, sr=SAMPLE_RATE),
        "chroma_cqt": librosa.feature.chroma_cqt(y=samples, sr=SAMPLE_RATE, bins_per_octave=12),
        "chroma_cens": librosa.feature.chroma_cens(y=samples, sr=SAMPLE_RATE, bins_per_octave=12),
        "zcr": librosa.feature.zero_crossing_rate(samples),
    }
    for feature, rows in series.items():
        for number, row in enumerate(rows, start=1):
            got = [value(vector, feature, s, number) for s in ("mean", "std", "skew", "kurtosis", "max")]
            want = [row.mean(), row.std(), stats.skew(row), stats.kurtosis(row), row.max()]
            want = np.nan_to_num(want)
            np.testing.assert_allclose(got, want, rtol=3e-4, atol=1e-5, err_msg=f"{feature} {number}")


@pytest.mark.parametrize("length", [1, 100, 2_047, SAMPLE_RATE])
@pytest.mark.parametrize("level", [0.0, 0.5])
def test_constant_signals_give_numbers_and_no_warning(length, level):
    vector = extract(np.full(length, level, dtype=np.float32))
    assert np.isfinite(vector).all()
    # A constant series has no spread, so its skew is 0 and not NaN.
    assert value(vector, "zcr", "skew") == 0


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (np.zeros(0), "there are no samples"),
        (np.zeros((2, 9)), "one row of numbers"),
        (np.array([1.0, np.nan]), "finite numbers"),
        (np.array([0.0, -np.inf]), "finite numbers"),
        (np.array([1e300, 0]), "finite numbers"),
        (np.full(9, 1e16), "about 1 at full scale"),
    ],
)
def test_what_is_no_row_of_samples_is_refused(samples, reason):
    with pytest.raises(ValueError, match=reason):
        extract(samples)


def test_a_thousand_million_times_too_loud_is_still_finite():
    assert np.isfinite(extract(1e9 * sine(440))).all()


def test_real_sounds_give_finite_values(shared_data):
    # The bird's CENS rows are constant: skew and kurtosis are NaN in the plain recipe.
    bird = "cc_music/librosa_examples/456440__inspectorj__bird-whistling-robin-single-13.ogg"
    samples, rate = soundfile.read(shared_data / bird, dtype="float32")
    assert rate == SAMPLE_RATE
    assert np.isfinite(extract(samples)).all()


def test_subsets_by_name():
    assert {COLUMNS[i][0] for i in columns_of("mfcc+centroid+zcr")} == {"mfcc", "spectral_centroid", "zcr"}
    assert len(columns_of("mfcc+centroid+zcr")) == 7 * (20 + 1 + 1)
    assert columns_of("all").tolist() == list(range(518))
    assert columns_of(" zcr + zcr").tolist() == columns_of("zcr").tolist() == list(range(511, 518))
    assert sum(len(columns_of(feature)) for feature in {column[0] for column in COLUMNS}) == 518
    assert all(len(columns_of(name)) for name in GROUPS)


def test_an_unknown_subset_names_the_nearest():
    with pytest.raises(UsageError, match="'mfc': did you mean 'mfcc'"):
        columns_of("zcr+mfc")
    with pytest.raises(UsageError):
        columns_of("")


def test_the_recipe_names_the_part_analysed():
    assert recipe(Settings(analysed_s=30)) == f"{RECIPE}:middle30"
    assert recipe(Settings(analysed_s=0)) == f"{RECIPE}:whole"
    assert recipe(Settings(analysed_s=12.5)) == f"{RECIPE}:middle12.5"


@pytest.mark.parametrize(
    ("does", "without"),
    [
        ("pass", "librosa scipy numba soxr"),
        ("segue.audio.features.extract(numpy.zeros(9))", "librosa scipy.stats"),
    ],
)
def test_what_is_not_needed_is_not_imported(does, without):
    found = f"sys.modules.keys() & set({without.split()})"
    code = f"import sys, numpy, segue.audio.features; {does}; sys.exit(bool({found}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_threads_do_not_share_memory():
    sounds = [sine(hz, seconds=2 + hz / 1000) for hz in range(200, 1000, 50)]
    expected = [extract(sound) for sound in sounds]
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(extract, sounds * 3))
    assert np.array_equal(made, expected * 3)


def test_another_rate_is_refused():
    with pytest.raises(ValueError, match="at 22050 Hz, not 44100"):
        extract(sine(440), 44_100)


def test_the_chroma_of_a_real_clip_are_those_of_the_published_table(shared_data):
    with (shared_data / "fma_metadata" / "features_reference.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    published = np.array([float(text) for text in next(row for row in rows if row[0] == "2")[1:]])
    clip = decode(shared_data / "fma_audio" / "000" / "000002.mp3", 960_738, Settings())
    assert isinstance(clip, Decoded)
    vector = extract(clip.samples)
    for feature in ("chroma_cens", "chroma_cqt", "chroma_stft"):
        means = [INDEX[feature, "mean", f"{number:02d}"] for number in range(1, 13)]
        # The table is of the whole track, this is its clip: alike in shape, not in value.
        assert np.corrcoef(vector[means], published[means])[0, 1] > 0.98
