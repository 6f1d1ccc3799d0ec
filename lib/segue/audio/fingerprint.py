"""An audio fingerprint: which bands gain on their neighbours, so that copies of one recording agree.

The idea is Haitsma and Kalker's, A Highly Robust Audio Fingerprinting System (ISMIR 2002): the sign of the
difference of band energies over time and frequency. Energies are on a log scale here, so that level and any
fixed filter cancel, and a second mask says which signs are sure; silence, hum and steady tones have none.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

MIN_CODES = 40
"""Two sounds are compared over at least this many codes: 1.9 s, so files from 2.3 s."""

MIN_OVERLAP = 2 / 3
"""… and over at least this share of the shorter one: in looped music parts of other sections are alike."""

MIN_BITS = 250
"""The least number of signs, sure in both sounds, that two sounds are compared by."""

MAX_ERROR = 0.05
"""The largest share of these signs that may differ between copies; unrelated sounds differ in a half."""

MIN_SHARED = 0.5
"""The least share of one sound's sure signs that must be sure in a copy too."""

_EDGES = np.array([*range(8, 40, 2), 40, 44, 47, 51, 54, 58, 61, 65, 68, 72, 75, 79, 82, 86, 89, 93, 96, 100])
"""Mel bands between which 33 broader ones are summed: 0.2 to 5.2 kHz."""

_STEP = 2
_WIDTH = 8
_LAG = 4
_SURE = 1.0
_FLOOR = 1e-6
_MOST_FRAMES = 5_168
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Codes:
    """A fingerprint as numbers: uint32[n] each, a code every 1,024 samples at 22,050 Hz.

    A bit stands for one of 32 pairs of neighbouring bands.

    ``sign`` says whether the lower band gained more than the upper one within 0.19 s, ``sure`` whether the
    gains differ by 3 dB or more.
    """

    sign: np.ndarray
    sure: np.ndarray

    def __len__(self) -> int:
        return len(self.sign)


class Agreement(NamedTuple):
    """The share of signs that differ (`MAX_ERROR`), of how many that are sure in both sounds."""

    error: float
    compared: int


def fingerprint(mel: np.ndarray) -> bytes:
    """Return the fingerprint of a sound: 8 bytes for every 46 ms, 5.1 kB for 30 s.

    Parameters
    ----------
    mel
        float32, shape ``(128, frames)``: the power of 128 mel bands (Slaney's) up to 11,025 Hz, every 512
        samples at 22,050 Hz, as `segue.audio.features.extract_all` gives it. Of more than two minutes the
        middle is taken.

    Returns
    -------
    bytes
        What `codes_of` reads; of less than 0.4 s no codes at all.
    """
    codes = _codes(mel)
    body = np.stack([codes.sign, codes.sure]).astype("<u4").tobytes()
    return struct.pack("<I", _FORMAT) + body


def codes_of(print_: bytes) -> Codes:
    """Return the codes of a fingerprint; none of an empty one, or of one that another version made."""
    words = np.frombuffer(print_, dtype="<u4")
    known = len(words) > 0 and words[0] == _FORMAT
    sign, sure = words[1:].reshape(2, -1) if known else np.zeros((2, 0), "<u4")
    return Codes(sign, sure)


def compare(one: Codes, other: Codes, shift: int) -> Agreement | None:
    """Hold two sounds against each other over all they have in common.

    Parameters
    ----------
    shift
        At which code of the one the other begins; negative if it begins before.

    Returns
    -------
    Agreement or None
        None if that is too little to tell by: less than `MIN_CODES`, `MIN_OVERLAP`, `MIN_BITS` or
        `MIN_SHARED`.
    """
    start, stop = max(0, shift), min(len(one), len(other) + shift)
    if stop - start < max(MIN_CODES, MIN_OVERLAP * min(len(one), len(other))):
        return None
    mine, yours = slice(start, stop), slice(start - shift, stop - shift)
    sure = one.sure[mine] & other.sure[yours]
    compared = _bits(sure)
    fewer = min(_bits(one.sure[mine]), _bits(other.sure[yours]))
    if compared < max(MIN_BITS, MIN_SHARED * fewer):
        return None
    return Agreement(_bits((one.sign[mine] ^ other.sign[yours]) & sure) / compared, compared)


def _codes(mel: np.ndarray) -> Codes:
    spare = max(0, mel.shape[1] - _MOST_FRAMES)
    middle = mel[: _EDGES[-1], spare // 2 : mel.shape[1] - (spare - spare // 2)]
    bands = np.add.reduceat(middle, _EDGES[:-1], axis=0, dtype=np.float64)
    if bands.shape[1] < _WIDTH + _STEP * _LAG:
        return Codes(np.zeros(0, np.uint32), np.zeros(0, np.uint32))
    sums = np.zeros((bands.shape[0], bands.shape[1] + 1))
    np.cumsum(bands, axis=1, out=sums[:, 1:])
    energy = (sums[:, _WIDTH:] - sums[:, :-_WIDTH])[:, ::_STEP]
    # Where there is nothing, nothing changes: rounding and a codec's last bit lie far below the floor.
    level = np.log2(np.maximum(energy, 0) + _FLOOR * _WIDTH * bands.mean() + np.finfo(np.float64).tiny)
    gain = level[:, _LAG:] - level[:, :-_LAG]
    lead = (gain[:-1] - gain[1:]).T
    return Codes(_packed(lead > 0), _packed(np.abs(lead) > _SURE))


def _packed(bits: np.ndarray) -> np.ndarray:
    packed = np.packbits(np.ascontiguousarray(bits), axis=1, bitorder="little")
    return packed.view("<u4").ravel()


def _bits(words: np.ndarray) -> int:
    return int(np.bitwise_count(words).sum(dtype=np.int64))
