"""From a file to mono samples at 22,050 Hz, or to the reason why not."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

import fsspec
import numpy as np
import soundfile
import soxr
from fsspec.implementations.local import LocalFileSystem

from segue.audio import mpeg, sniff
from segue.audio.child import ChildCrashed, ChildTimeout, ForkedChild, OutOfMemory
from segue.audio.tags import read_tags
from segue.settings import SAMPLE_RATE, Settings

SLACK_S = 1.0
"""Seconds by which a file may pass ``analysed_s`` and still be analysed whole."""

Source = str | bytes | os.PathLike[str] | IO[bytes]

# Samples read at once. soundfile seeks after each read, which changes an MP3's next bits by a rounding.
_AT_ONCE = 1 << 26
_COUNTING_BLOCK = 1 << 14
_FINE_BLOCK = 1 << 10
_LOUDEST = 1e9
_EXACT_S = 0.25
_TAIL_BYTES = 64 << 10
_WALKED_BYTES = 16 << 20
_NO_LENGTH = 1 << 40
_CUT_CHUNK = re.compile(r"^(?:data|SSND) : (\d+) \(should be (\d+)\)", re.MULTILINE)
_UNKNOWN_SIZE = 0xFFFF0000


@dataclass(slots=True)
class Decoded:
    """Sound that was read.

    ``samples`` is float32 of shape ``(n,)``, mono at 22,050 Hz: the whole file or its analysed middle, and
    may pass 1.0. ``sample_rate`` (Hz), ``channels`` and ``duration_s`` are the whole file's own.
    ``warnings`` may hold ``truncated`` (the file breaks off) and ``not_finite`` (samples that were no
    numbers were set to 0).
    """

    samples: np.ndarray
    sample_rate: int
    channels: int
    duration_s: float
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why a file cannot be used: a reason code of `segue.dataset.base` and a sentence for a person."""

    status: str
    detail: str


def decode(source: Source, size: int, settings: Settings) -> Decoded | Rejected:
    """Decode a file of ``size`` bytes, given as a path or an open binary file that can seek.

    A file of up to ``settings.analysed_s`` seconds (and `SLACK_S`) gives what ``librosa.load(path,
    sr=22050)`` gives, bit for bit; of a longer one only the middle is read. Nothing is allocated by what a
    header claims: blocks are read until the sound ends.

    Raises
    ------
    OSError
        If the file cannot be opened at all.
    MemoryError
        If the sound does not fit in memory.
    """
    if refused := refuse_by_size(size, settings):
        return refused
    try:
        excerpt = _read(source, settings.analysed_s)
    except soundfile.SoundFileError as error:
        return _why_not(source, _words(error), settings)
    duration_s = excerpt.total / excerpt.rate
    if excerpt.error and duration_s < settings.min_duration_s:
        return _why_not(source, excerpt.error, settings)
    if duration_s < settings.min_duration_s:
        return Rejected(
            "too_short", f"holds {duration_s:.2f} s of sound, less than {settings.min_duration_s:g} s"
        )
    warnings = ["truncated"] if _breaks_off(source, excerpt) else []
    samples = excerpt.samples
    with np.errstate(invalid="ignore"):
        peak = float(np.abs(samples).max())
    if not peak <= _LOUDEST:
        samples[~(np.abs(samples) <= _LOUDEST)] = 0
        peak = float(np.abs(samples).max())
        warnings.append("not_finite")
    if peak < settings.silence_peak or peak == 0:
        part = "" if len(samples) == excerpt.total else f" in the middle {settings.analysed_s:g} s"
        left_out = " without the samples that are no numbers" if warnings[-1:] == ["not_finite"] else ""
        return Rejected("silent", f"has a mono peak of {peak:.1e} of full scale{part}{left_out}")
    return Decoded(_resample(samples, excerpt.rate), excerpt.rate, excerpt.channels, duration_s, warnings)


def refuse_by_size(size: int, settings: Settings) -> Rejected | None:
    """Return why a file of ``size`` bytes is not opened at all, or None."""
    if size == 0:
        return Rejected("empty", "has no bytes")
    if size > settings.max_file_mib << 20:
        return Rejected(
            "too_large",
            f"has {size / 2**20:,.0f} MiB, more than {settings.max_file_mib:,}: raise SEGUE_MAX_FILE_MIB",
        )
    return None


@dataclass(slots=True)
class _Excerpt:
    """Mono samples at the file's own rate, and what is known of the whole file.

    ``claimed`` frames are libsndfile's guess before reading, ``total`` those that were there.
    """

    samples: np.ndarray
    rate: int
    channels: int
    total: int
    claimed: int
    form: str
    notes: str
    error: str = ""


def _open(source: Source) -> soundfile.SoundFile:
    if isinstance(source, str | bytes | os.PathLike):
        return soundfile.SoundFile(os.fsencode(source))
    source.seek(0)
    return soundfile.SoundFile(source)


def _read(source: Source, analysed_s: float) -> _Excerpt:
    """Read the whole sound, or its middle if it is longer than ``analysed_s`` (0: always the whole)."""
    with _open(source) as sound:
        rate, claimed = sound.samplerate, sound.frames
        wanted = round(analysed_s * rate)
        longest = round((analysed_s + SLACK_S) * rate) if analysed_s else claimed
        made = _Excerpt(
            np.empty(0, np.float32), rate, sound.channels, claimed, claimed, sound.format, sound.extra_info
        )
        if claimed > longest and _reaches_end(sound):
            made.samples = _middle(sound, claimed, wanted)
            if len(made.samples) == wanted:
                return made
    if claimed > longest:
        # The header or an estimate from the bit rate promised more than there is.
        made.total, made.error = _count(source)
        if made.total > longest:
            with _open(source) as sound:
                made.samples = _middle(sound, made.total, wanted)
            if len(made.samples) == wanted:
                return made
    for block in (_AT_ONCE, _FINE_BLOCK):
        with _open(source) as sound:
            made.samples, made.error = _gather(sound, longest, block)
        made.total = len(made.samples)
        # A block that meets damage is lost whole: read again in small ones, up to the damage.
        if not made.error:
            break
    return made


class _Blocks:
    """Iterates over mono blocks of a sound until it ends, breaks off, or ``most`` frames are read."""

    def __init__(self, sound: soundfile.SoundFile, most: int, samples: int) -> None:
        self.error = ""
        self._sound = sound
        self._left = min(most, sound.frames - sound.tell())
        frames = min(self._left, max(1, samples // sound.channels))
        self._buffer = np.empty((frames, sound.channels), dtype=np.float32)

    def __iter__(self) -> Iterator[np.ndarray]:
        while self._left > 0:
            try:
                block = self._sound.read(out=self._buffer[: self._left])
            except soundfile.SoundFileError as error:
                self.error = _words(error)
                return
            if not len(block):
                return
            self._left -= len(block)
            yield _mono(block)


def _mono(block: np.ndarray) -> np.ndarray:
    """Return the mean of the channels, rounded as ``numpy.mean`` rounds it; shape ``(frames,)``."""
    with np.errstate(invalid="ignore", over="ignore"):
        if block.shape[1] == 2:
            # Twenty times faster than the mean over the short axis.
            mono = block[:, 0] + block[:, 1]
            mono *= np.float32(0.5)
            return mono
        return block[:, 0].copy() if block.shape[1] == 1 else np.mean(block.T, axis=0)


def _reaches_end(sound: soundfile.SoundFile) -> bool:
    """Tell whether there is sound where the header says that the last frames are."""
    last = min(sound.frames, 1024)
    return len(_slice(sound, sound.frames - last, last)) == last


def _middle(sound: soundfile.SoundFile, total: int, wanted: int) -> np.ndarray:
    return _slice(sound, (total - wanted) // 2, wanted)


def _slice(sound: soundfile.SoundFile, start: int, frames: int) -> np.ndarray:
    """Return ``frames`` mono samples from ``start`` on, or fewer if the sound breaks off."""
    try:
        sound.seek(start)
    except soundfile.SoundFileError:
        return np.empty(0, np.float32)
    return _gather(sound, frames, _AT_ONCE)[0]


def _gather(sound: soundfile.SoundFile, most: int, block: int) -> tuple[np.ndarray, str]:
    """Return up to ``most`` mono samples from here on, and the error that ended them."""
    blocks = _Blocks(sound, most, block)
    parts = list(blocks) or [np.empty(0, np.float32)]
    return (np.concatenate(parts) if len(parts) > 1 else parts[0]), blocks.error


def _count(source: Source) -> tuple[int, str]:
    """Return how many frames can really be read, and the error that ended it."""
    with _open(source) as sound:
        blocks = _Blocks(sound, sound.frames, _COUNTING_BLOCK)
        return sum(map(len, blocks)), blocks.error


def _resample(samples: np.ndarray, rate: int) -> np.ndarray:
    """Return the samples at 22,050 Hz, of the length and values that ``librosa.resample`` gives."""
    if rate == SAMPLE_RATE:
        return samples
    length = int(np.ceil(len(samples) * (SAMPLE_RATE / rate)))
    made = soxr.resample(samples, rate, SAMPLE_RATE, quality="HQ")
    if len(made) >= length:
        return made[:length]
    return np.pad(made, (0, length - len(made)))


def _breaks_off(source: Source, excerpt: _Excerpt) -> bool:
    """Tell whether a file promises clearly more sound than it holds, or ends within a frame."""
    if excerpt.claimed > _NO_LENGTH:
        return False  # A stream that was written without its length.
    missing_s = (excerpt.claimed - excerpt.total) / excerpt.rate
    if excerpt.error or (missing_s > _EXACT_S and excerpt.form != "MP3"):
        return True
    if excerpt.form == "MP3":
        if missing_s > _EXACT_S and _holds_more(source, excerpt):
            return True
        return mpeg.ends_in_a_frame(_bytes(source, -_TAIL_BYTES, _TAIL_BYTES))
    if excerpt.form == "OGG":
        tail = _bytes(source, -_TAIL_BYTES, _TAIL_BYTES)
        page = tail.rfind(b"OggS")
        return page >= 0 and len(tail) > page + 5 and not tail[page + 5] & 4
    cut = _CUT_CHUNK.search(excerpt.notes)
    return cut is not None and int(cut[2]) + 1024 < int(cut[1]) < _UNKNOWN_SIZE


def _holds_more(source: Source, excerpt: _Excerpt) -> bool:
    """Tell whether an MPEG file's own count, or its frames one by one, pass what could be decoded."""
    tag = sniff.id3_bytes(_bytes(source, 0, 10))
    data = _bytes(source, tag, _WALKED_BYTES)
    start = mpeg.find(data)
    if start is None:
        return False
    return mpeg.has_count(data, start) or mpeg.seconds(data) - excerpt.total / excerpt.rate > _EXACT_S


def _bytes(source: Source, start: int, count: int) -> bytes:
    """Return up to ``count`` bytes of a file from an offset, counted from its end if negative."""
    if isinstance(source, str | bytes | os.PathLike):
        with open(os.fsencode(source), "rb") as file:
            return _bytes(file, start, count)
    end = source.seek(0, os.SEEK_END)
    source.seek(max(0, end + start) if start < 0 else start)
    return source.read(count)


def _why_not(source: Source, error: str, settings: Settings) -> Rejected:
    tag = sniff.id3_bytes(_bytes(source, 0, 10))
    head = _bytes(source, tag, sniff.HEAD_BYTES)
    name = os.fsdecode(source) if isinstance(source, str | bytes | os.PathLike) else str(source)
    return Rejected(*sniff.why_not(head, tag > 0, name, error, settings.min_duration_s))


def _words(error: soundfile.SoundFileError) -> str:
    """Return what libsndfile said, without the file's name."""
    text = getattr(error, "error_string", None) or str(error)
    return text.removeprefix("Error :").strip().rstrip(".")


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
            return Rejected(*_blame(error, self._settings)), {}


def _blame(error: Exception, settings: Settings) -> tuple[str, str]:
    """Return status and detail for what went wrong in the child, or with it."""
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
    return made


@dataclass(frozen=True)
class _Work:
    """What the child does with one request."""

    settings: Settings

    def __call__(
        self, request: tuple[fsspec.AbstractFileSystem, str, int, bool, bool]
    ) -> tuple[Decoded | Rejected | None, dict[str, str]]:
        fs, path, size, want_sound, want_tags = request
        if isinstance(fs, LocalFileSystem):
            if not stat.S_ISREG(os.stat(path).st_mode):
                raise OSError(errno.EINVAL, "not a regular file")
            tags = read_tags(path) if want_tags else {}
            return (decode(path, size, self.settings) if want_sound else None), tags
        with fs.open(path, "rb") as file:
            tags = read_tags(file) if want_tags else {}
            return (decode(file, size, self.settings) if want_sound else None), tags
