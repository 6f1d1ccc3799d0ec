"""What a feature measures, on two excerpts side by side: one where it is high and one where it is low."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from segue.plots.pitch import cens, circles_of_fifths, notes, semitones
from segue.plots.spectrum import BIN_HZ, FRAME, LOWEST_HZ, decibels, draw_spectrogram, magnitudes, octaves
from segue.plots.style import COLOURS, NEUTRAL, figure, part, title
from segue.settings import SAMPLE_RATE

_LINE = "#7df9ff"
"""Stands out from every shade of the spectrogram."""
_HERTZ = np.arange(FRAME // 2 + 1) * BIN_HZ
_ZOOM_S = 0.012
_BANDS = np.concatenate([[LOWEST_HZ], 200 * 2.0 ** np.arange(6), [SAMPLE_RATE / 2]])
_MELS = 128


def portrait(
    family: str, excerpts: Sequence[np.ndarray], captions: Sequence[str], finding: str, note: str = ""
) -> Figure:
    """Draw a feature family on two excerpts.

    Parameters
    ----------
    family
        Name of the family, such as ``spectral_centroid``.
    excerpts
        Two of float[n], mono, 22,050 Hz, full scale 1.0.
    captions
        A few words above each.
    finding
        What stands above the picture.
    """
    drawn, (panels,) = figure(1, 2, height=3.4 if family == "tonnetz" else 3.0)
    part(drawn, 0.05)
    if family == "tonnetz":
        circles_of_fifths(panels, excerpts)
    else:
        for axes, samples in zip(panels, excerpts, strict=True):
            _DRAW[family](axes, samples)
        _same_axes(panels)
    for axes, caption in zip(panels, captions, strict=True):
        axes.set_title(caption, fontsize=12, fontweight="normal", pad=6)
    return title(drawn, finding, note)


def _same_axes(panels: Sequence[Axes]) -> None:
    low, high = zip(*(axes.get_ylim() for axes in panels), strict=True)
    for axes in panels:
        axes.set_ylim(min(low), max(high))
    panels[1].set_ylabel("")
    panels[1].tick_params(labelleft=False)


def _over_time(axes: Axes, count: int) -> np.ndarray:
    axes.set_xlabel("time (s)")
    return np.arange(count) * 512 / SAMPLE_RATE


def _loudness(axes: Axes, samples: np.ndarray) -> None:
    step = max(1, len(samples) // 900)
    rows = samples[: len(samples) // step * step].reshape(-1, step)
    seconds = np.arange(len(rows)) * step / SAMPLE_RATE
    axes.fill_between(seconds, rows.min(axis=1), rows.max(axis=1), color=COLOURS[0], alpha=0.35, linewidth=0)
    spectrum = magnitudes(samples)
    # Parseval over both halves of the spectrum: what the recipe calls rmse.
    power = 2 * (spectrum**2).sum(axis=0) - spectrum[0] ** 2 - spectrum[-1] ** 2
    level = np.sqrt(power) / FRAME
    axes.plot(_over_time(axes, len(level)), level, color=COLOURS[1])
    reach = 1.05 * max(0.05, float(np.abs(samples).max(initial=0.0)))
    axes.set_ylim(-reach, reach)
    axes.set_ylabel("amplitude\n(full scale 1)")


def _zero_crossings(axes: Axes, samples: np.ndarray) -> None:
    """Draw 12 ms whose number of crossings is the median of the louder half of all such pieces."""
    size = min(int(_ZOOM_S * SAMPLE_RATE), len(samples))
    pieces = samples[: len(samples) // size * size].reshape(-1, size)
    peaks = np.abs(pieces).max(axis=1)
    loud = np.flatnonzero(peaks >= np.median(peaks))
    counts = (np.diff(np.signbit(pieces), axis=1) != 0).sum(axis=1)[loud]
    chosen = pieces[loud[np.argsort(counts, kind="stable")[len(counts) // 2]]]
    chosen = chosen / (np.abs(chosen).max() or 1.0)
    ms = np.arange(len(chosen)) * 1000 / SAMPLE_RATE
    crossed = np.flatnonzero(np.diff(np.signbit(chosen)))
    axes.axhline(0, color=NEUTRAL, linewidth=1)
    axes.plot(ms, chosen, color=COLOURS[0], linewidth=1.2)
    axes.plot(
        ms[crossed],
        np.zeros(len(crossed)),
        "o",
        color=COLOURS[1],
        markersize=3.5 if len(crossed) < 60 else 1.5,
    )
    axes.set_ylim(-1.1, 1.1)
    axes.set_xlabel(f"time (ms): {len(crossed)} crossings in {1000 * _ZOOM_S:.0f} ms")
    axes.set_ylabel("amplitude\n(largest 1)")


def _with_lines(
    lines: Callable[[np.ndarray], Sequence[np.ndarray]],
) -> Callable[[Axes, np.ndarray], None]:
    def draw(axes: Axes, samples: np.ndarray) -> None:
        spectrum = magnitudes(samples)
        draw_spectrogram(axes, spectrum, len(samples) / SAMPLE_RATE)
        sounding = spectrum.sum(axis=0) > 1e-3 * spectrum.sum(axis=0).max(initial=0.0)
        sounding[:2] = sounding[-2:] = False  # Zeros beyond the ends, not music.
        for line in lines(spectrum):
            shown = np.where(sounding & (line > LOWEST_HZ), octaves(line), np.nan)
            axes.plot(_over_time(axes, len(line)), shown, color=_LINE, linewidth=1.3)
        axes.set_ylabel("frequency (Hz)")

    return draw


def _shares(spectrum: np.ndarray) -> np.ndarray:
    return spectrum / np.maximum(spectrum.sum(axis=0), 1e-12)


def _centroid(spectrum: np.ndarray) -> np.ndarray:
    return _HERTZ @ _shares(spectrum)


def _edges(spectrum: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    centre = _centroid(spectrum)
    width = np.sqrt((_shares(spectrum) * (_HERTZ[:, None] - centre) ** 2).sum(axis=0))
    return centre - width, centre + width


def _rolloff(spectrum: np.ndarray) -> np.ndarray:
    return _HERTZ[(np.cumsum(_shares(spectrum), axis=0) < 0.85).sum(axis=0).clip(max=len(_HERTZ) - 1)]


def _contrast(axes: Axes, samples: np.ndarray) -> None:
    """Draw the spectrum of the middle and, band by band, its peaks above its valleys."""
    spectrum = magnitudes(samples)
    frame = spectrum[:, int(np.argsort(spectrum.sum(axis=0))[spectrum.shape[1] // 2])]
    level = decibels(frame)
    axes.plot(octaves(_HERTZ), level, color=NEUTRAL, linewidth=0.8)
    for low, high in itertools.pairwise(_BANDS):
        inside = np.sort(level[(low <= _HERTZ) & (high >= _HERTZ)])
        few = max(1, round(0.02 * len(inside)))
        axes.fill_between(
            octaves(np.array([low, high])), inside[:few].mean(), inside[-few:].mean(), color=COLOURS[0],
            alpha=0.3, linewidth=0,
        )  # fmt: skip
    _octave_axis(axes)
    axes.set_ylabel("level (dB)")


def _octave_axis(axes: Axes) -> None:
    axes.set_xlim(np.log2(LOWEST_HZ), np.log2(SAMPLE_RATE / 2))
    axes.set_xticks(np.log2([100, 500, 2000, 10_000]), ["100", "500", "2k", "10k"])
    axes.set_xlabel("frequency (Hz)")


def _timbre(axes: Axes, samples: np.ndarray) -> None:
    """Draw the mean level of 128 mel bands and the curve that twenty coefficients of it draw."""
    from scipy.fft import dct, idct

    from segue.audio.kernels.banks import mel_bank

    power = (magnitudes(samples) ** 2).mean(axis=1)
    bank = mel_bank()
    bands = np.array([
        bank.weights[a:b] @ power[start : start + b - a]
        for start, a, b in zip(bank.start, bank.offset[:-1], bank.offset[1:], strict=True)
    ])  # fmt: skip
    level = decibels(np.sqrt(bands))
    kept = dct(level, norm="ortho")
    kept[20:] = 0
    axes.fill_between(np.arange(_MELS), level, -72, color=COLOURS[0], alpha=0.25, linewidth=0)
    axes.plot(idct(kept, norm="ortho"), color=COLOURS[0])
    tilt = np.zeros(_MELS)
    tilt[:2] = kept[:2]
    axes.plot(idct(tilt, norm="ortho"), color=COLOURS[1], linestyle="--")
    for place, words, colour in ((0.95, "all 20", COLOURS[0]), (0.83, "the first 2", COLOURS[1])):
        axes.text(
            0.97, place, words, color=colour, transform=axes.transAxes, ha="right", va="top", fontsize=10
        )
    axes.set_xlabel("mel band, low to high (count)")
    axes.set_ylabel("mean level (dB)")
    axes.set_xlim(0, _MELS - 1)


_DRAW: dict[str, Callable[[Axes, np.ndarray], None]] = {
    "rmse": _loudness,
    "zcr": _zero_crossings,
    "spectral_centroid": _with_lines(lambda spectrum: [_centroid(spectrum)]),
    "spectral_bandwidth": _with_lines(_edges),
    "spectral_rolloff": _with_lines(lambda spectrum: [_rolloff(spectrum)]),
    "spectral_contrast": _contrast,
    "mfcc": _timbre,
    "chroma_stft": notes,
    "chroma_cqt": semitones,
    "chroma_cens": cens,
}
