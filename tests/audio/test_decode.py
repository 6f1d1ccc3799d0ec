"""Decoding by libsndfile alone: the very samples that librosa.load gives, or the right reason."""

import csv
import io
import os
import signal
import struct
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from fsspec.implementations.local import LocalFileSystem

from segue.audio import analyse as module
from segue.audio import mpeg
from segue.audio.analyse import Analysed, Analyser
from segue.audio.decode import Decoded, Rejected, decode
from segue.dataset.base import REASONS
from segue.dataset.inventory import join, open_root, scan
from segue.settings import SAMPLE_RATE, Settings

SETTINGS = Settings()
WHOLE = Settings(analysed_s=0)
# audioread, which librosa.load asks first, imports modules that Python 3.13 no longer has.
LIBROSA_LOAD = pytest.mark.filterwarnings("ignore:'(aifc|audioop|sunau)' is deprecated:DeprecationWarning")

UNREADABLE = {
    "error_page.mp3": "not_audio", "almostempty.mpc": "not_audio",
    "l3-nonstandard-small.bit.mp3": "not_audio", "l3-nonstandard-sideinfo-size.bit.mp3": "not_audio",
    "emptyfile.mp3": "empty",
    "first_1752_bytes.mp3": "too_short", "bad-POPM-frame.mp3": "too_short",
    "id3v1v2-combined.mp3": "too_short", "l3-nonstandard-apetag.bit.mp3": "too_short",
    "l3-nonstandard-id3v1-apetag.bit.mp3": "too_short", "l3-nonstandard-id3v2-only.bit.mp3": "too_short",
    "l3-nonstandard-vbrtag-empty.bit.mp3": "too_short", "l3-nonstandard-vbrtag-only.bit.mp3": "too_short",
    "ILL2_center2.bit.mp3": "too_short", "ILL2_dynx22.bit.mp3": "too_short",
    "ILL2_dynx32.bit.mp3": "too_short", "ILL2_mono.bit.mp3": "too_short",
    "ILL2_overalloc1.bit.mp3": "too_short", "ILL2_prediction.bit.mp3": "too_short",
    "ILL2_scf63.bit.mp3": "too_short", "ILL2_tca30.bit.mp3": "too_short",
    "ILL2_tca31_PC.bit.mp3": "too_short", "ILL2_tca31_mtx2.bit.mp3": "too_short",
    "ILL2_wrongcrc.bit.mp3": "too_short", "ILL4_sync.bit.mp3": "too_short",
    "ILL4_wrong_length2.bit.mp3": "too_short",
    "106-invalid-streaminfo.flac": "unsupported", "52-overwritten-metadata.flac": "unsupported",
    "flac_application.flac": "unsupported", "variable-block.flac": "unsupported",
    "adif.aac": "unsupported", "empty.aac": "unsupported", "covr-with-name.m4a": "unsupported",
    "no-tags.m4a": "unsupported", "issue_29.wma": "unsupported", "silence-1.wma": "unsupported",
    "mac-390-hdr.ape": "unsupported", "mac-399.ape": "unsupported", "no_length.wv": "unsupported",
    "sv4_header.mpc": "unsupported", "sv8_header.mpc": "unsupported",
}  # fmt: skip
"""What is right for the files that libsndfile cannot read, by what is known to be in them."""


@pytest.fixture(scope="module", autouse=True)
def no_ffmpeg(tmp_path_factory):
    """A PATH without FFmpeg: what is different with it stands in test_ffmpeg.py."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(tmp_path_factory.mktemp("bin")))
        yield


@pytest.fixture(scope="module")
def analyser(no_ffmpeg):
    analyser = Analyser(SETTINGS)
    yield analyser
    analyser.close()


def noise(seconds: float, rate: int = 44_100, channels: int = 1) -> np.ndarray:
    samples = 0.1 * np.random.default_rng(3).standard_normal((int(seconds * rate), channels))
    return samples.astype(np.float32)


def encoded(samples: np.ndarray, rate: int = 44_100, form: str = "WAV", subtype: str | None = None) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=form, subtype=subtype)
    return file.getvalue()


def put(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def outcome(path: Path, settings: Settings = SETTINGS) -> Decoded | Rejected:
    return decode(path, path.stat().st_size, settings)


def status(made: Analysed | Decoded | Rejected) -> str:
    return made.status if isinstance(made, Rejected) else "ok"


def expected_of(row: dict[str, str]) -> str:
    """Derive a file's status from what the manifest says that libsndfile makes of it."""
    if row["libsndfile"].startswith("error"):
        return UNREADABLE[Path(row["path"]).name]
    if float(row["seconds"]) < SETTINGS.min_duration_s:
        return "too_short"
    return "silent" if float(row["peak"]) < SETTINGS.silence_peak else "ok"


def test_every_odd_file_has_the_right_status(shared_data, analyser):
    fs = LocalFileSystem()
    with (shared_data / "odd_audio" / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 99
    found, expected, lengths = {}, {}, {}
    for row in rows:
        path = str(shared_data / row["path"])
        made = analyser.analyse(fs, path, int(row["bytes"]))[0]
        found[row["path"]], expected[row["path"]] = status(made), expected_of(row)
        if isinstance(made, Analysed):
            lengths[row["path"]] = made.duration_s - float(row["seconds"])
            assert (made.sample_rate, made.channels) == (int(row["sample_rate"]), int(row["channels"]))
    assert found == expected
    assert max(map(abs, lengths.values())) < 0.001
    assert sorted(UNREADABLE) == sorted(
        Path(row["path"]).name for row in rows if row["libsndfile"].startswith("error")
    )


def test_details_say_what_a_file_is(shared_data, analyser):
    def detail(name: str) -> str:
        path = shared_data / "odd_audio" / name
        return analyser.analyse(LocalFileSystem(), str(path), path.stat().st_size)[0].detail

    assert detail("made/error_page.mp3") == "is a web page"
    assert detail("mutagen/no-tags.m4a") == (
        "is MPEG-4 (M4A), which libsndfile does not read: "
        "install FFmpeg, which may read it, or convert it to FLAC"
    )
    assert detail("mutagen/106-invalid-streaminfo.flac").startswith("is FLAC that libsndfile cannot read (")
    assert detail("made/first_1752_bytes.mp3") == "holds 0.03 s of MPEG audio frames"
    assert detail("bliss/empty.wav") == "holds 0.00 s of sound, less than 1 s"


@pytest.mark.slow
def test_only_files_that_break_off_are_called_truncated(shared_data, analyser):
    fs = LocalFileSystem()
    warned = set()
    for folder in ("odd_audio", "fma_audio", "cc_music"):
        for entry in scan(shared_data / folder):
            if not entry.path.endswith((".csv", ".txt")):
                made = analyser.analyse(fs, join(str(shared_data / folder), entry.path), entry.size)[0]
                if isinstance(made, Analysed) and made.warnings:
                    warned.add((entry.path, *made.warnings))
                assert folder == "odd_audio" or isinstance(made, Analysed)
    assert warned == {
        ("made/first_half.mp3", "truncated"),
        # 41,495 bytes: its last frame of 192 bytes has 23.
        ("minimp3/l3-nonstandard-compl-sideinfo-bigvalues.bit.mp3", "truncated"),
    }


@LIBROSA_LOAD
@pytest.mark.parametrize(
    "name",
    [
        "fma_audio/000/000182.mp3",
        "fma_audio/001/001645.mp3",
        "cc_music/librosa_examples/admiralbob77_-_Choice_-_Drum-bass.ogg",
        "odd_audio/bliss/special-tags.mp3",
        "odd_audio/bliss/s32_mono_44_1_kHz.flac",
        "odd_audio/minimp3/M2L3_bitrate_16_all.bit.mp3",
        "odd_audio/minimp3/M2L3_noise.bit.mp3",
        "odd_audio/minimp3/l2-nonstandard-free_format.bit.mp3",
        "odd_audio/made/first_half.mp3",
    ],
)
def test_whole_files_equal_librosa_bit_for_bit(shared_data, name):
    import librosa

    path = shared_data / name
    expected, _ = librosa.load(path, sr=SAMPLE_RATE)
    made = outcome(path)
    assert isinstance(made, Decoded)
    assert made.samples.dtype == np.float32
    np.testing.assert_array_equal(made.samples, expected)
    with path.open("rb") as file:
        remote = decode(file, path.stat().st_size, SETTINGS)
    assert isinstance(remote, Decoded)
    np.testing.assert_array_equal(remote.samples, expected)


@LIBROSA_LOAD
@pytest.mark.parametrize(
    ("channels", "rate"), [(1, 8_000), (2, 48_000), (3, 44_100), (6, 96_000), (2, 22_050)]
)
def test_any_rate_and_channels_equal_librosa(tmp_path, channels, rate):
    import librosa

    path = put(tmp_path, "a.wav", encoded(noise(1.5, rate, channels), rate))
    made = outcome(path)
    assert isinstance(made, Decoded)
    assert (made.sample_rate, made.channels, made.duration_s) == (rate, channels, 1.5)
    assert len(made.samples) == np.ceil(1.5 * SAMPLE_RATE)
    np.testing.assert_array_equal(made.samples, librosa.load(path, sr=SAMPLE_RATE)[0])


@LIBROSA_LOAD
def test_of_a_long_file_the_middle_is_analysed(shared_data):
    import librosa

    path = next((shared_data / "cc_music" / "jamendo").glob("Confession*.mp3"))
    made = outcome(path)
    assert isinstance(made, Decoded)
    assert made.duration_s == pytest.approx(147.795, abs=0.001)
    assert len(made.samples) == 30 * SAMPLE_RATE
    with soundfile.SoundFile(path) as sound:
        start = (sound.frames - 30 * sound.samplerate) // 2
        sound.seek(start)
        part = sound.read(30 * sound.samplerate, dtype="float32").T
    expected = librosa.resample(librosa.to_mono(part), orig_sr=44_100, target_sr=SAMPLE_RATE)
    np.testing.assert_array_equal(made.samples, expected)
    whole = outcome(path, WHOLE)
    assert isinstance(whole, Decoded)
    np.testing.assert_array_equal(whole.samples, librosa.load(path, sr=SAMPLE_RATE)[0])


@pytest.mark.parametrize(("seconds", "analysed"), [(30.9, 30.9), (31.0, 31.0), (31.1, 30.0)])
def test_a_second_more_than_the_analysed_length_is_let_pass(tmp_path, seconds, analysed):
    made = outcome(put(tmp_path, "a.wav", encoded(noise(seconds, 8_000), 8_000)))
    assert isinstance(made, Decoded)
    assert len(made.samples) == pytest.approx(analysed * SAMPLE_RATE, abs=1)
    assert made.duration_s == pytest.approx(seconds)


def wav_that_claims(data_bytes: int) -> bytes:
    content = bytearray(encoded(noise(2)))
    content[40:44] = struct.pack("<I", data_bytes)
    return bytes(content)


def flac_that_claims(frames: int) -> bytes:
    content = bytearray(encoded(noise(2), form="FLAC"))
    # STREAMINFO keeps the count in 36 bits, from the low half of byte 21 on.
    content[21] = content[21] & 0xF0 | frames >> 32
    content[22:26] = (frames & 0xFFFFFFFF).to_bytes(4, "big")
    return bytes(content)


@pytest.mark.parametrize("settings", [SETTINGS, WHOLE], ids=["middle", "whole"])
@pytest.mark.parametrize(
    ("name", "content", "warnings"),
    [
        ("liar.wav", wav_that_claims(0x7FFF0000), ["truncated"]),
        ("stream.wav", wav_that_claims(0xFFFFFFFF), []),
        ("liar.flac", flac_that_claims((1 << 36) - 1), ["truncated"]),
        ("stream.flac", flac_that_claims(0), []),
    ],
)
def test_a_header_that_lies_about_the_length_costs_nothing(tmp_path, settings, name, content, warnings):
    made = outcome(put(tmp_path, name, content), settings)
    assert isinstance(made, Decoded)
    assert made.duration_s == pytest.approx(2, abs=0.01)
    assert made.warnings == warnings


@pytest.mark.parametrize("form", ["WAV", "FLAC", "OGG", "MP3", "AIFF", "AU", "W64", "RF64"])
def test_a_file_cut_short_is_ok_and_says_so(tmp_path, form):
    content = encoded(noise(4), form=form)
    made = outcome(put(tmp_path, "whole", content))
    assert isinstance(made, Decoded)
    assert made.warnings == []
    cut = outcome(put(tmp_path, "cut", content[: len(content) * 3 // 4]))
    assert isinstance(cut, Decoded)
    assert cut.warnings == ["truncated"]
    assert 2.5 < cut.duration_s <= 3.1


def test_damage_in_the_middle_ends_the_sound_and_is_told(shared_data, tmp_path):
    content = bytearray((shared_data / "fma_audio" / "000" / "000002.mp3").read_bytes())
    content[400_000:440_000] = bytes(40_000)
    made = outcome(put(tmp_path, "damaged.mp3", bytes(content)))
    assert isinstance(made, Decoded)
    assert made.warnings == ["truncated"]
    # 400,000 bytes at 256 kbit/s.
    assert made.duration_s == pytest.approx(12.5, abs=0.1)


def test_a_bad_page_in_the_middle_of_an_ogg_stream_is_told(tmp_path):
    content = bytearray(encoded(noise(8), form="OGG"))
    content[len(content) // 2] ^= 1
    made = outcome(put(tmp_path, "flipped.ogg", bytes(content)))
    assert isinstance(made, Decoded)
    assert "damaged" in made.warnings


def test_an_mp3_of_many_bit_rates_without_a_count_is_not_taken_for_whole(shared_data, tmp_path):
    with soundfile.SoundFile(shared_data / "fma_audio" / "000" / "000182.mp3") as sound:
        sound.seek(5 * sound.samplerate)
        content = encoded(np.clip(sound.read(4 * sound.samplerate), -1, 1), form="MP3")
    start = mpeg.find(content)
    assert mpeg.frame_count(content, start) == pytest.approx(4 * 44_100 / 1_152, abs=3)
    counted = outcome(put(tmp_path, "counted.mp3", content))
    assert isinstance(counted, Decoded)
    assert (counted.duration_s, counted.warnings) == (4, [])
    # Without its first frame, libsndfile estimates the length from the next one's bit rate.
    rest = content[start + mpeg.frame_at(content, start).size :]
    made = outcome(put(tmp_path, "uncounted.mp3", rest))
    assert isinstance(made, Decoded)
    assert made.duration_s < 3.5 < mpeg.seconds(rest)
    assert made.warnings == ["truncated"]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("tiny.wav", encoded(noise(0.99)), "too_short"),
        ("second.wav", encoded(noise(1)), "ok"),
        ("quiet.wav", encoded(noise(2) * 1e-5, subtype="FLOAT"), "silent"),
        ("cancelling.wav", encoded(np.hstack([noise(2), -noise(2)]), subtype="FLOAT"), "silent"),
        ("loud.wav", encoded(noise(2) * 30_000, subtype="FLOAT"), "ok"),
        ("slow.wav", encoded(noise(2), 999), "unsupported"),
        ("slowest.wav", encoded(noise(2), 1_000), "ok"),
        ("nothing.wav", b"RIFF\x04\x00\x00\x00WAVE", "unsupported"),
        ("text.wav", b"no music here", "not_audio"),
        ("utf16.mp3", "no music here either ".encode("utf-16") * 50, "not_audio"),
        ("json.flac", b'{"error": 404}', "not_audio"),
        ("picture.mp3", b"\xff\xd8\xff\xe0" + bytes(range(256)) * 4, "not_audio"),
        ("zeros.mp3", bytes(10_000), "not_audio"),
        ("random.mp3", np.random.default_rng(0).bytes(50_000), "not_audio"),
        ("tag.mp3", b"ID3\x04\x00\x00\x00\x00\x10\x00" + bytes(2048), "too_short"),
        ("lying tag.mp3", b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + b"fLaC" + bytes(2048), "unsupported"),
        ("film.mp3", b"\x00\x00\x00\x18ftypmp42" + bytes(500), "unsupported"),
        ("one byte.mp3", b"\xff", "not_audio"),
    ],
)
def test_what_is_made_of_made_files(tmp_path, name, content, expected):
    made = outcome(put(tmp_path, name, content))
    assert status(made) == expected
    assert expected == "ok" or expected in REASONS


def test_samples_that_are_no_numbers_become_silence(tmp_path):
    samples = noise(2)
    samples[100], samples[200], samples[300] = np.nan, np.inf, 1e30
    made = outcome(put(tmp_path, "a.wav", encoded(samples, SAMPLE_RATE, subtype="FLOAT")))
    assert isinstance(made, Decoded)
    assert made.warnings == ["not_finite"]
    assert made.samples[[100, 200, 300]].tolist() == [0, 0, 0]
    assert np.isfinite(made.samples).all()
    nothing = outcome(put(tmp_path, "b.wav", encoded(samples * np.float32(np.nan), subtype="FLOAT")))
    assert status(nothing) == "silent"


def test_a_giant_is_not_opened(tmp_path, analyser):
    path = put(tmp_path, "giant.wav", encoded(noise(2)))
    os.truncate(path, 3_000_000_000)
    started = time.monotonic()
    made = analyser.analyse(LocalFileSystem(), str(path), path.stat().st_size)[0]
    assert time.monotonic() - started < 1
    assert made == Rejected("too_large", "has 2,861 MiB, more than 2,048: raise SEGUE_MAX_FILE_MIB")


@pytest.mark.slow
def test_a_small_file_that_decodes_to_too_much_is_too_large(tmp_path):
    path = put(tmp_path, "bomb.flac", encoded(np.zeros((96_000 * 290, 2), np.int16), 96_000, "FLAC"))
    assert path.stat().st_size < 200_000
    analyser = Analyser(Settings(analysed_s=0, decode_memory_mib=128))
    made = analyser.analyse(LocalFileSystem(), str(path), path.stat().st_size)[0]
    analyser.close()
    assert status(made) == "too_large"
    assert "128 MiB" in made.detail


def test_a_crash_and_a_hang_cost_one_file(tmp_path, monkeypatch):
    good = put(tmp_path, "good.wav", encoded(noise(2)))

    def decode_or_die(source, size, settings):
        if source.endswith("crash.wav"):
            os.kill(os.getpid(), signal.SIGSEGV)
        if source.endswith("hang.wav"):
            time.sleep(60)
        return decode(source, size, settings)

    monkeypatch.setattr(module, "decode", decode_or_die)
    analyser = Analyser(Settings(decode_timeout_s=1))
    fs = LocalFileSystem()
    for name, expected in (("crash.wav", "crashed"), ("hang.wav", "timeout"), ("good.wav", "ok")):
        path = put(tmp_path, name, good.read_bytes())
        made = analyser.analyse(fs, str(path), path.stat().st_size)[0]
        assert status(made) == expected
        if expected == "crashed":
            assert made.detail == "the decoder died of SIGSEGV on it"
    analyser.close()


def test_a_file_that_is_not_there_or_no_file_does_not_hang(tmp_path, analyser):
    fs = LocalFileSystem()
    os.mkfifo(tmp_path / "fifo.wav")
    (tmp_path / "folder.wav").mkdir()
    for name in ("fifo.wav", "folder.wav", "absent.wav"):
        made = analyser.analyse(fs, str(tmp_path / name), 10)[0]
        assert status(made) == "missing"
        assert made.detail.startswith("cannot be read (")
    assert analyser.tags(fs, str(tmp_path / "absent.wav"), 10) == {}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_missing(tmp_path, analyser):
    path = put(tmp_path, "secret.wav", encoded(noise(2)))
    path.chmod(0)
    made = analyser.analyse(LocalFileSystem(), str(path), 10)[0]
    assert made == Rejected(
        "missing", "cannot be read (Permission denied): check that it is there and allowed"
    )


def test_sound_and_tags_come_through_any_file_system(shared_data, tmp_path, analyser):
    import zipfile

    names = ["fma_audio/000/000182.mp3", "odd_audio/bliss/piano.flac", "odd_audio/made/error_page.mp3"]
    with zipfile.ZipFile(tmp_path / "music.zip", "w") as archive:
        for name in names:
            archive.write(shared_data / name, name)
        archive.writestr("odd_audio/caf\u00e9.wav", encoded(noise(2)))
    fs, base = open_root(f"zip://::{tmp_path}/music.zip")
    found = {
        entry.path: analyser.analyse(fs, join(base, entry.path), entry.size, want_tags=True)
        for entry in scan(f"zip://::{tmp_path}/music.zip")
    }
    assert {path: status(made) for path, (made, _) in found.items()} == {
        "fma_audio/000/000182.mp3": "ok",
        "odd_audio/bliss/piano.flac": "ok",
        "odd_audio/made/error_page.mp3": "not_audio",
        "odd_audio/caf\u00e9.wav": "ok",
    }
    local, tags = analyser.analyse(
        LocalFileSystem(),
        str(shared_data / names[0]),
        (shared_data / names[0]).stat().st_size,
        want_tags=True,
    )
    remote, remote_tags = found[names[0]]
    np.testing.assert_array_equal(remote.vector, local.vector)
    assert remote_tags == tags
    assert tags["artist"] == "Ariel Pink's Haunted Graffiti"


def test_names_of_any_bytes_are_opened(tmp_path, analyser):
    name = os.path.join(os.fsencode(tmp_path), b"caf\xe9 a:b [1]\n.wav")
    with open(name, "wb") as file:
        file.write(encoded(noise(2)))
    entry = scan(tmp_path)[0]
    made = analyser.analyse(LocalFileSystem(), join(str(tmp_path), entry.path), entry.size)[0]
    assert status(made) == "ok"
