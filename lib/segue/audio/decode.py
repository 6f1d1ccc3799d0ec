"""From a file to mono samples at 22,050 Hz, or to the reason why not."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import soxr

from segue.audio import ffmpeg
from segue.audio.excerpt import LOUDEST, Source, read_excerpt
from segue.audio.reading import Rejected, read, refuse_by_size
from segue.settings import SAMPLE_RATE, Settings


@dataclass(slots=True)
class Decoded:
    """Sound that was read.

    ``samples`` is float32 of shape ``(n,)``, mono at 22,050 Hz: the whole file or its analysed middle, and
    may pass 1.0. ``sample_rate`` (Hz), ``channels`` and ``duration_s`` are the whole file's own.
    ``warnings`` may hold ``truncated`` (the file breaks off), ``damaged`` (the decoder read on past errors:
    some of the sound may be missing, or noise) and ``not_finite`` (samples that were no numbers are now 0).
    """

    samples: np.ndarray
    sample_rate: int
    channels: int
    duration_s: float
    warnings: list[str] = field(default_factory=list)


def decode(source: Source, size: int, settings: Settings) -> Decoded | Rejected:
    """Decode a file of ``size`` bytes, given as a path or an open binary file that can seek.

    A file of up to ``settings.analysed_s`` seconds (a second more is let pass) gives what
    ``librosa.load(path, sr=22050)`` gives, bit for bit; of a longer one only the middle is read. No header
    makes it allocate more than 256 MiB: of what claims to be longer, blocks are read until the sound ends.

    Raises
    ------
    OSError
        If the file cannot be opened at all.
    MemoryError
        If the sound does not fit in memory.
    """
    if refused := refuse_by_size(size, settings):
        return refused
    found = read(source, size, settings, read_excerpt, ffmpeg.read_excerpt)
    if isinstance(found, Rejected):
        return found
    excerpt, warnings = found
    duration_s = excerpt.total / excerpt.rate
    samples = excerpt.samples
    with np.errstate(invalid="ignore"):
        peak = max(float(samples.max()), -float(samples.min()))
    if not peak <= LOUDEST:
        samples[~(np.abs(samples) <= LOUDEST)] = 0
        peak = float(np.abs(samples).max())
        warnings.append("not_finite")
    if peak < settings.silence_peak or peak == 0:
        part = "" if len(samples) == excerpt.total else f" in the middle {settings.analysed_s:g} s"
        left_out = " without the samples that are no numbers" if warnings[-1:] == ["not_finite"] else ""
        return Rejected("silent", f"has a mono peak of {peak:.1e} of full scale{part}{left_out}")
    return Decoded(_resample(samples, excerpt.rate), excerpt.rate, excerpt.channels, duration_s, warnings)


def _resample(samples: np.ndarray, rate: int) -> np.ndarray:
    """Return the samples at 22,050 Hz, of the length and values that ``librosa.resample`` gives."""
    if rate == SAMPLE_RATE:
        return samples
    length = int(np.ceil(len(samples) * (SAMPLE_RATE / rate)))
    made = soxr.resample(samples, rate, SAMPLE_RATE, quality="HQ")
    if len(made) >= length:
        return made[:length]
    return np.pad(made, (0, length - len(made)))
