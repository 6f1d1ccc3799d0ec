"""A sound of any length as a stream of mono blocks at 22,050 Hz, in memory that does not grow with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import soundfile
import soxr

from segue.audio import ffmpeg
from segue.audio.excerpt import LOUDEST, Excerpt, Source, claimed_seconds, native_blocks
from segue.audio.reading import Rejected, read, refuse_by_size
from segue.settings import SAMPLE_RATE, Settings


@dataclass(slots=True)
class SoundStream:
    """A whole sound; ``sample_rate`` (Hz), ``channels``, ``duration_s`` and ``warnings`` as in `Decoded`.

    ``blocks()`` decodes it anew each time and yields float32 arrays of shape ``(n,)``, mono at 22,050 Hz.
    Joined they are what `segue.audio.decode.decode` gives with ``analysed_s = 0``: the same frames, within
    the rounding of an MP3 decoder that is read in parts.
    """

    sample_rate: int
    channels: int
    duration_s: float
    blocks: Callable[[], Iterator[np.ndarray]]
    warnings: list[str] = field(default_factory=list)


def stream(source: Source, size: int, settings: Settings) -> SoundStream | Rejected:
    """Go through a whole file of ``size`` bytes once, to see what there is, and return it as a stream.

    The source must stay open for as long as blocks are asked for. They raise what decoding may raise;
    the second time through, that means the file has changed.

    Raises
    ------
    OSError
        If the file cannot be opened at all.
    """
    if refused := refuse_by_size(size, settings):
        return refused
    found = read(source, size, settings, _survey, _survey_by_ffmpeg)
    if isinstance(found, Rejected):
        return found
    survey, warnings = found
    if not survey.finite:
        warnings.append("not_finite")
    if survey.peak < settings.silence_peak or survey.peak == 0:
        return Rejected("silent", f"has a mono peak of {survey.peak:.1e} of full scale")

    def blocks() -> Iterator[np.ndarray]:
        if survey.form == ffmpeg.FORM:
            programs = ffmpeg.find()
            assert programs is not None, "FFmpeg has just read this file"
            with ffmpeg.open_blocks(programs, source, size, settings, settings.decode_timeout_s) as native:
                yield from _resampled(native, survey.rate, survey.total)
        else:
            with native_blocks(source) as (_, native):
                yield from _resampled(native, survey.rate, survey.total)

    return SoundStream(survey.rate, survey.channels, survey.total / survey.rate, blocks, warnings)


def is_long(source: Source, seconds: float) -> bool:
    """Tell whether a file claims to last longer than some seconds, or is one that only FFmpeg may know."""
    try:
        return claimed_seconds(source) > seconds
    except soundfile.SoundFileError:
        return True


@dataclass(slots=True)
class _Survey(Excerpt):
    """An excerpt without its samples: the highest of them, and whether all are numbers."""

    peak: float = 0.0
    finite: bool = True

    def take(self, blocks: Iterable[np.ndarray]) -> None:
        self.total = 0
        for block in blocks:
            self.total += len(block)
            kept, odd = _cleaned(block)
            self.peak = max(self.peak, float(kept.max()), -float(kept.min()))
            self.finite = self.finite and not odd


def _survey(source: Source, analysed_s: float) -> _Survey:
    with native_blocks(source) as (sound, native):
        made = _Survey(
            np.empty(0, np.float32), sound.samplerate, sound.channels, 0, sound.frames, sound.format, ""
        )
        made.take(native)
        made.error, made.notes = native.error, sound.extra_info
        return made


def _survey_by_ffmpeg(
    programs: ffmpeg.FFmpeg,
    source: Source,
    size: int,
    settings: Settings,
    limit_s: float,
    *,
    count: bool = False,
) -> _Survey:
    with ffmpeg.open_blocks(programs, source, size, settings, limit_s) as native:
        made = _Survey(np.empty(0, np.float32), 0, 0, 0, 0, ffmpeg.FORM, "")
        made.take(native)
        made.rate, made.channels, made.error = native.rate, native.channels, native.complaint
        made.claimed = made.total if native.length_s is None else round(native.length_s * native.rate)
        return made


def _cleaned(block: np.ndarray) -> tuple[np.ndarray, bool]:
    """Return a block with 0 for what is no number or too loud for one, and whether there was any."""
    with np.errstate(invalid="ignore"):
        if max(float(block.max()), -float(block.min())) <= LOUDEST:
            return block, False
        block[~(np.abs(block) <= LOUDEST)] = 0
    return block, True


def _resampled(native: Iterable[np.ndarray], rate: int, total: int) -> Iterator[np.ndarray]:
    """Yield blocks at 22,050 Hz, together as long as ``librosa.resample`` makes ``total`` samples."""
    left = int(np.ceil(total * (SAMPLE_RATE / rate)))
    resampler = soxr.ResampleStream(rate, SAMPLE_RATE, 1, "float32", "HQ") if rate != SAMPLE_RATE else None
    for block in native:
        clean = _cleaned(block)[0]
        made = clean if resampler is None else resampler.resample_chunk(clean)
        if len(made):
            yield made[:left]
            left -= len(made)
        if left <= 0:
            return
    made = np.zeros(left, np.float32)
    if resampler is not None:
        rest = resampler.resample_chunk(np.empty(0, np.float32), last=True)[:left]
        made[: len(rest)] = rest
    yield made
