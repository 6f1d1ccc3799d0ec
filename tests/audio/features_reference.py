"""All 518 features, slow and plain, in float64 from their definitions in librosa's documentation.

Nothing here comes from librosa or from `segue`: what both compute is held against it.
"""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats
from scipy.fft import dct

RATE = 22_050
FRAME = 2_048
HOP = 512
FREQUENCIES = np.arange(1 + FRAME // 2) * RATE / FRAME

STATISTICS: dict[str, Callable[..., Any]] = {
    "kurtosis": stats.kurtosis, "max": np.max, "mean": np.mean, "median": np.median,
    "min": np.min, "skew": stats.skew, "std": np.std,
}  # fmt: skip


def features(samples: np.ndarray) -> np.ndarray:
    """Return the 518 values in the order of FMA's table, float64: feature, then statistic, then number."""
    made = [
        statistic(series, axis=1)
        for _, series in sorted(all_series(samples).items())
        for statistic in STATISTICS.values()
    ]
    return np.nan_to_num(np.concatenate(made), nan=0.0)


def all_series(samples: np.ndarray) -> dict[str, np.ndarray]:
    """Return each feature over the frames, float64, shape ``(numbers, frames)``."""
    sound = samples.astype(np.float64)
    magnitude = spectrogram(sound, FRAME, np.hanning(FRAME + 1)[:-1])
    cqt = constant_q(sound, tuning(magnitude))
    return {
        "chroma_cens": chroma_cens(cqt),
        "chroma_cqt": over_largest(fold(cqt)),
        "chroma_stft": over_largest(chroma_filters(tuning(magnitude**2)) @ magnitude**2),
        "mfcc": dct(decibels(mel_filters() @ magnitude**2), axis=0, norm="ortho")[:20],
        "rmse": rms(magnitude),
        "spectral_bandwidth": bandwidth(magnitude),
        "spectral_centroid": centroid(magnitude),
        "spectral_contrast": contrast(magnitude),
        "spectral_rolloff": rolloff(magnitude),
        "tonnetz": tonnetz(chroma_cens(cqt)),
        "zcr": zero_crossing_rate(sound),
    }


def frames_of(sound: np.ndarray, size: int, mode: str = "constant") -> np.ndarray:
    """Return the frames centred on every 512th sample, shape ``(frames, size)``."""
    padded = np.pad(sound, size // 2, mode=mode)  # type: ignore[call-overload]
    return np.lib.stride_tricks.sliding_window_view(padded, size)[::HOP][: 1 + len(sound) // HOP]


def spectrogram(sound: np.ndarray, size: int, window: np.ndarray) -> np.ndarray:
    """Return the magnitudes of the short-time Fourier transform, shape ``(bins, frames)``."""
    return np.abs(np.fft.rfft(frames_of(sound, size) * window, axis=1)).T


def shares(values: np.ndarray) -> np.ndarray:
    """Return each frame divided by its sum; a silent frame stays 0."""
    total = values.sum(axis=0)
    return values / np.where(total < np.finfo(np.float32).tiny, 1, total)


def over_largest(values: np.ndarray) -> np.ndarray:
    largest = values.max(axis=0)
    return values / np.where(largest < np.finfo(np.float32).tiny, 1, largest)


def decibels(power: np.ndarray) -> np.ndarray:
    """Return 10 log10 of the power, at least -100 dB and at most 80 dB below the loudest."""
    made = 10 * np.log10(np.maximum(power, 1e-10))
    return np.maximum(made, made.max() - 80)


# One value a frame


def zero_crossing_rate(sound: np.ndarray) -> np.ndarray:
    """Share of the samples whose sign differs from the one before; the ends are held, 1e-10 is 0."""
    frames = frames_of(np.where(np.abs(sound) <= 1e-10, 0, sound), FRAME, mode="edge")
    return ((frames[:, 1:] < 0) != (frames[:, :-1] < 0)).sum(axis=1)[None] / FRAME


def rms(magnitude: np.ndarray) -> np.ndarray:
    """Root mean square of the windowed frame by Parseval: the inner bins stand for two."""
    power = magnitude**2
    return np.sqrt(2 * (power.sum(axis=0) - power[0] / 2 - power[-1] / 2) / FRAME**2)[None]


def centroid(magnitude: np.ndarray) -> np.ndarray:
    """Mean frequency weighted by magnitude, Hz."""
    return (FREQUENCIES @ shares(magnitude))[None]


def bandwidth(magnitude: np.ndarray) -> np.ndarray:
    """Standard deviation of frequency weighted by magnitude, Hz."""
    deviation = FREQUENCIES[:, None] - centroid(magnitude)
    return np.sqrt((shares(magnitude) * deviation**2).sum(axis=0))[None]


def rolloff(magnitude: np.ndarray) -> np.ndarray:
    """Lowest frequency below or at which 85 % of the magnitude lies, Hz."""
    total = np.cumsum(magnitude, axis=0)
    return FREQUENCIES[np.argmax(total >= 0.85 * total[-1], axis=0)][None]


def contrast(magnitude: np.ndarray) -> np.ndarray:
    """Mean of the largest against the smallest 2 % of six octaves from 200 Hz and what is below, dB."""
    edges = [0.0, *(200 * 2.0 ** np.arange(7))]
    peaks, valleys = [], []
    for band, (low, high) in enumerate(itertools.pairwise(edges)):
        inside = np.flatnonzero((low <= FREQUENCIES) & (high >= FREQUENCIES))
        first, last = inside[0] - (band > 0), inside[-1]
        if band == 6:
            last = len(FREQUENCIES) - 1
        count = max(1, round(0.02 * (last - first + 1)))
        # All bands but the highest end before their last bin.
        ordered = np.sort(magnitude[first : last + (band == 6)], axis=0)
        valleys.append(ordered[:count].mean(axis=0))
        peaks.append(ordered[-count:].mean(axis=0))
    return decibels(np.array(peaks)) - decibels(np.array(valleys))


# Filter banks


def mel_filters() -> np.ndarray:
    """128 triangles of area 1 Hz on Slaney's mel scale: linear to 1 kHz, then 27 steps to 6.4 kHz."""
    highest = 15 + 27 * np.log(RATE / 2 / 1000) / np.log(6.4)
    mel = np.linspace(0, highest, 130)
    hz = np.where(mel < 15, mel * 200 / 3, 1000 * 6.4 ** ((mel - 15) / 27))
    left, middle, right = hz[:-2, None], hz[1:-1, None], hz[2:, None]
    rising, falling = (FREQUENCIES - left) / (middle - left), (right - FREQUENCIES) / (right - middle)
    return np.maximum(0, np.minimum(rising, falling)) * 2 / (right - left)


def chroma_filters(tuned: float) -> np.ndarray:
    """Gaussians around each pitch class, of norm 1 and weighted around five octaves above A0, from C."""
    octaves = np.log2(np.arange(1, FRAME) * RATE / FRAME / (27.5 * 2 ** (tuned / 12)))
    # The bin of 0 Hz is put one and a half octaves below the next.
    classes = 12 * np.concatenate([[octaves[0] - 1.5], octaves])
    width = np.append(np.maximum(np.diff(classes), 1), 1)
    distance = (classes - np.arange(12)[:, None] + 6) % 12 - 6
    filters = np.exp(-0.5 * (2 * distance / width) ** 2)
    filters /= np.sqrt((filters**2).sum(axis=0))
    filters *= np.exp(-0.5 * ((classes / 12 - 5) / 2) ** 2)
    return np.roll(filters, -3, axis=0)[:, : len(FREQUENCIES)]


def tuning(spectrum: np.ndarray) -> float:
    """Most frequent deviation from A440 of the louder half of spectral peaks, in hundredths of a semitone.

    A peak lies from 150 to 4,000 Hz, is a local maximum above a tenth of its frame's largest value, and is
    moved to the top of the parabola through it and its neighbours.
    """
    loud = np.where(spectrum > 0.1 * spectrum.max(axis=0), spectrum, 0)
    peak = np.zeros(spectrum.shape, dtype=bool)
    peak[1:-1] = (loud[1:-1] > loud[:-2]) & (loud[1:-1] >= loud[2:])
    peak &= ((FREQUENCIES >= 150) & (FREQUENCIES < 4000))[:, None]
    bins, times = np.nonzero(peak)
    before, here, after = (spectrum[bins + step, times] for step in (-1, 0, 1))
    slope, bend = (after - before) / 2, after + before - 2 * here
    shift = np.where(np.abs(slope) < np.abs(bend), -slope / np.where(bend == 0, 1, bend), 0)
    height = here + slope * shift / 2
    chosen = height >= np.median(height) if len(height) else []
    if not len(chosen):
        return 0.0
    steps = 12 * np.log2((bins + shift)[chosen] * RATE / FRAME / 27.5)
    counts, edges = np.histogram((steps + 0.5) % 1 - 0.5, np.linspace(-0.5, 0.5, 101))
    return float(edges[np.argmax(counts)])


# The constant-Q transform and what is made of it


def constant_q(sound: np.ndarray, tuned: float) -> np.ndarray:
    """Return the magnitudes of 84 bins from C1, each by a filter at the full rate.

    librosa halves the sound's rate from octave to octave instead. Of that, only the grid is followed here:
    in samples of its octave's rate a filter's length is odd, and its middle half a sample early.
    """
    q = (2 ** (1 / 6) + 1) / (2 ** (1 / 6) - 1)
    octaves = []
    for octave in range(7):
        step = 2 ** (6 - octave)
        frequencies = 440 * 2 ** ((np.arange(12) + 12 * octave + tuned - 45) / 12)
        filters = np.array([sparse_spectrum(f, q * RATE / f, step) for f in frequencies])
        used = np.flatnonzero(filters.any(axis=0))
        band = slice(used[0], used[-1] + 1)
        blocks = np.array_split(frames_of(sound, 256 * step), 1 + len(sound) // (64 * HOP))
        spectra = np.concatenate([np.fft.rfft(block, axis=1)[:, band] for block in blocks])
        octaves.append(np.abs(filters[:, band] @ spectra.T))
    return np.concatenate(octaves)


def sparse_spectrum(frequency: float, length: float, step: int) -> np.ndarray:
    """Return a Hann-windowed tone's spectrum without its weakest bins, a hundredth of all its magnitude."""
    size = 256 * step
    time = np.arange(size) - size // 2
    from_middle = (time + step / 2) / (step * (2 * (length / step // 2) + 1))
    window = np.where(np.abs(from_middle) < 0.5, np.cos(np.pi * from_middle) ** 2, 0)
    spectrum = np.fft.fft(window / window.sum() * np.exp(2j * np.pi * frequency / RATE * time))[
        : size // 2 + 1
    ]
    ordered = np.sort(np.abs(spectrum))
    weak = np.cumsum(ordered) < 0.01 * ordered.sum()
    spectrum[np.abs(spectrum) < ordered[np.argmin(weak)]] = 0
    return spectrum * np.sqrt(length) / size


def fold(cqt: np.ndarray) -> np.ndarray:
    return cqt.reshape(7, 12, -1).sum(axis=0)


def chroma_cens(cqt: np.ndarray) -> np.ndarray:
    """Each frame's shares in four steps, smoothed over 41 frames, of Euclidean norm 1."""
    levels = sum((shares(fold(cqt)) > step) / 4 for step in (0.4, 0.2, 0.1, 0.05))
    window = np.hanning(43) / np.hanning(43).sum()
    smooth = np.array([np.convolve(row, window)[21:-21] for row in levels])
    norm = np.sqrt((smooth**2).sum(axis=0))
    return smooth / np.where(norm == 0, 1, norm)


def tonnetz(chroma: np.ndarray) -> np.ndarray:
    """Sine and cosine of the pitch classes' mean on the circles of fifths, minor and major thirds."""
    made = []
    for step, radius in ((7 / 6, 1.0), (3 / 2, 1.0), (2 / 3, 0.5)):
        angle = np.pi * step * np.arange(12)
        made += [radius * np.sin(angle) @ shares(chroma), radius * np.cos(angle) @ shares(chroma)]
    return np.array(made)
