"""Texts and prints side by side, as compiled code reads them."""

from __future__ import annotations

import numpy as np


class Texts:
    """Texts that only become more; each has a number, counted from 0.

    Attributes
    ----------
    text
        uint8[c], of which some are used.
    bounds
        int64[r, 2], of which `size` rows are used: where each text starts and ends.
    """

    def __init__(self) -> None:
        self.text, self.bounds = np.zeros(1 << 12, dtype=np.uint8), np.zeros((64, 2), dtype=np.int64)
        self.size = self._used = 0

    def add(self, text: str) -> int:
        """Take a text as UTF-8 and return its number."""
        content = np.frombuffer(text.encode(), dtype=np.uint8)
        self.text = _with_room(self.text, self._used + content.size)
        self.bounds = _with_room(self.bounds, self.size + 1)
        self.text[self._used : self._used + content.size] = content
        self.bounds[self.size] = self._used, self._used + content.size
        self.size, self._used = self.size + 1, self._used + content.size
        return self.size - 1


class LabelTable(Texts):
    """Titles with the numbers of a print each.

    Attributes
    ----------
    prints, has_print
        int16[r, width] and uint8[r], rows as in ``bounds``.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.prints, self.has_print = np.zeros((64, width), dtype=np.int16), np.zeros(64, dtype=np.uint8)

    def add_label(self, title: str, told: bytes) -> int:
        """Take a title and the int16 numbers of its print, or none, and return their number."""
        number = self.add(title)
        self.prints = _with_room(self.prints, self.size)
        self.has_print = _with_room(self.has_print, self.size)
        if told:
            self.prints[number], self.has_print[number] = np.frombuffer(told, dtype=np.int16), 1
        return number


def _with_room(array: np.ndarray, size: int) -> np.ndarray:
    """Return an array with ``size`` rows at least, twice as many as before where they are too few."""
    if len(array) >= size:
        return array
    larger = np.zeros((max(size, 2 * len(array)), *array.shape[1:]), dtype=array.dtype)
    larger[: len(array)] = array
    return larger
