"""What libsndfile reads of a file: all of it, or its middle, and whether the file breaks off."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

import numpy as np
import soundfile

from segue.audio import mpeg, sniff

SLACK_S = 1.0
"""Seconds by which a file may pass the analysed length and still be read whole."""

EXACT_S = 0.25
"""Seconds that a file may miss of its own length before it is said to break off."""

LOUDEST = 1e9
"""Louder is no sound, and its squares would leave the range of float32."""

Source = str | bytes | os.PathLike[str] | IO[bytes]
"""A path, or an open binary file that can seek."""

# Samples read at once. soundfile seeks after each read, which changes an MP3's next bits by a rounding.
_AT_ONCE = 1 << 26
_COUNTING_BLOCK = 1 << 14
_FINE_BLOCK = 1 << 10
_STREAM_BLOCK = 1 << 17
_TAIL_BYTES = 64 << 10
_HEAD_BYTES = 16 << 10
_WALKED_BYTES = 16 << 20
_NO_LENGTH = 1 << 40
_CUT_CHUNK = re.compile(
    r"^ *(?:data|SSND|Data Size|riff|Riff size) +: (\d+) \(should be (\d+)\)", re.MULTILINE
)
_HOLE = re.compile("libogg reports a hole|Corrupted bitstream")
_UNKNOWN_SIZE = 0xFFFF0000


@dataclass(slots=True)
class Excerpt:
    """Mono samples at the file's own rate, and what is known of the whole file.

    ``claimed`` frames are libsndfile's guess before reading, ``total`` those that were there. ``notes`` is
    its log.
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


def read_excerpt(source: Source, analysed_s: float) -> Excerpt:
    """Read the whole sound, or its middle if it is longer than ``analysed_s`` (0: always the whole)."""
    with _open(source) as sound:
        rate, claimed = sound.samplerate, sound.frames
        wanted = round(analysed_s * rate)
        longest = round((analysed_s + SLACK_S) * rate) if analysed_s else claimed
        made = Excerpt(
            np.empty(0, np.float32), rate, sound.channels, claimed, claimed, sound.format, sound.extra_info
        )
        if claimed > longest and _reaches_end(sound):
            made.samples, made.notes = _middle(sound, claimed, wanted), sound.extra_info
            if len(made.samples) == wanted:
                return made
    if claimed > longest:
        # The header or an estimate from the bit rate promised more than there is.
        made.total, made.error = _count(source)
        if made.total > longest:
            with _open(source) as sound:
                made.samples, made.notes = _middle(sound, made.total, wanted), sound.extra_info
            if len(made.samples) == wanted:
                return made
    for block in (_AT_ONCE, _FINE_BLOCK):
        with _open(source) as sound:
            made.samples, made.error = _gather(sound, longest, block)
            made.notes = sound.extra_info
        made.total = len(made.samples)
        # A block that meets damage is lost whole: read again in small ones, up to the damage.
        if not made.error:
            break
    return made


def claimed_seconds(source: Source) -> float:
    """Return how long libsndfile believes a file to be before it has read it."""
    with _open(source) as sound:
        return sound.frames / sound.samplerate


@contextmanager
def native_blocks(source: Source) -> Iterator[tuple[soundfile.SoundFile, Blocks]]:
    """Give the opened sound and its mono blocks at its own rate, of 128 Ki samples before mixing."""
    with _open(source) as sound:
        yield sound, Blocks(sound, sound.frames, _STREAM_BLOCK)


class Blocks:
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
                self.error = words_of(error)
                return
            if not len(block):
                return
            self._left -= len(block)
            yield mono(block)


def mono(block: np.ndarray) -> np.ndarray:
    """Return the mean of a float32 block's channels as a new array, rounded as ``numpy.mean`` rounds it.

    ``block`` has the shape ``(frames, channels)``, the result ``(frames,)``.
    """
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
    blocks = Blocks(sound, most, block)
    parts = list(blocks) or [np.empty(0, np.float32)]
    return (np.concatenate(parts) if len(parts) > 1 else parts[0]), blocks.error


def _count(source: Source) -> tuple[int, str]:
    """Return how many frames can really be read, and the error that ended it."""
    with _open(source) as sound:
        blocks = Blocks(sound, sound.frames, _COUNTING_BLOCK)
        return sum(map(len, blocks)), blocks.error


def breaks_off(source: Source, excerpt: Excerpt) -> bool:
    """Tell whether a file promises clearly more sound than it holds, or ends within a frame."""
    if excerpt.claimed > _NO_LENGTH:
        return False  # A stream that was written without its length.
    missing_s = (excerpt.claimed - excerpt.total) / excerpt.rate
    if excerpt.error or (missing_s > EXACT_S and excerpt.form != "MP3"):
        return True
    if excerpt.form == "MP3":
        if _holds_more(source, excerpt, missing_s):
            return True
        return mpeg.ends_in_a_frame(read_bytes(source, -_TAIL_BYTES, _TAIL_BYTES))
    if excerpt.form == "OGG":
        tail = read_bytes(source, -_TAIL_BYTES, _TAIL_BYTES)
        page = tail.rfind(b"OggS")
        return len(tail) > page + 5 and not (page >= 0 and tail[page + 5] & 4)
    cut = _CUT_CHUNK.search(excerpt.notes)
    return cut is not None and int(cut[2]) + 1024 < int(cut[1]) < _UNKNOWN_SIZE


def has_holes(excerpt: Excerpt) -> bool:
    """Tell whether libsndfile left out bad parts of an Ogg stream, of which it says so in its log alone."""
    return excerpt.form == "OGG" and _HOLE.search(excerpt.notes) is not None


def _holds_more(source: Source, excerpt: Excerpt, missing_s: float) -> bool:
    """Tell whether an MPEG file's own count, or its frames one by one, pass what could be decoded."""
    tag = sniff.id3_bytes(read_bytes(source, 0, 10))
    head = read_bytes(source, tag, _HEAD_BYTES)
    start = mpeg.find(head)
    if start is None:
        return missing_s > EXACT_S
    counted = mpeg.frame_count(head, start) > 0
    if missing_s <= EXACT_S and (counted or not mpeg.varies(head, start)):
        return False
    # Without a count, libsndfile takes the first frame's bit rate for all, and stops where that ends.
    walked_s = mpeg.seconds(read_bytes(source, tag, _WALKED_BYTES))
    return counted or walked_s - excerpt.total / excerpt.rate > EXACT_S


def read_bytes(source: Source, start: int, count: int) -> bytes:
    """Return up to ``count`` bytes of a file from an offset, counted from its end if negative."""
    if isinstance(source, str | bytes | os.PathLike):
        with open(os.fsencode(source), "rb") as file:
            return read_bytes(file, start, count)
    end = source.seek(0, os.SEEK_END)
    source.seek(max(0, end + start) if start < 0 else start)
    return source.read(count)


def words_of(error: soundfile.SoundFileError) -> str:
    """Return what libsndfile said, without the file's name."""
    text = getattr(error, "error_string", None) or str(error)
    return text.removeprefix("Error :").strip().rstrip(".")
