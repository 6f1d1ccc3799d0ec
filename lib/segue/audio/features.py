"""The 518 features of FMA's published table, from mono samples at 22,050 Hz."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from segue.audio.compiled import compiling
from segue.errors import UsageError
from segue.settings import SAMPLE_RATE, Settings

RECIPE = "fma518/1"
"""Name and version of what `extract` computes; it changes whenever a value may change."""

_SIZES = {
    "chroma_cens": 12, "chroma_cqt": 12, "chroma_stft": 12, "mfcc": 20, "rmse": 1, "spectral_bandwidth": 1,
    "spectral_centroid": 1, "spectral_contrast": 7, "spectral_rolloff": 1, "tonnetz": 6, "zcr": 1,
}  # fmt: skip
STATISTICS = ("kurtosis", "max", "mean", "median", "min", "skew", "std")
"""What each series is summed up by, in the table's order."""

COLUMNS: tuple[tuple[str, str, str], ...] = tuple(
    (feature, statistic, f"{number:02d}")
    for feature, size in _SIZES.items()
    for statistic in STATISTICS
    for number in range(1, size + 1)
)
"""``(feature, statistics, number)`` of each value, as in the header of the published features.csv."""

GROUPS: dict[str, tuple[str, ...]] = {
    **{feature: (feature,) for feature in _SIZES},
    "all": tuple(_SIZES),
    "chroma": ("chroma_cens", "chroma_cqt", "chroma_stft"),
    "spectral": ("spectral_bandwidth", "spectral_centroid", "spectral_contrast", "spectral_rolloff"),
    "bandwidth": ("spectral_bandwidth",),
    "centroid": ("spectral_centroid",),
    "contrast": ("spectral_contrast",),
    "rolloff": ("spectral_rolloff",),
    "rms": ("rmse",),
}
"""Names of subsets: each feature's own, short ones, and families."""

_FRAME = 2048
_HOP = 512
_OCTAVES = 7
_SHORT = "n_fft=.* is too large for input signal|Trying to estimate tuning from empty frequency set"
_CONSTANT = "Precision loss occurred in moment calculation"


def recipe(settings: Settings) -> str:
    """Return the recipe's key with the part of a file it is applied to, such as ``fma518/1:middle30``."""
    return f"{RECIPE}:middle{settings.analysed_s:g}" if settings.analysed_s else f"{RECIPE}:whole"


def columns_of(groups: str) -> np.ndarray:
    """Return the positions in `COLUMNS` of named groups joined by ``+``, ascending and each once.

    >>> len(columns_of("mfcc+centroid+zcr"))
    154

    Raises
    ------
    UsageError
        If a name is not one of `GROUPS`; the text gives the nearest one.
    """
    chosen: set[str] = set()
    for name in (part.strip() for part in groups.split("+")):
        if name not in GROUPS:
            near = difflib.get_close_matches(name, GROUPS, n=1, cutoff=0.0)[0]
            raise UsageError(
                f"there is no feature group {name!r}: did you mean {near!r}? All of them: {', '.join(GROUPS)}"
            )
        chosen.update(GROUPS[name])
    return np.array([i for i, (feature, _, _) in enumerate(COLUMNS) if feature in chosen], dtype=np.intp)


def extract(samples: np.ndarray, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """Return the features of ``samples`` in the order of `COLUMNS`.

    The recipe is the one of Defferrard et al., FMA: A Dataset for Music Analysis (ISMIR 2017), with
    librosa's definitions: frames of 2,048 samples every 512, seven octaves of twelve constant-Q bins, and
    seven statistics over the frames. ``rmse`` is librosa's ``rms`` of the windowed frames; in the published
    table it was not yet divided by the frame's length.

    Parameters
    ----------
    samples
        float32, shape ``(n,)``, ``n >= 1``, finite; full scale is 1.0 and may be passed.
    sample_rate
        Samples a second.

    Returns
    -------
    numpy.ndarray
        float32, shape ``(518,)``, finite. Skew and kurtosis of a constant series are 0.

    Raises
    ------
    ValueError
        If ``samples`` is not one finite row of at least one sample.
    """
    return extract_all(samples, sample_rate).vector


@dataclass(slots=True)
class Extracted:
    """The features, float32[518], and the mel power spectrogram they share, float32 ``(128, frames)``."""

    vector: np.ndarray
    mel: np.ndarray


def extract_all(samples: np.ndarray, sample_rate: int = SAMPLE_RATE) -> Extracted:
    """Return what `extract` returns, with the mel spectrogram for the fingerprint; it raises the same."""
    if samples.ndim != 1 or not samples.size or not np.isfinite(samples).all():
        raise ValueError("samples must be one row of at least one finite number")
    with compiling(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", _SHORT, UserWarning)
        warnings.filterwarnings("ignore", _CONSTANT, RuntimeWarning)
        series, mel = _series(np.ascontiguousarray(samples, dtype=np.float32), sample_rate)
        vector = np.concatenate([_summary(series[feature], size) for feature, size in _SIZES.items()])
    return Extracted(np.nan_to_num(vector, nan=0.0).astype(np.float32), mel)


def _series(samples: np.ndarray, sample_rate: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return each feature over the frames, shape ``(size, frames)``, and the mel spectrogram."""
    import librosa

    feature = librosa.feature
    cqt = np.abs(
        librosa.cqt(
            samples, sr=sample_rate, hop_length=_HOP, n_bins=12 * _OCTAVES, bins_per_octave=12, tuning=None
        )
    )
    stft = np.abs(librosa.stft(samples, n_fft=_FRAME, hop_length=_HOP))
    power = stft**2
    # librosa takes a constant-Q transform for one of 36 bins an octave unless told.
    folding = {"n_chroma": 12, "n_octaves": _OCTAVES, "bins_per_octave": 12}
    cens = feature.chroma_cens(C=cqt, **folding)
    mel = feature.melspectrogram(S=power, sr=sample_rate)
    series = {
        "chroma_cens": cens,
        "chroma_cqt": feature.chroma_cqt(C=cqt, **folding),
        "chroma_stft": feature.chroma_stft(S=power, sr=sample_rate, n_chroma=12),
        "mfcc": feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=20),
        "rmse": feature.rms(S=stft, frame_length=_FRAME),
        "spectral_bandwidth": feature.spectral_bandwidth(S=stft, sr=sample_rate),
        "spectral_centroid": feature.spectral_centroid(S=stft, sr=sample_rate),
        "spectral_contrast": feature.spectral_contrast(S=stft, sr=sample_rate, n_bands=6),
        "spectral_rolloff": feature.spectral_rolloff(S=stft, sr=sample_rate),
        "tonnetz": feature.tonnetz(chroma=cens),
        "zcr": feature.zero_crossing_rate(samples, frame_length=_FRAME, hop_length=_HOP),
    }
    return series, mel


def _summary(values: np.ndarray, size: int) -> np.ndarray:
    """Return the seven statistics of each row, statistic by statistic."""
    from scipy import stats

    assert values.shape[0] == size
    of: dict[str, Callable[..., Any]] = {
        "kurtosis": stats.kurtosis, "max": np.max, "mean": np.mean, "median": np.median,
        "min": np.min, "skew": stats.skew, "std": np.std,
    }  # fmt: skip
    return np.concatenate([of[statistic](values, axis=1) for statistic in STATISTICS])
