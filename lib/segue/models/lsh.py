"""Locality-sensitive hashing by Spark: neighbours are looked for in shared buckets first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from segue.errors import SegueError
from segue.models.content import ContentConfig, ContentModel
from segue.models.search import Real, Search, Whole
from segue.models.spark_frames import vectors

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.ml.feature import BucketedRandomProjectionLSHModel
    from pyspark.sql import DataFrame, SparkSession


class LSHConfig(ContentConfig):
    """Parameters of `LSH`: width of a bucket (in distance between rows), hash tables, seed of projections.

    Wider buckets and more tables find more of the true neighbours and compare more tracks.
    """

    bucket_length: float = Field(0.1, gt=0)
    tables: int = Field(4, ge=1)
    seed: int = 0


class LSH(ContentModel[LSHConfig]):
    """Spark's BucketedRandomProjectionLSH (Datar et al. 2004): h(x) = floor(x . r / bucket_length).

    The candidates are those of Spark's ``approxNearestNeighbors``: tracks that share a bucket with the seed
    in at least one table, ranked by distance.
    """

    name = "lsh"
    config_type = LSHConfig
    libraries = ("pyspark",)
    search: ClassVar[Mapping[str, Search]] = {
        "bucket_length": Real(0.02, 2.0, log=True),
        "tables": Whole(1, 16, log=True),
    }

    hashes: np.ndarray
    """int64[n, tables]: the bucket of each track in each table, as Spark computed it."""

    def _fit_rows(self, rows: np.ndarray) -> None:
        frame = vectors(self.spark, rows)
        try:
            model = fit_spark_lsh(frame, self.config)
            self.hashes = buckets(model, frame, len(rows))
        finally:
            frame.unpersist()

    def _candidates(self, seeds: np.ndarray) -> np.ndarray:
        return share_a_bucket(self.hashes[seeds], self.hashes)

    def _state(self) -> dict[str, np.ndarray]:
        return super()._state() | {"hashes": self.hashes}

    def _restore(self, state: Mapping[str, np.ndarray]) -> None:
        super()._restore(state)
        self.hashes = state["hashes"]


@dataclass(frozen=True)
class NearPairs:
    """What `near_pairs` found and what it cost.

    ``pairs``: ``first`` and ``second`` (positions, first below second) and their Euclidean ``distance``,
    nearest first. ``compared``: the pairs that share a bucket, counted once a table, which is what the join
    computes. ``largest_bucket`` in tracks.
    """

    pairs: pd.DataFrame
    compared: int
    largest_bucket: int


def near_pairs(
    rows: np.ndarray,
    distance: float,
    config: LSHConfig | None = None,
    *,
    spark: SparkSession,
    most_compared: int = 20_000_000,
) -> NearPairs:
    """Return all pairs of rows within a distance that share a bucket (Spark's ``approxSimilarityJoin``).

    The join compares everybody with everybody inside each bucket of each table, so its cost grows with the
    square of the largest buckets; that cost is counted before it is begun.

    Parameters
    ----------
    rows
        float32[n, d]; `segue.models.content.unit_rows` of the features is what `LSH` uses by default. For
        unit rows a distance r is a cosine of 1 - r^2 / 2.
    distance
        Euclidean, the largest of a pair that is returned.
    most_compared
        Comparisons beyond which the join is not begun.

    Raises
    ------
    SegueError
        If the buckets are so large that more pairs would be compared.
    """
    frame = vectors(spark, rows)
    config = config or LSHConfig()
    try:
        model = fit_spark_lsh(frame, config)
        sizes = [
            np.unique(column, return_counts=True)[1].astype(np.int64)
            for column in buckets(model, frame, len(rows)).T
        ]
        compared = sum(int((own * (own - 1) // 2).sum()) for own in sizes)
        largest = max(int(own.max()) for own in sizes)
        if compared > most_compared:
            raise SegueError(
                f"{compared:,} pairs share a bucket, the largest bucket holds {largest:,} of {len(rows):,} "
                f"tracks, and most_compared is {most_compared:,}: choose a bucket_length below "
                f"{config.bucket_length:g}, or fewer tables than {config.tables}"
            )
        joined = model.approxSimilarityJoin(frame, frame, distance, "distance")
        found = joined.selectExpr("datasetA.position first", "datasetB.position second", "distance")
        pairs = found.where("first < second").toPandas()
    finally:
        frame.unpersist()
    pairs = pairs.sort_values(["distance", "first", "second"], ignore_index=True)
    return NearPairs(pairs, compared, largest)


def fit_spark_lsh(frame: DataFrame, config: LSHConfig) -> BucketedRandomProjectionLSHModel:
    """Return Spark's model for a frame with ``features``; its projections depend on seed and width only."""
    from pyspark.ml.feature import BucketedRandomProjectionLSH

    return BucketedRandomProjectionLSH(
        inputCol="features",
        outputCol="hashes",
        bucketLength=config.bucket_length,
        numHashTables=config.tables,
        seed=config.seed,
    ).fit(frame)


def buckets(model: BucketedRandomProjectionLSHModel, frame: DataFrame, n: int) -> np.ndarray:
    """Return int64[n, tables]: the buckets of a frame with ``position`` 0 to n - 1 and ``features``."""
    from pyspark.ml.functions import vector_to_array
    from pyspark.sql.functions import transform

    first = transform("hashes", lambda bucket: vector_to_array(bucket)[0]).alias("bucket")
    found = model.transform(frame).select("position", first).toPandas()
    hashes = np.empty((n, model.getNumHashTables()), dtype=np.int64)
    hashes[found["position"]] = np.stack(found["bucket"].to_list())
    return hashes


def share_a_bucket(seeds: np.ndarray, catalogue: np.ndarray) -> np.ndarray:
    """Return bool[s, n]: whether int64[s, tables] and int64[n, tables] agree in at least one table."""
    shared = np.zeros((len(seeds), len(catalogue)), dtype=bool)
    for table in range(seeds.shape[1]):
        shared |= seeds[:, table, None] == catalogue[None, :, table]
    return shared
