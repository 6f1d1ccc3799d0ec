"""The same batches whatever the number of processes: each takes its share of every one."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from segue.embedding.lesson import NONE, Lesson

Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


class Tracks(Dataset):
    """Features, genre and artist of each track of a lesson."""

    def __init__(self, lesson: Lesson) -> None:
        self.features = torch.from_numpy(np.array(lesson.features, dtype=np.float32))
        self.genres = torch.from_numpy(lesson.genre_labels)
        self.artists = torch.from_numpy(lesson.artist_labels)

    def __len__(self) -> int:
        """Return n."""
        return len(self.features)

    def __getitem__(self, index: int) -> Batch:
        """Return one track's features float32[d], genre and artist."""
        return self.features[index], self.genres[index], self.artists[index]

    def __getitems__(self, indices: list[int]) -> Batch:
        """Return the same of several tracks at once, stacked."""
        at = torch.as_tensor(indices, dtype=torch.int64)
        return self.features[at], self.genres[at], self.artists[at]


class SharedBatches(Sampler[list[int]]):
    """Batches of an epoch in an order that depends on seed and epoch only.

    Of each batch, process ``rank`` of ``world`` takes every world-th track, perhaps none of a last one.
    """

    def __init__(self, tracks: np.ndarray, size: int, seed: int, rank: int, world: int) -> None:
        self.tracks, self.size, self.seed, self.rank, self.world = tracks, size, seed, rank, world
        self.epoch = 0

    def whole(self) -> list[np.ndarray]:
        """Return the batches of this epoch, int64[at most size] each, for all processes together."""
        order = np.random.default_rng((self.seed, self.epoch)).permutation(self.tracks)
        return [order[start : start + self.size] for start in range(0, order.size, self.size)]

    def __iter__(self) -> Iterator[list[int]]:
        """Yield this process' share of each batch."""
        for batch in self.whole():
            yield batch[self.rank :: self.world].tolist()

    def __len__(self) -> int:
        """Return the number of batches."""
        return math.ceil(self.tracks.size / self.size)


def loader(tracks: Tracks, batches: SharedBatches) -> DataLoader:
    """Return what yields `Batch` by `Batch`."""
    return DataLoader(tracks, batch_sampler=batches, collate_fn=_as_it_is)


def _as_it_is(batch: Batch) -> Batch:
    return batch


def counts(tracks: Tracks, batch: np.ndarray) -> tuple[int, int]:
    """Return how many tracks of a batch have a genre, and how many an artist."""
    at = torch.from_numpy(batch)
    return int((tracks.genres[at] != NONE).sum()), int((tracks.artists[at] != NONE).sum())


def dropout(rate: float, batches: SharedBatches, step: int, size: int, width: int) -> torch.Tensor | None:
    """Return this process' rows of a batch's dropout factors, 0 or 1 / (1 - rate), float32[share, width].

    They depend on seed, epoch, step and place in the batch: the number of processes changes nothing.
    """
    if not rate:
        return None
    draws = np.random.default_rng((batches.seed, batches.epoch, step)).random((size, width), dtype=np.float32)
    kept = (draws >= rate) / np.float32(1 - rate)
    return torch.from_numpy(kept[batches.rank :: batches.world].astype(np.float32))
