"""The features of a sound of any length in memory that does not grow with it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, pairwise
from typing import IO

import numpy as np

from segue.audio.features import Extracted, extract_all
from segue.audio.kernels import tuning
from segue.audio.kernels.moments import summarise
from segue.audio.kernels.octaves import ChromaStream, ConstantQStream
from segue.audio.series import COUNT, KINDS, ROWS, Survey, Workspace, vector_of, workspace
from segue.audio.windows import HOP, Window, windows
from segue.settings import SAMPLE_RATE

Blocks = Callable[[], Iterable[np.ndarray]]
"""Gives a sound from its beginning on, as float32 pieces of any size; each call begins anew."""

# A minute.
_OWN = 2560
# A frame begins two frames' hops before its centre.
_MARGIN = 2
_AT_ONCE = 1 << 20
_OF_PITCH = np.concatenate(
    [np.arange(COUNT)[ROWS[feature]] for feature in ("chroma_cens", "chroma_cqt", "tonnetz")]
)
_OF_SPECTRUM = np.setdiff1d(np.arange(COUNT), _OF_PITCH)


def extract_blocks(blocks: Blocks, mel_s: float = 30.0) -> Extracted:
    """Return what `segue.audio.features.extract_all` returns of all samples together.

    A first pass over the sound estimates the tunings and finds the maxima, a second makes the series, which
    wait in a temporary file without a name. A sound of up to a minute is read once. Memory stays within some
    100 MiB of its own; on disk a second of sound takes some 35 kB.

    Parameters
    ----------
    blocks
        Called once or twice; must give the same samples each time.
    mel_s
        ``mel`` of the result is that of the sound's middle ``mel_s`` seconds.

    Raises
    ------
    ValueError
        If the samples are none that `segue.audio.features.extract` takes, or the second pass gives more or
        fewer than the first.
    """
    source = windows(blocks(), _OWN, _MARGIN)
    first = next(source)
    if first.ends:
        made = extract_all(first.samples)
        frames = made.mel.shape[1]
        return Extracted(made.vector, made.mel[:, _middle(frames, mel_s)].copy())
    # What is to be compiled is compiled before the other processes have to wait for a long sound.
    extract_all(np.zeros(1, dtype=np.float32))
    with workspace(_OWN) as work, _spilled(_OF_SPECTRUM) as spectral, _spilled(_OF_PITCH) as pitch:
        survey, total = _surveyed(work, _chained(first, source))
        second = _SecondPass(work, survey, total, spectral, pitch)
        mel = second.run(blocks(), _middle(1 + total // HOP, mel_s))
        return Extracted(second.summary(), mel)


def _chained(first: Window, rest: Iterator[Window]) -> Iterator[Window]:
    yield first
    yield from rest


def _middle(frames: int, seconds: float) -> slice:
    wanted = min(frames, 1 + int(seconds * SAMPLE_RATE) // HOP)
    start = (frames - wanted) // 2
    return slice(start, start + wanted)


def _sweep(work: Workspace, window: Window) -> None:
    # Before the sound there are two blocks of zeros.
    work.sweep(window.samples, _MARGIN if window.first == 0 else 0, window.stop - window.first)


def _surveyed(work: Workspace, source: Iterator[Window]) -> tuple[Survey, int]:
    """Return the survey of a whole sound and its length in samples."""
    maxima = np.zeros(3)
    total = 0
    with tempfile.TemporaryFile() as plain, tempfile.TemporaryFile() as squared:
        for window in source:
            _sweep(work, window)
            maxima = np.maximum(maxima, work.maxima(window.stop - window.first))
            for file, is_squared in ((plain, False), (squared, True)):
                np.ascontiguousarray(work.spectral_peaks(is_squared).T).tofile(file)
            total = window.total
        return Survey(_tuning(plain), _tuning(squared), *map(float, maxima)), total


def _tuning(file: IO[bytes]) -> float:
    """Return `segue.audio.kernels.tuning.tuning_of` of the peaks in a file."""
    threshold = _median(file)
    counts = np.zeros(100, dtype=np.int64)
    for peaks in _read(file):
        counts += tuning.deviations(peaks[peaks[:, 1] >= threshold, 0])
    return tuning.fullest(counts)


def _median(file: IO[bytes]) -> np.float32:
    """Return the median of the heights, which are not negative, by two passes over their binary form."""
    counts = np.zeros(1 << 16, dtype=np.int64)
    for peaks in _read(file):
        counts += np.bincount(_upper_half(peaks[:, 1]), minlength=len(counts))
    total = int(counts.sum())
    if not total:
        return np.float32(0)
    before = np.cumsum(counts)
    low, high = (int(np.searchsorted(before, rank, side="right")) for rank in ((total - 1) // 2, total // 2))
    near = np.concatenate(
        [
            peaks[(_upper_half(peaks[:, 1]) >= low) & (_upper_half(peaks[:, 1]) <= high), 1]
            for peaks in _read(file)
        ]
    )
    near.sort()
    skipped = int(before[low - 1]) if low else 0
    return np.mean(near[[(total - 1) // 2 - skipped, total // 2 - skipped]])


def _upper_half(heights: np.ndarray) -> np.ndarray:
    # Of numbers that are not negative the binary forms are in the numbers' order.
    return np.ascontiguousarray(heights).view(np.uint32) >> 16


def _read(file: IO[bytes]) -> Iterator[np.ndarray]:
    """Yield the peaks of a file, float32 ``(peaks, 2)``: pitch and height."""
    file.seek(0)
    while len(peaks := np.fromfile(file, dtype=np.float32, count=_AT_ONCE)):
        yield peaks.reshape(-1, 2)


class _SecondPass:
    """Makes the series of a sound that was surveyed, and their statistics."""

    def __init__(
        self, work: Workspace, survey: Survey, total: int, spectral: _Spilled, pitch: _Spilled
    ) -> None:
        self._work, self._survey, self._total = work, survey, total
        self._spectral, self._pitch = spectral, pitch
        self._octaves = ConstantQStream(survey.tuning)
        self._chroma = ChromaStream()

    def run(self, blocks: Iterable[np.ndarray], middle: slice) -> np.ndarray:
        """Make the series, and return the mel power of the ``middle`` frames."""
        mel = []
        read = 0
        for window in windows(self._fed(blocks), _OWN, _MARGIN):
            frames = window.stop - window.first
            _sweep(self._work, window)
            self._work.finish(frames, self._survey)
            self._spectral.append(self._work.series[_OF_SPECTRUM, :frames])
            inside = (min(max(at - window.first, 0), frames) for at in (middle.start, middle.stop))
            mel.append(self._work.mel[:, slice(*inside)].copy())
            self._take(last=window.ends)
            read = window.total
        if read != self._total:
            raise ValueError(f"the first pass over the sound gave {self._total} samples, the second {read}")
        return np.concatenate(mel, axis=1)

    def _fed(self, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        for block in blocks:
            self._octaves.feed(block.astype(np.float32))
            yield block
        self._octaves.feed(np.empty(0, dtype=np.float32), last=True)

    def _take(self, last: bool) -> None:
        cqt, cens, centroids = self._chroma.of(self._octaves.take(), last)
        self._pitch.append(np.concatenate([cens, cqt, centroids]))

    def summary(self) -> np.ndarray:
        """Return the 518 statistics, with one series in memory at a time."""
        statistics = np.empty((COUNT, 7))
        for row, values in chain(self._spectral, self._pitch):
            statistics[row] = summarise(values[None], len(values), KINDS[row : row + 1])[0]
        return vector_of(statistics)


@contextmanager
def _spilled(rows: np.ndarray) -> Iterator[_Spilled]:
    with tempfile.TemporaryFile() as file:
        yield _Spilled(rows, file)


class _Spilled:
    """Some rows of the series, growing to the right in a file."""

    def __init__(self, rows: np.ndarray, file: IO[bytes]) -> None:
        self._rows, self._file = rows, file
        self._cuts = [0]

    def append(self, part: np.ndarray) -> None:
        np.ascontiguousarray(part, dtype=np.float64).tofile(self._file)
        self._cuts.append(self._cuts[-1] + part.shape[1])

    def __iter__(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield each row's number and values."""
        for place, row in enumerate(self._rows):
            yield int(row), np.concatenate([self._part(place, a, b) for a, b in pairwise(self._cuts)])

    def _part(self, place: int, start: int, stop: int) -> np.ndarray:
        self._file.seek(8 * (len(self._rows) * start + place * (stop - start)))
        return np.fromfile(self._file, dtype=np.float64, count=stop - start)
