"""Outlines of sounds against what they were made of."""

import io

import numpy as np
import pytest
import soundfile

from segue.audio.peaks import COUNT, outline

RATE = 22_050


def file_of(samples: np.ndarray, kind: str = "WAV", subtype: str | None = None) -> bytes:
    made = io.BytesIO()
    soundfile.write(made, samples, RATE, format=kind, subtype=subtype)
    return made.getvalue()


def tone(seconds: float, loudness: float = 1.0) -> np.ndarray:
    return loudness * np.sin(2 * np.pi * 440 * np.arange(int(seconds * RATE)) / RATE)


def drawn(samples: np.ndarray, **named: str) -> np.ndarray:
    made = outline(file_of(samples, **named))
    assert made is not None
    assert len(made) == COUNT
    return np.frombuffer(made, dtype=np.uint8)


@pytest.mark.parametrize(
    ("kind", "subtype", "off"), [("WAV", "PCM_16", 1), ("FLAC", "PCM_16", 1), ("MP3", None, 8)]
)
def test_a_part_is_as_high_as_it_is_loud(kind: str, subtype: str | None, off: int):
    steps = np.concatenate([tone(10, 0.2), tone(10, 0.8), np.zeros(10 * RATE), tone(10, 0.4)])
    found = drawn(steps, kind=kind, subtype=subtype).reshape(4, -1)[:, 5:-5]
    for part, height in zip(found, (64, 255, 0, 128), strict=True):
        assert abs(part.astype(int) - height).max() <= off


def test_channels_are_mixed_and_the_length_does_not_matter():
    both = np.column_stack([tone(3, 0.5), np.zeros(3 * RATE)])
    assert set(drawn(both)[2:-2]) <= {254, 255}
    # 30 ms are a single window, which all parts then show.
    assert set(drawn(tone(0.03))) == {255}


def test_silence_is_flat_and_what_is_no_number_is_silent():
    assert not drawn(np.zeros(RATE)).any()
    broken = tone(4).astype(np.float32)
    broken[RATE : 2 * RATE] = np.nan
    broken[2 * RATE : 3 * RATE] = np.inf
    found = drawn(broken, subtype="FLOAT").reshape(4, -1)[:, 4:-4]
    assert not found[1:3].any()
    assert found[[0, 3]].min() >= 254


def test_what_is_no_sound_has_no_outline():
    assert outline(b"") is None
    assert outline(b"RIFF secret") is None
    assert outline(np.random.default_rng(0).bytes(50_000)) is None
    assert outline(file_of(np.zeros(0))) is None


def test_a_file_that_breaks_off_is_drawn_as_far_as_it_goes():
    whole = file_of(tone(3))
    made = outline(whole[: len(whole) // 2])
    assert made is not None
    assert min(made) > 0
