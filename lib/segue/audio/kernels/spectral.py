"""What one tile of magnitudes says of its sixteen frames: energy, shape, contrast, mel power."""

from __future__ import annotations

import numpy as np
from numba import njit

from segue.audio.kernels.banks import BANDS, MELS
from segue.audio.kernels.lanes import (
    add_weighted,
    fill16,
    keep_least,
    keep_most,
    load16,
    most,
    root,
    step,
    store,
    widen,
)  # fmt: skip
from segue.audio.kernels.spectrum import BINS, FRAME, TILE
from segue.settings import SAMPLE_RATE

_HZ = SAMPLE_RATE / FRAME
_TINY = float(np.finfo(np.float32).tiny)


@njit(error_model="numpy")
def shape(tile, at, rms, bandwidth, centroid, rolloff):  # type: ignore[no-untyped-def]
    """Write four features of a tile's frames, from index ``at`` of float64 rows on.

    With S the magnitudes and f the frequencies (Klapuri and Davy, Signal Processing Methods for Music
    Transcription, chapter 5): centroid ``sum(f S) / sum(S)``, bandwidth ``sqrt(sum(S (f - centroid)^2) /
    sum(S))``, both in Hz and 0 in a frame of zeros; roll-off, the lowest frequency up to which 0.85 of the
    sum of S lies; root mean square of the windowed frame, by Parseval's theorem.
    """
    zero = fill16(0.0)
    mass, first, second = zero, zero, zero
    total, energy = fill16(np.float32(0)), fill16(np.float32(0))
    for k in range(BINS):
        s = load16(tile, k * TILE)
        wide, bin_ = widen(s), fill16(float(k))
        weighted = wide * bin_
        mass, first, second = mass + wide, first + weighted, second + weighted * bin_
        total = total + s
        energy = energy + s * s
    dc, top = load16(tile, 0), load16(tile, (BINS - 1) * TILE)
    energy = energy - fill16(np.float32(0.5)) * (dc * dc + top * top)
    store(rms, at, widen(root(energy * fill16(np.float32(2 / FRAME**2)))))
    one = fill16(1.0)
    empty = step(mass, fill16(_TINY))
    mass_or_one = mass * (one - empty) + empty
    mean = first / mass_or_one
    spread = (second - (mean + mean) * first + mean * mean * mass) / mass_or_one
    store(centroid, at, mean * fill16(_HZ))
    store(bandwidth, at, root(most(spread, zero)) * fill16(_HZ))
    threshold = total * fill16(np.float32(0.85))
    below, summed = fill16(np.float32(0)), fill16(np.float32(0))
    for k in range(BINS):
        summed = summed + load16(tile, k * TILE)
        below = below + step(summed, threshold)
    store(rolloff, at, widen(below) * fill16(_HZ))


@njit(error_model="numpy")
def contrast(tile, bands, at, stride, valley, peak):  # type: ignore[no-untyped-def]
    """Write the mean of each octave band's weakest and strongest magnitudes, float64[7 * stride].

    Jiang et al., Music type classification by spectral contrast feature (2002).
    """
    low = fill16(np.float32(np.inf))
    high = fill16(np.float32(-1))
    for band in range(BANDS):
        a, b, count = bands.low[band], bands.high[band], bands.taken[band]
        if count == 1:
            least_, most_ = _extremes(tile, a, b, (low,), (high,))
        elif count == 2:
            least_, most_ = _extremes(tile, a, b, (low, low), (high, high))
        elif count == 3:
            least_, most_ = _extremes(tile, a, b, (low, low, low), (high, high, high))
        elif count == 6:
            least_, most_ = _extremes(
                tile, a, b, (low, low, low, low, low, low), (high, high, high, high, high, high)
            )
        else:
            least_, most_ = _extremes(
                tile, a, b, (low, low, low, low, low, low, low, low, low),
                (high, high, high, high, high, high, high, high, high),
            )  # fmt: skip
        store(valley, band * stride + at, widen(least_))
        store(peak, band * stride + at, widen(most_))


@njit(error_model="numpy")
def _extremes(tile, start, stop, smallest, greatest):  # type: ignore[no-untyped-def]
    """Return the means of as many smallest and greatest magnitudes of some bins as the tuples hold."""
    for k in range(start, stop):
        s = load16(tile, k * TILE)
        smallest, greatest = keep_least(smallest, s), keep_most(greatest, s)
    count = fill16(np.float32(len(smallest)))
    return _sum(smallest) / count, _sum(greatest) / count


@njit(error_model="numpy")
def _sum(kept):  # type: ignore[no-untyped-def]
    total = fill16(np.float32(0))
    for one in kept:
        total = total + one
    return total


@njit(error_model="numpy")
def mel(tile, bank, at, stride, power, out):  # type: ignore[no-untyped-def]
    """Write a tile's power, float32[1025 * 16], and its mel power, float32[128 * stride]."""
    for k in range(BINS):
        s = load16(tile, k * TILE)
        store(power, k * TILE, s * s)
    for band in range(MELS):
        summed = fill16(np.float32(0))
        start, offset = bank.start[band], bank.offset[band]
        for i in range(bank.offset[band + 1] - offset):
            summed = summed + load16(power, (start + i) * TILE) * fill16(bank.weights[offset + i])
        store(out, band * stride + at, summed)


@njit(cache=True, error_model="numpy")
def fold(tiles, count, bank, stride, out):  # type: ignore[no-untyped-def]
    """Write the chroma of ``count`` tiles, float64[12 * stride], each frame's greatest value 1.

    ``bank`` is that of `segue.audio.kernels.banks.chroma_bank`; the power of a bin goes to its pitch
    classes. A frame of zeros stays one.
    """
    for number in range(count):
        tile = tiles[number * BINS * TILE : (number + 1) * BINS * TILE]
        zero = fill16(np.float32(0))
        sums = (zero, zero, zero, zero, zero, zero, zero, zero, zero, zero, zero, zero)
        for k in range(BINS):
            s = load16(tile, k * TILE)
            sums = add_weighted(sums, s * s, bank, k * len(sums))
        greatest = zero
        for one in sums:
            greatest = most(greatest, one)
        empty = step(greatest, fill16(np.float32(_TINY)))
        length = greatest + empty
        for row in range(len(sums)):
            store(out, row * stride + number * TILE, widen(sums[row] / length))
