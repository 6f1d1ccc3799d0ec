"""One track: waveform, spectrogram, and where its features stand in the catalogue."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from segue.plots.pitch import PITCH_CLASSES
from segue.plots.spectrum import draw_spectrogram, magnitudes
from segue.plots.style import COLOURS, FAINT, INK, figure, title

_SHOWN = {
    "loudness (RMS)": "rmse.mean.01",
    "brightness (spectral centroid)": "spectral_centroid.mean.01",
    "spread (spectral bandwidth)": "spectral_bandwidth.mean.01",
    "noisiness (zero crossings)": "zcr.mean.01",
    "change (deviation of centroid)": "spectral_centroid.std.01",
}
_POINTS = 1_200


def sound(
    samples: np.ndarray, sample_rate: int, features: pd.DataFrame, track_id: int, note: str = ""
) -> Figure:
    """Draw a track from its sound and its features, among all others.

    Parameters
    ----------
    samples
        float[n], mono, full scale 1.0.
    sample_rate
        22,050 Hz.
    features
        All tracks' 518 features by track id, columns ``feature.statistic.number``.
    track_id
        Which of them the samples are.
    """
    from matplotlib.gridspec import GridSpec

    track = features.loc[[track_id]].iloc[0]
    drawn, _ = figure(height=7.4)
    drawn.clear()
    grid = GridSpec(3, 2, figure=drawn, height_ratios=[1, 1.7, 1.5], width_ratios=[1, 1.15])
    wave = drawn.add_subplot(grid[0, :])
    _waveform(wave, samples, sample_rate)
    _spectrogram(drawn.add_subplot(grid[1, :], sharex=wave), samples, sample_rate)
    _chroma(drawn.add_subplot(grid[2, 0]), track)
    ranks = _standing(drawn.add_subplot(grid[2, 1]), track, features)
    return title(drawn, _finding(track, ranks), note)


def _waveform(axes: Axes, samples: np.ndarray, sample_rate: int) -> None:
    step = max(1, len(samples) // _POINTS)
    rows = samples[: len(samples) // step * step].reshape(-1, step)
    seconds = np.arange(len(rows)) * step / sample_rate
    axes.fill_between(seconds, rows.min(axis=1), rows.max(axis=1), color=COLOURS[0], linewidth=0)
    axes.set_ylabel("amplitude\n(full scale 1)")
    axes.set_ylim(-1.05, 1.05)
    axes.tick_params(labelbottom=False)
    axes.set_xlim(0, len(samples) / sample_rate)


def _spectrogram(axes: Axes, samples: np.ndarray, sample_rate: int) -> None:
    spectrum = magnitudes(samples, hop=max(512, len(samples) // _POINTS))
    mesh = draw_spectrogram(axes, spectrum, len(samples) / sample_rate)
    axes.set_ylabel("frequency (Hz)")
    bar = axes.figure.colorbar(mesh, ax=axes, pad=0.01, aspect=18)
    bar.set_label("level (dB)")
    bar.outline.set_visible(False)


def _chroma(axes: Axes, track: pd.Series) -> None:
    values = _chroma_mean(track)
    strongest = int(values.argmax())
    axes.bar(PITCH_CLASSES, values, color=[COLOURS[1] if i == strongest else COLOURS[0] for i in range(12)])
    axes.set_ylim(0, max(1.0, values.max() * 1.05))
    axes.set_xlabel("pitch class")
    axes.set_ylabel("mean chroma (0 to 1)")
    axes.set_xticks(range(12), [name if len(name) == 1 else "" for name in PITCH_CLASSES])
    axes.grid(axis="x", visible=False)


def _chroma_mean(track: pd.Series) -> np.ndarray:
    return track[[f"chroma_stft.mean.{i:02d}" for i in range(1, 13)]].to_numpy(dtype=float)


def _standing(axes: Axes, track: pd.Series, catalogue: pd.DataFrame) -> dict[str, float]:
    """Draw the share of the catalogue that lies below the track in a few features; return it by name."""
    ranks = {
        name: float((catalogue[column] < track[column]).sum() / max(1, len(catalogue) - 1))
        for name, column in _SHOWN.items()
    }
    axes.hlines(list(ranks), 0, 100, color=FAINT, linewidth=6)
    axes.scatter([100 * rank for rank in ranks.values()], list(ranks), s=70, color=COLOURS[1], zorder=3)
    axes.set_xlim(-3, 103)
    axes.margins(y=0.15)
    axes.invert_yaxis()
    axes.set_xlabel(f"higher than … % of the {len(catalogue):,} tracks")
    axes.set_yticks(list(ranks), [name.replace(" (", "\n(") for name in ranks], fontsize=10, color=INK)
    axes.grid(axis="y", visible=False)
    return ranks


def _finding(track: pd.Series, ranks: dict[str, float]) -> str:
    pitch = PITCH_CLASSES[int(_chroma_mean(track).argmax())]
    loud, bright = list(ranks.values())[:2]
    words = f"{'louder' if loud >= 0.5 else 'quieter'} than {100 * max(loud, 1 - loud):.0f} %"
    words += f" and {'brighter' if bright >= 0.5 else 'darker'} than {100 * max(bright, 1 - bright):.0f} %"
    return f"Strongest pitch class {pitch}; {words} of the catalogue"
