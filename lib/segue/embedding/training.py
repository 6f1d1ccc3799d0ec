"""The training loop: how many epochs, by artists held out; then on everything."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from segue.embedding.batches import SharedBatches, Tracks, counts, dropout, loader
from segue.embedding.checkpoint import Checkpoints, Progress
from segue.embedding.judge import Judge, held_out_artists
from segue.embedding.lesson import Lesson
from segue.embedding.network import Network, ProxyLoss, first_network
from segue.embedding.peers import Peers
from segue.embedding.settings import TrainingSettings
from segue.embedding.weights import Weights

ALONE = Peers()


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained network and how it came about.

    Parameters
    ----------
    weights
        After ``best_epoch`` epochs on the whole lesson.
    loss, precision
        float64[t] by epoch: the training loss, and the genre precision for artists held out; NaN where none
        could be held out.
    final_loss
        float64[best_epoch]: the loss of the training on everything.
    best_epoch
        The epoch (from 1) with the highest precision, the first of equals; the last where none was held out.
    """

    weights: Weights
    loss: np.ndarray
    precision: np.ndarray
    final_loss: np.ndarray
    best_epoch: int

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return all of it as arrays."""
        curve = {"loss": self.loss, "precision": self.precision, "final_loss": self.final_loss}
        return {**self.weights.to_arrays(), **curve, "best_epoch": np.array(self.best_epoch)}


def train(
    lesson: Lesson, settings: TrainingSettings, folder: Path | None = None, peers: Peers = ALONE
) -> Trained:
    """Train on a part until the artists held out gain no more, then anew on everything for as many epochs.

    Equal lesson, settings and kind of device give equal weights on one process; several processes differ by
    the order of float32 sums only.

    Parameters
    ----------
    folder
        Where checkpoints are kept; a training that was killed goes on from there.
    peers
        The processes that train together; each must call this with the same lesson and settings.
    """
    with _repeatable():
        held_out = held_out_artists(lesson, settings.seed)
        if held_out is None:
            only, network = _stage("train", lesson, settings, settings.epochs, None, folder, peers)
            precision = np.full(only.epoch, np.nan)
            return Trained(network.weights(), np.array(only.loss), precision, np.array(only.loss), only.epoch)
        judge = Judge(lesson, held_out, settings.seed)
        chosen, _ = _stage("choose", lesson.hiding(held_out), settings, settings.epochs, judge, folder, peers)
        final, network = _stage("final", lesson, settings, chosen.best_epoch, None, folder, peers)
    return Trained(
        network.weights(),
        np.array(chosen.loss),
        np.array(chosen.precision),
        np.array(final.loss),
        chosen.best_epoch,
    )


def _stage(
    name: str,
    lesson: Lesson,
    settings: TrainingSettings,
    until: int,
    judge: Judge | None,
    folder: Path | None,
    peers: Peers,
) -> tuple[Progress, Network]:
    """Train from the first epoch, or the last checkpoint, to epoch ``until`` or the end of patience."""
    network = first_network(lesson, settings.dimensions, settings.hidden, settings.seed).to(peers.device)
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    checkpoints = Checkpoints(folder, name, lesson, settings, until)
    progress = checkpoints.read(network, optimiser)
    epochs = _Epochs(lesson, settings, network, optimiser, peers)
    while progress.epoch < until and not _exhausted(progress, judge, settings.patience):
        progress.loss.append(epochs.run(progress.epoch))
        if judge is not None:
            value = judge.precision(network.weights().embed(lesson.features)) if not peers.rank else 0.0
            progress.precision.append(peers.told(value))
            if progress.precision[-1] > max(progress.precision[:-1], default=-1.0):
                progress.best_epoch = progress.epoch
        if not peers.rank:
            checkpoints.write(network, optimiser, progress)
    return progress, network


def _exhausted(progress: Progress, judge: Judge | None, patience: int) -> bool:
    return judge is not None and progress.epoch - progress.best_epoch >= patience


class _Epochs:
    """Runs one epoch after another."""

    def __init__(
        self,
        lesson: Lesson,
        settings: TrainingSettings,
        network: Network,
        optimiser: torch.optim.Optimizer,
        peers: Peers,
    ) -> None:
        self.settings, self.optimiser, self.peers = settings, optimiser, peers
        self.width = lesson.features.shape[1] + settings.hidden
        self.shared = peers.sharing(network)
        self.loss = ProxyLoss(lesson, settings.temperature, settings.artist_weight, peers.device)
        self.tracks = Tracks(lesson)
        self.batches = SharedBatches(lesson.taught, settings.batch, settings.seed, peers.rank, peers.world)
        self.loader = loader(self.tracks, self.batches)

    def run(self, epoch: int) -> float:
        """Train one epoch (from 0) and return the mean loss of its batches."""
        self.batches.epoch = epoch
        total = 0.0
        for step, (whole, own) in enumerate(zip(self.batches.whole(), self.loader, strict=True)):
            self._set_rate((epoch + step / len(self.batches)) / self.settings.epochs)
            total += self._step(step, whole, own)
        return self.peers.sum(total) / max(len(self.batches), 1)

    def _step(self, step: int, whole: np.ndarray, own: Any) -> float:
        device = self.peers.device
        features, genres, artists = (part.to(device) for part in own)
        kept = dropout(self.settings.dropout, self.batches, step, whole.size, self.width)
        cosines = self.shared(features, kept if kept is None else kept.to(device))
        loss = self.loss(cosines, genres, artists, counts(self.tracks, whole))
        self.optimiser.zero_grad()
        # Gradients are averaged over the processes, and a batch's loss is the sum of their parts.
        (loss * self.peers.world).backward()
        self.optimiser.step()
        return float(loss.detach())

    def _set_rate(self, done: float) -> None:
        """Set the learning rate for a share ``done`` of all epochs: half a cosine from full to nothing."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings.learning_rate * (0.5 + 0.5 * math.cos(math.pi * done))


@contextmanager
def _repeatable() -> Iterator[None]:
    """Let torch compute on one thread and by algorithms that give equal results, and restore it after."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    try:
        with torch.random.fork_rng():
            yield
    finally:
        torch.use_deterministic_algorithms(strict)
        torch.set_num_threads(threads)
