"""What the 518 features of a 30 s clip cost beside decoding it, librosa's recipe, and two other programs.

`python -m benchmarks.features [--quick] [--clips FOLDER] [--essentia-python PYTHON]` measures milliseconds of
the processor on one thread. All contenders take turns on each clip, whose file is in the page cache; a clip's
figure is the median of its rounds, the figure of the run the median over the clips, and a ratio the median of
the clips' ratios. Then whole analyses a second by one and by two processes, by the clock, and what each takes
of the processors, which does not depend on what else runs. The last line is one JSON object; peers that are
not there are left out of it.
"""

# ruff: noqa: E402 (numpy and numba read the variables when they are imported)
import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_variable] = "1"

import argparse
import json
import statistics
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import soundfile

from benchmarks.calibration import matrix_product_ms
from benchmarks.peers.fma_recipe import fma_recipe
from benchmarks.peers.programs import Bliss, Essentia
from benchmarks.scaling import clips_per_second
from segue.audio.decode import Decoded, decode
from segue.audio.features import extract_all
from segue.dataset.compose.real import CLIPS
from segue.settings import Settings

Contender = Callable[[str], dict[str, float]]
SETTINGS = Settings()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three clips, fewer rounds, under a minute")
    parser.add_argument("--clips", type=Path, default=CLIPS, help="a folder with MP3 clips, searched deeply")
    parser.add_argument("--essentia-python", help="a Python that has essentia")
    options = parser.parse_args()
    clips = sorted(str(path) for path in options.clips.rglob("*.mp3"))
    if not clips:
        parser.error(f"there is no *.mp3 in {options.clips}")
    if options.quick:
        clips = clips[:: -(-len(clips) // 3)]
    contenders: dict[str, Contender] = {
        "decode": timed("decode", lambda path: soundfile.read(path, dtype="float32")),
        "ours": ours,
        "librosa_22k": timed("librosa_22k", lambda path: fma_recipe(path, 22_050)),
        "librosa_native": timed("librosa_native", lambda path: fma_recipe(path, None)),
    }
    essentia = Essentia.found(options.essentia_python)
    for name, peer in (("essentia", essentia), ("bliss", Bliss.found(build=not options.quick))):
        if isinstance(peer, str):
            print(peer, flush=True)
        else:
            contenders[name] = measured_by_itself(name, peer)
    by_clip = measure(contenders, clips, rounds=2 if options.quick else 5)
    if isinstance(essentia, Essentia):
        essentia.close()
    figures = summary(by_clip)
    figures["matrix_product_ms"] = round(matrix_product_ms(), 2)
    for processes in (1, 2):
        rate, processor = clips_per_second(clips, processes, seconds=2 if options.quick else 10)
        figures[f"clips_per_s_{processes}"] = round(rate, 2)
        figures[f"clip_processor_ms_{processes}"] = round(processor, 2)
    figures["scaling_2"] = round(figures["clips_per_s_2"] / figures["clips_per_s_1"], 2)
    print(f"{len(clips)} clips of {options.clips}, {os.cpu_count()} cores")
    print(json.dumps(figures))


def processor_ms(start: float) -> float:
    return 1_000 * (time.process_time() - start)


def timed(name: str, call: Callable[[str], object]) -> Contender:
    """Wrap a function of a path as a contender."""

    def contender(path: str) -> dict[str, float]:
        start = time.process_time()
        call(path)
        return {name: processor_ms(start)}

    return contender


def measured_by_itself(name: str, peer: Callable[[str], float]) -> Contender:
    return lambda path: {name: peer(path)}


def ours(path: str) -> dict[str, float]:
    """The whole way from a file to 518 values, its two parts, and the fingerprint made after them."""
    start = time.process_time()
    sound = decode(path, os.path.getsize(path), SETTINGS)
    assert isinstance(sound, Decoded), f"{path}: {sound}"
    decoded = processor_ms(start)
    made = extract_all(sound.samples)
    figures = {"ours": processor_ms(start), "ours_decode": decoded}
    figures["ours_features"] = figures["ours"] - decoded
    if find_spec("segue.audio.fingerprint"):
        from segue.audio.fingerprint import fingerprint

        start = time.process_time()
        fingerprint(made.mel)
        figures["fingerprint"] = processor_ms(start)
    return figures


def measure(contenders: dict[str, Contender], clips: list[str], rounds: int) -> list[dict[str, float]]:
    """Return for each clip the median milliseconds of each contender, who take turns on it."""
    for contender in contenders.values():
        contender(clips[0])
    by_clip = []
    for path in clips:
        runs: dict[str, list[float]] = {}
        for number in range(rounds):
            # The slow ones settle in fewer rounds.
            taking_part = (
                contenders if number < 2 else {name: contenders[name] for name in ("decode", "ours")}
            )
            for contender in taking_part.values():
                for name, milliseconds in contender(path).items():
                    runs.setdefault(name, []).append(milliseconds)
        by_clip.append({name: statistics.median(values) for name, values in runs.items()})
        line = "  ".join(f"{name} {milliseconds:.1f}" for name, milliseconds in by_clip[-1].items())
        print(f"{Path(path).name}: {line}", flush=True)
    return by_clip


def summary(by_clip: list[dict[str, float]]) -> dict[str, float]:
    """Return the figures of the run."""
    figures = {
        f"{name}_ms": round(statistics.median(clip[name] for clip in by_clip), 2) for name in by_clip[0]
    }
    for key, over, under in (
        ("ratio_to_decode", "ours", "decode"),
        ("speedup_22k", "librosa_22k", "ours"),
        ("speedup_native", "librosa_native", "ours"),
        ("bliss_ratio_to_decode", "bliss", "decode"),
        ("speedup_essentia", "essentia", "ours"),
    ):
        if over in by_clip[0]:
            figures[key] = round(statistics.median(clip[over] / clip[under] for clip in by_clip), 2)
    return figures


if __name__ == "__main__":
    main()
