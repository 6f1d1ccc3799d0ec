"""What decides how the network is trained."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TrainingSettings:
    """Parameters of one training; `segue.models.embedding.EmbeddingConfig` says what they do."""

    dimensions: int
    hidden: int
    temperature: float
    artist_weight: float
    dropout: float
    weight_decay: float
    learning_rate: float
    batch: int
    epochs: int
    patience: int
    seed: int
