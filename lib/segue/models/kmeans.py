"""Clusters by Spark, KMeans first of all: neighbours inside the cluster come before others."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
from pydantic import Field

from segue.models.content import ContentConfig, ContentModel
from segue.models.search import Search, Whole
from segue.models.spark_frames import vectors

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame, SparkSession

_FITS_AT_ONCE = 3
ClusterConfigT = TypeVar("ClusterConfigT", bound="ClusterConfig")


class ClusterConfig(ContentConfig):
    """Parameters of both clusterings: how many clusters at most, iterations at most, seed of the start."""

    clusters: int = Field(8, ge=1)
    iterations: int = Field(20, ge=1)
    seed: int = 0


class KMeansConfig(ClusterConfig):
    """Parameters of `KMeans`, whose iterations are Lloyd's."""


class Clustered(ContentModel[ClusterConfigT]):
    """Searches inside the cluster first; a catalogue of fewer distinct tracks gets fewer clusters."""

    libraries = ("pyspark",)
    search: ClassVar[Mapping[str, Search]] = {"clusters": Whole(2, 64, log=True)}

    labels: np.ndarray
    """int32[n]: the cluster of each track."""
    centres: np.ndarray
    """float32[c, d]: the clusters' means."""

    @abstractmethod
    def _estimator(self, clusters: int) -> Any:
        """Return Spark's estimator, not yet fitted."""

    def _fit_rows(self, rows: np.ndarray) -> None:
        clusters = distinct(rows, self.config.clusters)
        if clusters < 2:  # Spark's KMeans refuses fewer than two.
            self.labels = np.zeros(len(rows), dtype=np.int32)
            self.centres = rows.mean(axis=0, keepdims=True)
            return
        frame = vectors(self.spark, rows)
        try:
            model = self._estimator(clusters).fit(frame)
            self.labels = _labels(model.transform(frame), len(rows))
            self.centres = np.array(model.clusterCenters(), dtype=np.float32)
        finally:
            frame.unpersist()

    def tracks_by_cluster(self) -> pd.DataFrame:
        """Return one row a track, each cluster's nearest to its centre first.

        Columns ``cluster``, ``place`` (1 for the most typical), ``track_id``, ``distance`` (Euclidean, from
        the centre, in the space of ``rows``).
        """
        import pandas as pd

        self._check_fitted()
        distance = np.linalg.norm(self.rows - self.centres[self.labels], axis=1)
        order = np.lexsort((self._tie, distance, self.labels))
        cluster = self.labels[order]
        return pd.DataFrame(
            {
                "cluster": cluster,
                "place": np.arange(order.size) - np.searchsorted(cluster, cluster) + 1,
                "track_id": self.track_ids[order],
                "distance": distance[order],
            }
        )

    def _candidates(self, seeds: np.ndarray) -> np.ndarray:
        return self.labels[seeds][:, None] == self.labels[None, :]

    def _state(self) -> dict[str, np.ndarray]:
        return super()._state() | {"labels": self.labels, "centres": self.centres}

    def _restore(self, state: Mapping[str, np.ndarray]) -> None:
        super()._restore(state)
        self.labels, self.centres = state["labels"], state["centres"]


class KMeans(Clustered[KMeansConfig]):
    """Lloyd's algorithm from k-means|| seeds (Bahmani et al. 2012), minimising squared distances."""

    name = "kmeans"
    config_type = KMeansConfig

    def _estimator(self, clusters: int) -> Any:
        return kmeans_estimator(clusters, self.config.iterations, self.config.seed)


def distinct(rows: np.ndarray, most: int) -> int:
    """Return how many distinct rows of float[n, d] there are, or ``most`` if there are more.

    Spark's KMeans fails where more clusters are asked for than that, if k and d are large.
    """
    seen: set[bytes] = set()
    for row in rows:
        seen.add(row.tobytes())
        if len(seen) >= most:
            break
    return len(seen)


def kmeans_estimator(clusters: int, iterations: int, seed: int) -> Any:
    """Return Spark's KMeans, not yet fitted."""
    from pyspark.ml.clustering import KMeans as SparkKMeans

    return SparkKMeans(k=clusters, maxIter=iterations, seed=seed)


def silhouette_over_k(
    rows: np.ndarray,
    ks: Sequence[int],
    *,
    spark: SparkSession,
    seed: int = 0,
    iterations: int = 20,
    estimator: Callable[[int, int, int], Any] = kmeans_estimator,
) -> pd.DataFrame:
    """Return one row for each number of clusters: how well the clusters stand apart.

    Parameters
    ----------
    rows
        float[n, d]: what is clustered; `segue.models.content.unit_rows` of the features is what `KMeans`
        uses by default.
    ks
        Numbers of clusters; those outside 2 to n - 1 are left out, as the silhouette is not defined there.
    estimator
        Clusters, iterations and seed to Spark's estimator; also
        `segue.models.bisecting.bisecting_estimator`.

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
        clusters = distinct(rows, k)
        if clusters < 2:
            return k, np.nan, 0.0, len(rows), len(rows)
        model = estimator(clusters, iterations, seed).fit(frame)
        predicted = model.transform(frame)
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


def _labels(predicted: DataFrame, n: int) -> np.ndarray:
    found = predicted.select("position", "prediction").toPandas()
    labels = np.empty(n, dtype=np.int32)
    labels[found["position"]] = found["prediction"]
    return labels
