"""The 74 series of a sound over its frames: memory for them, and the passes that fill it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numba import njit

from segue.audio.columns import SIZES
from segue.audio.kernels import banks, spectral, tuning
from segue.audio.kernels.chroma import chroma_cens, chroma_cqt, tonnetz
from segue.audio.kernels.constant_q import constant_q
from segue.audio.kernels.moments import BY_FRAME, FLOAT32, FLOAT64, summarise
from segue.audio.kernels.spectrum import BINS, TILE, magnitudes, stride_of, tiles_of, to_columns, transform
from segue.audio.kernels.zero_crossings import zero_crossing_rate

_STOPS = np.cumsum(list(SIZES.values()))
ROWS = {
    feature: slice(int(stop) - size, int(stop))
    for (feature, size), stop in zip(SIZES.items(), _STOPS, strict=True)
}
"""Where each feature's series are."""
COUNT = int(_STOPS[-1])
_KIND = {
    "chroma_cens": FLOAT32, "chroma_cqt": FLOAT32 + BY_FRAME, "chroma_stft": FLOAT32 + BY_FRAME,
    "mfcc": FLOAT32, "rmse": FLOAT32, "tonnetz": FLOAT64 + BY_FRAME,
}  # fmt: skip
KINDS = np.repeat([_KIND.get(feature, FLOAT64) for feature in SIZES], list(SIZES.values()))
"""What `segue.audio.kernels.moments` must know of each row."""
_FAINTEST = 1e-10
_RANGE_DB = 80.0
# Sounds up to this long leave their memory for the next, some 12 MiB for each 30 s.
_KEPT_TILES = 500


@dataclass(slots=True)
class Survey:
    """What must be known of a whole sound before its series can be finished.

    ``tuning`` and ``power_tuning``, in semitones, are librosa's estimates from the magnitudes (for the
    constant-Q transform) and from the power spectrum (for ``chroma_stft``). The maxima of mel power and of
    the contrast's valleys and peaks set the floor 80 dB below them.
    """

    tuning: float
    power_tuning: float
    mel: float
    valley: float
    peak: float


class Workspace:
    """Memory for some tiles of a sound and everything made of them; used again and again."""

    def __init__(self, tiles: int) -> None:
        self.tiles = tiles
        self.stride = stride_of(tiles)
        self.columns = np.empty(self.stride * 512, dtype=np.float32)
        self.spectra = np.empty(tiles * BINS * TILE, dtype=np.float32)
        self.power = np.empty(BINS * TILE, dtype=np.float32)
        self.mel = np.empty((banks.MELS, self.stride), dtype=np.float32)
        self.series = np.empty((COUNT, self.stride))
        self.valley = np.empty((banks.BANDS, self.stride))
        self.peak = np.empty((banks.BANDS, self.stride))
        self.counts = np.empty((2, self.stride), dtype=np.int64)
        self.peaks = np.empty((2, 2, tiles * tuning.MOST_PEAKS), dtype=np.float32)
        self.transform = transform()
        self.found = np.zeros(2, dtype=np.int64)

    def sweep(self, samples: np.ndarray, lead: int, frames: int) -> None:
        """Fill what one look at each tile gives, from float32 samples that block ``lead`` begins with."""
        stride = stride_of(tiles_of(frames))
        to_columns(samples, lead, self.columns, stride)
        rows = self.series.ravel()
        _sweep(
            self.columns, stride, frames, self.transform, _mel_bank(), _bands(), self.spectra, self.power,
            rows, self.stride, self.mel.ravel(), self.valley.ravel(), self.peak.ravel(), self.peaks,
            self.found,
        )  # fmt: skip
        zero_crossing_rate(samples, lead, *self.counts, frames, self.series[ROWS["zcr"]][0])

    def spectral_peaks(self, squared: bool) -> np.ndarray:
        """Return what `tuning.find_peaks` found, pitches and heights, float32 ``(2, peaks)``."""
        return self.peaks[int(squared), :, : self.found[int(squared)]]

    def maxima(self, frames: int) -> tuple[float, float, float]:
        """Return the greatest mel power, valley and peak."""
        mel, valley, peak = (part[:, :frames].max() for part in (self.mel, self.valley, self.peak))
        return float(mel), float(valley), float(peak)

    def survey(self, frames: int) -> Survey:
        """Return the survey of a sound that was swept as a whole."""
        plain, squared = (tuning.tuning_of(*self.spectral_peaks(squared)) for squared in (False, True))
        return Survey(plain, squared, *self.maxima(frames))

    def finish(self, frames: int, survey: Survey) -> None:
        """Fill the series that need the survey."""
        level, floor = _decibels(self.mel[:, :frames], survey.mel)
        # Above the floor, so that silence gives exact zeros in all rows but the first.
        level -= floor
        mfcc = self.series[ROWS["mfcc"], :frames]
        mfcc[:] = _dct() @ level
        mfcc[0] += floor * np.sqrt(banks.MELS)
        peak, _ = _decibels(self.peak[:, :frames], survey.peak)
        valley, _ = _decibels(self.valley[:, :frames], survey.valley)
        np.subtract(peak, valley, out=self.series[ROWS["spectral_contrast"], :frames])
        bank = banks.chroma_bank(survey.power_tuning)
        spectral.fold(
            self.spectra, tiles_of(frames), bank, self.stride, self.series[ROWS["chroma_stft"]].reshape(-1)
        )

    def constant_q(self, samples: np.ndarray, skip: int, frames: int, survey: Survey) -> None:
        """Fill the series that come of the constant-Q transform, with its frames after the first ``skip``."""
        cqt = constant_q(samples, survey.tuning)
        inner = slice(skip, skip + frames)
        cens = chroma_cens(cqt)[:, inner]
        self.series[ROWS["chroma_cqt"], :frames] = chroma_cqt(cqt[:, inner])
        self.series[ROWS["chroma_cens"], :frames] = cens
        self.series[ROWS["tonnetz"], :frames] = tonnetz(cens)

    def summary(self, frames: int) -> np.ndarray:
        """Return the 518 statistics of the series' first ``frames`` values, float32."""
        return vector_of(summarise(self.series, frames, KINDS))


def vector_of(statistics: np.ndarray) -> np.ndarray:
    """Return ``(74, 7)`` statistics of the series in the order of `segue.audio.columns.COLUMNS`."""
    return np.concatenate([statistics[rows].T.ravel() for rows in ROWS.values()]).astype(np.float32)


@lru_cache(maxsize=1)
def _mel_bank() -> banks.SparseBank:
    return banks.mel_bank()


@lru_cache(maxsize=1)
def _bands() -> banks.Bands:
    return banks.octave_bands()


@lru_cache(maxsize=1)
def _dct() -> np.ndarray:
    """Return the first 20 rows of the orthonormal DCT-II of 128 points, float32."""
    n = np.arange(banks.MELS)
    matrix = np.cos(np.pi / banks.MELS * np.outer(np.arange(SIZES["mfcc"]), n + 0.5)) * np.sqrt(
        2 / banks.MELS
    )
    matrix[0] /= np.sqrt(2)
    return matrix.astype(np.float32)


def _decibels(power: np.ndarray, greatest: float) -> tuple[np.ndarray, np.floating]:
    """Return ``10 log10(power)`` and its floor: -100 dB, or 80 dB below the greatest of the whole sound."""
    level = np.maximum(power, power.dtype.type(_FAINTEST))
    np.log10(level, out=level)
    level *= 10
    kind = power.dtype.type
    loudest = 10 * np.log10(np.maximum(kind(greatest), kind(_FAINTEST)))
    floor = max(loudest - kind(_RANGE_DB), 10 * np.log10(kind(_FAINTEST)))
    return np.maximum(level, floor, out=level), floor


@njit(cache=True, error_model="numpy")
def _sweep(  # type: ignore[no-untyped-def]
    columns, stride, frames, t, bank, bands, spectra, power, rows, row_stride, mel, valley, peak, peaks, found
):  # fmt: skip
    found[:] = 0
    for number in range((frames + TILE - 1) // TILE):
        tile = spectra[number * BINS * TILE : (number + 1) * BINS * TILE]
        magnitudes(columns, stride, number, t, tile)
        at = number * TILE
        spectral.shape(
            tile, at,
            rows[_RMS * row_stride :], rows[_BANDWIDTH * row_stride :], rows[_CENTROID * row_stride :],
            rows[_ROLLOFF * row_stride :],
        )  # fmt: skip
        spectral.contrast(tile, bands, at, row_stride, valley, peak)
        spectral.mel(tile, bank, at, row_stride, power, mel)
        lanes = min(TILE, frames - at)
        valid = (1 << lanes) - 1
        found[0] = tuning.find_peaks(tile, valid, peaks[0], found[0])
        found[1] = tuning.find_peaks(power, valid, peaks[1], found[1])


_RMS, _BANDWIDTH, _CENTROID, _ROLLOFF = (
    ROWS[feature].start for feature in ("rmse", "spectral_bandwidth", "spectral_centroid", "spectral_rolloff")
)
_pool: list[Workspace] = []


@contextmanager
def workspace(frames: int) -> Iterator[Workspace]:
    """Lend memory for ``frames`` frames: what an earlier sound left, if it is enough and no thread has it."""
    tiles = tiles_of(frames)
    try:
        work = _pool.pop()
    except IndexError:
        work = Workspace(tiles)
    if work.tiles < tiles:
        work = Workspace(tiles)
    yield work
    if work.tiles <= _KEPT_TILES and not _pool:
        _pool.append(work)
