"""Real clips made bad: cut, flipped, spliced, renamed, with headers that lie; the same for one seed."""

from __future__ import annotations

import random
import re
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import soundfile

FFMPEG = shutil.which("ffmpeg")
_EXTENSIONS = ("mp3", "ogg", "flac", "wav", "m4a", "aac", "opus", "wma", "aiff", "mka")
_HUGE = (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_OGG_CRC = 0x04C11DB7


def short_clips(folder: Path, shared_data: Path, seconds: float = 4.0) -> list[Path]:
    """Write excerpts of real clips as MP3, Ogg, FLAC and WAV, and as M4A where there is an FFmpeg."""
    made = []
    sources = ("fma_audio/000/000182.mp3", "fma_audio/001/001645.mp3")
    for number, name in enumerate(sources):
        with soundfile.SoundFile(shared_data / name) as sound:
            rate = sound.samplerate
            sound.seek(5 * rate)
            samples = sound.read(round(seconds * rate), dtype="float32")
        for form in ("mp3", "ogg", "flac", "wav"):
            path = folder / f"clip{number}.{form}"
            soundfile.write(path, np.clip(samples, -1, 1), rate, format=form.upper())
            made.append(path)
        if FFMPEG:
            path = folder / f"clip{number}.m4a"
            wav = folder / f"clip{number}.wav"
            # The index stands behind the sound in one and before it in the other.
            index = ["-movflags", "+faststart"] if number else []
            subprocess.run([FFMPEG, "-nostdin", "-v", "error", "-y", "-i", wav, *index, path], check=True)
            made.append(path)
    return made


def mutations(sources: list[Path], count: int, seed: int) -> Iterator[tuple[str, bytes, str]]:
    """Yield ``count`` times a file name, its content, and what was done to which source."""
    rng = random.Random(seed)
    contents = {path: path.read_bytes() for path in sources}
    order = list(_KINDS)
    for number in range(count):
        source = sources[number // len(order) % len(sources)]
        kind = order[number % len(order)]
        extension, content, done = _KINDS[kind](rng, source, contents)
        yield f"{number:04d}-{kind}.{extension}", content, f"{source.name}: {done}"


Made = tuple[str, bytes, str]
Contents = dict[Path, bytes]


def _suffix(source: Path) -> str:
    return source.suffix[1:]


def _cut(rng: random.Random, source: Path, contents: Contents) -> Made:
    content = contents[source]
    at = rng.randrange(len(content)) if rng.random() < 0.8 else rng.randrange(200)
    return _suffix(source), content[:at], f"only the first {at} bytes"


def _beheaded(rng: random.Random, source: Path, contents: Contents) -> Made:
    content = contents[source]
    at = rng.choice([rng.randrange(1, 200), rng.randrange(len(content))])
    return _suffix(source), content[at:], f"without the first {at} bytes"


def _flipped(rng: random.Random, source: Path, contents: Contents) -> Made:
    content = bytearray(contents[source])
    rate = 10.0 ** -rng.randrange(2, 7)
    flips = max(1, round(len(content) * 8 * rate))
    for _ in range(flips):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return _suffix(source), bytes(content), f"{flips} bits flipped"


def _flipped_head(rng: random.Random, source: Path, contents: Contents) -> Made:
    content = bytearray(contents[source])
    flips = rng.randrange(1, 20)
    for _ in range(flips):
        content[rng.randrange(min(400, len(content)))] ^= 1 << rng.randrange(8)
    return _suffix(source), bytes(content), f"{flips} bits flipped in the first 400 bytes"


def _spliced(rng: random.Random, source: Path, contents: Contents) -> Made:
    other = rng.choice(list(contents))
    head, tail = contents[source], contents[other]
    content = head[: rng.randrange(len(head))] + tail[rng.randrange(len(tail)) :]
    return _suffix(source), content, f"its beginning, then the end of {other.name}"


def _renamed(rng: random.Random, source: Path, contents: Contents) -> Made:
    extension = rng.choice([each for each in _EXTENSIONS if each != _suffix(source)])
    return extension, contents[source], f"renamed to .{extension}"


def _garbage(rng: random.Random, source: Path, contents: Contents) -> Made:
    content, size = contents[source], 2 ** rng.randrange(1, 17)
    at = rng.choice([0, rng.randrange(len(content)), len(content)])
    return _suffix(source), content[:at] + rng.randbytes(size) + content[at:], f"{size} random bytes at {at}"


def _duplicated(rng: random.Random, source: Path, contents: Contents) -> Made:
    content = contents[source]
    start, size = rng.randrange(len(content)), 2 ** rng.randrange(4, 16)
    times = rng.randrange(1, 8)
    chunk = content[start : start + size] * times
    return _suffix(source), content[:start] + chunk + content[start:], f"{size} bytes {times} times more"


def _zeroed(rng: random.Random, source: Path, contents: Contents) -> Made:
    content = bytearray(contents[source])
    start = rng.randrange(len(content))
    size = min(2 ** rng.randrange(1, 17), len(content) - start)
    content[start : start + size] = bytes(size)
    return _suffix(source), bytes(content), f"{size} zeros at {start}"


def _lying_tag(rng: random.Random, source: Path, contents: Contents) -> Made:
    claimed = rng.choice([0, 10, 1000, 100_000, (1 << 28) - 1])
    held = rng.choice([0, 10, 1000, 20_000])
    size = bytes(claimed >> shift & 127 for shift in (21, 14, 7, 0))
    tag = b"ID3\x04\x00\x00" + size + bytes(held)
    return _suffix(source), tag + contents[source], f"an ID3 tag of {held} bytes that claims {claimed}"


def _lying_length(rng: random.Random, source: Path, contents: Contents) -> Made:
    content = bytearray(contents[source])
    done = _LIES[_suffix(source)](rng, content)
    return _suffix(source), bytes(content), done


def _lying_riff(rng: random.Random, content: bytearray) -> str:
    at = rng.choice([4, 16, 22, 24, 28, 32, 34, content.find(b"data") + 4])
    value, form = rng.choice(_HUGE), "<H" if at in (22, 32, 34) else "<I"
    struct.pack_into(form, content, at, value & (0xFFFF if form == "<H" else 0xFFFFFFFF))
    return f"the RIFF number at {at} says {value:#x}"


def _lying_flac(rng: random.Random, content: bytearray) -> str:
    if rng.random() < 0.7:
        frames = rng.choice([1, 1000, 1 << 31, (1 << 36) - 1])
        content[21] = content[21] & 0xF0 | frames >> 32
        content[22:26] = (frames & 0xFFFFFFFF).to_bytes(4, "big")
        return f"STREAMINFO says {frames} samples"
    value = rng.choice([0, 1, 0xFFFFFF])
    content[5:8] = value.to_bytes(3, "big")
    return f"the first metadata block says {value} bytes"


def _lying_xing(rng: random.Random, content: bytearray) -> str:
    found = re.search(rb"Xing|Info", content)
    assert found, "soundfile's encoder begins with a frame that counts the others"
    value = rng.choice(_HUGE)
    at = found.start() + rng.choice([8, 12])
    struct.pack_into(">I", content, at, value)
    return f"the Xing header's {'frames' if at == found.start() + 8 else 'bytes'} say {value:#x}"


def _lying_atom(rng: random.Random, content: bytearray) -> str:
    names = rb"moov|mvhd|trak|mdhd|stbl|stsd|stts|stsc|stsz|stco|mdat|esds"
    found = rng.choice(list(re.finditer(names, content)))
    value = rng.choice(_HUGE)
    # The size stands before an atom's name; counts and durations stand behind it.
    at = min(found.start() + rng.choice([-4, 8, 12, 16, 20]), len(content) - 4)
    struct.pack_into(">I", content, at, value)
    return f"the number at {at} by the atom {found[0].decode()} says {value:#x}"


def _lying_granule(rng: random.Random, content: bytearray) -> str:
    pages = [found.start() for found in re.finditer(rb"OggS\0", content)]
    at = rng.choice([pages[-1], rng.choice(pages)])
    value = rng.choice([0, 1, 1 << 31, 1 << 40, (1 << 63) - 1, -2])
    struct.pack_into("<q", content, at + 6, value)
    following = [page for page in pages if page > at]
    end = following[0] if following else len(content)
    struct.pack_into("<I", content, at + 22, 0)
    struct.pack_into("<I", content, at + 22, _ogg_checksum(content[at:end]))
    return f"the page at {at} says granule {value}"


def _ogg_checksum(page: bytes | bytearray) -> int:
    """Return a page's checksum (RFC 3533), without which readers pass it over."""
    register = 0
    for byte in page:
        register ^= byte << 24
        for _ in range(8):
            register = (register << 1 ^ (_OGG_CRC if register & 0x80000000 else 0)) & 0xFFFFFFFF
    return register


_LIES: dict[str, Callable[[random.Random, bytearray], str]] = {
    "wav": _lying_riff, "flac": _lying_flac, "mp3": _lying_xing, "m4a": _lying_atom, "ogg": _lying_granule,
}  # fmt: skip
_KINDS: dict[str, Callable[[random.Random, Path, Contents], Made]] = {
    "cut": _cut, "beheaded": _beheaded, "flipped": _flipped, "flipped_head": _flipped_head,
    "lying_length": _lying_length, "spliced": _spliced, "renamed": _renamed, "garbage": _garbage,
    "duplicated": _duplicated, "zeroed": _zeroed, "lying_tag": _lying_tag,
}  # fmt: skip
