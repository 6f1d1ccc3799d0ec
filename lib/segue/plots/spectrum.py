"""A spectrogram on an axis of octaves, as the pictures of a sound draw it."""

from __future__ import annotations

import numpy as np
import scipy.fft
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from segue.settings import SAMPLE_RATE

FRAME = 2048
"""Samples of a window, as in the features' recipe: 93 ms."""
BIN_HZ = SAMPLE_RATE / FRAME
LOWEST_HZ = 60.0
_ROWS = 200
_TICKS = {100: "100", 200: "200", 500: "500", 1000: "1k", 2000: "2k", 5000: "5k", 10_000: "10k"}
_RANGE_DB = 70.0


def magnitudes(samples: np.ndarray, hop: int = 512) -> np.ndarray:
    """Return float32 ``(1025, frames)``: the spectrum of Hann windows of 2,048 samples every ``hop``.

    Parameters
    ----------
    samples
        float[n], mono, 22,050 Hz; zeros stand beyond its ends.
    """
    padded = np.pad(np.asarray(samples, dtype=np.float32), FRAME // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::hop]
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)).astype(np.float32)
    return np.abs(scipy.fft.rfft(frames * window, axis=1)).T


def decibels(values: np.ndarray) -> np.ndarray:
    """Return the level of magnitudes below the largest of them, at least -70 dB."""
    top = float(values.max(initial=0.0)) or 1.0
    return np.maximum(20 * np.log10(np.maximum(values / top, 1e-9)), -_RANGE_DB)


def octaves(hertz: np.ndarray) -> np.ndarray:
    """Return where frequencies stand on the axis that `draw_spectrogram` gives a picture."""
    return np.log2(np.maximum(hertz, LOWEST_HZ))


def draw_spectrogram(axes: Axes, spectrum: np.ndarray, seconds: float) -> AxesImage:
    """Draw magnitudes, float ``(1025, frames)``, over time in seconds and frequency in Hz by octaves."""
    low, high = np.log2(LOWEST_HZ), np.log2(SAMPLE_RATE / 2)
    at = 2 ** np.linspace(low, high, _ROWS) / BIN_HZ
    below = np.minimum(at.astype(int), len(spectrum) - 2)
    part = (at - below)[:, None].astype(np.float32)
    rows = spectrum[below] * (1 - part) + spectrum[below + 1] * part
    image = axes.imshow(
        decibels(rows), origin="lower", aspect="auto", extent=(0, seconds, low, high), cmap="magma",
        vmin=-_RANGE_DB, vmax=0, interpolation="nearest",
    )  # fmt: skip
    axes.set_yticks(np.log2(list(_TICKS)), list(_TICKS.values()))
    axes.set_ylim(low, high)
    axes.set_xlabel("time (s)")
    axes.grid(visible=False)
    return image
