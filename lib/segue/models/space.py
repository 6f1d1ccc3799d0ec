"""The space that a run's models live in, kept so that a track that comes later can be brought into it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self
from zipfile import BadZipFile

import numpy as np

from segue.audio.columns import COLUMNS
from segue.errors import SegueError
from segue.models.scaling import Scaling

SPACE = "space.npz"
"""Of a run: what notebook 03 keeps of the tracks that it fitted models on."""

RANKED = (
    "loudness", "brightness", "roughness", "contrast", "bandwidth", "movement", "tonality", "noise",
)  # fmt: skip
"""The numbers of a sound print that are ranks in the catalogue (`segue.store.cards.PRINT`)."""

_PLACE = {".".join(column): i for i, column in enumerate(COLUMNS)}


@dataclass(frozen=True, eq=False)
class Space:
    """What a run's models were fitted on, as far as new tracks are concerned.

    Attributes
    ----------
    track_ids, recording_ids
        int64[n] each, as in `segue.models.data.TrainingData`.
    contents
        int64[n]: `content_key` of each track's content.
    scaling
        What standardised the 518 features.
    heights
        float64[8, n]: each row the values of one of `RANKED`, ascending.
    recipe
        By which the features were computed (`segue.audio.features.recipe`).
    """

    track_ids: np.ndarray
    recording_ids: np.ndarray
    contents: np.ndarray
    scaling: Scaling
    heights: np.ndarray
    recipe: str

    @cached_property
    def size(self) -> int:
        """Return n."""
        return int(self.track_ids.size)

    def prints(self, vectors: np.ndarray) -> np.ndarray:
        """Return float64[m, 20]: the sound prints of float32[m, 518] features beside the n tracks.

        A rank is the share of the n tracks that is below, those that are equal counted by half.
        """
        chroma, values = sound_numbers(lambda name: vectors[:, _PLACE[name]])
        ranks = [
            (np.searchsorted(own, new) + np.searchsorted(own, new, "right")) / (2 * own.size)
            for own, new in zip(self.heights, values.T, strict=True)
        ]
        return np.column_stack([chroma, *ranks])

    def save(self, file: Path) -> None:
        """Write ``file``, whole or not at all."""
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            allow_pickle=False,
            track_ids=self.track_ids,
            recording_ids=self.recording_ids,
            contents=self.contents,
            heights=self.heights,
            recipe=np.array(self.recipe),
            **self.scaling.to_arrays(),
        )
        part = file.with_suffix(".part")
        part.write_bytes(buffer.getvalue())
        part.replace(file)

    @classmethod
    def load(cls, file: Path) -> Self:
        """Return what `save` wrote.

        Raises
        ------
        SegueError
            If the file is missing or damaged.
        """
        try:
            with np.load(file, allow_pickle=False) as arrays:
                found = {name: arrays[name] for name in arrays.files}
            scaling = Scaling(found.pop("offset"), found.pop("factor"))
            return cls(**found | {"recipe": str(found["recipe"]), "scaling": scaling})
        except FileNotFoundError:
            raise SegueError(f"{file} is missing: run notebook 03 again") from None
        except (ValueError, KeyError, TypeError, OSError, BadZipFile):
            raise SegueError(f"{file} is damaged: run notebook 03 again") from None


def content_key(sha256: str) -> int:
    """Return 63 bits that stand for a content's SHA-256."""
    return int.from_bytes(hashlib.blake2b(sha256.encode(), digest_size=8).digest()) >> 1


def heights_of(values: np.ndarray) -> np.ndarray:
    """Return float64[8, n] for `Space.heights` from float64[n, 8] of `sound_numbers`."""
    return np.sort(np.asarray(values, dtype=np.float64).T, axis=1)


def sound_numbers(column: Callable[[str], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return what sound prints are made of: float64[n, 12] pitch classes and float64[n, 8] values to rank.

    Chroma is the mean of each pitch class (of the constant-Q chromagram), the strongest 1, the weakest 0, and
    all 1 where they are equal: the means of real music lie close together. The others are in the order of
    `RANKED`: mean RMS, spectral centroid and zero-crossing rate; contrast by the mean over the seven bands;
    the mean bandwidth; movement by the mean deviation of the second to the thirteenth MFCC (how much the
    timbre changes); tonality by how far the mean chroma is from even (its coefficient of variation); noise by
    the mean spectral rolloff.

    Parameters
    ----------
    column
        Gives float[n] of a feature by its name ``feature.statistic.number``.
    """

    def together(pattern: str, numbers: range) -> np.ndarray:
        names = [f"{pattern}.{number:02d}" for number in numbers]
        return np.column_stack([np.asarray(column(name), dtype=np.float64) for name in names])

    def alone(name: str) -> np.ndarray:
        return together(name, range(1, 2))[:, 0]

    chroma = together("chroma_cqt.mean", range(1, 13))
    weakest = chroma.min(axis=1, keepdims=True, initial=np.inf)
    span = chroma.max(axis=1, keepdims=True, initial=0) - weakest
    petals = np.divide(chroma - weakest, span, out=np.ones_like(chroma), where=span > 0)
    mean = chroma.mean(axis=1)
    values = [
        alone("rmse.mean"),
        alone("spectral_centroid.mean"),
        alone("zcr.mean"),
        together("spectral_contrast.mean", range(1, 8)).mean(axis=1),
        alone("spectral_bandwidth.mean"),
        together("mfcc.std", range(2, 14)).mean(axis=1),
        np.divide(chroma.std(axis=1), mean, out=np.zeros_like(mean), where=mean > 0),
        alone("spectral_rolloff.mean"),
    ]
    return np.clip(petals, 0, 1), np.column_stack(values)
