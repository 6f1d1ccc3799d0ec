"""Pitch classes of an excerpt over time, and its path on the circle of fifths."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from segue.audio.kernels.chroma import chroma_cens, chroma_cqt, tonnetz
from segue.audio.kernels.constant_q import constant_q
from segue.plots.spectrum import magnitudes
from segue.plots.style import COLOURS, FAINT, NEUTRAL, SEQUENTIAL
from segue.settings import SAMPLE_RATE

PITCH_CLASSES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")


def notes(axes: Axes, samples: np.ndarray) -> None:
    """Draw the chroma of the spectrogram, each frame beside its strongest pitch class."""
    from segue.audio.kernels.banks import chroma_bank

    folded = chroma_bank(0.0).reshape(-1, 12).T @ magnitudes(samples) ** 2
    _chromagram(axes, folded / np.maximum(folded.max(axis=0), 1e-12), samples)


def semitones(axes: Axes, samples: np.ndarray) -> None:
    """Draw the chroma of the constant-Q transform with its row of C marked."""
    _chromagram(axes, chroma_cqt(_transform(samples)), samples)
    axes.axhspan(-0.5, 0.5, fill=False, edgecolor=COLOURS[1], linewidth=1.6, clip_on=False)


def cens(axes: Axes, samples: np.ndarray) -> None:
    """Draw the smoothed chroma, whose frames have length 1."""
    _chromagram(axes, chroma_cens(_transform(samples)), samples)


def circles_of_fifths(panels: Sequence[Axes], excerpts: Sequence[np.ndarray]) -> None:
    """Draw the paths of the harmony's centre among the pitch classes, with their means, on one scale."""
    paths = [tonnetz(chroma_cens(_transform(samples)))[:2] for samples in excerpts]
    reach = max(0.05, *(float(np.hypot(*path).max(initial=0.0)) for path in paths))
    ring = np.linspace(0, 2 * np.pi, 181)
    for axes, (x, y) in zip(panels, paths, strict=True):
        axes.plot(reach * np.sin(ring), reach * np.cos(ring), color=FAINT, linewidth=1)
        axes.plot(x, y, color=COLOURS[0], linewidth=1.2, alpha=0.8)
        axes.plot([0, x.mean()], [0, y.mean()], color=COLOURS[1])
        axes.plot([x.mean()], [y.mean()], "o", color=COLOURS[1], markersize=7)
        for name, angle in zip(PITCH_CLASSES, 7 * np.pi / 6 * np.arange(12), strict=True):
            across, up = 1.22 * reach * np.sin(angle), 1.22 * reach * np.cos(angle)
            axes.text(across, up, name, ha="center", va="center", color=NEUTRAL, fontsize=10)
        axes.set_aspect("equal")
        axes.set_xlim(-1.4 * reach, 1.4 * reach)
        axes.set_ylim(-1.4 * reach, 1.4 * reach)
        axes.axis("off")
        axes.text(0.5, -0.02, f"radius of the ring: {reach:.2f}", transform=axes.transAxes, ha="center",
                  va="top", fontsize=10)  # fmt: skip


def _transform(samples: np.ndarray) -> np.ndarray:
    return constant_q(np.ascontiguousarray(samples, dtype=np.float32), 0.0)


def _chromagram(axes: Axes, chroma: np.ndarray, samples: np.ndarray) -> None:
    axes.imshow(
        chroma, origin="lower", aspect="auto", extent=(0, len(samples) / SAMPLE_RATE, -0.5, 11.5),
        cmap=SEQUENTIAL, vmin=0, vmax=1, interpolation="nearest",
    )  # fmt: skip
    axes.set_yticks(range(12), [name if len(name) == 1 else "" for name in PITCH_CLASSES], fontsize=9)
    axes.set_xlabel("time (s)")
    axes.set_ylabel("pitch class")
    axes.grid(visible=False)
