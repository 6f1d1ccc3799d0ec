"""Analysing in the child: numbers come back, whatever the file."""

import csv
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import soundfile
from fsspec.implementations.local import LocalFileSystem

from segue.audio import analyse as module
from segue.audio.analyse import Analysed, Analyser
from segue.audio.decode import Decoded, decode
from segue.audio.features import extract
from segue.settings import Settings

SETTINGS = Settings()
FS = LocalFileSystem()


@pytest.fixture(scope="module")
def analyser():
    analyser = Analyser(SETTINGS)
    yield analyser
    analyser.close()


@pytest.mark.slow
def test_every_odd_file_has_one_outcome(shared_data, analyser):
    with (shared_data / "odd_audio" / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    pids = set()
    for row in rows:
        path = shared_data / row["path"]
        made, _ = analyser.analyse(FS, str(path), int(row["bytes"]), want_tags=True)
        found = decode(path, int(row["bytes"]), SETTINGS)
        pids.add(analyser.pid)
        if isinstance(found, Decoded):
            assert isinstance(made, Analysed)
            assert np.isfinite(made.vector).all()
            assert (made.duration_s, made.warnings) == (found.duration_s, found.warnings)
        else:
            assert made == found
    # A file of no bytes is refused before there is a child.
    assert len(pids - {None}) == 1


def test_the_numbers_are_those_of_the_samples(shared_data, analyser):
    path = shared_data / "fma_audio" / "000" / "000182.mp3"
    made, tags = analyser.analyse(FS, str(path), path.stat().st_size, want_tags=True)
    sound = decode(path, path.stat().st_size, SETTINGS)
    np.testing.assert_array_equal(made.vector, extract(sound.samples))
    assert tags["artist"] == "Ariel Pink's Haunted Graffiti"
    assert made.fingerprint
    assert set(made.seconds) == {"decode", "features", "fingerprint"}


def test_a_child_that_is_killed_costs_nothing_but_a_new_one(shared_data, analyser):
    path = shared_data / "odd_audio" / "bliss" / "piano.flac"
    before, _ = analyser.analyse(FS, str(path), path.stat().st_size)
    os.kill(analyser.pid, signal.SIGKILL)
    os.waitid(os.P_PID, analyser.pid, os.WEXITED | os.WNOWAIT)
    after, _ = analyser.analyse(FS, str(path), path.stat().st_size)
    np.testing.assert_array_equal(before.vector, after.vector)


def peak_mib(pid: int) -> float:
    """Return the most memory that a process has had resident."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def write_minutes(path: Path, minutes: int) -> Path:
    """Write another chord for each minute."""
    with soundfile.SoundFile(path, "w", 22_050, 1) as sound:
        time = np.arange(60 * 22_050) / 22_050
        for minute in range(minutes):
            tones = [np.sin(2 * np.pi * 110 * (1 + (minute + step) % 12 / 12) * time) for step in (0, 4, 7)]
            sound.write(0.2 * np.sum(tones, axis=0))
    return path


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_a_long_file_is_analysed_whole_in_flat_memory(tmp_path):
    settings = Settings(analysed_s=0, decode_memory_mib=1024)
    peaks = []
    for minutes in (6, 30):
        path = write_minutes(tmp_path / f"{minutes}.wav", minutes)
        analyser = Analyser(settings)
        made, _ = analyser.analyse(FS, str(path), path.stat().st_size)
        assert isinstance(made, Analysed)
        assert made.duration_s == 60 * minutes
        peaks.append(peak_mib(analyser.pid))
        analyser.close()
    # The samples of 24 more minutes alone are 127 MB.
    assert peaks[1] - peaks[0] < 20


def test_a_file_that_is_read_in_blocks_gives_what_it_gives_at_once(tmp_path, monkeypatch):
    path = write_minutes(tmp_path / "a.flac", 3)
    made = {}
    for limit in (1_000.0, 60.0):
        monkeypatch.setattr(module, "_STREAMED_S", limit)
        analyser = Analyser(Settings(analysed_s=0))
        made[limit], _ = analyser.analyse(FS, str(path), path.stat().st_size)
        analyser.close()
    at_once, in_blocks = made.values()
    np.testing.assert_allclose(in_blocks.vector, at_once.vector, rtol=1e-4, atol=1e-5)
    assert in_blocks.fingerprint == at_once.fingerprint
    assert (in_blocks.duration_s, in_blocks.warnings) == (180, [])
