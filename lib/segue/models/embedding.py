"""A learned embedding of the sound: tracks of one genre, and of one artist, are brought near."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from segue.embedding.settings import TrainingSettings
from segue.embedding.weights import Weights
from segue.errors import SegueError
from segue.models.content import ContentConfig, ContentModel
from segue.models.data import TrainingData
from segue.models.kinds import Need
from segue.models.search import Choice, Real, Search, Whole

if TYPE_CHECKING:
    import pandas as pd

    from segue.embedding.lesson import Lesson
    from segue.embedding.training import Trained

_CURVE = ("loss", "precision", "final_loss")
NO_TORCH = (
    "the embedding is trained by PyTorch, which is not installed: pip install 'segue-music[torch]', "
    "or make demo TORCH=1"
)


class EmbeddingConfig(ContentConfig):
    """Parameters of `Embedding`.

    ``dimensions`` of the embedding at most; ``hidden`` units beside the linear map (0: none; on some hundred
    tracks they learn by heart, on many thousands they may pay); ``temperature`` of the softmax: low ones pull
    artists apart, high ones only genres; ``artist_weight``: how much artists count beside genres;
    ``dropout`` of features and hidden units; ``weight_decay`` (decoupled, Loshchilov and Hutter 2019);
    ``learning_rate`` at the start; ``batch``: tracks a step, over all processes; ``epochs`` at most;
    ``patience``: epochs without a gain after which training ends; ``processes``: more than one train on
    Spark's executors; ``seed`` of starts, batches and the artists held out.
    """

    metric: Literal["cosine"] = "cosine"
    dimensions: int = Field(64, ge=1)
    hidden: int = Field(0, ge=0)
    temperature: float = Field(0.2, ge=0.03, le=10)
    artist_weight: float = Field(0.1, ge=0)
    dropout: float = Field(0.0, ge=0, lt=1)
    weight_decay: float = Field(1.0, ge=0)
    learning_rate: float = Field(3e-3, gt=0)
    batch: int = Field(128, ge=1)
    epochs: int = Field(60, ge=1)
    patience: int = Field(15, ge=1)
    processes: int = Field(1, ge=1)
    seed: int = Field(0, ge=0)


class Embedding(ContentModel[EmbeddingConfig]):
    """Metric learning over genre and artist (`segue.embedding.network.ProxyLoss`), compared by the cosine.

    A fifth of the artists, held out, says after how many epochs the embedding is best for artists it has not
    met; it is then trained anew on all. Tracks without genre or artist teach what they have, and are embedded
    like all others. Training needs PyTorch; loading and answering need numpy alone.
    """

    name = "embedding"
    needs = frozenset({Need.FEATURES, Need.GENRES})
    config_type = EmbeddingConfig
    libraries = ("torch",)
    search: ClassVar[Mapping[str, Search]] = {
        "dimensions": Choice((16, 32, 64, 128)),
        "hidden": Choice((0, 64)),
        "temperature": Real(0.1, 0.4, log=True),
        "artist_weight": Real(0.0, 0.4),
        "dropout": Real(0.0, 0.5),
        "learning_rate": Real(1e-3, 1e-2, log=True),
        "epochs": Whole(20, 100),
    }

    weights: Weights
    """The trained network."""
    loss: np.ndarray
    """float64[t]: the loss by epoch while artists were held out."""
    precision: np.ndarray
    """float64[t]: genre precision at 10 of the artists held out, NaN where none were."""
    final_loss: np.ndarray
    """float64[best]: the loss by epoch of the training on all."""

    _checkpoints: Path | None = None

    def keeping(self, folder: str | Path) -> Self:
        """Keep checkpoints in ``folder`` while fitting, and return the model itself.

        A fit that was killed goes on there when the same is fitted again, and ends with the same weights.
        With several processes it must be a folder that every executor sees.
        """
        self._checkpoints = Path(folder)
        return self

    def embed(self, features: np.ndarray) -> np.ndarray:
        """Return float32[n, e]: unit vectors of tracks that come later, comparable with ``rows``.

        Parameters
        ----------
        features
            float[n, d], standardised with the `Scaling` of the catalogue.

        Raises
        ------
        SegueError
            If the model is not fitted, or the number of features is another.
        """
        self._check_fitted()
        wanted = self.weights.linear.shape[1]
        if np.ndim(features) != 2 or np.shape(features)[1] != wanted:
            raise SegueError(f"features have shape {np.shape(features)}, the network takes (n, {wanted})")
        return self.weights.embed(features)

    @property
    def curve(self) -> pd.DataFrame:
        """Return one row an epoch: ``epoch`` (from 1), ``loss``, ``precision``, ``final_loss``, ``best``."""
        import pandas as pd

        self._check_fitted()
        columns = {name: pd.Series(getattr(self, name)) for name in _CURVE}
        epochs = np.arange(1, len(self.loss) + 1)
        return pd.DataFrame({"epoch": epochs, **columns, "best": epochs == len(self.final_loss)})

    @property
    def parameter_count(self) -> int:
        """Return how many numbers the network has learned, the centres not counted."""
        self._check_fitted()
        return self.weights.parameters

    def _fit(self, data: TrainingData) -> None:
        from segue.embedding.lesson import Lesson

        trained = self._train(Lesson.of(data))
        self.weights = trained.weights
        self.loss, self.precision, self.final_loss = trained.loss, trained.precision, trained.final_loss
        assert data.features is not None
        self.rows = self.weights.embed(data.features)

    def _train(self, lesson: Lesson) -> Trained:
        if find_spec("torch") is None:
            raise SegueError(NO_TORCH)
        chosen = self.config.model_dump(exclude={"metric", "processes"})
        settings = TrainingSettings(**chosen)
        if self.config.processes == 1:
            from segue.embedding.training import train

            return train(lesson, settings, self._checkpoints)
        from segue.embedding.distribute import train_distributed

        return train_distributed(self.spark, lesson, settings, self.config.processes, self._checkpoints)

    def _state(self) -> dict[str, np.ndarray]:
        return super()._state() | self.weights.to_arrays() | {name: getattr(self, name) for name in _CURVE}

    def _restore(self, state: Mapping[str, np.ndarray]) -> None:
        super()._restore(state)
        self.weights = Weights.of(state)
        self.loss, self.precision, self.final_loss = (state[name] for name in _CURVE)
