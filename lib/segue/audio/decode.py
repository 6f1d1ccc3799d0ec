"""From a file to mono samples at 22,050 Hz, or to the reason why not."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import fsspec
import numpy as np
import soxr
from fsspec.implementations.local import LocalFileSystem

from segue.audio import ffmpeg
from segue.audio.child import ChildCrashed, ChildTimeout, ForkedChild, OutOfMemory
from segue.audio.excerpt import LOUDEST, Source, read_excerpt
from segue.audio.reading import Rejected, read, refuse_by_size
from segue.audio.tags import read_tags
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


class Decoder:
    """Decodes files, and reads their tags, in a child that a bad file may crash or hang.

    Local files are opened by their path, others through their file system; no file raises.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._child = ForkedChild(_Work(settings), settings.decode_memory_mib)

    def decode(self, fs: fsspec.AbstractFileSystem, path: str, size: int) -> Decoded | Rejected:
        """Return the sound of a file of ``size`` bytes, or why there is none."""
        return self.analyse(fs, path, size)[0]

    def tags(self, fs: fsspec.AbstractFileSystem, path: str, size: int) -> dict[str, str]:
        """Return the tags of a file (see `segue.audio.tags.read_tags`); none if reading them fails."""
        return self._ask(fs, path, size, want_sound=False, want_tags=True)[1]

    def analyse(
        self, fs: fsspec.AbstractFileSystem, path: str, size: int, *, want_tags: bool = False
    ) -> tuple[Decoded | Rejected, dict[str, str]]:
        """Return a file's sound, or why there is none, and its tags if they are wanted."""
        return self._ask(fs, path, size, want_sound=True, want_tags=want_tags)

    def close(self) -> None:
        """End the child; a later call forks another."""
        self._child.close()

    def _ask(
        self, fs: fsspec.AbstractFileSystem, path: str, size: int, *, want_sound: bool, want_tags: bool
    ) -> Any:
        if refused := refuse_by_size(size, self._settings):
            return refused, {}
        try:
            return self._child.call((fs, path, size, want_sound, want_tags), self._settings.decode_timeout_s)
        except Exception as error:
            return blame(error, self._settings), {}


def blame(error: Exception, settings: Settings) -> Rejected:
    """Return the reason for what went wrong in the child, or with it."""
    match error:
        case ChildTimeout():
            limit = f"{settings.decode_timeout_s:g} s"
            made = "timeout", f"takes longer than {limit} to decode: raise SEGUE_DECODE_TIMEOUT_S"
        case OutOfMemory():
            limit = f"{settings.decode_memory_mib} MiB"
            made = "too_large", f"needs more than {limit} to decode: raise SEGUE_DECODE_MEMORY_MIB"
        case OSError():
            made = (
                "missing",
                f"cannot be read ({error.strerror or error}): check that it is there and allowed",
            )
        case ChildCrashed():
            made = "crashed", f"the decoder {error} on it"
        case _:
            made = "crashed", f"the decoder failed on it ({type(error).__name__}: {error})"
    return Rejected(*made)


@contextmanager
def open_source(fs: fsspec.AbstractFileSystem, path: str) -> Iterator[Source]:
    """Give a local regular file by its path, any other as an open binary file.

    Raises
    ------
    OSError
        If there is no regular file, or it cannot be opened.
    """
    if not isinstance(fs, LocalFileSystem):
        with fs.open(path, "rb") as file:
            yield file
        return
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, "not a regular file")
    yield path


@dataclass(frozen=True)
class _Work:
    """What the child does with one request."""

    settings: Settings

    def __call__(
        self, request: tuple[fsspec.AbstractFileSystem, str, int, bool, bool]
    ) -> tuple[Decoded | Rejected | None, dict[str, str]]:
        fs, path, size, want_sound, want_tags = request
        with open_source(fs, path) as source:
            tags = read_tags(source) if want_tags else {}
            return (decode(source, size, self.settings) if want_sound else None), tags
