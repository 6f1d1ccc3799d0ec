"""FMA's own features.py with librosa 0.11: the same calls on the same arrays, file by file."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np


def fma_recipe(path: str, rate: int | None) -> np.ndarray:
    """Return the 518 values of a file read at ``rate`` Hz, or at its own rate as FMA did.

    As there, no rate is passed where 22,050 Hz is librosa's default, whatever the file's. The fold of the
    constant-Q transform is told its twelve bins an octave, which librosa of that time assumed.
    """
    import librosa
    from librosa import feature

    samples, rate = librosa.load(path, sr=rate, mono=True)
    folding = {"n_chroma": 12, "n_octaves": 7, "bins_per_octave": 12}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        series = [feature.zero_crossing_rate(samples, frame_length=2048, hop_length=512)]
        cqt = np.abs(
            librosa.cqt(samples, sr=rate, hop_length=512, bins_per_octave=12, n_bins=7 * 12, tuning=None)
        )
        series.append(feature.chroma_cqt(C=cqt, **folding))
        series.append(feature.chroma_cens(C=cqt, **folding))
        series.append(feature.tonnetz(chroma=series[-1]))
        stft = np.abs(librosa.stft(samples, n_fft=2048, hop_length=512))
        series.append(feature.chroma_stft(S=stft**2, n_chroma=12))
        series.append(feature.rms(S=stft))
        series.append(feature.spectral_centroid(S=stft))
        series.append(feature.spectral_bandwidth(S=stft))
        series.append(feature.spectral_contrast(S=stft, n_bands=6))
        series.append(feature.spectral_rolloff(S=stft))
        mel = feature.melspectrogram(sr=rate, S=stft**2)
        series.append(feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=20))
        return np.concatenate([_moments(values) for values in series])


def _moments(values: np.ndarray) -> np.ndarray:
    from scipy import stats

    moments: tuple[Callable[..., Any], ...] = (
        np.mean, np.std, stats.skew, stats.kurtosis, np.median, np.min, np.max,
    )  # fmt: skip
    return np.concatenate([moment(values, axis=1) for moment in moments])
