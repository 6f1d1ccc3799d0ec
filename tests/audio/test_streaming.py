"""Sounds that come in blocks give what they give as a whole, in flat memory."""

import subprocess
import sys

import numpy as np
import pytest

from audio.parity import tolerances
from segue.audio.decode import Decoded, decode
from segue.audio.features import extract_all
from segue.audio.streaming import extract_blocks
from segue.audio.windows import windows
from segue.settings import SAMPLE_RATE, Settings


def in_blocks(samples: np.ndarray, size: int):
    return lambda: (samples[at : at + size] for at in range(0, len(samples), size))


def music(seconds: float, seed: int = 0) -> np.ndarray:
    """Return notes that change, some noise, and digital silence in the middle and at the end."""
    rng = np.random.default_rng(seed)
    count = int(seconds * SAMPLE_RATE)
    time = np.arange(count) / SAMPLE_RATE
    notes = 220 * 2 ** (rng.integers(0, 36, size=int(seconds * 4) + 1) / 12)
    made = 0.3 * np.sin(2 * np.pi * np.cumsum(notes[(time * 4).astype(int)]) / SAMPLE_RATE)
    made += 0.01 * rng.standard_normal(count)
    made[count // 2 : count // 2 + 30_000] = 0
    made[-25_000:] = 0
    return made.astype(np.float32)


# 2,560 frames are a window; the last of these leaves a window of one frame.
@pytest.mark.parametrize(
    ("samples", "block"),
    [
        (5_000, 512),
        (1_310_000, 100_000),
        (1_500_001, 65_537),
        (2 * 2560 * 512, 4_096),
        (2_700_000, 3_000_000),
    ],
)
def test_blocks_give_what_the_whole_gives(samples, block):
    sound = music(samples / SAMPLE_RATE + 1)[:samples]
    whole, pieces = extract_all(sound), extract_blocks(in_blocks(sound, block))
    assert tolerances(pieces.vector, whole.vector.astype(float)).max() < 0.1
    frames = whole.mel.shape[1]
    middle = (frames - pieces.mel.shape[1]) // 2
    assert pieces.mel.shape == (128, min(frames, 1292))
    expected = whole.mel[:, middle : middle + pieces.mel.shape[1]]
    np.testing.assert_allclose(pieces.mel, expected, rtol=1e-6)


def test_a_song_of_three_minutes(shared_data):
    path = next((shared_data / "cc_music" / "jamendo").glob("S*.mp3"))
    song = decode(path, path.stat().st_size, Settings(analysed_s=0))
    assert isinstance(song, Decoded)
    assert song.duration_s > 120
    whole, pieces = extract_all(song.samples), extract_blocks(in_blocks(song.samples, 50_000))
    # It ends in digital silence, of which chroma blow up the roundings.
    assert tolerances(pieces.vector, whole.vector.astype(float)).max() < 0.1


@pytest.mark.parametrize(
    ("blocks", "reason"),
    [
        ([], "there are no samples"),
        ([np.zeros(0, np.float32)], "there are no samples"),
        ([np.zeros((2, 9))], "one row of numbers"),
        ([np.zeros(9), np.array([np.nan])], "finite numbers"),
    ],
)
def test_what_is_no_sound_is_refused(blocks, reason):
    with pytest.raises(ValueError, match=reason):
        extract_blocks(lambda: blocks)


def test_a_sound_that_changes_between_the_passes_is_refused():
    lengths = iter([1_400_000, 1_400_001])
    with pytest.raises(
        ValueError, match="the first pass over the sound gave 1400000 samples, the second 1400001"
    ):
        extract_blocks(lambda: [np.zeros(next(lengths), np.float32)])


def test_windows_hold_every_frame_once():
    samples = np.arange(10_000, dtype=np.float32)
    made = list(windows(in_blocks(samples, 777)(), own=4, margin=2))
    assert [(w.start, w.first, w.stop) for w in made] == [
        (0, 0, 4),
        (2, 4, 8),
        (6, 8, 12),
        (10, 12, 16),
        (14, 16, 20),
    ]
    assert [w.ends for w in made] == [False] * 4 + [True]
    for w in made:
        assert np.array_equal(w.samples, samples[w.start * 512 : (w.stop + 2) * 512])


_PEAK = """
import resource, sys
import numpy as np
from segue.audio.streaming import extract_blocks
rng = np.random.default_rng(0)
block = rng.standard_normal(22_050 * 20).astype(np.float32)
extract_blocks(lambda: (block for _ in range(int(sys.argv[1]) * 3)))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_sound():
    minutes = (3, 20)
    peaks = [
        int(subprocess.run([sys.executable, "-c", _PEAK, str(m)], check=True, capture_output=True).stdout)
        for m in minutes
    ]
    # The whole sound would take 86 MiB more.
    assert peaks[1] - peaks[0] < 12, peaks
