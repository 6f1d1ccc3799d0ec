"""Bisecting KMeans by Spark: clusters made by halving the largest, so that they form a tree."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from segue.models.kmeans import ClusterConfig, Clustered


class BisectingConfig(ClusterConfig):
    """Parameters of `Bisecting`, whose iterations are those of one halving.

    Spark makes all of them, without looking whether anything still moves; two centres settle soon.
    """

    iterations: int = Field(5, ge=1)


class Bisecting(Clustered[BisectingConfig]):
    """Bisecting k-means (Steinbach, Karypis and Kumar 2000): each step parts clusters in two by 2-means.

    Where the largest clusters cannot be parted, as with equal tracks, there are fewer clusters.
    """

    name = "bisecting"
    config_type = BisectingConfig

    def _estimator(self, clusters: int) -> Any:
        return bisecting_estimator(clusters, self.config.iterations, self.config.seed)


def bisecting_estimator(clusters: int, iterations: int, seed: int) -> Any:
    """Return Spark's BisectingKMeans, not yet fitted."""
    from pyspark.ml.clustering import BisectingKMeans

    return BisectingKMeans(k=clusters, maxIter=iterations, seed=seed)
