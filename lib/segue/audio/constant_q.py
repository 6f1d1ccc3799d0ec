"""The constant-Q transform: seven octaves of twelve bins, each octave at half the rate of the one above."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import scipy.fft
import soxr
from numba import njit
from numpy.lib.stride_tricks import as_strided

from segue.settings import SAMPLE_RATE

BINS = 12
"""Bins an octave."""
OCTAVES = 7
"""Octaves from C1, 32.7 Hz at no tuning."""
HOP = 512
"""Samples from one frame to the next at 22,050 Hz."""

_TAPS = 256
_SPARSITY = 0.01
_C1 = 440 * 2 ** (-45 / 12)
# Frames multiplied at once: with their taps half a megabyte, which stays in the cache.
_AT_ONCE = 512


def constant_q(samples: np.ndarray, tuning: float) -> np.ndarray:
    """Return the magnitudes of librosa 0.11's ``cqt`` with its defaults, centred frames every 512 samples.

    At half the rate an octave's filters are those of the octave above, so one set of twelve serves all
    seven: each octave is the product of its frames with their taps (Schörkhuber and Klapuri, Constant-Q
    Transform Toolbox for Music Processing, 2010). The halving is soxr's, as librosa's is.

    Parameters
    ----------
    samples
        float32, shape ``(n,)``, ``n >= 1``, contiguous, at 22,050 Hz.
    tuning
        Deviation from A440 in bins, ``-0.5 <= tuning < 0.5``.

    Returns
    -------
    numpy.ndarray
        float32, shape ``(84, 1 + n // 512)``, from C1 upwards.
    """
    taps = _taps(round(float(tuning), 6))
    made = np.empty((OCTAVES * BINS, 1 + len(samples) // HOP), dtype=np.float32)
    for octave in range(OCTAVES):
        if octave:
            samples = _halve(samples)
        top = made.shape[0] - BINS * octave
        _project(samples, HOP >> octave, taps, made[top - BINS : top])
    return made


def _halve(samples: np.ndarray) -> np.ndarray:
    """Return the samples at half their rate and of the same energy, ``ceil(n / 2)`` of them."""
    length = (len(samples) + 1) // 2
    halved = soxr.resample(samples, 2, 1, quality="HQ")
    _keep_energy(halved)
    return halved[:length] if len(halved) >= length else np.pad(halved, (0, length - len(halved)))


@njit(cache=True, error_model="numpy")
def _keep_energy(samples):  # type: ignore[no-untyped-def]
    # In double precision as in librosa: of digital silence the next octaves get the roundings alone.
    for i in range(len(samples)):
        samples[i] = samples[i] / np.sqrt(0.5)


def _project(samples: np.ndarray, hop: int, taps: np.ndarray, out: np.ndarray) -> None:
    """Write the magnitudes of one octave, shape ``(12, frames)``."""
    frames = np.empty((min(_AT_ONCE, out.shape[1]), _TAPS), dtype=np.float32)
    for start in range(0, out.shape[1], _AT_ONCE):
        stop = min(start + _AT_ONCE, out.shape[1])
        _cut(samples, hop, start, frames[: stop - start])
        np.abs((frames[: stop - start] @ taps).view(np.complex64), out=out[:, start:stop].T)


def _cut(samples: np.ndarray, hop: int, start: int, frames: np.ndarray) -> None:
    """Fill ``frames`` with those centred on sample ``start * hop`` and on, with zeros beyond the ends."""
    count, half = len(frames), _TAPS // 2
    first = min(max(-(-half // hop) - start, 0), count)
    last = max(min((len(samples) - half) // hop + 1 - start, count), first)
    if last > first:
        begin = (start + first) * hop - half
        frames[first:last] = _view(samples[begin:], hop, last - first)
    for a, b in ((0, first), (last, count)):
        if b > a:
            begin = (start + a) * hop - half
            padded = np.zeros((b - a - 1) * hop + _TAPS, dtype=np.float32)
            inside = samples[max(begin, 0) : begin + len(padded)]
            padded[max(-begin, 0) :][: len(inside)] = inside
            frames[a:b] = _view(padded, hop, b - a)


def _view(samples: np.ndarray, hop: int, count: int) -> np.ndarray:
    size = samples.itemsize
    return as_strided(samples, (count, _TAPS), (hop * size, size), writeable=False)


@lru_cache(maxsize=256)
def _taps(tuning: float) -> np.ndarray:
    """Return the top octave's filters as float32 ``(256, 24)``, real and imaginary columns in turn.

    A filter is a Hann-windowed tone of ``sr / (alpha f)`` samples and L1 norm 1, of whose spectrum the
    weakest hundredth is dropped, as ``librosa.cqt`` drops it. Single precision as there, so that the same
    values are dropped.
    """
    frequencies = _C1 * 2 ** ((np.arange(BINS) + tuning) / BINS + OCTAVES - 1)
    alpha = (2 ** (2 / BINS) - 1) / (2 ** (2 / BINS) + 1)
    spectra = np.zeros((BINS, _TAPS), dtype=np.complex64)
    for spectrum, frequency in zip(spectra, frequencies, strict=True):
        length = SAMPLE_RATE / (alpha * frequency)
        tone = _tone(length, frequency)
        left = (_TAPS - len(tone)) // 2
        padded = np.zeros(_TAPS, dtype=np.complex64)
        padded[left : left + len(tone)] = tone
        padded *= length / _TAPS
        spectrum[: _TAPS // 2 + 1] = scipy.fft.fft(padded)[: _TAPS // 2 + 1] / np.sqrt(length)
        _sparsify(spectrum[: _TAPS // 2 + 1])
    # A frame's product with a filter's spectrum is its product with the transform of that spectrum.
    taps = scipy.fft.fft(spectra.astype(np.complex128), axis=1).T
    made = np.ascontiguousarray(taps, dtype=np.complex64).view(np.float32)
    made.flags.writeable = False
    return made


def _tone(length: float, frequency: float) -> np.ndarray:
    time = np.arange(-length // 2, length // 2)
    # A periodic Hann window, as for spectra.
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(len(time)) / len(time))
    return window / window.sum() * np.exp(2j * np.pi * frequency / SAMPLE_RATE * time)


def _sparsify(spectrum: np.ndarray) -> None:
    """Set to 0 the weakest values, which together are less than a hundredth of all magnitudes."""
    magnitudes = np.abs(spectrum)
    ordered = np.sort(magnitudes)
    least = ordered[np.argmin(np.cumsum(ordered / magnitudes.sum()) < _SPARSITY)]
    spectrum[magnitudes < least] = 0
