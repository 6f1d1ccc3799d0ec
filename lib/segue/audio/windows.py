"""A sound that comes in blocks of any size, cut into windows with a margin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

HOP = 512
# With less no square of a transform's value, nor their sum, leaves the range of float32.
_MOST_ENERGY = 1e30


@dataclass(slots=True)
class Window:
    """Some frames of a sound with the samples about them.

    ``samples`` float32 begin at the sound's frame ``start``; the frames ``first <= frame < stop`` are the
    window's own. ``ends`` says that no window follows, and ``total`` how many samples came so far.
    """

    samples: np.ndarray
    start: int
    first: int
    stop: int
    total: int
    ends: bool


class Tail:
    """The last samples, or columns, of a stream: those from number ``start`` up to ``stop``."""

    def __init__(self, empty: np.ndarray) -> None:
        self.start = self.stop = 0
        self._parts = [empty]

    def append(self, part: np.ndarray) -> None:
        """Take in what comes next."""
        self._parts.append(part)
        self.stop += part.shape[-1]

    def between(self, start: int, stop: int) -> np.ndarray:
        """Return what came from ``start`` (kept still) up to ``stop``, or to the end if that is nearer."""
        self._parts = [np.concatenate(self._parts, axis=-1)]
        return self._parts[0][..., start - self.start : max(stop - self.start, 0)]

    def drop_before(self, start: int) -> None:
        """Forget what came before ``start``."""
        if start > self.start:
            self._parts = [self.between(start, self.stop).copy()]
            self.start = start


def windows(blocks: Iterable[np.ndarray], own: int, margin: int) -> Iterator[Window]:
    """Yield windows of ``own`` frames, with the samples of ``margin`` frames about them where there are any.

    Every frame, at each multiple of 512 samples up to the sound's length, belongs to one window.

    Raises
    ------
    ValueError
        If a block is not what `checked` lets pass, or there is no sample at all.
    """
    source = iter(blocks)
    tail = Tail(np.empty(0, dtype=np.float32))
    first, dry = 0, False
    while True:
        while not dry and tail.stop <= (first + own + margin) * HOP:
            block = next(source, None)
            dry = block is None
            if block is not None:
                # A copy, as the giver may use the block's memory again.
                tail.append(checked(block.copy()))
        if not tail.stop:
            raise ValueError("there are no samples")
        frames = 1 + tail.stop // HOP
        ends = dry and frames <= first + own
        stop = frames if ends else first + own
        samples = tail.between(tail.start, (stop + margin) * HOP)
        yield Window(samples, tail.start // HOP, first, stop, tail.stop, ends)
        if ends:
            return
        first = stop
        tail.drop_before(max(first - margin, 0) * HOP)


def checked(samples: np.ndarray) -> np.ndarray:
    """Return samples as a contiguous row of float32 that may be written.

    Compiled functions tell arrays apart that may not: one kind, one compilation.

    Raises
    ------
    ValueError
        If they are not one row of finite numbers whose squares single precision holds.
    """
    if samples.ndim != 1:
        raise ValueError("samples must be one row of numbers")
    with np.errstate(over="ignore", invalid="ignore"):
        row = np.require(samples, np.float32, ["C", "W"])
        energy = float(row @ row)
    if not energy <= _MOST_ENERGY:
        raise ValueError("samples must be finite numbers, about 1 at full scale")
    return row
