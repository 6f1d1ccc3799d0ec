"""Random forest by Spark: many trees, each on its own draw of tracks and features."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from segue.models.genre_model import GenreConfig, GenreModel, log_probabilities
from segue.models.search import Choice, Whole
from segue.models.spark_frames import vectors


class ForestConfig(GenreConfig):
    """Parameters of `Forest`: how many trees, their depth at most, bins that a feature is cut into.

    Three ``folds``, as each is many jobs of Spark's.
    """

    folds: int = Field(3, ge=2)
    trees: int = Field(100, ge=1)
    depth: int = Field(8, ge=1, le=30)
    bins: int = Field(16, ge=2)


class Forest(GenreModel[ForestConfig]):
    """The mean of the leaves' genre shares over all trees (Breiman 2001), sqrt(d) features at each split."""

    name = "forest"
    config_type = ForestConfig
    libraries = ("pyspark",)
    search = {  # noqa: RUF012 (a ClassVar by the base class)
        "trees": Choice((50, 100, 200)),
        "depth": Whole(4, 12),
    }
    fits_at_once = 3

    def decide(self, rows: np.ndarray, codes: np.ndarray, genres: int, asked: np.ndarray) -> np.ndarray:
        """Return float64[a, g] as `GenreModel.decide` says: logarithms of the mean shares."""
        from pyspark.ml.classification import RandomForestClassifier
        from pyspark.ml.functions import vector_to_array

        classes, label = np.unique(codes, return_inverse=True)
        frame = vectors(self.spark, rows, label=label.astype(np.float64))
        questions = vectors(self.spark, asked)
        try:
            # A tree's draw depends on the partitions: one gives one answer on any number of cores.
            forest = RandomForestClassifier(
                numTrees=self.config.trees, maxDepth=self.config.depth, maxBins=self.config.bins,
                seed=self.config.seed,
            ).fit(frame.coalesce(1))  # fmt: skip
            found = (
                forest.transform(questions)
                .select("position", vector_to_array("probability").alias("shares"))
                .toPandas()
            )
        finally:
            frame.unpersist()
            questions.unpersist()
        shares = np.empty((len(asked), classes.size))
        shares[found["position"]] = np.stack(found["shares"].to_list())
        return log_probabilities(shares, classes, genres)
