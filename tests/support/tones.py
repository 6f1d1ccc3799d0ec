"""Small sounds that tests make for themselves."""

from pathlib import Path

import numpy as np
import soundfile


def write_tone(path: Path, seed: int, seconds: float = 2.0) -> Path:
    """Write a noisy tone, another one for each seed."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * 22_050)) / 22_050
    samples = 0.4 * np.sin(2 * np.pi * rng.uniform(100, 2_000) * time) + 0.05 * rng.standard_normal(len(time))
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples.astype(np.float32), 22_050, format="WAV")
    return path
