"""Filters over the bins of a 2,048-point transform at 22,050 Hz: mel bands, pitch classes, octave bands."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from segue.settings import SAMPLE_RATE

MELS = 128
CLASSES = 12
BANDS = 7
_FRAME = 2048
_BINS = _FRAME // 2 + 1
_QUANTILE = 0.02
_LOWEST_BAND_HZ = 200.0


class SparseBank(NamedTuple):
    """Filters that see few bins: filter i weighs the bins from ``start[i]`` on.

    Its weights are ``weights[offset[i] : offset[i + 1]]``, float32.
    """

    start: np.ndarray
    offset: np.ndarray
    weights: np.ndarray


class Bands(NamedTuple):
    """Octave bands: bins ``low[i] <= bin < high[i]``, of which ``taken[i]`` make a peak or a valley."""

    low: np.ndarray
    high: np.ndarray
    taken: np.ndarray


def mel_bank() -> SparseBank:
    """Return 128 triangular filters of area 1 over Slaney's mel scale from 0 Hz to 11,025 Hz.

    Slaney, Auditory Toolbox (1998): linear below 1 kHz, logarithmic above; librosa's default.
    """
    edges = _mel_edges(np.linspace(0.0, _mel_of(SAMPLE_RATE / 2), MELS + 2))
    widths = np.diff(edges)
    ramps = np.subtract.outer(edges, np.arange(_BINS) * (SAMPLE_RATE / _FRAME))
    lower = -ramps[:-2] / widths[:-1, None]
    upper = ramps[2:] / widths[1:, None]
    weights = np.maximum(0, np.minimum(lower, upper)).astype(np.float32)
    weights *= (2.0 / (edges[2:] - edges[:-2]))[:, None]
    inside = weights > 0
    start = inside.argmax(axis=1)
    stop = _BINS - inside[:, ::-1].argmax(axis=1)
    offset = np.concatenate([[0], np.cumsum(stop - start)])
    return SparseBank(
        start, offset, np.concatenate([row[a:b] for row, a, b in zip(weights, start, stop, strict=True)])
    )


def _mel_of(hz: float) -> float:
    return 15.0 + np.log(hz / 1000.0) / (np.log(6.4) / 27.0)


def _mel_edges(mels: np.ndarray) -> np.ndarray:
    return np.where(mels < 15.0, mels * (200.0 / 3), 1000.0 * np.exp(np.log(6.4) / 27.0 * (mels - 15.0)))


@lru_cache(maxsize=101)
def chroma_bank(tuning: float) -> np.ndarray:
    """Return twelve pitch class filters from C on, as float32[1025 * 12], bin by bin.

    Each bin's weights fall off as a Gaussian with the distance in semitones and have L2 norm 1, times a
    Gaussian two octaves wide about 440 * 2 ** 0.25 Hz: Ellis, Chroma feature analysis and synthesis (2007).

    Parameters
    ----------
    tuning
        Deviation from A440 in semitones; there are a hundred estimates, so all are kept.
    """
    a = 440.0 * 2.0 ** (tuning / CLASSES)
    frequencies = np.arange(1, _BINS + 1) * (SAMPLE_RATE / _FRAME)
    pitches = CLASSES * np.log2(frequencies / (a / 16))
    pitches = np.concatenate([[pitches[0] - 1.5 * CLASSES], pitches])
    widths = np.maximum(np.diff(pitches), 1.0)
    pitches = pitches[:_BINS]
    half = CLASSES / 2
    distance = np.subtract.outer(pitches, np.arange(CLASSES, dtype=float))
    distance = np.remainder(distance + half + 10 * CLASSES, CLASSES) - half
    weights = np.exp(-0.5 * (2 * distance / widths[:, None]) ** 2)
    weights /= np.sqrt((weights**2).sum(axis=1, keepdims=True))
    weights *= np.exp(-0.5 * ((pitches / CLASSES - 5.0) / 2.0) ** 2)[:, None]
    made = np.roll(weights, -3, axis=1).astype(np.float32).ravel()
    made.flags.writeable = False
    return made


def octave_bands() -> Bands:
    """Return the bands of spectral contrast: up to 200 Hz, six octaves, with librosa's overlaps and counts.

    Each band but the first begins one bin below its edge; each but the last leaves its highest bin out,
    which its count of bins still holds.
    """
    hz = np.arange(_BINS) * (SAMPLE_RATE / _FRAME)
    edges = np.concatenate([[0.0], _LOWEST_BAND_HZ * 2.0 ** np.arange(BANDS)])
    low, high, taken = [], [], []
    for band, (bottom, top) in enumerate(pairwise(edges)):
        inside = np.flatnonzero((hz >= bottom) & (hz <= top))
        first, end = inside[0] - (band > 0), _BINS if band == BANDS - 1 else inside[-1] + 1
        low.append(first)
        high.append(end - (band < BANDS - 1))
        taken.append(max(int(np.rint(_QUANTILE * (end - first))), 1))
    return Bands(np.array(low), np.array(high), np.array(taken))
