"""Where a training stands, so that one that was killed goes on and ends as if it had not been."""

from __future__ import annotations

import hashlib
import io
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

from segue.embedding.lesson import Lesson
from segue.embedding.settings import TrainingSettings

_CHECKSUM = hashlib.sha256().digest_size


@dataclass
class Progress:
    """What a training knows of itself after some epochs: ``loss`` and ``precision`` have one entry each.

    ``best_epoch`` (from 1; 0 before the first) is the one with the highest precision, the first of equals.
    """

    loss: list[float] = field(default_factory=list)
    precision: list[float] = field(default_factory=list)
    best_epoch: int = 0

    @property
    def epoch(self) -> int:
        """Return how many epochs are done."""
        return len(self.loss)


class Checkpoints:
    """One file, replaced whole after each epoch; without a folder nothing is kept.

    A file that is damaged, or of another lesson, other settings or another stage, is not taken up.
    """

    def __init__(
        self, folder: Path | None, stage: str, lesson: Lesson, settings: TrainingSettings, epochs: int
    ) -> None:
        self.file = folder / f"{stage}.pt" if folder else None
        told = json.dumps({**asdict(settings), "until": epochs, "lesson": lesson.fingerprint()})
        self.identity = hashlib.sha256(told.encode()).hexdigest()

    def write(self, network: torch.nn.Module, optimiser: torch.optim.Optimizer, progress: Progress) -> None:
        """Keep where the training stands."""
        if self.file is None:
            return
        self.file.parent.mkdir(parents=True, exist_ok=True)
        part = self.file.with_suffix(".part")
        state = {
            "identity": self.identity,
            "network": network.state_dict(),
            "optimiser": optimiser.state_dict(),
            "progress": asdict(progress),
        }
        content = io.BytesIO()
        torch.save(state, content)
        with part.open("wb") as opened:
            opened.write(hashlib.sha256(content.getbuffer()).digest())
            opened.write(content.getbuffer())
            opened.flush()
            os.fsync(opened.fileno())
        os.replace(part, self.file)

    def read(self, network: torch.nn.Module, optimiser: torch.optim.Optimizer) -> Progress:
        """Bring network and optimiser to where they stood and return the progress, new without a file."""
        if self.file is None or not self.file.exists():
            return Progress()
        kept = self.file.read_bytes()
        checksum, content = kept[:_CHECKSUM], kept[_CHECKSUM:]
        if hashlib.sha256(content).digest() != checksum:
            return Progress()
        state = torch.load(io.BytesIO(content), weights_only=True, map_location="cpu")
        if state["identity"] != self.identity:
            return Progress()
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        return Progress(**state["progress"])
