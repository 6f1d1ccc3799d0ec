"""How far our 518 features are from librosa's, counted in tolerances."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from segue.audio.columns import COLUMNS, SIZES, STATISTICS
from segue.audio.decode import Decoded, decode
from segue.settings import Settings

RELATIVE = 1e-3
OF_SPREAD = 1e-3
with (Path(__file__).parent / "spread.csv").open(newline="") as _file:
    SPREAD = np.array([float(row["std"]) for row in csv.DictReader(_file)])
"""The standard deviation of each feature over the 36 real clips and songs of the shared data."""


def sounds(folders: Iterable[Path], settings: Settings) -> Iterator[tuple[Path, np.ndarray]]:
    """Yield what can be decoded below some folders, with its samples."""
    for folder in folders:
        for path in sorted(file for file in folder.rglob("*") if file.is_file()):
            made = decode(path, path.stat().st_size, settings)
            if isinstance(made, Decoded):
                yield path, made.samples


def tolerances(vector: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return each value's distance in units of a thousandth of the value plus a thousandth of its spread.

    More than 1 is too far; what is not finite is infinitely far.
    """
    allowed = RELATIVE * np.abs(reference) + OF_SPREAD * SPREAD + np.finfo(float).tiny
    far = np.abs(vector.astype(np.float64) - reference) / allowed
    return np.where(np.isfinite(vector), far, np.inf)


def table(worst: np.ndarray) -> str:
    """Return a Markdown table, families by statistics, of 518 distances."""
    lines = ["| | " + " | ".join(STATISTICS) + " |", "| --- |" + " ---: |" * len(STATISTICS)]
    for feature in SIZES:
        cells = [
            max(value for value, column in zip(worst, COLUMNS, strict=True) if column[:2] == (feature, each))
            for each in STATISTICS
        ]
        lines.append(f"| {feature} | " + " | ".join(f"{cell:.4f}" for cell in cells) + " |")
    return "\n".join(lines)
