"""One way to start Spark: this interpreter on the executors, Arrow on, each core used once."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyspark.errors import PySparkRuntimeError
from pyspark.sql import SparkSession

from segue.errors import SegueError
from segue.settings import Settings

_LOGGING = Path(__file__).with_name("spark-log4j2.properties")
_TRIES = 4
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def session(settings: Settings, app: str = "segue") -> SparkSession:
    """Return the running Spark session, or start one on ``settings.spark_master``.

    Each Python worker computes on one thread: Spark already runs one worker a core. A task whose worker
    dies is tried again. What Java prints goes to ``var/spark/driver.log``.

    Raises
    ------
    SegueError
        If Java does not start, or no Spark answers at the master.
    """
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    log = settings.var / "spark" / "driver.log"
    builder = (
        SparkSession.builder.appName(app)
        .master(with_retries(settings.spark_master))
        .config("spark.driver.memory", settings.spark_driver_memory)
        .config("spark.driver.extraJavaOptions", f"-Dlog4j2.configurationFile={_LOGGING.as_uri()}")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.execution.arrow.pyspark.enabled", "true")
        .config("spark.sql.shuffle.partitions", "8")
        .config("spark.sql.warehouse.dir", str(settings.var / "spark" / "warehouse"))
    )
    if settings.spark_master.startswith("local"):
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        builder = builder.config("spark.driver.bindAddress", "127.0.0.1").config(
            "spark.driver.host", "127.0.0.1"
        )
    for name in _ONE_THREAD:
        builder = builder.config(f"spark.executorEnv.{name}", "1")
    try:
        with _stderr_to(log):
            return builder.getOrCreate()
    except (PySparkRuntimeError, FileNotFoundError) as error:
        raise SegueError(
            f"Spark did not start ({str(error).splitlines()[0]}): it needs a JDK 17 or later; see {log}"
        ) from None


def with_retries(master: str) -> str:
    """Return a master URL by which a task is tried four times, as clusters do it and ``local[N]`` does not.

    >>> with_retries("local[*]"), with_retries("local"), with_retries("spark://host:7077")
    ('local[*,4]', 'local[1,4]', 'spark://host:7077')
    """
    local = re.fullmatch(r"local(?:\[(\d+|\*)\])?", master)
    return f"local[{local[1] or 1},{_TRIES}]" if local else master


@contextmanager
def _stderr_to(log: Path) -> Iterator[None]:
    """Let processes that start meanwhile write their standard error to a file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stderr.flush()
    kept = os.dup(2)
    with log.open("wb") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
