"""Which decoder reads a file, libsndfile or FFmpeg, what it warns of, and why neither reads it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import soundfile

from segue.audio import ffmpeg, sniff
from segue.audio.excerpt import EXACT_S, Excerpt, Source, breaks_off, has_holes, read_bytes, words_of
from segue.settings import Settings

Read = TypeVar("Read", bound=Excerpt)

_LOWEST_RATE = 1_000
_CLEARLY_MORE_S = 0.5
# So many bytes with less than a second of sound make one doubt the header.
_SECOND_BYTES = 16 << 10


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why a file cannot be used: a reason code of `segue.dataset.base` and a sentence for a person."""

    status: str
    detail: str


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


def read(
    source: Source,
    size: int,
    settings: Settings,
    by_libsndfile: Callable[[Source, float], Read],
    by_ffmpeg: Callable[..., Read],
) -> tuple[Read, list[str]] | Rejected:
    """Return what libsndfile reads of a file, or FFmpeg where it is installed and reads more; with warnings.

    Parameters
    ----------
    source, size, settings
        The file, its bytes, and what bounds the work.
    by_libsndfile
        `segue.audio.excerpt.read_excerpt`, or what else asks libsndfile the same.
    by_ffmpeg
        `segue.audio.ffmpeg.read_excerpt`, or what else takes the same parameters.
    """
    found = _read(source, size, settings, by_libsndfile, by_ffmpeg)
    if isinstance(found, Rejected):
        return found
    excerpt = found[0]
    if excerpt.rate < _LOWEST_RATE:
        return Rejected(
            "unsupported",
            f"claims {excerpt.rate} samples a second, fewer than any sound: its header is wrong",
        )
    if excerpt.total < settings.min_duration_s * excerpt.rate:
        held = f"holds {excerpt.total / excerpt.rate:.2f} s of sound"
        return Rejected("too_short", f"{held}, less than {settings.min_duration_s:g} s")
    return found


def _read(
    source: Source,
    size: int,
    settings: Settings,
    by_libsndfile: Callable[[Source, float], Read],
    by_ffmpeg: Callable[..., Read],
) -> tuple[Read, list[str]] | Rejected:
    try:
        excerpt = by_libsndfile(source, settings.analysed_s)
    except soundfile.SoundFileError as error:
        return _foreign(source, size, words_of(error), settings, by_ffmpeg)
    if excerpt.error and excerpt.total < settings.min_duration_s * excerpt.rate:
        return _foreign(source, size, excerpt.error, settings, by_ffmpeg)
    broken = breaks_off(source, excerpt)
    if broken or (excerpt.total < settings.min_duration_s * excerpt.rate and size > _SECOND_BYTES):
        rescued = _rescued(source, size, excerpt, settings, by_ffmpeg)
        if rescued:
            return rescued, ["damaged"]
    return excerpt, ["truncated"] * broken + ["damaged"] * has_holes(excerpt)


def _foreign(
    source: Source, size: int, error: str, settings: Settings, by_ffmpeg: Callable[..., Read]
) -> tuple[Read, list[str]] | Rejected:
    """Return what FFmpeg reads of a file that libsndfile cannot read, or why nothing does."""
    tag = sniff.id3_bytes(read_bytes(source, 0, 10))
    # A tag that claims more than there is may stand before sound all the same.
    head = read_bytes(source, tag if tag <= size else 0, sniff.HEAD_BYTES)
    name = os.fsdecode(source) if isinstance(source, str | bytes | os.PathLike) else str(source)
    status, detail = sniff.why_not(head, tag > 0, name, error, settings.min_duration_s)
    if status != "unsupported":
        return Rejected(status, detail)
    programs = ffmpeg.find()
    if programs is None:
        return Rejected(status, sniff.mended(detail, None))
    try:
        excerpt = by_ffmpeg(programs, source, size, settings, settings.decode_timeout_s)
    except ffmpeg.FFmpegError as failure:
        if failure.status != status:
            return Rejected(failure.status, f"{detail}, and {failure}")
        return Rejected(status, sniff.mended(detail, str(failure)))
    missing = excerpt.claimed - excerpt.total > EXACT_S * excerpt.rate
    return excerpt, ["truncated"] * missing + ["damaged"] * bool(excerpt.error)


def _rescued(
    source: Source, size: int, broken: Read, settings: Settings, by_ffmpeg: Callable[..., Read]
) -> Read | None:
    """Return what FFmpeg reads of a file that breaks off for libsndfile, if that is clearly more."""
    programs = ffmpeg.find()
    if programs is None:
        return None
    try:
        # Half of the time, so that FFmpeg's failure never costs what libsndfile has read.
        limit_s = settings.decode_timeout_s / 2
        excerpt = by_ffmpeg(programs, source, size, settings, limit_s, count=True)
    except (ffmpeg.FFmpegError, MemoryError):
        return None
    more_s = excerpt.total / excerpt.rate - broken.total / broken.rate
    return excerpt if more_s > _CLEARLY_MORE_S else None
