"""From a file to its features in one forked child: only some numbers come back, not the sound."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import fsspec
import numpy as np
from fsspec.implementations.local import LocalFileSystem

from segue.audio.blocks import SoundStream, is_long, stream
from segue.audio.child import ChildCrashed, ChildTimeout, ForkedChild, OutOfMemory
from segue.audio.decode import Decoded, decode
from segue.audio.excerpt import Source
from segue.audio.features import Extracted, extract_all
from segue.audio.fingerprint import fingerprint
from segue.audio.reading import Rejected, refuse_by_size
from segue.audio.streaming import extract_blocks
from segue.audio.tags import read_tags
from segue.settings import SAMPLE_RATE, Settings

_STREAMED_S = 300.0
"""Seconds above which a sound that is analysed whole is read in blocks, twice more, and never held whole."""
_PRINTED_S = 120.0
"""Seconds of its middle that such a sound's fingerprint is made of."""


@dataclass(slots=True)
class Analysed:
    """What analysing a sound gave.

    ``vector`` is float32[518] in the order of `segue.audio.features.COLUMNS`; ``fingerprint`` is
    what `segue.audio.fingerprint` made. ``sample_rate`` (Hz), ``channels`` and ``duration_s`` are the whole
    file's own, ``warnings`` those of `segue.audio.decode.Decoded`. ``seconds`` says what each stage took; for
    a sound that is read in blocks, ``features`` holds decoding it again.
    """

    vector: np.ndarray
    fingerprint: bytes
    sample_rate: int
    channels: int
    duration_s: float
    warnings: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


class Analyser:
    """Decodes files and computes their features in a child that a bad file may crash or hang.

    Local files are opened by their path, others through their file system; no file raises.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        warm_up()
        self._child = ForkedChild(_Work(settings), settings.decode_memory_mib)

    def analyse(
        self, fs: fsspec.AbstractFileSystem, path: str, size: int, *, want_tags: bool = False
    ) -> tuple[Analysed | Rejected, dict[str, str]]:
        """Return what a file of ``size`` bytes gives, or why it gives nothing, and its tags if wanted."""
        if refused := refuse_by_size(size, self._settings):
            return refused, {}
        try:
            return self._child.call((fs, path, size, True, want_tags), self._settings.decode_timeout_s)
        except Exception as error:
            return _blame(error, self._settings), {}

    def tags(self, fs: fsspec.AbstractFileSystem, path: str, size: int) -> dict[str, str]:
        """Return a file's tags alone (see `segue.audio.tags.read_tags`); none if reading them fails."""
        if refuse_by_size(size, self._settings):
            return {}
        try:
            return self._child.call((fs, path, size, False, True), self._settings.decode_timeout_s)[1]
        except Exception:
            return {}  # What is wrong with the file, its analysis says.

    @property
    def pid(self) -> int | None:
        """Return the child's process id while there is one."""
        return self._child.pid

    def close(self) -> None:
        """End the child; a later call forks another."""
        self._child.close()


def warm_up() -> None:
    """Import and compile what the extractor needs: seconds that no file shall be charged with."""
    extract_all(np.random.default_rng(0).standard_normal(SAMPLE_RATE, dtype=np.float32))


def _blame(error: Exception, settings: Settings) -> Rejected:
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
def _open(fs: fsspec.AbstractFileSystem, path: str) -> Iterator[Source]:
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
    settings: Settings

    def __call__(
        self, request: tuple[fsspec.AbstractFileSystem, str, int, bool, bool]
    ) -> tuple[Analysed | Rejected | None, dict[str, str]]:
        fs, path, size, want_sound, want_tags = request
        with _open(fs, path) as source:
            tags = read_tags(source) if want_tags else {}
            if not want_sound:
                return None, tags
            started = time.perf_counter()
            sound = self._sound(source, size)
            if isinstance(sound, Rejected):
                return sound, tags
            return _analysed(sound, started), tags

    def _sound(self, source: Source, size: int) -> Decoded | SoundStream | Rejected:
        if not self.settings.analysed_s and is_long(source, _STREAMED_S):
            return stream(source, size, self.settings)
        return decode(source, size, self.settings)


def _analysed(sound: Decoded | SoundStream, started: float) -> Analysed:
    decoded = time.perf_counter()
    made = _extracted(sound)
    extracted = time.perf_counter()
    print_ = fingerprint(made.mel)
    seconds = {
        "decode": decoded - started,
        "features": extracted - decoded,
        "fingerprint": time.perf_counter() - extracted,
    }
    return Analysed(
        made.vector, print_, sound.sample_rate, sound.channels, sound.duration_s, sound.warnings, seconds
    )


def _extracted(sound: Decoded | SoundStream) -> Extracted:
    if isinstance(sound, SoundStream):
        return extract_blocks(sound.blocks, _PRINTED_S)
    return extract_all(sound.samples)
