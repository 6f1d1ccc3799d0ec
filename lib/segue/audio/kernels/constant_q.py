"""The constant-Q transform: seven octaves of twelve bins, each octave at half the rate of the one above."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import scipy.fft
import soxr
from numba import njit

from segue.settings import SAMPLE_RATE

BINS = 12
"""Bins an octave."""
OCTAVES = 7
"""Octaves from C1, 32.7 Hz at no tuning."""
HOP = 512
"""Samples from one frame to the next at 22,050 Hz."""

_TAPS = 256
_HALF = _TAPS // 2
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
    taps = taps_of(round(float(tuning), 6))
    made = np.empty((OCTAVES * BINS, 1 + len(samples) // HOP), dtype=np.float32)
    for octave in range(OCTAVES):
        if octave:
            samples = _halve(samples)
        top = made.shape[0] - BINS * octave
        project(samples, HOP >> octave, taps, made[top - BINS : top])
    return made


def _halve(samples: np.ndarray) -> np.ndarray:
    """Return the samples at half their rate and of the same energy, ``ceil(n / 2)`` of them."""
    length = (len(samples) + 1) // 2
    halved = soxr.resample(samples, 2, 1, quality="HQ")
    keep_energy(halved)
    return halved[:length] if len(halved) >= length else np.pad(halved, (0, length - len(halved)))


@njit(cache=True, error_model="numpy")
def keep_energy(samples):  # type: ignore[no-untyped-def]
    """Scale float32 samples in place that were just halved in number, so that their energy stays."""
    # In double precision as in librosa: of digital silence the next octaves get the roundings alone.
    for i in range(len(samples)):
        samples[i] = samples[i] / np.sqrt(0.5)


def project(samples: np.ndarray, hop: int, taps: np.ndarray, out: np.ndarray) -> None:
    """Write the magnitudes of one octave, shape ``(12, frames)``."""
    count = min(_AT_ONCE, out.shape[1])
    folded = np.empty((2, count, _HALF), dtype=np.float32)
    parts = np.empty((2, BINS, count), dtype=np.float32)
    for start in range(0, out.shape[1], _AT_ONCE):
        stop = min(start + _AT_ONCE, out.shape[1])
        even, odd = folded[:, : stop - start]
        _fold(samples, hop, start, even, odd)
        np.matmul(taps[0], even.T, out=parts[0, :, : stop - start])
        np.matmul(taps[1], odd.T, out=parts[1, :, : stop - start])
        _magnitudes(parts[0], parts[1], out, start, stop)


@njit(cache=True, error_model="numpy")
def _fold(samples, hop, start, even, odd):  # type: ignore[no-untyped-def]
    """Fill the sums and differences of sample ``129 + i`` of a frame and ``128 - i``, from a frame on.

    Frames are centred on every ``hop``-th sample, with zeros beyond the ends.
    """
    padded = np.empty(_TAPS, dtype=np.float32)
    for frame in range(len(even)):
        begin = (start + frame) * hop - _HALF
        if begin >= 0 and begin + _TAPS <= len(samples):
            taken = samples[begin : begin + _TAPS]
        else:
            for i in range(_TAPS):
                padded[i] = samples[begin + i] if 0 <= begin + i < len(samples) else 0
            taken = padded
        left, right = taken[: _HALF + 1], taken[_HALF + 1 :]
        sums, differences = even[frame], odd[frame]
        for i in range(_HALF - 1):
            sums[i] = right[i] + left[_HALF - i]
            differences[i] = right[i] - left[_HALF - i]
        # Spectra are products of circles: after the last sample comes the first.
        sums[_HALF - 1] = left[0] + left[1]
        differences[_HALF - 1] = left[0] - left[1]


@njit(cache=True, error_model="numpy")
def _magnitudes(real, imaginary, out, start, stop):  # type: ignore[no-untyped-def]
    # In double precision: the squares of the faintest sounds would leave the range of float32.
    for row in range(len(out)):
        for i in range(stop - start):
            out[row, start + i] = np.sqrt(np.float64(real[row, i]) ** 2 + np.float64(imaginary[row, i]) ** 2)


@lru_cache(maxsize=256)
def taps_of(tuning: float) -> np.ndarray:
    """Return the top octave's filters' taps from 129 on, float32 ``(2, 12, 128)``: even and odd part.

    A filter is a Hann-windowed tone of ``sr / (alpha f)`` samples and L1 norm 1, of whose spectrum the
    weakest hundredth is dropped, as ``librosa.cqt`` drops it. Single precision as there, so that the same
    values are dropped. The filters' middle is between taps 128 and 129. Turned to phase 0 there, a
    filter's real part is even and its imaginary part odd, so that half the products give the magnitude.
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
        spectrum[: _HALF + 1] = scipy.fft.fft(padded)[: _HALF + 1] / np.sqrt(length)
        _sparsify(spectrum[: _HALF + 1])
    # A frame's product with a filter's spectrum is its product with the transform of that spectrum.
    taps = scipy.fft.fft(spectra.astype(np.complex128), axis=1)
    middle = taps[:, _HALF] * taps[:, _HALF + 1]
    right = np.roll(taps, -_HALF - 1, axis=1)[:, :_HALF] * np.exp(-0.5j * np.angle(middle))[:, None]
    made = np.stack([right.real, right.imag]).astype(np.float32)
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
