"""The outline of a sound: how strong it is along its way, in a few hundred numbers to draw."""

from __future__ import annotations

import io

import numpy as np
import soundfile

from segue.audio.excerpt import Blocks, native_blocks

COUNT = 300
"""Numbers in an outline."""

_WINDOW = 1024
# Samples read at once: between two reads an MP3 loses some, so that the whole of most is one.
_AT_ONCE = 1 << 24


def outline(content: bytes) -> bytes | None:
    """Return `COUNT` bytes, each for an equal part of a sound, 255 where it is strongest; 0 is silence.

    A part's strength is the mean, over windows of 1,024 samples of the mono sound, of the largest absolute
    value in each: steady where a part's one largest sample would say nothing of it. A sound of fewer windows
    has some of them several times. Memory stays within 300 MiB, and 4 bytes a window.

    Parameters
    ----------
    content
        A whole file that libsndfile reads.

    Returns
    -------
    bytes or None
        None if libsndfile reads no sound in it.
    """
    try:
        with native_blocks(io.BytesIO(content)) as (sound, _):
            heights = [_heights(block) for block in Blocks(sound, sound.frames, _AT_ONCE)]
    except soundfile.SoundFileError:
        return None
    return _folded(np.concatenate(heights)) if heights else None


def _heights(block: np.ndarray) -> np.ndarray:
    sizes = np.abs(np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0))
    return np.maximum.reduceat(sizes, np.arange(0, len(sizes), _WINDOW))


def _folded(heights: np.ndarray) -> bytes:
    starts = np.arange(COUNT) * len(heights) // COUNT
    sums = np.add.reduceat(heights.astype(np.float64), starts)
    means = sums / np.maximum(1, np.diff(starts, append=len(heights)))
    strongest = means.max()
    return np.rint(255 * means / (strongest or 1.0)).astype(np.uint8).tobytes()
