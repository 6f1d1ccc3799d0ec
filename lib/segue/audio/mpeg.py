"""MPEG audio frames: where they are, how long they last, whether the last one is whole."""

from __future__ import annotations

from dataclasses import dataclass

# ISO/IEC 11172-3 and 13818-3: kbit/s by (MPEG 1?, layer), Hz by version.
_BITRATES = {
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_ID3V1_BYTES = 128
_APE_FOOTER = 32


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame's header. ``kind`` is version, layer and rate index; ``size`` is bytes, 0 if free-format."""

    kind: tuple[int, int, int]
    size: int
    samples: int
    rate: int


def frame_at(data: bytes, at: int) -> Frame | None:
    """Return the frame whose header stands at an offset, or None."""
    if at + 4 > len(data) or data[at] != 0xFF or data[at + 1] & 0xE0 != 0xE0:
        return None
    version, layer = data[at + 1] >> 3 & 3, 4 - (data[at + 1] >> 1 & 3)
    bitrate, rate, padding = data[at + 2] >> 4, data[at + 2] >> 2 & 3, data[at + 2] >> 1 & 1
    if version == 1 or layer == 4 or bitrate == 15 or rate == 3:
        return None
    samples = 384 if layer == 1 else 1152 if layer == 2 or version == 3 else 576
    hertz = _RATES[version][rate]
    size = 0
    if bitrate:
        slot = 4 if layer == 1 else 1
        bits = _BITRATES[version == 3, layer][bitrate - 1] * 1000
        size = (samples // 8 // slot * bits // hertz + padding) * slot
    return Frame((version, layer, rate), size, samples, hertz)


def find(data: bytes, start: int = 0) -> int | None:
    """Return the offset of the first frame after ``start``, or None.

    A header counts if another like it follows where its frame ends; at ``start`` itself it also counts if
    the data end there or the stream is free-format.
    """
    at = data.find(b"\xff", start)
    while at >= 0:
        frame = frame_at(data, at)
        if frame is not None:
            follower = frame_at(data, at + frame.size) if frame.size else None
            if follower is not None and follower.kind == frame.kind:
                return at
            if at == start and (not frame.size or at + frame.size + 4 > len(data)):
                return at
        at = data.find(b"\xff", at + 1)
    return None


def seconds(data: bytes) -> float:
    """Return how long the whole frames in ``data`` last, skipping what is no frame."""
    total, at = 0.0, find(data)
    while at is not None:
        frame = frame_at(data, at)
        if frame is None or not frame.size:
            at = find(data, at + 1)
            continue
        at += frame.size
        if at > len(data):
            break
        total += frame.samples / frame.rate
    return total


def frame_count(data: bytes, start: int) -> int:
    """Return how many frames the one at ``start`` says there are (Xing, Info or VBRI header), else 0."""
    head = data[start : start + 200]
    for mark in (b"Xing", b"Info"):
        at = head.find(mark)
        if at >= 0 and int.from_bytes(head[at + 4 : at + 8], "big") & 1:
            return int.from_bytes(head[at + 8 : at + 12], "big")
    at = head.find(b"VBRI")
    return int.from_bytes(head[at + 14 : at + 18], "big") if at >= 0 else 0


def varies(data: bytes, start: int) -> bool:
    """Tell whether frames from ``start`` on differ in their size by more than the padding."""
    sizes = set()
    frame = frame_at(data, start)
    while frame is not None and frame.size:
        sizes.add(frame.size)
        start += frame.size
        frame = frame_at(data, start)
    return bool(sizes) and max(sizes) - min(sizes) > 4


def ends_in_a_frame(tail: bytes) -> bool:
    """Tell whether the last frame in a file's last bytes is shorter than its header says."""
    tail = without_tags(tail)
    at = find(tail)
    while at is not None and at < len(tail):
        frame = frame_at(tail, at)
        if frame is None or not frame.size:
            if len(tail) - at < 4:
                return tail[at] == 0xFF
            at = find(tail, at + 1)
            continue
        if at + frame.size > len(tail):
            return True
        at += frame.size
    return False


def without_tags(tail: bytes) -> bytes:
    """Return a file's last bytes without the ID3v1 and APE tags that may follow the sound."""
    if tail[-_ID3V1_BYTES:].startswith(b"TAG") and len(tail) >= _ID3V1_BYTES:
        tail = tail[:-_ID3V1_BYTES]
    footer = tail[-_APE_FOOTER:]
    if footer.startswith(b"APETAGEX"):
        size = int.from_bytes(footer[12:16], "little")
        header = _APE_FOOTER if footer[23] & 0x80 else 0
        tail = tail[: max(0, len(tail) - size - header)]
    return tail
