"""The 518 features by librosa and scipy, called one by one: what ours are held against."""

import warnings

import numpy as np
from scipy import stats

from segue.audio.columns import SIZES, STATISTICS
from segue.compiled import one_at_a_time
from segue.settings import SAMPLE_RATE

with one_at_a_time():
    # It compiles as it is imported, and more at the first use below: see `segue.compiled`.
    import librosa

_FRAME = 2048
_HOP = 512
_OCTAVES = 7
_OF = {
    "kurtosis": stats.kurtosis, "max": np.max, "mean": np.mean, "median": np.median, "min": np.min,
    "skew": stats.skew, "std": np.std,
}  # fmt: skip


def librosa_series(samples: np.ndarray) -> dict[str, np.ndarray]:
    """Return each feature over the frames, shape ``(size, frames)``, in librosa's own types."""
    feature = librosa.feature
    cqt = np.abs(
        librosa.cqt(
            samples, sr=SAMPLE_RATE, hop_length=_HOP, n_bins=12 * _OCTAVES, bins_per_octave=12, tuning=None
        )
    )
    stft = np.abs(librosa.stft(samples, n_fft=_FRAME, hop_length=_HOP))
    power = stft**2
    # librosa takes a constant-Q transform for one of 36 bins an octave unless told.
    folding = {"n_chroma": 12, "n_octaves": _OCTAVES, "bins_per_octave": 12}
    cens = feature.chroma_cens(C=cqt, **folding)
    mel = feature.melspectrogram(S=power, sr=SAMPLE_RATE)
    return {
        "chroma_cens": cens,
        "chroma_cqt": feature.chroma_cqt(C=cqt, **folding),
        "chroma_stft": feature.chroma_stft(S=power, sr=SAMPLE_RATE, n_chroma=12),
        "mfcc": feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=20),
        "rmse": feature.rms(S=stft, frame_length=_FRAME),
        "spectral_bandwidth": feature.spectral_bandwidth(S=stft, sr=SAMPLE_RATE),
        "spectral_centroid": feature.spectral_centroid(S=stft, sr=SAMPLE_RATE),
        "spectral_contrast": feature.spectral_contrast(S=stft, sr=SAMPLE_RATE, n_bands=6),
        "spectral_rolloff": feature.spectral_rolloff(S=stft, sr=SAMPLE_RATE),
        "tonnetz": feature.tonnetz(chroma=cens),
        "zcr": feature.zero_crossing_rate(samples, frame_length=_FRAME, hop_length=_HOP),
    }


def librosa_features(samples: np.ndarray) -> np.ndarray:
    """Return the features of float32 samples at 22,050 Hz, float64[518].

    What is not finite, of a series that is constant or too faint for single precision, is 0.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "n_fft=.* is too large for input signal", UserWarning)
        warnings.filterwarnings("ignore", "Trying to estimate tuning from empty frequency set", UserWarning)
        warnings.filterwarnings("ignore", "Precision loss occurred in moment calculation", RuntimeWarning)
        series = librosa_series(samples)
        vector = np.concatenate(
            [_OF[statistic](series[feature], axis=1) for feature in SIZES for statistic in STATISTICS]
        )
    return np.where(np.isfinite(vector), vector, 0.0)


with one_at_a_time():
    librosa_series(np.random.default_rng(0).standard_normal(SAMPLE_RATE, dtype=np.float32))
