"""The short-time Fourier transform: magnitudes of 2,048-sample Hann frames every 512 samples.

Sixteen frames are worked on at a time, side by side, as a *tile*: float32 ``(1025, 16)``, bins by frames. The
transform is in float64 and its result rounded to float32, as `scipy.fft` and librosa do it, so that the
magnitudes are librosa's to the last bit but for a few in a million: a tuning estimate is the peak of a
histogram, which one differing bit may move.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from segue.audio.kernels.lanes import absolute, fill8, least, load8, most, narrow, root, store, widen

FRAME = 2048
HOP = 512
BINS = FRAME // 2 + 1
TILE = 16
_BLOCKS = FRAME // HOP
_HALF = FRAME // 2
_SIDE = 8  # float64 numbers in a vector: half a tile.


class Transform(NamedTuple):
    """The constants of the transform and its scratch.

    ``window`` float64[2048]; ``twiddles`` the factors of each stage in order of use; ``order`` where the
    1,024-point transform leaves output k; ``split`` the factors that part two interleaved halves; ``real``
    and ``imaginary`` float64[1024 * 8].
    """

    window: np.ndarray
    twiddles: np.ndarray
    order: np.ndarray
    split: np.ndarray
    real: np.ndarray
    imaginary: np.ndarray


def transform() -> Transform:
    """Return the constants, and scratch of one's own."""
    # As scipy.signal.get_window("hann", 2048) computes it.
    window = 0.5 + 0.5 * np.cos(np.linspace(-np.pi, np.pi, FRAME + 1)[:-1])
    stages = []
    points = _HALF
    while points >= 4:
        angles = -2 * np.pi * np.outer(np.arange(points // 4), [1, 2, 3]) / points
        stages.append(np.stack([np.cos(angles), np.sin(angles)], axis=-1).ravel())
        points //= 4
    outputs = np.arange(_HALF)
    order = np.zeros(_HALF, dtype=np.int64)
    for digit in range(5):
        order = order * 4 + (outputs >> 2 * digit & 3)
    halves = 2 * np.pi * np.arange(_HALF // 2 + 1) / FRAME
    split = np.stack([np.cos(halves), -np.sin(halves)], axis=-1)
    return Transform(
        window, np.concatenate(stages), order, split, np.zeros(_HALF * _SIDE), np.zeros(_HALF * _SIDE)
    )


def tiles_of(frames: int) -> int:
    """Return how many tiles hold ``frames`` frames."""
    return -(-frames // TILE)


def stride_of(tiles: int) -> int:
    """Return the columns of the block matrix that ``tiles`` tiles read."""
    return (tiles + 1) * TILE


@njit(cache=True, error_model="numpy")
def to_columns(samples, lead, columns, stride):  # type: ignore[no-untyped-def]
    """Write blocks of 512 samples as the columns of a matrix, float32[512 * stride], after ``lead`` zeros.

    A frame is four neighbouring columns, so a vector along a row holds one sample of several frames.
    """
    count = len(samples)
    for start in range(0, stride, TILE):
        first = (start - lead) * HOP
        if first >= 0 and first + TILE * HOP <= count:
            blocks = samples[first : first + TILE * HOP].reshape(TILE, HOP)
            for row in range(HOP):
                for column in range(TILE):
                    columns[row * stride + start + column] = blocks[column, row]
        else:
            for row in range(HOP):
                for column in range(TILE):
                    at = first + column * HOP + row
                    columns[row * stride + start + column] = samples[at] if 0 <= at < count else 0


@njit(error_model="numpy")
def _butterfly(re, im, at, apart, twiddles, factor, a, b, c, d):  # type: ignore[no-untyped-def]
    """Write the four-point transform of complex vectors, each turned by its factor."""
    (ar, ai), (br, bi), (cr, ci), (dr, di) = a, b, c, d
    sr, si, ur, ui = ar + cr, ai + ci, ar - cr, ai - ci
    tr, ti, vr, vi = br + dr, bi + di, br - dr, bi - di
    store(re, at, sr + tr)
    store(im, at, si + ti)
    _turned(re, im, at + apart, ur + vi, ui - vr, twiddles, factor)
    _turned(re, im, at + 2 * apart, sr - tr, si - ti, twiddles, factor + 2)
    _turned(re, im, at + 3 * apart, ur - vi, ui + vr, twiddles, factor + 4)


@njit(error_model="numpy")
def _turned(re, im, at, xr, xi, twiddles, factor):  # type: ignore[no-untyped-def]
    wr, wi = fill8(twiddles[factor]), fill8(twiddles[factor + 1])
    store(re, at, xr * wr - xi * wi)
    store(im, at, xr * wi + xi * wr)


@njit(error_model="numpy")
def _pair(columns, at, stride, window, sample):  # type: ignore[no-untyped-def]
    """Return two neighbouring samples of eight frames, windowed, as real and imaginary part."""
    re = widen(load8(columns, at)) * fill8(window[sample])
    im = widen(load8(columns, at + stride)) * fill8(window[sample + 1])
    return re, im


@njit(error_model="numpy")
def _point(re, im, at):  # type: ignore[no-untyped-def]
    return load8(re, at), load8(im, at)


@njit(error_model="numpy")
def _transformed(columns, stride, frame, t):  # type: ignore[no-untyped-def]
    """Transform 1,024 pairs of samples of eight frames in place, radix 4, decimation in frequency."""
    quarter = _HALF // 4
    for j in range(quarter):
        at, sample = 2 * j * stride + frame, 2 * j
        _butterfly(
            t.real, t.imaginary, j * _SIDE, quarter * _SIDE, t.twiddles, j * 6,
            _pair(columns, at, stride, t.window, sample),
            _pair(columns, at + 1, stride, t.window, sample + HOP),
            _pair(columns, at + 2, stride, t.window, sample + 2 * HOP),
            _pair(columns, at + 3, stride, t.window, sample + 3 * HOP),
        )  # fmt: skip
    # A quarter at a time, to stay in the first-level cache.
    for base in range(0, _HALF, quarter):
        factor, points = quarter * 6, quarter
        while points >= 4:
            apart = points // 4
            for group in range(base, base + quarter, points):
                for j in range(apart):
                    at = (group + j) * _SIDE
                    _butterfly(
                        t.real, t.imaginary, at, apart * _SIDE, t.twiddles, factor + j * 6,
                        _point(t.real, t.imaginary, at),
                        _point(t.real, t.imaginary, at + apart * _SIDE),
                        _point(t.real, t.imaginary, at + 2 * apart * _SIDE),
                        _point(t.real, t.imaginary, at + 3 * apart * _SIDE),
                    )  # fmt: skip
            factor += apart * 6
            points = apart


@njit(error_model="numpy")
def _magnitude(re, im):  # type: ignore[no-untyped-def]
    """Return absolute values as numpy computes them of complex64, to the last bit."""
    a, b = absolute(narrow(re)), absolute(narrow(im))
    one, tiny = fill8(np.float32(1)), fill8(np.float32(1.1754944e-38))
    greater = most(a, b)
    ratio = least(a, b) / most(greater, tiny)
    return greater * root(ratio * ratio + one)


@njit(error_model="numpy")
def magnitudes(columns, stride, tile, t, out):  # type: ignore[no-untyped-def]
    """Write a tile of magnitudes, float32[1025 * 16], from the block matrix of `to_columns`."""
    for side in range(0, TILE, _SIDE):
        _transformed(columns, stride, tile * TILE + side, t)
        zr, zi = load8(t.real, 0), load8(t.imaginary, 0)
        store(out, side, absolute(narrow(zr + zi)))
        store(out, (BINS - 1) * TILE + side, absolute(narrow(zr - zi)))
        half = fill8(0.5)
        for k in range(1, _HALF // 2 + 1):
            ar, ai = _point(t.real, t.imaginary, t.order[k] * _SIDE)
            br, bi = _point(t.real, t.imaginary, t.order[_HALF - k] * _SIDE)
            even_r, even_i = (ar + br) * half, (ai - bi) * half
            odd_r, odd_i = (ai + bi) * half, (br - ar) * half
            wr, wi = fill8(t.split[k, 0]), fill8(t.split[k, 1])
            turned_r, turned_i = odd_r * wr - odd_i * wi, odd_r * wi + odd_i * wr
            store(out, k * TILE + side, _magnitude(even_r + turned_r, even_i + turned_i))
            store(out, (_HALF - k) * TILE + side, _magnitude(even_r - turned_r, turned_i - even_i))
