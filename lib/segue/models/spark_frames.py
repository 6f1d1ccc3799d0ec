"""Numpy arrays as Spark data frames, through Arrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_ROWS_AT_ONCE = 16_384


def vectors(spark: SparkSession, rows: np.ndarray, **columns: np.ndarray) -> DataFrame:
    """Return a cached data frame with ``position`` (long) and ``features`` (vector) of float[n, d].

    Further ``columns`` of n numbers each are there by their names. The caller unpersists it.
    """
    import pyarrow as pa
    from pyspark.ml.functions import array_to_vector

    n, d = rows.shape
    # Spark widens to double by itself; single precision goes over in half the bytes, without a copy here.
    flat = np.ascontiguousarray(rows, dtype=np.float32 if rows.dtype == np.float32 else np.float64)
    parts = [flat[start : start + _ROWS_AT_ONCE] for start in range(0, n, _ROWS_AT_ONCE)]
    # Arrow's offsets are 32 bits wide, so that one array of lists holds no more than 2^31 numbers.
    lists = pa.chunked_array(
        [
            pa.ListArray.from_arrays(np.arange(len(part) + 1, dtype=np.int32) * d, pa.array(part.reshape(-1)))
            for part in parts
        ]
    )
    own = {name: pa.array(column) for name, column in columns.items()}
    table = pa.table({"position": pa.array(np.arange(n, dtype=np.int64)), "features": lists, **own})
    frame = spark.createDataFrame(table).withColumn("features", array_to_vector("features"))
    return frame.coalesce(spark.sparkContext.defaultParallelism).cache()
