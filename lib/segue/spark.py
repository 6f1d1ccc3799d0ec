"""One way to start Spark: this interpreter on the executors, Arrow on, each core used once."""

from __future__ import annotations

import os
import sys

from pyspark.sql import SparkSession

from segue.settings import Settings

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def session(settings: Settings, app: str = "segue") -> SparkSession:
    """Return the running Spark session, or start one on ``settings.spark_master``.

    Each Python worker computes on one thread: Spark already runs one worker a core.
    """
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    builder = (
        SparkSession.builder.appName(app)
        .master(settings.spark_master)
        .config("spark.driver.memory", settings.spark_driver_memory)
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.execution.arrow.pyspark.enabled", "true")
        .config("spark.sql.shuffle.partitions", "8")
        .config("spark.sql.warehouse.dir", str(settings.var / "spark" / "warehouse"))
        .config("spark.log.level", "ERROR")
    )
    if settings.spark_master.startswith("local"):
        builder = builder.config("spark.driver.bindAddress", "127.0.0.1").config(
            "spark.driver.host", "127.0.0.1"
        )
    for name in _ONE_THREAD:
        builder = builder.config(f"spark.executorEnv.{name}", "1")
    return builder.getOrCreate()
