"""Pitch classes over time from a constant-Q transform: chroma, smoothed chroma, tonal centroids."""

from __future__ import annotations

import numpy as np
from numba import njit

from segue.audio.kernels.constant_q import BINS

_STEPS = (0.4, 0.2, 0.1, 0.05)
_TINY = np.finfo(np.float32).tiny
# A Hann window of 43 frames without the zeros at its ends.
_SMOOTHING = np.sin(np.pi * np.arange(1, 42) / 42) ** 2 / 21
# Pitch classes on the circles of fifths, minor and major thirds, and the radii of the circles.
_ANGLES = np.pi * np.multiply.outer([7 / 6, 3 / 2, 2 / 3], np.arange(BINS))
_RADII = np.array([[1.0], [1.0], [0.5]])
_CIRCLES = np.stack([_RADII * np.sin(_ANGLES), _RADII * np.cos(_ANGLES)], axis=1).reshape(6, BINS)


def chroma_cqt(cqt: np.ndarray) -> np.ndarray:
    """Return the octaves' sum over the frames, each frame divided by its largest value.

    Parameters
    ----------
    cqt
        float32, shape ``(84, frames)``: magnitudes from C1 upwards, twelve bins an octave.

    Returns
    -------
    numpy.ndarray
        float32, shape ``(12, frames)``, from C; 0 where there is no sound.
    """
    folded = _fold(cqt)
    return _over(folded, folded.max(axis=0).astype(np.float64))


def chroma_cens(cqt: np.ndarray) -> np.ndarray:
    """Return the chroma energy normalised statistics of Müller and Ewert (Chroma Toolbox, ISMIR 2011).

    Each frame is divided by its sum and quantised in four steps, the frames are smoothed by a Hann window of
    41, and each is divided by its Euclidean norm. Shapes are those of `chroma_cqt`.
    """
    folded = _fold(cqt)
    shares = _over(folded, folded.sum(axis=0, dtype=np.float64))
    levels = np.zeros_like(shares)
    for step in _STEPS:
        levels += shares > step
    levels *= np.float32(0.25)
    smooth = _smooth(levels, _SMOOTHING)
    return _over(smooth, np.sqrt(np.einsum("cf,cf->f", smooth, smooth, dtype=np.float64)))


def tonnetz(cens: np.ndarray) -> np.ndarray:
    """Return the tonal centroids of Harte, Sandler and Gasser (Detecting Harmonic Change, 2006).

    Parameters
    ----------
    cens
        Chroma, float32, shape ``(12, frames)``.

    Returns
    -------
    numpy.ndarray
        float64, shape ``(6, frames)``: sine and cosine on the circle of fifths, of minor and of major thirds.
    """
    shares = _over(cens, cens.sum(axis=0, dtype=np.float64))
    return _CIRCLES @ shares


def _fold(cqt: np.ndarray) -> np.ndarray:
    return cqt.reshape(-1, BINS, cqt.shape[1]).sum(axis=0)


def _over(values: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Return the frames divided by their lengths; those too short for a float32 are left as they are."""
    length[length < _TINY] = 1
    return (values / length).astype(np.float32)


@njit(cache=True, error_model="numpy")
def _smooth(levels, window):  # type: ignore[no-untyped-def]
    """Return the rows convolved with a symmetric window, zeros beyond their ends."""
    frames, half = levels.shape[1], len(window) // 2
    padded, total = np.zeros(frames + 2 * half), np.empty(frames)
    smooth = np.empty_like(levels)
    for row in range(len(levels)):
        padded[half : half + frames] = levels[row]
        total[:] = 0
        for tap in range(len(window)):
            weight, shifted = window[tap], padded[tap : tap + frames]
            for frame in range(frames):
                total[frame] += weight * shifted[frame]
        smooth[row] = total
    return smooth
