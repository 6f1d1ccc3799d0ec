"""The tuning of a sound against A440, estimated as librosa does it, to the same hundredth of a semitone."""

from __future__ import annotations

import numpy as np
from numba import njit

from segue.audio.kernels.lanes import above, fill16, load16, lowest_bit, most, not_below
from segue.audio.kernels.moments import medians
from segue.audio.kernels.spectrum import BINS, FRAME, TILE
from segue.settings import SAMPLE_RATE

_HZ = SAMPLE_RATE / FRAME
_FIRST = int(np.ceil(150.0 / _HZ))
_STOP = int(np.ceil(4000.0 / _HZ))
MOST_PEAKS = TILE * ((_STOP - _FIRST + 1) // 2)
"""Peaks that a tile may have."""
_EDGES = np.linspace(-0.5, 0.5, 101)


@njit(error_model="numpy")
def find_peaks(tile, valid, peaks, found):  # type: ignore[no-untyped-def]
    """Append a tile's spectral peaks to rows of pitches (Hz) and heights, float32; return their new number.

    A peak lies between 150 and 4,000 Hz, above a tenth of its frame's maximum, and is refined by a parabola
    through its neighbours (Smith, Spectral Audio Signal Processing, "Quadratic interpolation"). Precisions
    are librosa's.

    Parameters
    ----------
    tile
        float32[1025 * 16], magnitudes or power.
    valid
        Integer whose bit i says whether lane i is a frame of the sound.
    """
    greatest = fill16(np.float32(0))
    for k in range(BINS):
        greatest = most(greatest, load16(tile, k * TILE))
    threshold = greatest * fill16(np.float32(0.1))
    for k in range(_FIRST, _STOP):
        s = load16(tile, k * TILE)
        bits = valid & above(s, threshold)
        if bits:
            bits &= above(s, load16(tile, (k - 1) * TILE)) & not_below(s, load16(tile, (k + 1) * TILE))
        while bits:
            at = k * TILE + lowest_bit(bits)
            bits &= bits - 1
            peaks[0, found], peaks[1, found] = _refined(tile[at - TILE], tile[at], tile[at + TILE], k)
            found += 1
    return found


@njit(error_model="numpy")
def _refined(left, height, right, k):  # type: ignore[no-untyped-def]
    curve = np.float64(right + left) - 2.0 * np.float64(height)
    slope = np.float64(right - left) / 2.0
    shift = np.float32(0.0 if abs(slope) >= abs(curve) else -slope / curve)
    pitch = np.float32((k + np.float64(shift)) * 22050.0 / 2048)
    gradient = (right - left) / np.float32(2)
    return pitch, height + np.float32(0.5) * gradient * shift


def tuning_of(pitches: np.ndarray, heights: np.ndarray) -> float:
    """Return the most frequent deviation from the nearest semitone of A440, in semitones.

    Only peaks count that are at least as high as their median; the deviation is the lower edge of the fullest
    of a hundred bins from -0.5 to 0.5. No peaks, no deviation: 0.
    """
    if not len(pitches):
        return 0.0
    return fullest(deviations(pitches[heights >= medians(heights)]))


def deviations(pitches: np.ndarray) -> np.ndarray:
    """Return how many pitches (Hz, float32) lie in each hundredth of a semitone about their nearest one."""
    counts = np.zeros(100, dtype=np.int64)
    # numpy's own logarithm in float32, whose last bit may decide the bin.
    _count(12 * np.log2(pitches / (440.0 / 16)), _EDGES, counts)
    return counts


def fullest(counts: np.ndarray) -> float:
    """Return the lower edge of the fullest bin; 0 if all are empty."""
    return float(_EDGES[np.argmax(counts)]) if counts.any() else 0.0


@njit(cache=True, error_model="numpy")
def _count(semitones, edges, counts):  # type: ignore[no-untyped-def]
    for semitone in semitones:
        residual = semitone - np.floor(semitone)
        if residual >= 0.5:
            residual -= np.float32(1)
        bin_ = min(max(int((residual + 0.5) * 100), 0), 99)
        while bin_ < 99 and residual >= edges[bin_ + 1]:
            bin_ += 1
        while bin_ > 0 and residual < edges[bin_]:
            bin_ -= 1
        counts[bin_] += 1
