"""The fingerprint: what it is made of, what copies share, and what no two sounds share."""

import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile
import soxr

from segue.audio.decode import decode
from segue.audio.features import extract_all
from segue.audio.fingerprint import MAX_ERROR, MIN_CODES, Codes, codes_of, compare, fingerprint
from segue.audio.recordings import find_pairs, join
from segue.settings import SAMPLE_RATE, Settings
from support.tones import write_tone


def codes(samples: np.ndarray) -> Codes:
    return codes_of(fingerprint(extract_all(samples.astype(np.float32)).mel))


def codes_of_file(path) -> Codes:
    return codes(decode(path, path.stat().st_size, Settings()).samples)


def groups(*prints: Codes) -> list[list[int]]:
    return join(prints, find_pairs(prints))


def noise(seed: int, seconds: float = 10.0) -> np.ndarray:
    """A sound that never stands still: noise through bands that open and close."""
    rng = np.random.default_rng(seed)
    frames = rng.standard_normal((int(seconds * 10), SAMPLE_RATE // 10))
    bands = np.fft.rfft(frames) * np.repeat(rng.uniform(0, 1, (len(frames), 49)) ** 3, 23, axis=1)[:, :1_103]
    return 0.2 * np.fft.irfft(bands, SAMPLE_RATE // 10).ravel()


def test_a_code_by_hand():
    # Thirty-three bands start from equal energy, and the fifth grows eightfold in the second half.
    mel = np.ones((128, 40), np.float32)
    mel[16:18, 20:] = 8
    made = codes_of(fingerprint(mel))
    # Energies of 8 frames every second frame, held against those 8 frames later: (40 - 8 + 2) / 2 - 4.
    assert len(made) == 13
    # The energies of frames 12 to 19 and 20 to 27 stand side by side at the code of frame 12.
    # Only the pairs (third, fourth band up) and (fourth, fifth) that the band is in change.
    assert made.sure[6] == 0b11000
    assert made.sign[6] & made.sure[6] == 0b10000
    assert made.sure[0] == made.sure[12] == 0


def test_nothing_is_sure_of_what_stands_still():
    tone = np.sin(2 * np.pi * 440 * np.arange(10 * SAMPLE_RATE) / SAMPLE_RATE)
    for samples in (np.zeros(10 * SAMPLE_RATE), tone, np.full(10 * SAMPLE_RATE, 0.5)):
        steady = codes(samples)
        inner = slice(8, len(steady) - 8)  # At its ends a sound begins and ends.
        assert not steady.sure[inner].any()
        assert groups(steady, steady) == []


def test_it_is_small_deterministic_and_bounded():
    mel = extract_all(noise(0, 31).astype(np.float32)).mel
    made = fingerprint(mel)
    assert made == fingerprint(mel.copy())
    assert len(made) < 6 * 1024
    assert len(fingerprint(np.tile(mel, (1, 40)))) < 24 * 1024
    assert [len(codes_of(fingerprint(mel[:, :n]))) for n in (0, 1, 15, 16, 18)] == [0, 0, 0, 1, 2]


def test_what_another_version_made_says_nothing():
    made = fingerprint(extract_all(noise(0).astype(np.float32)).mel)
    assert len(codes_of(made)) == (430 - 16) // 2 + 1
    assert len(codes_of(b"")) == len(codes_of(b"\x63" + made[1:])) == 0


def test_it_costs_less_than_three_milliseconds():
    mel = np.random.default_rng(0).random((128, 1_292), dtype=np.float32)
    times = []
    for _ in range(15):
        start = time.process_time()
        fingerprint(mel)
        times.append(time.process_time() - start)
    assert np.median(times) < 0.003


def test_importing_it_is_light():
    code = (
        "import sys, segue.audio.recordings; sys.exit(bool({'numba', 'scipy', 'librosa'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("seconds", [3.0, 30.0])
def test_copies_share_it_wherever_the_frames_begin(seconds):
    samples = noise(1, seconds)
    whole = codes(samples)
    # Half of the 1,024 samples between two codes is the worst.
    for cut in (0, 128, 256, 512, 7_000):
        assert groups(whole, codes(samples[cut:])) == [[0, 1]], cut
    assert groups(whole, codes(np.concatenate([np.zeros(11_111), samples]))) == [[0, 1]]
    assert groups(whole, codes(samples * 0.05)) == [[0, 1]]
    assert groups(whole, codes(np.clip(samples * 1.5, -1, 1))) == [[0, 1]]


def test_the_shift_says_where_the_copy_begins():
    samples = noise(2, 12)
    (pair,) = find_pairs([codes(samples), codes(samples[40 * 1_024 :])])
    assert pair[:3] == (0, 1, 40)
    assert pair.error < 0.01


def test_too_little_in_common_is_no_evidence():
    samples = noise(3, 20)
    whole = codes(samples)
    assert compare(whole, codes(samples[: 2 * SAMPLE_RATE]), 0) is None  # 36 codes
    assert len(codes(samples[: 2 * SAMPLE_RATE])) < MIN_CODES
    half = len(whole) // 2
    assert compare(whole, whole, half) is None
    assert compare(whole, whole, 0) == (0.0, int(np.bitwise_count(whole.sure).sum()))


def test_noises_and_tones_of_other_seeds_are_no_copies(tmp_path):
    tones = [codes_of_file(write_tone(tmp_path / f"{seed}.wav", seed, 6.0)) for seed in range(12)]
    rng = np.random.default_rng(99)
    whites = [codes(0.1 * rng.standard_normal(6 * SAMPLE_RATE)) for _ in range(6)]
    bands = [codes(noise(seed, 6)) for seed in range(10, 16)]
    everything = [*tones, *whites, *bands]
    assert groups(*everything) == []
    # The nearest two at any place still differ in much more than copies may.
    errors = [
        held.error
        for i, one in enumerate(everything)
        for other in everything[:i]
        for shift in range(-30, 31, 5)
        if (held := compare(one, other, shift)) is not None
    ]
    assert len(errors) > 100
    assert min(errors) > 4 * MAX_ERROR


def test_the_same_phrase_over_another_voice_is_another_recording():
    loop = np.tile(noise(20, 2), 8)
    one, other = (loop + noise(seed, 16) for seed in (21, 22))
    assert groups(codes(one), codes(other)) == []
    assert groups(codes(one), codes(one[5_000:])) == [[0, 1]]


def changed(samples: np.ndarray, rate: int, folder) -> dict[str, Codes]:
    """The copies that people have: re-encoded, resampled, cut to the middle 20 s."""
    start = max(0, len(samples) - 20 * rate) // 2
    middle = samples[start : start + 20 * rate]
    made = {}
    for name, sound, at in [
        ("mp3 at 64 kbit/s", samples, rate),
        ("16 kHz", soxr.resample(samples, rate, 16_000), 16_000),
        ("48 kHz", soxr.resample(samples, rate, 48_000), 48_000),
        ("middle as mp3", middle, rate),
    ]:
        path = folder / ("copy.mp3" if "mp3" in name else "copy.wav")
        if "mp3" in name:
            least, most = (32, 320) if at >= 32_000 else (8, 160)
            level = (most - 64) / (most - least)
            soundfile.write(path, sound, at, bitrate_mode="CONSTANT", compression_level=level)
            assert path.stat().st_size == pytest.approx(8_000 * len(sound) / at, rel=0.05, abs=3_000)
        else:
            soundfile.write(path, np.clip(sound, -1, 1), at)
        made[name] = codes_of_file(path)
    return made


@pytest.mark.slow
def test_near_copies_of_real_recordings_are_found_and_nothing_else(shared_data, tmp_path):
    folders = ("cc_music/librosa_examples", "fma_audio", "cc_music/jamendo")
    files = [sorted((shared_data / folder).rglob("*.[om][gp][g3]")) for folder in folders]
    assert [len(found) for found in files] == [14, 16, 6]
    chosen = [*files[0], *files[1][::3], files[2][0]]
    prints, recordings = [], []
    for path in chosen:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        made = [codes_of_file(path), *changed(samples, rate, tmp_path).values()]
        recordings += [path.name] * len(made)
        if len(samples) > 65 * rate:
            # Parts of a song that do not overlap what is analysed of it are recordings of their own.
            for name, part in (("first", samples[: 16 * rate]), ("last", samples[-16 * rate :])):
                soundfile.write(tmp_path / "part.wav", np.clip(part, -1, 1), rate)
                made.append(codes_of_file(tmp_path / "part.wav"))
                recordings.append(f"{path.name}, {name} part")
        prints += made
    found = {(i, j) for group in groups(*prints) for i in group for j in group if i < j}
    true = {(i, j) for j, name in enumerate(recordings) for i in range(j) if recordings[i] == name}
    assert len(true) == len(chosen) * 10
    wrong = {(recordings[i], recordings[j]) for i, j in found - true}
    missed = {recordings[i] for i, _ in true - found}
    assert len(found & true) >= 0.95 * len(found), wrong
    assert len(found & true) >= 0.95 * len(true), missed
