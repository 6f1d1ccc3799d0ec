"""The zero-crossing rate of frames of 2,048 samples every 512."""

from __future__ import annotations

import numpy as np
from numba import njit

from segue.audio.kernels.spectrum import FRAME, HOP

_BLOCKS = FRAME // HOP
# The threshold in single precision, as librosa has it.
_NEGATIVE = -np.float32(1e-10)


@njit(cache=True, error_model="numpy")
def zero_crossing_rate(samples, lead, counts, firsts, frames, out):  # type: ignore[no-untyped-def]
    """Write the share of samples whose sign differs from the one before, within each frame, float64.

    A number within 1e-10 of 0 counts as positive; a frame's first sample has none before it. Beyond the ends
    the sound stays at its last value, so that nothing crosses there.

    Parameters
    ----------
    samples
        float32, of which block 0 begins ``lead`` blocks of 512 before.
    counts, firsts
        Scratch, int64, a number for each of ``frames + 3`` blocks.
    """
    for block in range(frames + _BLOCKS - 1):
        start = (block - lead) * HOP
        first, stop = max(start, 1), min(start + HOP, len(samples))
        count = 0
        if first < stop:
            # Slices, as indices that might be negative are not worked on side by side.
            these, before = samples[first:stop], samples[first - 1 : stop - 1]
            for i in range(len(these)):
                count += (these[i] < _NEGATIVE) != (before[i] < _NEGATIVE)
        counts[block] = count
        inside = 1 <= start < len(samples)
        firsts[block] = inside and (samples[start] < _NEGATIVE) != (samples[start - 1] < _NEGATIVE)
    for frame in range(frames):
        count = -firsts[frame]
        for block in range(frame, frame + _BLOCKS):
            count += counts[block]
        out[frame] = count / FRAME
