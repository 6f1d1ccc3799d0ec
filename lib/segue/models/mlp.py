"""Neural network by Spark: one hidden layer from principal components to genres."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from pydantic import Field

from segue.models.genre_model import GenreConfig, GenreModel, log_probabilities, softmax
from segue.models.search import Choice, Whole
from segue.models.spark_frames import vectors


class MLPConfig(GenreConfig):
    """Parameters of `MLP`: principal components in front, hidden units, steps of L-BFGS at most.

    Few steps are what keeps a network of so many weights from learning its tracks by heart. Three ``folds``,
    as each is many jobs of Spark's.
    """

    folds: int = Field(3, ge=2)
    components: int = Field(60, ge=1)
    hidden: int = Field(64, ge=1)
    iterations: int = Field(30, ge=1)


class MLP(GenreModel[MLPConfig]):
    """softmax(B s(A x + a) + b), s the logistic function, fitted to the least cross-entropy by L-BFGS.

    x are the first principal components of the tracks learned from, brought to a mean square of 1 as one: in
    all 518 dimensions Spark's network takes ten times as long and is no better.
    """

    name = "mlp"
    config_type = MLPConfig
    libraries = ("pyspark",)
    search = {  # noqa: RUF012 (a ClassVar by the base class)
        "components": Choice((30, 60, 120)),
        "hidden": Choice((32, 64, 128)),
        "iterations": Whole(15, 60),
    }
    fits_at_once = 3

    def decide(self, rows: np.ndarray, codes: np.ndarray, genres: int, asked: np.ndarray) -> np.ndarray:
        """Return float64[a, g] as `GenreModel.decide` says: logarithms of the network's probabilities."""
        from pyspark.ml.classification import MultilayerPerceptronClassifier

        from segue.models.projection import principal_components

        parts = principal_components(rows, self.config.components)
        scale = float(parts.scores.std()) or 1.0
        classes, label = np.unique(codes, return_inverse=True)
        layers = [parts.directions.shape[0], self.config.hidden, classes.size]
        frame = vectors(self.spark, parts.scores / scale, label=label.astype(np.float64))
        try:
            network = MultilayerPerceptronClassifier(
                layers=layers, maxIter=self.config.iterations, seed=self.config.seed
            )
            # Sums over several partitions come in the order in which they finish: one gives one answer.
            weights = network.fit(frame.coalesce(1)).weights.toArray()
        finally:
            frame.unpersist()
        inputs = (asked - rows.mean(axis=0, dtype=np.float64)) @ parts.directions.T.astype(np.float64) / scale
        return log_probabilities(forward(weights, layers, inputs), classes, genres)


def forward(weights: np.ndarray, layers: list[int], inputs: np.ndarray) -> np.ndarray:
    """Return float64[m, c]: the probabilities of a network of Spark's.

    Parameters
    ----------
    weights
        All weights as Spark gives them: of each layer its matrix by columns, then its bias.
    layers
        The number of inputs, hidden units of each layer, and classes.
    inputs
        float[m, inputs].
    """
    start, values = 0, inputs
    for i, (wide, narrow) in enumerate(pairwise(layers)):
        matrix = weights[start : start + wide * narrow].reshape(wide, narrow)
        start += wide * narrow
        values = values @ matrix + weights[start : start + narrow]
        start += narrow
        if i < len(layers) - 2:
            values = 1 / (1 + np.exp(-values))
    return softmax(values)
