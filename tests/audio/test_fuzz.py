"""A thousand bad files: each gives one outcome in bounded time and memory, and sound that is lost is told."""

import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from fsspec.implementations.local import LocalFileSystem

from segue.audio.analyse import Analysed, Analyser
from segue.dataset.base import OK, REASONS
from segue.settings import Settings
from support.mutations import mutations, short_clips

LIMIT_S = 20.0
SETTINGS = Settings(decode_memory_mib=1024, decode_timeout_s=LIMIT_S)
WARNINGS = {"truncated", "damaged", "not_finite"}
KEEPS_ITS_LENGTH = {"cut", "flipped", "garbage", "duplicated", "zeroed", "renamed"}
"""What leaves a file's own word on its length alone, so that sound which is not found is missing."""


@pytest.fixture(scope="module")
def clips(shared_data, tmp_path_factory) -> list[Path]:
    return short_clips(tmp_path_factory.mktemp("clips"), shared_data)


def outcomes(clips: list[Path], folder: Path, count: int, seed: int) -> Counter[str]:
    analyser, fs = Analyser(SETTINGS), LocalFileSystem()
    seen: Counter[str] = Counter()
    for name, content, done in mutations(clips, count, seed):
        path = folder / name
        path.write_bytes(content)
        started = time.monotonic()
        made, _ = analyser.analyse(fs, str(path), len(content))
        assert time.monotonic() - started < LIMIT_S + 5, (name, done)
        seen[OK if isinstance(made, Analysed) else made.status] += 1
        if isinstance(made, Analysed):
            assert made.vector.shape == (518,), (name, done)
            assert np.isfinite(made.vector).all(), (name, done)
            assert WARNINGS.issuperset(made.warnings), (name, done)
            assert SETTINGS.min_duration_s <= made.duration_s < 60, (name, done)
            kind = name.partition("-")[2].partition(".")[0]
            if kind in KEEPS_ITS_LENGTH and made.duration_s < 3.5:
                assert {"truncated", "damaged"}.intersection(made.warnings), (name, done)
        else:
            assert made.status in REASONS, (name, done)
            assert made.detail, (name, done)
        path.unlink()
    analyser.close()
    return seen


def test_the_same_seed_makes_the_same_files(clips):
    first = list(mutations(clips, 50, seed=7))
    assert first == list(mutations(clips, 50, seed=7))
    assert first != list(mutations(clips, 50, seed=8))
    contents = {path.read_bytes() for path in clips}
    assert sum(content in contents for _, content, done in first if "renamed" not in done) == 0


@pytest.mark.slow
def test_a_hundred_bad_files_give_a_hundred_outcomes(clips, tmp_path):
    seen = outcomes(clips, tmp_path, 100, seed=5)
    assert sum(seen.values()) == 100
    assert seen[OK] > 40
    assert seen["crashed"] == seen["timeout"] == seen["missing"] == 0


@pytest.mark.soak
@pytest.mark.timeout(1_800)
def test_a_thousand_bad_files_give_a_thousand_outcomes(clips, tmp_path):
    seen = outcomes(clips, tmp_path, 1_000, seed=11)
    assert sum(seen.values()) == 1_000
    assert seen["crashed"] == seen["timeout"] == seen["missing"] == 0
