"""What FFmpeg reads of a file, where it is installed: formats that libsndfile does not know, and damage."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import struct
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import IO

import numpy as np

from segue.audio.bounded import BoundedProcess, TookTooLong
from segue.audio.excerpt import SLACK_S, Excerpt, Source, mono
from segue.settings import Settings

FORM = "FFmpeg"
"""The ``form`` of an excerpt that FFmpeg read."""

# Containers and streams of sound alone: none of them opens another file or an address.
_FORMATS = (
    "aac,aiff,amr,ape,asf,au,caf,dsf,flac,flv,iff,matroska,mov,mp3,mpc,mpc8,oma,ogg,rm,tak,tta,voc,w64,wav,"
    "wv,xwma"
)
# Their length is FFmpeg's guess from the bit rate.
_GUESSED = frozenset({"aac", "amr", "mp3"})
_BYTES_A_SECOND = 16
"""Fewer bytes than these hold no second of sound: what bounds the work that a small file can ask for."""
_LIBRARIES_MIB = 512
"""Address space that FFmpeg's shared libraries need before it has read anything."""
_COPY_BLOCK = 1 << 20


class FFmpegError(Exception):
    """FFmpeg gave no sound; ``status`` is the reason code that this comes to."""

    def __init__(self, status: str, words: str) -> None:
        super().__init__(words)
        self.status = status


@dataclass(frozen=True, slots=True)
class FFmpeg:
    """The two programs, by their paths."""

    ffmpeg: str
    ffprobe: str


def find() -> FFmpeg | None:
    """Return the programs on the PATH, or None."""
    return _on(os.environ.get("PATH"))


@lru_cache(maxsize=8)
def _on(path: str | None) -> FFmpeg | None:
    ffmpeg, ffprobe = shutil.which("ffmpeg", path=path), shutil.which("ffprobe", path=path)
    return FFmpeg(ffmpeg, ffprobe) if ffmpeg and ffprobe else None


def read_excerpt(
    programs: FFmpeg, source: Source, size: int, settings: Settings, limit_s: float, *, count: bool = False
) -> Excerpt:
    """Read the whole sound, or its middle if it is longer than ``settings.analysed_s`` (0: always the whole).

    Parameters
    ----------
    source, size
        The file and its bytes. What is no local file is copied to a temporary one of at most
        ``settings.ffmpeg_copy_mib`` MiB, for many formats cannot be read from a pipe.
    limit_s
        Seconds that this may take.
    count
        Whether to count what can be decoded and not believe the file's own length.

    Returns
    -------
    Excerpt
        Its ``error`` is what FFmpeg complained of while it read on.

    Raises
    ------
    FFmpegError
        If there is no sound in it for FFmpeg.
    MemoryError
        If FFmpeg needed more than ``settings.decode_memory_mib``.
    """
    with _descriptor(source, size, settings) as file:
        run = _Runner(programs, file, size, settings, time.monotonic() + limit_s)
        length_s, guessed = run.length_s()
        analysed_s = settings.analysed_s
        if analysed_s and length_s > analysed_s + SLACK_S and not (count or guessed):
            made = run.excerpt((length_s - analysed_s) / 2, 0, analysed_s)
            if len(made.samples) == round(analysed_s * made.rate):
                made.total = made.claimed = round(length_s * made.rate)
                return made
        made = run.excerpt(0.0, 0, analysed_s + SLACK_S if analysed_s else None)
        if len(made.samples) < made.total:
            middle = (made.total - round(analysed_s * made.rate)) // 2
            made.samples = run.excerpt(0.0, middle, analysed_s).samples
        made.claimed = made.total if guessed or not length_s else round(length_s * made.rate)
        return made


@contextmanager
def open_blocks(
    programs: FFmpeg, source: Source, size: int, settings: Settings, limit_s: float
) -> Iterator[Pcm]:
    """Give an iterable of the whole sound in mono blocks; it can be gone through once.

    It raises what `read_excerpt` raises.
    """
    with _descriptor(source, size, settings) as file:
        run = _Runner(programs, file, size, settings, time.monotonic() + limit_s)
        length_s, guessed = run.length_s()
        yield run.decode(0.0, None, length_s if length_s and not guessed else None)


@contextmanager
def _descriptor(source: Source, size: int, settings: Settings) -> Iterator[int]:
    """Give a descriptor of the file: names never reach FFmpeg, so none is taken for an address."""
    if isinstance(source, str | bytes | os.PathLike):
        with open(os.fsencode(source), "rb") as file:
            yield file.fileno()
    elif isinstance(source, io.BufferedReader) and isinstance(source.raw, io.FileIO):
        yield source.fileno()
    elif size > settings.ffmpeg_copy_mib << 20:
        raise FFmpegError(
            "unsupported",
            f"it is not on a local disk and larger than {settings.ffmpeg_copy_mib} MiB: "
            "raise SEGUE_FFMPEG_COPY_MIB",
        )
    else:
        with tempfile.TemporaryFile() as copy:
            _copy(source, copy, settings.ffmpeg_copy_mib << 20)
            yield copy.fileno()


def _copy(source: IO[bytes], copy: IO[bytes], most: int) -> None:
    source.seek(0)
    while most > 0 and (block := source.read(min(_COPY_BLOCK, most))):
        copy.write(block)
        most -= len(block)
    copy.flush()


@dataclass(frozen=True)
class _Runner:
    """Runs the programs on one open file."""

    programs: FFmpeg
    file: int
    size: int
    settings: Settings
    deadline: float

    def length_s(self) -> tuple[float, bool]:
        """Return the file's own length in seconds, 0 if it gives none, and whether it was only guessed."""
        process = self._process(
            self.programs.ffprobe, "-v", "error", *self._input(), "-select_streams", "a:0",
            "-show_entries", "stream=codec_name:format=format_name,duration", "-of", "json",
        )  # fmt: skip
        try:
            found = b"".join(process)
        except TookTooLong:
            raise FFmpegError("timeout", "FFmpeg takes too long on it") from None
        # When it fails it may have begun to write.
        told = json.loads(found) if process.status == 0 else {}
        if not told.get("streams"):
            raise _failure(process, self.file)
        form = told.get("format", {})
        try:
            length = float(form.get("duration", 0))
        except ValueError:
            length = 0.0
        return max(length, 0.0), form.get("format_name") in _GUESSED

    def decode(self, start_s: float, most_s: float | None, length_s: float | None = None) -> Pcm:
        """Return the sound from a second on, for at most some seconds."""
        longest_s = self.size / _BYTES_A_SECOND + self.settings.min_duration_s
        most_s = longest_s if most_s is None else min(most_s, longest_s)
        process = self._process(
            self.programs.ffmpeg, "-nostdin", "-v", "error", "-threads", "1",
            *(["-ss", f"{start_s:.6f}"] if start_s else []), *self._input(), "-map", "0:a:0", "-vn", "-sn",
            "-dn", "-map_metadata", "-1", "-t", f"{most_s:.6f}", "-c:a", "pcm_f32le", "-f", "wav", "pipe:1",
        )  # fmt: skip
        return Pcm(process, self.file, length_s)

    def excerpt(self, start_s: float, skipped: int, kept_s: float | None) -> Excerpt:
        """Keep some seconds of what follows a second and some frames; from the beginning on, count all."""
        pcm = self.decode(start_s, kept_s if start_s else None)
        parts: list[np.ndarray] = []
        total = kept = 0
        for block in pcm:
            most = len(block) if kept_s is None else round(kept_s * pcm.rate) - kept
            part = block[max(0, skipped - total) :][:most]
            # An empty part would keep its whole block in memory.
            if len(part):
                parts.append(part)
                kept += len(part)
            total += len(block)
            if skipped and most <= 0:
                break
        samples = np.concatenate(parts) if parts else np.empty(0, np.float32)
        return Excerpt(samples, pcm.rate, pcm.channels, total, total, FORM, "", pcm.complaint)

    def _input(self) -> list[str]:
        return [
            "-protocol_whitelist", "file", "-format_whitelist", _FORMATS, "-i", f"file:/dev/fd/{self.file}",
        ]  # fmt: skip

    def _process(self, *command: str) -> BoundedProcess:
        memory_mib = max(self.settings.decode_memory_mib, _LIBRARIES_MIB)
        return BoundedProcess(command, (self.file,), memory_mib, self.deadline)


class Pcm:
    """Iterates once over decoded sound in mono float32 blocks, at the file's own ``rate`` (Hz).

    ``rate`` and ``channels`` are known from the first block on, ``complaint`` at the end. ``length_s`` is
    what the file says of itself.
    """

    def __init__(self, process: BoundedProcess, file: int, length_s: float | None) -> None:
        self.rate = 0
        self.channels = 0
        self.complaint = ""
        self.length_s = length_s
        self._process = process
        self._file = file

    def __iter__(self) -> Iterator[np.ndarray]:
        held = b""
        try:
            for chunk in self._process:
                held += chunk
                if not self.rate:
                    held = held[self._read_header(held) :]
                if not self.rate:
                    continue
                whole = len(held) - len(held) % (4 * self.channels)
                if whole:
                    yield mono(np.frombuffer(held, np.dtype("<f4"), whole // 4).reshape(-1, self.channels))
                    held = held[whole:]
        except TookTooLong:
            raise FFmpegError("timeout", "FFmpeg takes too long on it") from None
        if not self.rate or _hungry(self._process):
            raise _failure(self._process, self._file)
        self.complaint = _complaint(self._process, self._file)

    def _read_header(self, data: bytes) -> int:
        """Take rate and channels from FFmpeg's WAV header; return its length, or 0 if it is not all there."""
        at, channels, rate = 12, 0, 0
        while at + 8 <= len(data):
            name, length = data[at : at + 4], struct.unpack_from("<I", data, at + 4)[0]
            if name == b"data" and rate and channels:
                self.channels, self.rate = channels, rate
                return at + 8
            if name == b"fmt " and at + 16 <= len(data):
                channels, rate = struct.unpack_from("<HI", data, at + 10)
            at += 8 + length + length % 2
        return 0


def _hungry(process: BoundedProcess) -> bool:
    return process.status != 0 and "annot allocate memory" in process.words


def _failure(process: BoundedProcess, file: int) -> Exception:
    """Return what a run without sound comes to."""
    if _hungry(process):
        return MemoryError(process.words)
    if process.status < 0:
        return FFmpegError("crashed", f"FFmpeg died of {signal.Signals(-process.status).name} on it")
    words = _complaint(process, file)
    if words.startswith("Format not on whitelist"):
        words = "it is in no format of sound"
    return FFmpegError("unsupported", words or "it holds no sound")


def _complaint(process: BoundedProcess, file: int) -> str:
    """Return the first line of FFmpeg's errors, without the address and the name that it puts before."""
    line = next((line for line in process.words.splitlines() if line.strip()), "")
    return " ".join(line.rpartition("] ")[2].removeprefix(f"file:/dev/fd/{file}: ").split()).rstrip(".")
