"""MPEG frames as their headers lay them out."""

import struct

import pytest

from segue.audio import mpeg

HEADER_128 = b"\xff\xfb\x90\x64"
"""MPEG 1 layer III, 128 kbit/s at 44,100 Hz, joint stereo, not padded: 417 bytes."""
HEADER_160 = b"\xff\xfb\xa0\x64"
"""The same at 160 kbit/s: 522 bytes."""
HEADER_128_PADDED = b"\xff\xfb\x92\x64"


def frame(header: bytes, inside: bytes = b"") -> bytes:
    found = mpeg.frame_at(header, 0)
    assert found is not None
    return (header + bytes(32) + inside).ljust(found.size, b"\0")


def test_sizes_are_those_of_the_standard():
    sizes = [mpeg.frame_at(header, 0).size for header in (HEADER_128, HEADER_160, HEADER_128_PADDED)]
    assert sizes == [417, 522, 418]
    assert mpeg.seconds(frame(HEADER_128) * 100) == pytest.approx(100 * 1_152 / 44_100)


@pytest.mark.parametrize(
    ("inside", "count"),
    [
        (b"Xing" + struct.pack(">II", 1, 1_149), 1_149),
        (b"Info" + struct.pack(">II", 15, 7), 7),
        (b"Xing" + struct.pack(">II", 2, 1_149), 0),  # its flags say that it holds bytes, not frames
        (b"VBRI" + bytes(10) + struct.pack(">I", 99), 99),
        (b"", 0),
    ],
)
def test_the_count_of_frames_is_read_where_there_is_one(inside, count):
    assert mpeg.frame_count(frame(HEADER_128, inside), 0) == count


def test_bit_rates_vary_but_padding_does_not_count():
    assert mpeg.varies(frame(HEADER_128) + frame(HEADER_160), 0)
    assert not mpeg.varies(frame(HEADER_128) + frame(HEADER_128_PADDED) * 3, 0)
    assert not mpeg.varies(b"no frame", 0)
