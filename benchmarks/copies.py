"""How well copies of one recording are found, among how many others, and what it costs.

`python -m benchmarks.copies [FOLDER…] [--quick] [--composed N]` makes copies of the audio files below the
folders (the clips that Segue ships, if none is named), looks for copies among all of them, and counts pairs.
Parts of a long file that do not overlap its middle count as recordings of their own. --composed adds N tracks
of the demo catalogue with its two planted copies; --quick takes every third file. The last line is one JSON
object; `recall_by` is the share of copies that were put to their original.
"""

import argparse
import json
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import soundfile
import soxr

from benchmarks.calibration import matrix_product_ms
from segue.audio.decode import Decoded, decode
from segue.audio.features import extract_all
from segue.audio.fingerprint import Codes, codes_of, fingerprint
from segue.audio.recordings import find_pairs, join
from segue.dataset.compose.real import CLIPS
from segue.dataset.demo import DemoDataset
from segue.settings import Settings

EXTENSIONS = {".mp3", ".ogg", ".flac", ".wav"}
CUT_S = 20
APART_S = 65
SOUNDS = 10_000


def write_mp3(path: Path, samples: np.ndarray, rate: int, kbits: int = 64) -> Path:
    """Write an MP3 of a constant bit rate: libsndfile takes it as a share of what the rate allows."""
    least, most = (32, 320) if rate >= 32_000 else (8, 160)
    level = (most - kbits) / (most - least)
    soundfile.write(path, samples, rate, format="MP3", bitrate_mode="CONSTANT", compression_level=level)
    return path


def write_ogg(path: Path, samples: np.ndarray, rate: int) -> Path:
    """Write an Ogg Vorbis of the lowest quality, by pieces: libsndfile crashes on many samples at once."""
    with soundfile.SoundFile(
        path, "w", rate, samples.shape[1], format="OGG", subtype="VORBIS", compression_level=1.0
    ) as file:
        for start in range(0, len(samples), rate):
            file.write(samples[start : start + rate])
    return path


def write_wav(path: Path, samples: np.ndarray, rate: int) -> Path:
    soundfile.write(path, np.clip(samples, -1, 1), rate, format="WAV")
    return path


def copies(samples: np.ndarray, rate: int, folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield a name and the file of each copy; a file is overwritten by the next of its kind."""
    mp3, ogg, wav = (folder / f"copy.{extension}" for extension in ("mp3", "ogg", "wav"))
    yield "mp3_64", write_mp3(mp3, samples, rate)
    yield "ogg_lowest", write_ogg(ogg, samples, rate)
    for other in (8_000, 16_000, 48_000):
        yield f"resampled_{other}", write_wav(wav, soxr.resample(samples, rate, other), other)
    start = max(0, len(samples) - CUT_S * rate) // 2
    middle = samples[start : start + CUT_S * rate]
    yield "middle_20s", write_wav(wav, middle, rate)
    yield "middle_20s_mp3_64", write_mp3(mp3, middle, rate)
    yield "quieter_12_db", write_wav(wav, samples / 4, rate)
    silence = np.zeros((int(0.7 * rate), samples.shape[1]), samples.dtype)
    yield "silence_before", write_wav(wav, np.concatenate([silence, samples]), rate)


def parts(samples: np.ndarray, rate: int, folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the first and the last 16 s of what lies more than a second away from the middle 30 s."""
    wav = folder / "part.wav"
    if len(samples) > APART_S * rate:
        yield "first", write_wav(wav, samples[: CUT_S * rate * 4 // 5], rate)
        yield "last", write_wav(wav, samples[-CUT_S * rate * 4 // 5 :], rate)


class Collection:
    """Fingerprints of files, and which recording each is of."""

    def __init__(self) -> None:
        self.prints: list[Codes] = []
        self.recordings: list[str] = []
        self.kinds: list[str] = []
        self.milliseconds: list[float] = []
        self.bytes = 0

    def add(self, path: Path, recording: str, kind: str) -> None:
        sound = decode(path, path.stat().st_size, Settings())
        if not isinstance(sound, Decoded):
            print(f"left out: {recording} {kind}: {sound.detail}")
            return
        mel = extract_all(sound.samples).mel
        start = time.process_time()
        made = fingerprint(mel)
        self.milliseconds.append(1_000 * (time.process_time() - start))
        self.bytes = max(self.bytes, len(made))
        self.prints.append(codes_of(made))
        self.recordings.append(recording)
        self.kinds.append(kind)

    def add_with_copies(self, path: Path, folder: Path) -> None:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        self.add(path, path.name, "original")
        for kind, copy in copies(samples, rate, folder):
            self.add(copy, path.name, kind)
        for which, part in parts(samples, rate, folder):
            self.add(part, f"{path.name}, {which} part", "part")

    def add_composed(self, tracks: int, home: Path) -> None:
        demo = DemoDataset(Settings(home=home), tracks)
        demo.prepare()
        originals = {each.path: each.original for each in demo.planted if each.kind == "near_copy"}
        broken = {each.path for each in demo.planted if each.kind == "broken"}
        for path in sorted(Path(demo.root).rglob("2*.mp3")):
            name = path.relative_to(demo.root).as_posix()
            if name not in broken:
                self.add(path, str(originals.get(name) or int(path.stem)), "composed")


def pairs_of(groups: list[list[int]]) -> set[tuple[int, int]]:
    return {pair for group in groups for pair in combinations(group, 2)}


def quality(collection: Collection, groups: list[list[int]]) -> dict[str, object]:
    """Return precision and recall over pairs of files, and what was confused."""
    by_recording: dict[str, list[int]] = {}
    for i, recording in enumerate(collection.recordings):
        by_recording.setdefault(recording, []).append(i)
    found, true = pairs_of(groups), pairs_of(list(by_recording.values()))
    for one, other in sorted(found - true):
        print("no copies:", *(f"{collection.recordings[i]} ({collection.kinds[i]})" for i in (one, other)))
    with_original: dict[str, list[bool]] = {}
    for members in by_recording.values():
        for i in members[1:]:
            with_original.setdefault(collection.kinds[i], []).append((members[0], i) in found)
    return {
        "precision": round(len(found & true) / max(1, len(found)), 4),
        "recall": round(len(found & true) / max(1, len(true)), 4),
        "recall_by": {kind: round(statistics.mean(put), 3) for kind, put in with_original.items()},
    }


def invented(originals: list[Codes], count: int, seed: int = 0) -> list[Codes]:
    """Return fingerprints pieced together from real ones, the signs of each piece changed at random."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        signs, sures = [], []
        for _ in range(16):
            codes = originals[rng.integers(len(originals))]
            start = int(rng.integers(0, max(1, len(codes) - 40)))
            signs.append(codes.sign[start : start + 40] ^ np.uint32(rng.integers(2**32)))
            sures.append(codes.sure[start : start + 40])
        made.append(Codes(np.concatenate(signs), np.concatenate(sures)))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--quick", action="store_true", help="every third file")
    parser.add_argument("--composed", type=int, default=0, metavar="N", help="composed tracks, at least 8")
    arguments = parser.parse_args()
    folders = arguments.folders or [CLIPS]
    files = sorted(path for folder in folders for path in folder.rglob("*") if path.suffix in EXTENSIONS)
    collection = Collection()
    with tempfile.TemporaryDirectory() as scratch:
        for path in files[:: 3 if arguments.quick else 1]:
            collection.add_with_copies(path, Path(scratch))
        if arguments.composed:
            collection.add_composed(arguments.composed, Path(scratch))
    start = time.process_time()
    groups = join(collection.prints, find_pairs(collection.prints))
    figures: dict[str, object] = {
        "files": len(collection.prints),
        "recordings": len(set(collection.recordings)),
        **quality(collection, groups),
        "find_s": round(time.process_time() - start, 2),
        "fingerprint_ms": round(statistics.median(collection.milliseconds), 3),
        "fingerprint_bytes": collection.bytes,
    }
    many = invented([codes for codes in collection.prints if len(codes) > 80], SOUNDS)
    start = time.process_time()
    pairs = find_pairs(many)
    figures["among"] = {
        "sounds": SOUNDS,
        "find_s": round(time.process_time() - start, 2),
        "wrong_pairs": len(pairs),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
    }
    figures["matrix_product_ms"] = round(matrix_product_ms(), 2)
    print(json.dumps(figures))


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    main()
