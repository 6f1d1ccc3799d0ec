"""The constant-Q transform and its chroma of a sound that comes in blocks, in memory that does not grow."""

from __future__ import annotations

import numpy as np
import soxr

from segue.audio.kernels.chroma import chroma_cens, chroma_cqt, tonnetz
from segue.audio.kernels.constant_q import BINS, HOP, OCTAVES, keep_energy, project, taps_of
from segue.audio.windows import Tail

_HALF = 128  # samples of a filter on either side of a frame's centre
_SMOOTHED = 21  # frames on either side that a smoothed chroma vector depends on


class ConstantQStream:
    """`segue.audio.kernels.constant_q.constant_q` of what is fed, frame by frame as it becomes known.

    Each octave is halved by a stream of soxr's, which gives what soxr gives of the whole sound at once to the
    last bit: even the roundings about digital silence, which chroma vectors blow up, are the same.
    """

    def __init__(self, tuning: float) -> None:
        self._taps = taps_of(round(float(tuning), 6))
        self._halvers = [_Halver() for _ in range(OCTAVES - 1)]
        self._tails = [Tail(np.empty(0, dtype=np.float32)) for _ in range(OCTAVES)]
        self._taken = 0
        self._dry = False

    def feed(self, samples: np.ndarray, last: bool = False) -> None:
        """Take in float32 samples, at last with ``last``."""
        self._tails[0].append(samples)
        for halver, tail in zip(self._halvers, self._tails[1:], strict=True):
            samples = halver.halve(samples, last)
            tail.append(samples)
        self._dry = last

    def take(self) -> np.ndarray:
        """Return the frames that are known and were not returned before, float32 ``(84, frames)``."""
        first = self._taken
        stop = self._known()
        made = np.empty((OCTAVES * BINS, max(stop - first, 0)), dtype=np.float32)
        if stop <= first:
            return made
        for octave, tail in enumerate(self._tails):
            hop = HOP >> octave
            margin = min(-(-_HALF // hop), first)
            samples = np.ascontiguousarray(tail.between((first - margin) * hop, stop * hop + _HALF))
            rows = np.empty((BINS, stop - first + margin), dtype=np.float32)
            project(samples, hop, self._taps, rows)
            top = len(made) - BINS * octave
            made[top - BINS : top] = rows[:, margin:]
            tail.drop_before(max(stop - -(-_HALF // hop), 0) * hop)
        self._taken = stop
        return made

    def _known(self) -> int:
        if self._dry:
            return 1 + self._tails[0].stop // HOP
        return min((tail.stop - _HALF) // (HOP >> octave) for octave, tail in enumerate(self._tails))


class _Halver:
    """Half the rate, and the energy of the whole, for one octave."""

    def __init__(self) -> None:
        self._stream = soxr.ResampleStream(2, 1, 1, dtype="float32", quality="HQ")
        self._read = self._made = 0

    def halve(self, samples: np.ndarray, last: bool) -> np.ndarray:
        self._read += len(samples)
        halved = self._stream.resample_chunk(samples, last=last)
        keep_energy(halved)
        if last:
            left = (self._read + 1) // 2 - self._made
            halved = np.pad(halved[:left], (0, max(left - len(halved), 0)))
        self._made += len(halved)
        return halved


class ChromaStream:
    """Chroma, smoothed chroma and tonal centroids of a constant-Q transform, as they become known."""

    def __init__(self) -> None:
        self._tail = Tail(np.empty((OCTAVES * BINS, 0), dtype=np.float32))
        self._taken = 0

    def of(self, cqt: np.ndarray, last: bool) -> tuple[np.ndarray, ...]:
        """Return ``chroma_cqt``, ``chroma_cens`` and ``tonnetz`` of the frames that ``cqt`` completes."""
        self._tail.append(cqt)
        first, start = self._taken, self._tail.start
        stop = self._tail.stop if last else max(self._tail.stop - _SMOOTHED, first)
        if stop == first:
            return tuple(np.empty((rows, 0)) for rows in (BINS, BINS, 6))
        held = self._tail.between(start, self._tail.stop)
        inner = slice(first - start, stop - start)
        cens = chroma_cens(held)[:, inner]
        made = chroma_cqt(held[:, inner]), cens, tonnetz(cens)
        self._taken = stop
        self._tail.drop_before(max(stop - _SMOOTHED, 0))
        return made
