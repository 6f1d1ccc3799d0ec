"""What a file is by its first bytes, when libsndfile cannot open it."""

from __future__ import annotations

import os

from segue.audio import mpeg

HEAD_BYTES = 256 << 10
"""Bytes that are looked at, from the end of an ID3 tag on."""

_FOREIGN = (
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media (WMA)"),
    (0, b"MAC ", "Monkey's Audio (APE)"),
    (0, b"wvpk", "WavPack"),
    (0, b"MPCK", "Musepack"),
    (0, b"MP+", "Musepack"),
    (0, b"ADIF", "AAC"),
    (0, b"TTA1", "True Audio (TTA)"),
    (0, b"TTA2", "True Audio (TTA)"),
    (0, b"OFR ", "OptimFROG"),
    (0, b"DSD ", "DSD"),
    (0, b"FRM8", "DSD"),
    (0, b".ra\xfd", "RealAudio"),
    (0, b".RMF", "RealMedia"),
    (0, b"#!AMR", "AMR"),
    (0, b"\x1a\x45\xdf\xa3", "Matroska or WebM"),
    (0, b"FLV\x01", "Flash video"),
    (4, b"ftyp", "MPEG-4 (M4A)"),
)
_READABLE = (
    (0, b"fLaC", "FLAC"),
    (0, b"OggS", "Ogg"),
    (8, b"WAVE", "WAV"),
    (8, b"AIF", "AIFF"),
    (0, b".snd", "AU"),
    (0, b"caff", "CAF"),
    (0, b"riff\x2e\x91\xcf\x11", "Wave64"),
    (0, b"Creative Voice File", "VOC"),
)
_OTHER = (
    (0, b"%PDF", "a PDF document"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"\x89PNG", "a PNG picture"),
    (0, b"GIF8", "a GIF picture"),
    (0, b"\x7fELF", "a program"),
    (0, b"MThd", "MIDI, a score without sound"),
)
_UNSIGNED = {
    ".aac": "AAC", ".ape": "Monkey's Audio (APE)", ".mpc": "Musepack", ".tta": "True Audio (TTA)",
    ".wma": "Windows Media (WMA)", ".wv": "WavPack",
}  # fmt: skip
"""Formats whose old files carry no signature: the extension is believed when nothing else fits."""

_TEXT_SAMPLE = 512


def id3_bytes(head: bytes) -> int:
    """Return the length of the ID3v2 tag that a file begins with, or 0."""
    if len(head) < 10 or head[:3] != b"ID3" or head[3] not in (2, 3, 4) or max(head[6:10]) > 127:
        return 0
    size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    return 10 + size + (10 if head[5] & 0x10 else 0)


def why_not(head: bytes, tagged: bool, name: str, error: str, min_duration_s: float) -> tuple[str, str]:
    """Return status and detail of a file that libsndfile cannot read; `mended` ends an ``unsupported`` one's.

    Parameters
    ----------
    head
        The file's first bytes, up to `HEAD_BYTES`, behind its ID3 tag if it has one.
    tagged
        Whether an ID3 tag stood before them.
    name
        The file's name, for formats that have no signature.
    error
        What libsndfile said.
    min_duration_s
        MPEG audio shorter than this many seconds is ``too_short`` and not ``unsupported``.
    """
    if tagged and not head.strip(b"\0"):
        return "too_short", "holds an ID3 tag and no sound"
    return (
        _no_audio(head)
        or _signed(head, error)
        or _mpeg(head, error, min_duration_s)
        or _by_name(os.path.splitext(name)[1].lower(), tagged)
    )


def mended(detail: str, ffmpeg_said: str | None) -> str:
    """Return the detail of an ``unsupported`` file with what to do, or with FFmpeg's word if it was asked."""
    if ffmpeg_said is None:
        return f"{detail}: install FFmpeg, which may read it, or convert it to FLAC"
    return f"{detail}, and FFmpeg does not read it ({ffmpeg_said})"


def _no_audio(head: bytes) -> tuple[str, str] | None:
    what = _text(head) or _match(_OTHER, head)
    return ("not_audio", f"is {what}") if what else None


def _signed(head: bytes, error: str) -> tuple[str, str] | None:
    if readable := _match(_READABLE, head):
        return "unsupported", f"is {readable} that libsndfile cannot read ({error})"
    foreign = _match(_FOREIGN, head) or _adts(head)
    return ("unsupported", f"is {foreign}, which libsndfile does not read") if foreign else None


def _mpeg(head: bytes, error: str, min_duration_s: float) -> tuple[str, str] | None:
    # Behind a single frame a tag may follow instead of another frame.
    sound = mpeg.without_tags(head) if len(head) < HEAD_BYTES else head
    start = mpeg.find(sound)
    if start is None:
        return None
    held = mpeg.seconds(sound[start:])
    if held < min_duration_s:
        return "too_short", f"holds {held:.2f} s of MPEG audio frames"
    return "unsupported", f"is MPEG audio that libsndfile cannot read ({error})"


def _by_name(extension: str, tagged: bool) -> tuple[str, str]:
    if tagged:
        return "unsupported", "holds an ID3 tag and then no audio format that is known"
    if named := _UNSIGNED.get(extension):
        return "unsupported", f"is {named} by its name, which libsndfile does not read"
    return "not_audio", "begins like no audio format that is known"


def _match(signatures: tuple[tuple[int, bytes, str], ...], head: bytes) -> str:
    return next((what for at, mark, what in signatures if head[at : at + len(mark)] == mark), "")


def _adts(head: bytes) -> str:
    """Recognise AAC in ADTS frames (ISO/IEC 13818-7): sync word, layer 0, a sampling rate that exists."""
    found = len(head) > 2 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0 and head[2] >> 2 & 15 < 13
    return "AAC" if found else ""


def _text(head: bytes) -> str:
    """Say what kind of text a file is, or return an empty string if it is none."""
    sample = head[:_TEXT_SAMPLE]
    if sample[:2] in (b"\xff\xfe", b"\xfe\xff"):
        odd, even = sample[2::2], sample[3::2]
        return "text" if min(odd.count(0), even.count(0)) * 4 < max(odd.count(0), even.count(0)) else ""
    if not sample or any(byte < 32 and byte not in b"\t\n\r\f" for byte in sample):
        return ""
    try:
        text = sample.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The sample may end within a character.
        if len(head) <= _TEXT_SAMPLE or error.start < len(sample) - 3:
            return ""
        text = sample[: error.start].decode("utf-8-sig")
    start = text.lstrip().lower()
    if start.startswith(("<!doctype html", "<html", "<head", "<body")):
        return "a web page"
    if start.startswith("<"):
        return "XML or HTML"
    return "text"
