"""The 518 features of FMA's published table, from mono samples at 22,050 Hz."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segue.audio.columns import COLUMNS, GROUPS, STATISTICS, columns_of
from segue.audio.windows import HOP, checked
from segue.compiled import compiling
from segue.settings import SAMPLE_RATE, Settings

__all__ = [
    "COLUMNS", "GROUPS", "RECIPE", "STATISTICS", "Extracted", "columns_of", "extract", "extract_all",
    "recipe",
]  # fmt: skip

RECIPE = "fma518/2"
"""Name and version of what `extract` computes; it changes whenever a value may change."""


def recipe(settings: Settings) -> str:
    """Return the recipe's key with the part of a file it is applied to, such as ``fma518/2:middle30``."""
    return f"{RECIPE}:middle{settings.analysed_s:g}" if settings.analysed_s else f"{RECIPE}:whole"


def extract(samples: np.ndarray, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """Return the features of ``samples`` in the order of `COLUMNS`.

    The recipe is the one of Defferrard et al., FMA: A Dataset for Music Analysis (ISMIR 2017), with
    librosa 0.11's definitions and values: frames of 2,048 samples every 512, seven octaves of twelve
    constant-Q bins, and seven statistics over the frames. ``rmse`` is librosa's ``rms`` of the windowed
    frames; in the published table it was not yet divided by the frame's length.

    Two of librosa's habits show in the values. It estimates the tuning twice, once from the magnitudes for
    the constant-Q transform and once from the power spectrum for ``chroma_stft``, and the two may differ.
    And the decibels of mel bands and contrast end 80 dB below the sound's own maximum, so that a loud moment
    changes quiet ones. Where a series is constant (digital silence, a chroma class that is the strongest
    throughout) scipy's skew and kurtosis are NaN; here they are 0.

    Parameters
    ----------
    samples
        float32, shape ``(n,)``, ``n >= 1``, finite; full scale is 1.0 and may be passed.
    sample_rate
        Samples a second: 22,050.

    Returns
    -------
    numpy.ndarray
        float32, shape ``(518,)``, finite.

    Raises
    ------
    ValueError
        If ``samples`` is not one row of at least one number, all finite and their squares within single
        precision, or the rate is another.
    """
    return extract_all(samples, sample_rate).vector


@dataclass(slots=True)
class Extracted:
    """The features, float32[518], and the mel power spectrogram they share, float32 ``(128, frames)``."""

    vector: np.ndarray
    mel: np.ndarray


def extract_all(samples: np.ndarray, sample_rate: int = SAMPLE_RATE) -> Extracted:
    """Return what `extract` returns, with the mel spectrogram for the fingerprint; it raises the same."""
    if sample_rate != SAMPLE_RATE:
        raise ValueError(f"samples must be at {SAMPLE_RATE} Hz, not {sample_rate}")
    samples = checked(samples)
    if not len(samples):
        raise ValueError("there are no samples")
    frames = 1 + len(samples) // HOP
    with compiling():
        from segue.audio.series import workspace

        with workspace(frames) as work:
            work.sweep(samples, 2, frames)
            survey = work.survey(frames)
            work.finish(frames, survey)
            work.constant_q(samples, 0, frames, survey)
            return Extracted(work.summary(frames), work.mel[:, :frames].copy())
