"""From parts to a finished track: effects, reverberation, level, a gentle limiter."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import fft, signal

from segue.dataset.compose.synth import Samples
from segue.settings import SAMPLE_RATE

CEILING = 0.84
"""Highest sample before encoding: MP3 overshoots by more than a decibel."""

_KNEE = 0.55


def place(out: Samples, sound: Samples, at: float, *, gate_s: float, release_s: float, level: float) -> None:
    """Add ``sound`` to ``out`` at second ``at``, held for ``gate_s`` and released over ``release_s``."""
    start = int(at * SAMPLE_RATE)
    held = max(0, min(int(gate_s * SAMPLE_RATE), len(sound), len(out) - start))
    if start < 0 or held == 0:
        return
    gain = np.float32(level)
    out[start : start + held] += sound[:held] * gain
    tail = min(int(release_s * SAMPLE_RATE), len(sound) - held, len(out) - start - held)
    if tail > 0:
        ramp = np.linspace(level, 0, tail, dtype=np.float32)
        out[start + held : start + held + tail] += sound[held : held + tail] * ramp


def drive(part: Samples, amount: float) -> Samples:
    """Return a part through a distorting amplifier (``amount`` 0 to 1) and its loudspeaker."""
    level = float(np.sqrt(np.mean(np.square(part))))
    if level == 0.0 or amount <= 0.0:
        return part
    hot = np.tanh(part * np.float32((0.6 + 7 * amount) * 0.3 / level))
    cabinet = signal.butter(2, [75, 5_200 - 1_400 * amount], "bandpass", fs=SAMPLE_RATE, output="sos")
    out = signal.sosfilt(cabinet.astype(np.float32), hot)
    return out * np.float32(level / np.sqrt(np.mean(np.square(out))))


def echo(part: Samples, delay_s: float, level: float) -> Samples:
    """Return a part with four echoes, each ``level`` times the one before."""
    shift = int(delay_s * SAMPLE_RATE)
    out = part.copy()
    for number in range(1, 5):
        gain = level**number
        if gain < 0.02 or number * shift >= len(part):
            break
        out[number * shift :] += np.float32(gain) * part[: len(part) - number * shift]
    return out


def duck(part: Samples, kicks: list[float], depth: float, recovery_s: float) -> None:
    """Lower a part in place at each kick, by ``depth`` (0 to 1), recovering over ``recovery_s``."""
    length = int(recovery_s * SAMPLE_RATE)
    curve = (1 - depth * np.linspace(1, 0, length) ** 1.5).astype(np.float32)
    for at in kicks:
        start = int(at * SAMPLE_RATE)
        stop = min(start + length, len(part))
        part[start:stop] *= curve[: max(0, stop - start)]


def crackle(count: int, level: float, rng: np.random.Generator) -> Samples:
    """Return the noise of an old record: sparse clicks over a faint hiss."""
    out = (0.0012 * level * rng.standard_normal(count, np.float32)).astype(np.float32)
    clicks = rng.integers(0, count - 8, int(14 * level * count / SAMPLE_RATE))
    heights = (rng.exponential(0.02, len(clicks)) * rng.choice([-1, 1], len(clicks)) * level).astype(
        np.float32
    )
    for offset, weight in enumerate((1.0, -0.6, 0.3)):
        np.add.at(out, clicks + offset, heights * np.float32(weight))
    return out


@lru_cache(maxsize=4)
def _room(seconds: float, treble: float, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the spectra of a room of ``seconds`` decay and of the mix's fall above ``treble`` Hz."""
    rng = np.random.default_rng(int(seconds * 1000))
    count = int(1.2 * seconds * SAMPLE_RATE)
    time = np.arange(count) / SAMPLE_RATE
    tail = rng.standard_normal(count) * 10 ** (-3 * time / seconds)
    sos = signal.butter(1, [180, 4_200], "bandpass", fs=SAMPLE_RATE, output="sos")
    tail = signal.sosfilt(sos, tail)
    delay = int(0.012 * SAMPLE_RATE)
    response = np.concatenate([np.zeros(delay), tail]).astype(np.float32)
    response /= np.sqrt(np.sum(np.square(response)))
    frequencies = fft.rfftfreq(size, 1 / SAMPLE_RATE)
    fall = 1 / np.sqrt(1 + (frequencies / treble) ** 8)
    return fft.rfft(response, size), fall.astype(np.float32)


def reverberate(dry: Samples, send: Samples, seconds: float, wet: float, treble: float) -> Samples:
    """Return ``dry`` with the reverberation of ``send``, the whole falling off above ``treble`` Hz."""
    seconds, treble = round(seconds, 2), round(treble, -2)
    size = fft.next_fast_len(len(dry) + int(1.3 * seconds * SAMPLE_RATE), real=True)
    room, fall = _room(seconds, treble, size)
    spectrum = fft.rfft(send, size)
    spectrum *= room
    spectrum *= np.float32(wet)
    spectrum += fft.rfft(dry, size)
    spectrum *= fall
    return fft.irfft(spectrum, size)[: len(dry)]


def master(mix: Samples, rms_db: float) -> Samples:
    """Return the mix at ``rms_db`` below full scale, peaks bent under `CEILING`, edges faded over 10 ms."""
    mix = mix - mix.mean()
    gain = 10 ** (rms_db / 20) / max(float(np.sqrt(np.mean(np.square(mix)))), 1e-9)
    out = mix * np.float32(gain)
    loud = np.abs(out)
    over = loud > _KNEE
    room = CEILING - _KNEE
    out[over] = np.sign(out[over]) * (_KNEE + room * np.tanh((loud[over] - _KNEE) / room))
    edge = int(0.01 * SAMPLE_RATE)
    ramp = np.linspace(0, 1, edge, dtype=np.float32)
    out[:edge] *= ramp
    out[-edge:] *= ramp[::-1]
    return out
