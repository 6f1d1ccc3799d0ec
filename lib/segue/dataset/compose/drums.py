"""Drums as one-shots: a swept sine, a shell and its noise, filtered noise, a cluster of metal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import signal

from segue.dataset.compose.synth import Samples
from segue.settings import SAMPLE_RATE


@dataclass(frozen=True)
class Kit:
    """A drum kit: ``tune`` and ``ring`` are factors on pitch and decay, ``snap`` is the noise's share."""

    name: str
    tune: float = 1.0
    ring: float = 1.0
    snap: float = 0.5


_BASE: dict[str, Kit] = {
    "rock": Kit("rock", 1.0, 1.0, 0.6),
    "machine": Kit("machine", 0.9, 1.0, 0.75),
    "boom": Kit("boom", 0.75, 1.7, 0.5),
    "dusty": Kit("dusty", 1.05, 0.75, 0.55),
    "jazz": Kit("jazz", 1.3, 0.8, 0.35),
    "dub": Kit("dub", 0.85, 0.8, 0.4),
    "hand": Kit("hand", 1.15, 0.6, 0.3),
}


def kit(name: str, rng: np.random.Generator) -> Kit:
    """Return an artist's own variant of a kit, rounded so that its one-shots are worth keeping."""
    base = _BASE[name]
    tune, ring = base.tune * rng.uniform(0.88, 1.14), base.ring * rng.uniform(0.8, 1.25)
    snap = float(np.clip(base.snap + rng.uniform(-0.15, 0.15), 0.1, 0.9))
    return Kit(name, round(float(tune), 2), round(float(ring), 2), round(snap, 2))


@lru_cache(maxsize=256)
def hit(drums: Kit, instrument: str) -> Samples:
    """Return one stroke at full velocity, peak 1.0; equal arguments give equal samples."""
    rng = np.random.default_rng([int(drums.tune * 100), int(drums.snap * 100), *instrument.encode()])
    samples = _STROKES[instrument](drums, rng)
    fade = min(256, len(samples))
    samples[-fade:] *= np.linspace(1, 0, fade)
    return (samples / np.abs(samples).max()).astype(np.float32)


def _time(seconds: float) -> np.ndarray:
    return np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE


def _band(noise: np.ndarray, low: float, high: float) -> np.ndarray:
    edges = [low, min(high, 0.49 * SAMPLE_RATE)]
    sos = signal.butter(2, edges, "bandpass", fs=SAMPLE_RATE, output="sos")
    return signal.sosfilt(sos, noise)


def _kick(drums: Kit, rng: np.random.Generator) -> np.ndarray:
    deep = drums.name in ("boom", "machine", "dub")
    time = _time(0.5 if deep else 0.32)
    start, end = (190.0, 47.0) if deep else (150.0, 58.0)
    sweep = drums.tune * (end + (start - end) * np.exp(-time / 0.028))
    body = np.sin(2 * np.pi * np.cumsum(sweep) / SAMPLE_RATE) * np.exp(-time / (0.13 * drums.ring))
    click = rng.standard_normal(len(time)) * np.exp(-time / 0.003) * drums.snap * 0.35
    return np.tanh(1.6 * body) + click


def _snare(drums: Kit, rng: np.random.Generator) -> np.ndarray:
    time = _time(0.32)
    shell = sum(np.sin(2 * np.pi * f * drums.tune * time) for f in (182.0, 331.0)) * np.exp(-time / 0.055)
    wires = _band(rng.standard_normal(len(time)), 1200, 9500) * np.exp(-time / (0.085 * drums.ring))
    return (1 - drums.snap) * 0.8 * shell + drums.snap * 2.2 * wires


def _clap(drums: Kit, rng: np.random.Generator) -> np.ndarray:
    time = _time(0.3)
    bursts = sum(np.where(time >= t, np.exp(-(time - t) / 0.007), 0) for t in (0.0, 0.011, 0.021))
    tail = np.where(time >= 0.03, np.exp(-(time - 0.03) / (0.07 * drums.ring)), 0)
    return _band(rng.standard_normal(len(time)), 850, 4200) * (bursts + 0.8 * tail)


def _metal(seconds: float, decay: float, low: float, drums: Kit, rng: np.random.Generator) -> np.ndarray:
    time = _time(seconds)
    squares = sum(
        np.sign(np.sin(2 * np.pi * f * drums.tune**0.3 * time + rng.uniform(0, 6))) for f in
        (2051.0, 3042.0, 3654.0, 4421.0, 5413.0, 8013.0)
    )  # fmt: skip
    mixed = 0.4 * squares + 1.3 * rng.standard_normal(len(time))
    return _band(mixed, low, 10_800) * np.exp(-time / decay)


def _hat(drums: Kit, rng: np.random.Generator) -> np.ndarray:
    return _metal(0.12, 0.026 * drums.ring, 6_000, drums, rng)


def _open(drums: Kit, rng: np.random.Generator) -> np.ndarray:
    return _metal(0.4, 0.13 * drums.ring, 5_500, drums, rng)


def _pedal(drums: Kit, rng: np.random.Generator) -> np.ndarray:
    return _metal(0.1, 0.018, 4_500, drums, rng)


def _ride(drums: Kit, rng: np.random.Generator) -> np.ndarray:
    time = _time(0.9)
    ping = np.sin(2 * np.pi * 3_120 * drums.tune**0.3 * time) * np.exp(-time / 0.11)
    return _metal(0.9, 0.28, 4_000, drums, rng) + 1.2 * ping


def _crash(drums: Kit, rng: np.random.Generator) -> np.ndarray:
    return _metal(1.8, 0.55, 2_500, drums, rng)


def _tom(drums: Kit, rng: np.random.Generator) -> np.ndarray:
    time = _time(0.4)
    sweep = drums.tune * (105 + 60 * np.exp(-time / 0.04))
    body = np.sin(2 * np.pi * np.cumsum(sweep) / SAMPLE_RATE) * np.exp(-time / (0.14 * drums.ring))
    return body + 0.1 * rng.standard_normal(len(time)) * np.exp(-time / 0.02)


def _rim(drums: Kit, rng: np.random.Generator) -> np.ndarray:
    time = _time(0.09)
    tones = sum(np.sin(2 * np.pi * f * drums.tune * time) for f in (415.0, 1_665.0))
    return (tones + 0.6 * rng.standard_normal(len(time))) * np.exp(-time / 0.012)


def _shaker(drums: Kit, rng: np.random.Generator) -> np.ndarray:
    time = _time(0.12)
    swell = np.minimum(time / 0.02, 1) * np.exp(-np.maximum(time - 0.02, 0) / (0.028 * drums.ring))
    return _band(rng.standard_normal(len(time)), 4_500, 10_500) * swell


def _brush(drums: Kit, rng: np.random.Generator) -> np.ndarray:
    time = _time(0.26)
    swell = np.minimum(time / 0.05, 1) * np.exp(-np.maximum(time - 0.05, 0) / 0.06)
    return _band(rng.standard_normal(len(time)), 1_500, 7_500) * swell


_STROKES: dict[str, Callable[[Kit, np.random.Generator], np.ndarray]] = {
    "kick": _kick, "snare": _snare, "clap": _clap, "hat": _hat, "open": _open, "pedal": _pedal, "ride": _ride,
    "crash": _crash, "tom": _tom, "rim": _rim, "shaker": _shaker, "brush": _brush,
}  # fmt: skip

LEVELS: dict[str, float] = {
    "kick": 0.95, "snare": 0.6, "clap": 0.5, "hat": 0.2, "open": 0.2, "pedal": 0.16, "ride": 0.2,
    "crash": 0.3, "tom": 0.55, "rim": 0.32, "shaker": 0.15, "brush": 0.22,
}  # fmt: skip
"""How loud each is in the kit."""
