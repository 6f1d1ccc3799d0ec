"""Decoding where FFmpeg is installed: more formats, damage read past, and nothing beyond the file."""

import csv
import io
import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.zip import ZipFileSystem
from scipy.signal import correlate

from segue.audio import ffmpeg
from segue.audio.analyse import Analysed, Analyser
from segue.audio.bounded import BoundedProcess, TookTooLong
from segue.audio.child import ForkedChild, OutOfMemory
from segue.audio.decode import Decoded, Rejected, decode
from segue.settings import SAMPLE_RATE, Settings
from support.waiting import wait_until

SETTINGS = Settings()
PROGRAMS = ffmpeg.find()
pytestmark = pytest.mark.skipif(PROGRAMS is None, reason="no FFmpeg on the PATH: install it to run these")

CHANGED = {
    "covr-with-name.m4a": "silent", "no-tags.m4a": "silent", "empty.aac": "silent", "silence-1.wma": "silent",
    "mac-399.ape": "silent", "no_length.wv": "silent", "sv8_header.mpc": "silent",
    "issue_29.wma": "too_short", "mac-390-hdr.ape": "too_short", "variable-block.flac": "too_short",
    "52-overwritten-metadata.flac": "too_short", "flac_application.flac": "too_short",
    "l3-he_mode.bit.mp3": "ok", "l3-nonstandard-compl-sideinfo-size.bit.mp3": "ok",
}  # fmt: skip
"""What FFmpeg makes of odd files that libsndfile cannot read, or of which it reads less than a second."""


@pytest.fixture(scope="module")
def analyser():
    analyser = Analyser(SETTINGS)
    yield analyser
    analyser.close()


@pytest.fixture(scope="module")
def music(shared_data) -> tuple[np.ndarray, int]:
    """Three seconds of a real clip, stereo at 44.1 kHz."""
    with soundfile.SoundFile(shared_data / "fma_audio" / "000" / "000002.mp3") as sound:
        sound.seek(5 * sound.samplerate)
        return np.clip(sound.read(3 * sound.samplerate, dtype="float32"), -1, 1), sound.samplerate


def convert(source: Path, target: Path, *options: str) -> Path:
    command = [PROGRAMS.ffmpeg, "-nostdin", "-v", "error", "-y", "-i", source, *options, target]
    subprocess.run(command, check=True)
    return target


def outcome(path: Path, settings: Settings = SETTINGS) -> Decoded | Rejected:
    return decode(path, path.stat().st_size, settings)


def status(made: Analysed | Decoded | Rejected) -> str:
    return made.status if isinstance(made, Rejected) else "ok"


@pytest.mark.slow
def test_what_ffmpeg_changes_among_the_odd_files(shared_data, analyser, tmp_path, monkeypatch):
    with (shared_data / "odd_audio" / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    fs = LocalFileSystem()
    with_it = {
        row["path"]: analyser.analyse(fs, str(shared_data / row["path"]), int(row["bytes"]))[0]
        for row in rows
    }
    monkeypatch.setenv("PATH", str(tmp_path))
    bare = Analyser(SETTINGS)
    without = {
        row["path"]: bare.analyse(fs, str(shared_data / row["path"]), int(row["bytes"]))[0] for row in rows
    }
    bare.close()
    changed = {
        Path(path).name: status(made)
        for path, made in with_it.items()
        if status(made) != status(without[path])
    }
    assert changed == CHANGED
    for made in with_it.values():
        if isinstance(made, Rejected):
            assert "install FFmpeg" not in made.detail
    for path, made in without.items():
        assert not isinstance(made, Analysed) or isinstance(with_it[path], Analysed)


def test_details_name_what_ffmpeg_said(shared_data, analyser):
    path = shared_data / "odd_audio" / "mutagen" / "106-invalid-streaminfo.flac"
    made = analyser.analyse(LocalFileSystem(), str(path), path.stat().st_size)[0]
    assert made == Rejected(
        "unsupported",
        "is FLAC that libsndfile cannot read (File contains data in an unimplemented format), "
        "and FFmpeg does not read it (Invalid data found when processing input)",
    )


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.m4a", ["-c:a", "alac"]),
        ("a.wv", []),
        ("a.tta", []),
        ("a.mka", ["-c:a", "flac"]),
        ("a.caf", ["-c:a", "alac"]),
    ],
)
def test_lossless_formats_give_the_samples_that_libsndfile_gives_of_a_wav(tmp_path, music, name, options):
    samples, rate = music
    soundfile.write(tmp_path / "a.wav", samples, rate, subtype="PCM_16")
    expected = outcome(tmp_path / "a.wav")
    made = outcome(convert(tmp_path / "a.wav", tmp_path / name, *options))
    assert isinstance(made, Decoded)
    assert isinstance(expected, Decoded)
    assert (made.sample_rate, made.channels, made.warnings) == (rate, 2, [])
    assert made.duration_s == expected.duration_s == 3
    np.testing.assert_array_equal(made.samples, expected.samples)


@pytest.mark.parametrize("name", ["a.m4a", "a.aac", "a.wma", "a.webm", "a.mp2"])
def test_lossy_formats_give_the_same_music(tmp_path, music, name):
    samples, rate = music
    soundfile.write(tmp_path / "a.wav", samples, rate)
    expected = outcome(tmp_path / "a.wav")
    made = outcome(convert(tmp_path / "a.wav", tmp_path / name, "-strict", "-2"))
    assert isinstance(made, Decoded)
    assert isinstance(expected, Decoded)
    assert made.channels == 2
    assert made.duration_s == pytest.approx(3, abs=0.15)
    # Encoders put some silence before the sound: the best of all shifts counts.
    shifted = correlate(made.samples, expected.samples) / np.sqrt(
        (made.samples**2).sum() * (expected.samples**2).sum()
    )
    assert shifted.max() > 0.9


def test_of_a_long_file_the_middle_is_read(tmp_path):
    rate = 8_000
    ramp = np.linspace(0, 0.9, 60 * rate, dtype=np.float32)
    soundfile.write(tmp_path / "a.wav", ramp, rate, subtype="PCM_16")
    made = outcome(convert(tmp_path / "a.wav", tmp_path / "a.m4a", "-c:a", "alac"))
    assert isinstance(made, Decoded)
    assert made.duration_s == 60
    assert len(made.samples) == 30 * SAMPLE_RATE
    assert made.samples[[1_000, -1_000]] == pytest.approx([0.225, 0.675], abs=0.002)


def test_a_file_that_is_not_local_is_read_from_a_bounded_copy(tmp_path, music):
    import zipfile

    samples, rate = music
    soundfile.write(tmp_path / "a.wav", samples, rate)
    path = convert(tmp_path / "a.wav", tmp_path / "a.m4a")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(path, "a.m4a")
    fs, size = ZipFileSystem(str(tmp_path / "a.zip")), path.stat().st_size
    for settings, expected in ((SETTINGS, "ok"), (Settings(ffmpeg_copy_mib=0), "unsupported")):
        analyser = Analyser(settings)
        made = analyser.analyse(fs, "a.m4a", size)[0]
        analyser.close()
        assert status(made) == expected
    assert "raise SEGUE_FFMPEG_COPY_MIB" in made.detail
    np.testing.assert_array_equal(
        decode(io.BytesIO(path.read_bytes()), size, SETTINGS).samples, outcome(path).samples
    )


def damaged_mp3(shared_data: Path) -> bytes:
    content = bytearray((shared_data / "fma_audio" / "000" / "000002.mp3").read_bytes())
    content[80_000:90_000] = bytes(10_000)
    return bytes(content)


def test_damage_is_read_past(shared_data, tmp_path, monkeypatch):
    path = tmp_path / "damaged.mp3"
    path.write_bytes(damaged_mp3(shared_data))
    made = outcome(path)
    assert isinstance(made, Decoded)
    assert made.duration_s == pytest.approx(30, abs=0.5)
    assert made.warnings == ["damaged"]
    sound = outcome(shared_data / "fma_audio" / "000" / "000002.mp3")
    assert isinstance(sound, Decoded)
    # The last ten seconds lie behind the damage.
    tail = made.samples[-10 * SAMPLE_RATE :]
    assert np.corrcoef(tail, sound.samples[-len(tail) :])[0, 1] > 0.99
    monkeypatch.setenv("PATH", str(tmp_path))
    alone = outcome(path)
    assert isinstance(alone, Decoded)
    assert alone.duration_s == pytest.approx(2.5, abs=0.1)
    assert alone.warnings == ["truncated"]


def test_of_a_long_damaged_file_the_middle_of_what_is_there_is_read(shared_data, tmp_path):
    frames = (shared_data / "fma_audio" / "000" / "000002.mp3").read_bytes()
    path = tmp_path / "long.mp3"
    path.write_bytes(damaged_mp3(shared_data) + frames)
    made = outcome(path)
    assert isinstance(made, Decoded)
    assert made.warnings == ["damaged"]
    assert made.duration_s == pytest.approx(60, abs=1)
    assert len(made.samples) == 30 * SAMPLE_RATE


def test_a_file_cut_short_keeps_its_warning(tmp_path, music):
    samples, rate = music
    soundfile.write(tmp_path / "a.wav", samples, rate)
    path = convert(tmp_path / "a.wav", tmp_path / "a.m4a", "-movflags", "+faststart")
    os.truncate(path, path.stat().st_size * 2 // 3)
    made = outcome(path)
    assert isinstance(made, Decoded)
    assert "truncated" in made.warnings
    assert 1.5 < made.duration_s < 2.5


def test_no_playlist_reaches_another_file(tmp_path, music):
    samples, rate = music
    target = tmp_path / "secret.wav"
    soundfile.write(target, samples, rate)
    lists = {
        "a.m4a": f"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nfile:{target}\n#EXT-X-ENDLIST\n",
        "b.m4a": f"ffconcat version 1.0\nfile '{target}'\n",
    }
    for name, text in lists.items():
        (tmp_path / name).write_text(text)
        assert status(outcome(tmp_path / name)) == "not_audio"
        with pytest.raises(ffmpeg.FFmpegError) as caught:
            ffmpeg.read_excerpt(PROGRAMS, tmp_path / name, len(text), SETTINGS, 10)
        assert caught.value.status == "unsupported"


def test_names_are_never_taken_for_addresses_or_options(tmp_path, music, monkeypatch):
    samples, rate = music
    soundfile.write(tmp_path / "a.wav", samples, rate)
    monkeypatch.chdir(tmp_path)
    for name in (b"-y.m4a", b"http:..m4a", b"concat:a|b.m4a", b"caf\xe9 %d.m4a"):
        path = os.path.join(os.fsencode(tmp_path), name)
        convert(tmp_path / "a.wav", tmp_path / "a.m4a")
        os.rename(tmp_path / "a.m4a", path)
        assert status(decode(name, os.stat(path).st_size, SETTINGS)) == "ok"


def test_a_small_file_that_asks_for_hours_is_bounded(tmp_path):
    rate = 8_000
    soundfile.write(tmp_path / "a.wav", np.full(rate * 600, 0.5, np.float32), rate, subtype="PCM_16")
    path = convert(tmp_path / "a.wav", tmp_path / "a.m4a", "-c:a", "alac")
    found = ffmpeg.read_excerpt(PROGRAMS, path, 160, SETTINGS, 30, count=True)
    # A file of 160 bytes is believed ten seconds and the shortest sound there is.
    assert found.total == 11 * rate


def test_hunger_is_too_much_memory(tmp_path):
    silence = ["-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono", "-t", "7200", "-c:a", "alac"]
    path = tmp_path / "a.m4a"
    subprocess.run([PROGRAMS.ffmpeg, "-nostdin", "-v", "error", *silence, path], check=True)
    assert path.stat().st_size < 1 << 20
    settings = Settings(analysed_s=0, decode_memory_mib=64)
    child = ForkedChild(lambda path: decode(path, path.stat().st_size, settings), 64)
    with child, pytest.raises(OutOfMemory, match="64 MiB"):
        child.call(path, 60)


class Fake:
    """Programs in FFmpeg's place that do what a script says."""

    def __init__(self, folder: Path, script: str) -> None:
        for name in ("ffmpeg", "ffprobe"):
            path = folder / name
            path.write_text(f"#!/bin/sh\n{script}\n")
            path.chmod(0o755)
        self.folder = str(folder)


@pytest.mark.parametrize(
    ("script", "expected", "words"),
    [
        ("kill -SEGV $$", "crashed", "FFmpeg died of SIGSEGV on it"),
        ("/bin/sleep 60", "timeout", "takes too long"),
        ("exit 1", "unsupported", "it holds no sound"),
        ("echo '{}'", "unsupported", "it holds no sound"),
        ("while :; do echo x >&2; done", "timeout", "takes too long"),
    ],
)
def test_a_failing_ffmpeg_costs_one_file(shared_data, tmp_path, monkeypatch, script, expected, words):
    monkeypatch.setenv("PATH", Fake(tmp_path, script).folder)
    made = outcome(shared_data / "odd_audio" / "mutagen" / "no-tags.m4a", Settings(decode_timeout_s=0.5))
    assert status(made) == expected
    assert words in made.detail
    path = tmp_path / "damaged.mp3"
    path.write_bytes(damaged_mp3(shared_data))
    kept = outcome(path, Settings(decode_timeout_s=1))
    assert isinstance(kept, Decoded)
    assert kept.warnings == ["truncated"]


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_the_program_dies_with_its_reader_and_leaves_no_zombie():
    process = BoundedProcess(("/bin/sh", "-c", "echo $$; exec sleep 60"), (), 512, time.monotonic() + 0.3)
    seen = []
    with pytest.raises(TookTooLong):
        seen.extend(process)
    assert gone(int(b"".join(seen)))
    ours, theirs = os.pipe()
    reader = os.fork()
    if reader == 0:
        try:
            endless = BoundedProcess(
                ("/bin/sh", "-c", "echo $$; exec sleep 60"), (), 512, time.monotonic() + 60
            )
            for told in endless:
                os.write(theirs, told)
        finally:
            os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb", buffering=0) as pipe:
        pid = int(pipe.readline())
    os.kill(reader, signal.SIGKILL)
    os.waitpid(reader, 0)
    wait_until(lambda: gone(pid), 5, "the program ends with its reader")


def test_an_abandoned_reading_ends_the_program():
    process = BoundedProcess(("/bin/sh", "-c", "while :; do echo $$; done"), (), 512, time.monotonic() + 60)
    reading = iter(process)
    pid = int(next(reading).split()[0])
    reading.close()
    assert gone(pid)
