"""A sound as a stream of blocks: the samples that decoding it whole gives, in flat memory."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from segue.audio import ffmpeg
from segue.audio.blocks import SoundStream, is_long, stream
from segue.audio.decode import Decoded, Rejected, decode
from segue.settings import SAMPLE_RATE, Settings

WHOLE = Settings(analysed_s=0)


def joined(path: Path) -> tuple[np.ndarray, SoundStream]:
    made = stream(path, path.stat().st_size, WHOLE)
    assert isinstance(made, SoundStream)
    return np.concatenate(list(made.blocks())), made


def whole(path: Path) -> Decoded:
    made = decode(path, path.stat().st_size, WHOLE)
    assert isinstance(made, Decoded)
    return made


@pytest.mark.parametrize(
    ("form", "rate", "channels"),
    [("WAV", 44_100, 2), ("FLAC", 48_000, 1), ("WAV", 22_050, 2), ("WAV", 8_000, 3), ("AIFF", 96_000, 2)],
)
def test_blocks_joined_are_the_whole_sound(tmp_path, form, rate, channels):
    noise = 0.1 * np.random.default_rng(1).standard_normal((12 * rate + 7, channels))
    path = tmp_path / "a"
    soundfile.write(path, noise, rate, format=form)
    expected = whole(path)
    samples, made = joined(path)
    assert (made.sample_rate, made.channels, made.duration_s, made.warnings) == (
        expected.sample_rate,
        expected.channels,
        expected.duration_s,
        [],
    )
    np.testing.assert_array_equal(samples, expected.samples)
    assert samples.dtype == np.float32
    np.testing.assert_array_equal(np.concatenate(list(made.blocks())), samples)


def test_real_songs_are_the_same_but_for_the_rounding_of_their_decoder(shared_data):
    for path in (
        shared_data / "fma_audio" / "001" / "001645.mp3",
        shared_data / "cc_music" / "librosa_examples" / "Kevin_MacLeod_-_Vibe_Ace.ogg",
    ):
        samples, _ = joined(path)
        np.testing.assert_allclose(samples, whole(path).samples, rtol=0, atol=1e-6)


@pytest.mark.skipif(ffmpeg.find() is None, reason="no FFmpeg on the PATH: install it to run this")
def test_what_only_ffmpeg_reads_is_streamed_too(shared_data, tmp_path):
    path = tmp_path / "a.m4a"
    source = shared_data / "fma_audio" / "000" / "000002.mp3"
    command = [ffmpeg.find().ffmpeg, "-nostdin", "-v", "error", "-i", source, "-t", "10", path]
    subprocess.run(command, check=True)
    samples, made = joined(path)
    np.testing.assert_array_equal(samples, whole(path).samples)
    assert made.duration_s == pytest.approx(10, abs=0.05)
    damaged = tmp_path / "damaged.mp3"
    content = bytearray(source.read_bytes())
    content[80_000:90_000] = bytes(10_000)
    damaged.write_bytes(content)
    samples, made = joined(damaged)
    assert made.warnings == ["damaged"]
    np.testing.assert_array_equal(samples, whole(damaged).samples)


def test_what_is_wrong_is_told_as_decoding_tells_it(tmp_path, shared_data):
    rate = 8_000
    loud = np.full(4 * rate, 0.5, np.float32)
    files = {
        "short.wav": loud[: rate // 2],
        "silent.wav": loud * 0,
        "odd.wav": np.where(np.arange(4 * rate) == 99, np.nan, loud),
    }
    for name, samples in files.items():
        soundfile.write(tmp_path / name, samples, rate, subtype="FLOAT")
    soundfile.write(tmp_path / "cut.wav", loud, rate)
    os.truncate(tmp_path / "cut.wav", 40_000)
    (tmp_path / "page.mp3").write_text("<html></html>")
    (tmp_path / "empty.mp3").touch()
    for path in tmp_path.iterdir():
        size = path.stat().st_size
        expected, made = decode(path, size, WHOLE), stream(path, size, WHOLE)
        if isinstance(expected, Rejected):
            assert made == expected
        else:
            assert isinstance(made, SoundStream)
            assert made.warnings == expected.warnings != []
            np.testing.assert_array_equal(np.concatenate(list(made.blocks())), expected.samples)


def test_which_files_are_long(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(80_000), 8_000)
    assert is_long(tmp_path / "a.wav", 9)
    assert not is_long(tmp_path / "a.wav", 10)
    (tmp_path / "b").write_bytes(b"what only FFmpeg may know")
    assert is_long(tmp_path / "b", 1_000)


_PEAK = r"""
import re, sys
from pathlib import Path
from segue.audio.blocks import stream
from segue.settings import Settings
path = Path(sys.argv[1])
made = stream(path, path.stat().st_size, Settings(analysed_s=0))
total = sum(map(len, made.blocks()))
print(total, re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_memory_does_not_grow_with_the_sound(tmp_path):
    peaks = []
    for minutes in (1, 30):
        path = tmp_path / f"{minutes}.flac"
        soundfile.write(path, np.tile(np.sin(np.arange(22_050 * 60) / 9) / 3, minutes), 22_050)
        told = subprocess.run(
            [sys.executable, "-c", _PEAK, path], check=True, capture_output=True, text=True
        ).stdout.split()
        assert int(told[0]) == minutes * 60 * SAMPLE_RATE
        peaks.append(int(told[1]))
    # The whole of the longer one would be 159 MB.
    assert peaks[1] - peaks[0] < 8 * 1024
