"""Files of the catalogue: encoded, written whole or not at all."""

from __future__ import annotations

import io
import os
from pathlib import Path

import soundfile
import soxr

from segue.dataset.compose.catalogue import Piece, Recipe, song_of, style_of
from segue.dataset.compose.perform import perform
from segue.dataset.compose.synth import Samples
from segue.settings import SAMPLE_RATE

_ERROR_PAGE = b"""<!DOCTYPE html>
<html><head><title>404 Not Found</title></head>
<body><h1>Not Found</h1><p>The requested file was not found on this server.</p></body></html>
"""
_CUT_BYTES = 1_752


def encode(samples: Samples, rate: int = SAMPLE_RATE, *, low_bitrate: bool = False) -> bytes:
    """Return mono samples as MP3: about 40 kbit/s, variable, or a constant one of about 24 kbit/s."""
    mode, level = ("CONSTANT", 0.9) if low_bitrate else ("VARIABLE", 0.7)
    buffer = io.BytesIO()
    soundfile.write(
        buffer,
        samples,
        rate,
        format="MP3",
        subtype="MPEG_LAYER_III",
        bitrate_mode=mode,
        compression_level=level,
    )
    return buffer.getvalue()


def composed(recipe: Recipe, piece: Piece) -> bytes:
    """Return the MP3 of a composition."""
    song, rng = song_of(recipe, piece)
    return encode(perform(song, style_of(recipe, piece.artist), rng, recipe.seconds))


def planted(recipe: Recipe, piece: Piece, original: Path | None) -> bytes:
    """Return the content of a planted file; ``original`` is the file that a near-copy copies."""
    if piece.planted == "error_page":
        return _ERROR_PAGE
    if piece.planted == "empty":
        return b""
    if piece.planted == "cut":
        return composed(recipe, piece)[:_CUT_BYTES]
    samples, rate = soundfile.read(original, dtype="float32")
    if piece.planted == "low_bitrate":
        return encode(samples, rate, low_bitrate=True)
    return encode(soxr.resample(samples, rate, 32_000) * 10 ** (-4 / 20), 32_000)


def relative_path(track_id: int, extension: str = ".mp3") -> str:
    """Return FMA's path of a track: ``200/200123.mp3``."""
    name = f"{track_id:06d}"
    return f"{name[:3]}/{name}{extension}"


def write(path: Path, content: bytes, scratch: Path) -> None:
    """Write a file whole or not at all: first under ``scratch``, on the same disk, then renamed."""
    part = scratch / f"{path.name}.{os.getpid()}.part"
    part.write_bytes(content)
    path.parent.mkdir(parents=True, exist_ok=True)
    part.replace(path)
