"""Numpy arrays as Spark data frames, through Arrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def vectors(spark: SparkSession, rows: np.ndarray, **columns: np.ndarray) -> DataFrame:
    """Return a cached data frame with ``position`` (long) and ``features`` (vector) of float[n, d].

    Further ``columns`` of n numbers each are there by their names. The caller unpersists it.
    """
    import pyarrow as pa
    from pyspark.ml.functions import array_to_vector

    n, d = rows.shape
    values = pa.array(np.ascontiguousarray(rows, dtype=np.float64).reshape(-1))
    lists = pa.ListArray.from_arrays(pa.array(np.arange(n + 1, dtype=np.int32) * d), values)
    own = {name: pa.array(column) for name, column in columns.items()}
    table = pa.table({"position": pa.array(np.arange(n, dtype=np.int64)), "features": lists, **own})
    frame = spark.createDataFrame(table).withColumn("features", array_to_vector("features"))
    return frame.coalesce(spark.sparkContext.defaultParallelism).cache()
