"""Instruments: one note as a sum of wavetables, each band of harmonics with its own envelope."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import signal

from segue.settings import SAMPLE_RATE

Samples = np.ndarray
"""Mono samples, float32, at `SAMPLE_RATE`."""

_TABLE = 4096
_BANDS = ((1, 1), (2, 3), (4, 7), (8, 15), (16, 128))
"""Harmonics (first, last) that share an envelope: octaves, as hearing groups them."""


@dataclass(frozen=True)
class Timbre:
    """How an instrument sounds.

    Attributes
    ----------
    slope
        Exponent of the harmonics' amplitudes, ``h ** -slope``.
    even
        Weight of the even harmonics (0: hollow, as a clarinet).
    pluck
        Place of the plucking on the string, 0 to 0.5: harmonics with a node there are missing; 0 for none.
    formant
        Hz of a body resonance that lifts the harmonics near it; 0 for none.
    attack, decay, release
        Seconds; ``decay`` is that of the first harmonic at 220 Hz.
    damping
        Factor on the decay for each octave of harmonics: below 1 the tone darkens as it rings.
    bloom
        Seconds by which each octave of harmonics enters later: the swell of brass and bowed strings.
    sustain
        Level held after the decay, 0 (plucked) to 1 (blown, bowed).
    vibrato
        Depth in cents, at ``vibrato_hz``.
    detune
        Cents between the voices of ``unison``.
    breath
        Level of the noise that goes with the note.
    """

    slope: float
    even: float = 1.0
    pluck: float = 0.0
    formant: float = 0.0
    attack: float = 0.004
    decay: float = 0.8
    release: float = 0.06
    damping: float = 0.6
    bloom: float = 0.0
    sustain: float = 0.0
    vibrato: float = 0.0
    vibrato_hz: float = 5.3
    unison: int = 1
    detune: float = 0.0
    breath: float = 0.0


TIMBRES: dict[str, Timbre] = {
    "steel_guitar": Timbre(1.1, pluck=0.17, formant=300, decay=1.6, damping=0.55, release=0.12),
    "nylon_guitar": Timbre(1.7, pluck=0.28, formant=220, decay=1.1, damping=0.5, release=0.12),
    "banjo": Timbre(0.8, pluck=0.1, formant=900, decay=0.55, damping=0.6, release=0.05),
    "clean_guitar": Timbre(1.35, pluck=0.22, decay=1.8, damping=0.6, release=0.08),
    "drive_guitar": Timbre(1.0, pluck=0.13, decay=4.0, damping=0.85, sustain=0.35, release=0.05, vibrato=4),
    "lead_guitar": Timbre(1.0, pluck=0.2, decay=3.0, sustain=0.6, release=0.08, vibrato=22),
    "piano": Timbre(
        1.5, pluck=0.12, attack=0.003, decay=1.7, damping=0.58, release=0.16, unison=2, detune=2.5
    ),
    "felt_piano": Timbre(2.3, attack=0.008, decay=1.5, damping=0.5, release=0.2, unison=2, detune=3),
    "electric_piano": Timbre(2.6, attack=0.003, decay=1.5, damping=0.35, release=0.12, formant=1300),
    "vibraphone": Timbre(3.2, even=0.35, attack=0.002, decay=2.0, damping=0.25, release=0.3),
    "bells": Timbre(1.6, even=0.25, attack=0.002, decay=2.6, damping=0.45, release=0.6),
    "organ": Timbre(1.25, even=0.75, attack=0.012, sustain=1.0, release=0.04, vibrato=7, vibrato_hz=6.3),
    "bubble_organ": Timbre(1.7, even=0.5, attack=0.006, decay=0.18, sustain=0.45, release=0.04),
    "flute": Timbre(2.7, attack=0.06, sustain=1.0, release=0.09, vibrato=13, breath=0.05),
    "whistle": Timbre(3.4, attack=0.03, sustain=1.0, release=0.07, vibrato=16, breath=0.03),
    "harmonica": Timbre(0.95, formant=1700, attack=0.04, sustain=0.9, release=0.07, vibrato=12, breath=0.02),
    "melodica": Timbre(0.9, even=0.7, attack=0.03, sustain=0.9, release=0.06, vibrato=8),
    "clarinet": Timbre(1.3, even=0.12, attack=0.035, bloom=0.012, sustain=1.0, release=0.06, vibrato=6),
    "saxophone": Timbre(
        1.05, formant=950, attack=0.025, bloom=0.02, sustain=0.85, release=0.06, vibrato=18, breath=0.03
    ),
    "trumpet": Timbre(0.8, formant=1250, attack=0.025, bloom=0.03, sustain=0.85, release=0.06, vibrato=14),
    "fiddle": Timbre(0.95, formant=1100, attack=0.05, bloom=0.02, sustain=1.0, release=0.07, vibrato=20),
    "violin": Timbre(1.15, formant=1000, attack=0.09, bloom=0.03, sustain=1.0, release=0.12, vibrato=22),
    "cello": Timbre(1.25, formant=420, attack=0.08, bloom=0.02, sustain=1.0, release=0.14, vibrato=16),
    "strings": Timbre(
        1.3, formant=800, attack=0.2, sustain=1.0, damping=1, release=0.35, vibrato=10, unison=3, detune=9
    ),
    "warm_pad": Timbre(1.9, attack=0.8, sustain=1.0, damping=1, release=1.2, unison=3, detune=11),
    "glass_pad": Timbre(2.4, even=0.4, attack=1.0, sustain=1.0, damping=1, release=1.5, unison=3, detune=7),
    "choir_pad": Timbre(
        1.6, formant=620, attack=0.7, sustain=1.0, damping=1, release=1.1, unison=3, detune=14, vibrato=9
    ),
    "saw_stab": Timbre(0.95, attack=0.003, decay=0.35, damping=0.6, release=0.06, unison=3, detune=14),
    "square_lead": Timbre(1.0, even=0.05, attack=0.006, decay=0.5, sustain=0.6, release=0.06, vibrato=9),
    "saw_lead": Timbre(0.9, attack=0.01, sustain=0.8, release=0.08, unison=2, detune=10, vibrato=8),
    "synth_pluck": Timbre(0.9, even=0.6, attack=0.002, decay=0.4, damping=0.45, release=0.06),
    "finger_bass": Timbre(1.7, pluck=0.3, decay=0.9, damping=0.45, release=0.05),
    "pick_bass": Timbre(1.1, pluck=0.15, decay=1.0, damping=0.5, release=0.04),
    "upright_bass": Timbre(1.9, pluck=0.33, formant=180, attack=0.008, decay=0.6, damping=0.5, release=0.06),
    "sub_bass": Timbre(3.4, attack=0.006, decay=1.4, sustain=0.25, release=0.07),
    "dub_bass": Timbre(2.6, attack=0.008, decay=0.9, sustain=0.35, damping=0.4, release=0.05),
    "acid_bass": Timbre(0.85, attack=0.003, decay=0.22, damping=0.55, sustain=0.12, release=0.03),
}  # fmt: skip


def frequency(midi: float) -> float:
    """Return the Hz of a MIDI note, A4 = 69 = 440 Hz, equal temperament."""
    return float(440.0 * 2.0 ** ((midi - 69.0) / 12.0))


def tone(name: str, midi: int, seconds: float) -> Samples:
    """Return a note held for ``seconds``, without its release, at an RMS near 0.2 in its first second.

    Equal arguments give equal samples; lengths are rounded up to a power of two of 1/8 s, so that the
    notes of a part share them.
    """
    eighths = max(1, int(np.ceil(seconds * 8)))
    return _tone(name, midi, 1 << (eighths - 1).bit_length())


@lru_cache(maxsize=512)
def _tone(name: str, midi: int, eighths: int) -> Samples:
    timbre = TIMBRES[name]
    rng = np.random.default_rng([midi, *name.encode()])
    count = eighths * SAMPLE_RATE // 8
    time = np.arange(count, dtype=np.float32) * np.float32(1 / SAMPLE_RATE)
    f0 = frequency(midi)
    out = np.zeros(count, np.float32)
    bands = _BANDS if timbre.damping < 1 or timbre.bloom else ((1, 128),)
    phases = [_phase(timbre, f0, voice, count, rng) for voice in range(timbre.unison)]
    for octave, (first, last) in enumerate(bands):
        table = _table(timbre, f0, first, last, rng)
        if table is None:
            break
        wave = table[phases[0]]
        for phase in phases[1:]:
            wave += table[phase]
        wave *= _envelope(timbre, f0, octave, time)
        out += wave
    if timbre.breath:
        noise = signal.lfilter([1.0, -1.0], [1.0, -0.7], rng.standard_normal(count)).astype(np.float32)
        out += timbre.breath * noise * _envelope(timbre, f0, 0, time)
    level = np.sqrt(np.mean(np.square(out[: min(count, SAMPLE_RATE // 2)])))
    out *= np.float32(0.2 / max(level, 1e-6))
    return out


def _phase(timbre: Timbre, f0: float, voice: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return places in the wavetable, one a sample, with vibrato that sets in after the attack."""
    cents = timbre.detune * (voice - (timbre.unison - 1) / 2)
    step = f0 * 2 ** (cents / 1200) / SAMPLE_RATE * _TABLE
    place = np.arange(count, dtype=np.float64) * step + rng.uniform(0, _TABLE)
    if timbre.vibrato:
        time = np.arange(count, dtype=np.float32) / SAMPLE_RATE
        depth = step * timbre.vibrato / 1200 * np.log(2) * SAMPLE_RATE / (2 * np.pi * timbre.vibrato_hz)
        place += depth * np.minimum(time / 0.35, 1.0) * np.sin(2 * np.pi * timbre.vibrato_hz * time)
    return place.astype(np.int64) & (_TABLE - 1)


def _table(timbre: Timbre, f0: float, first: int, last: int, rng: np.random.Generator) -> np.ndarray | None:
    """Return one period of the harmonics ``first`` to ``last`` below the Nyquist limit; None without any."""
    last = min(last, int(0.46 * SAMPLE_RATE / f0))
    if last < first:
        return None
    harmonic = np.arange(first, last + 1)
    amplitude = harmonic ** -float(timbre.slope)
    amplitude[harmonic % 2 == 0] *= timbre.even
    if timbre.pluck:
        amplitude *= 0.08 + np.abs(np.sin(np.pi * harmonic * timbre.pluck))
    if timbre.formant:
        amplitude *= 1 + 2.5 * np.exp(-((np.log2(harmonic * f0 / timbre.formant) / 0.6) ** 2))
    spectrum = np.zeros(_TABLE // 2 + 1, np.complex64)
    spectrum[first : last + 1] = amplitude * np.exp(1j * rng.uniform(0, 2 * np.pi, len(harmonic)))
    return (np.fft.irfft(spectrum, _TABLE) * _TABLE).astype(np.float32)


def _envelope(timbre: Timbre, f0: float, octave: int, time: np.ndarray) -> np.ndarray:
    start = timbre.bloom * octave
    decay = timbre.decay * timbre.damping**octave * np.clip((220.0 / f0) ** 0.45, 0.35, 1.8)
    held = np.float32(timbre.sustain * (0.9**octave if timbre.sustain < 1 else 1.0))
    curve = held + (1 - held) * np.exp(time * np.float32(-1 / decay)) if held < 1 else np.ones_like(time)
    rise = np.minimum(np.maximum(time - np.float32(start), 0) * np.float32(1 / (timbre.attack + start)), 1)
    return (curve * rise).astype(np.float32)
