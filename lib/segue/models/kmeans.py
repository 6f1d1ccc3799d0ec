"""KMeans by Spark: the catalogue in clusters, neighbours inside the cluster first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from segue.models.content import ContentConfig, ContentModel
from segue.models.spark_frames import vectors

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.ml.clustering import KMeansModel
    from pyspark.sql import DataFrame, SparkSession

_FITS_AT_ONCE = 3


class KMeansConfig(ContentConfig):
    """Parameters of `KMeans`: how many clusters at most, Lloyd iterations at most, seed of the start."""

    clusters: int = Field(8, ge=1)
    iterations: int = Field(20, ge=1)
    seed: int = 0


class KMeans(ContentModel[KMeansConfig]):
    """Lloyd's algorithm from k-means|| seeds (Bahmani et al. 2012), minimising squared distance to centres.

    A catalogue with fewer distinct tracks than ``clusters`` gets fewer clusters.
    """

    name = "kmeans"
    config_type = KMeansConfig
    libraries = ("pyspark",)

    labels: np.ndarray
    """int32[n]: the cluster of each track."""
    centres: np.ndarray
    """float32[c, d]: the clusters' means."""

    def _fit_rows(self, rows: np.ndarray) -> None:
        clusters = min(self.config.clusters, len(rows))
        if clusters < 2:  # Spark's KMeans refuses fewer than two.
            self.labels = np.zeros(len(rows), dtype=np.int32)
            self.centres = rows.mean(axis=0, keepdims=True)
            return
        frame = vectors(self.spark, rows)
        try:
            model, predicted = _cluster(frame, clusters, self.config.iterations, self.config.seed)
            self.labels = _labels(predicted, len(rows))
            self.centres = np.array(model.clusterCenters(), dtype=np.float32)
        finally:
            frame.unpersist()

    def _candidates(self, seeds: np.ndarray) -> np.ndarray:
        return self.labels[seeds][:, None] == self.labels[None, :]

    def _state(self) -> dict[str, np.ndarray]:
        return super()._state() | {"labels": self.labels, "centres": self.centres}

    def _restore(self, state: Mapping[str, np.ndarray]) -> None:
        super()._restore(state)
        self.labels, self.centres = state["labels"], state["centres"]


def silhouette_over_k(
    rows: np.ndarray, ks: Sequence[int], *, spark: SparkSession, seed: int = 0, iterations: int = 20
) -> pd.DataFrame:
    """Return one row for each number of clusters: how well the clusters stand apart.

    Parameters
    ----------
    rows
        float[n, d]: what is clustered; `segue.models.content.unit_rows` of the features is what `KMeans`
        uses by default.
    ks
        Numbers of clusters; those outside 2 to n - 1 are left out, as the silhouette is not defined there.

    Returns
    -------
    pandas.DataFrame
        ``clusters``; ``silhouette`` (Spark's ClusteringEvaluator: mean silhouette in squared Euclidean
        distance, -1 to 1, NaN where all tracks fell into one cluster); ``cost`` (sum of squared
        distances to the centres); ``smallest`` and ``largest`` cluster in tracks.
    """
    import pandas as pd
    from pyspark.ml.evaluation import ClusteringEvaluator

    frame = vectors(spark, rows)

    def measure(k: int) -> tuple[int, float, float, int, int]:
        model, predicted = _cluster(frame, k, iterations, seed)
        sizes = np.bincount(_labels(predicted, len(rows)))
        sizes = sizes[sizes > 0]
        score = ClusteringEvaluator().evaluate(predicted) if sizes.size > 1 else np.nan
        return k, score, model.summary.trainingCost, int(sizes.min()), int(sizes.max())

    try:
        # A small fit is many short jobs: running a few side by side fills the waits between them.
        with ThreadPoolExecutor(_FITS_AT_ONCE) as pool:
            results = list(pool.map(measure, sorted({k for k in ks if 2 <= k < len(rows)})))
    finally:
        frame.unpersist()
    return pd.DataFrame(results, columns=["clusters", "silhouette", "cost", "smallest", "largest"])


def describe_clusters(labels: np.ndarray, genres: Sequence[str | None]) -> pd.DataFrame:
    """Return one row for each cluster: ``cluster``, ``tracks``, ``label``, ``share``.

    ``label`` is the cluster's most frequent genre (of equals the first in the alphabet), ``share`` its part
    of the cluster's tracks that have a genre; without any they are ``unknown`` and NaN.
    """
    import pandas as pd

    rows = []
    named = pd.Series(list(genres), dtype=object)
    for cluster in np.unique(labels):
        members = named[labels == cluster]
        counts = members.dropna().value_counts().sort_index().sort_values(ascending=False, kind="stable")
        label, share = (
            (str(counts.index[0]), counts.iloc[0] / counts.sum()) if len(counts) else ("unknown", np.nan)
        )
        rows.append((int(cluster), len(members), label, share))
    return pd.DataFrame(rows, columns=["cluster", "tracks", "label", "share"])


def _cluster(frame: DataFrame, k: int, iterations: int, seed: int) -> tuple[KMeansModel, DataFrame]:
    from pyspark.ml.clustering import KMeans as SparkKMeans

    model = SparkKMeans(k=k, maxIter=iterations, seed=seed).fit(frame)
    return model, model.transform(frame)


def _labels(predicted: DataFrame, n: int) -> np.ndarray:
    found = predicted.select("position", "prediction").toPandas()
    labels = np.empty(n, dtype=np.int32)
    labels[found["position"]] = found["prediction"]
    return labels
