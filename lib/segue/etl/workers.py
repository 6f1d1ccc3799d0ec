"""Spark's side of the job: batches go to the executors, what they did is added up."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.accumulators import AccumulatorParam
from pyspark.sql import SparkSession

from segue.dataset.base import Track
from segue.etl.batch import BatchResult, Job, process, warm_up

_MOST_TASKS = 2_000


class _Sum(AccumulatorParam[BatchResult]):
    """Adds up batch results; Spark counts each finished task once, however often it was tried."""

    def zero(self, value: BatchResult) -> BatchResult:
        return BatchResult()

    def addInPlace(self, value1: BatchResult, value2: BatchResult) -> BatchResult:
        return value1 + value2


class Workers:
    """The Python workers of a Spark session at one job."""

    def __init__(self, spark: SparkSession, job: Job) -> None:
        self._context = spark.sparkContext
        self._job = job
        self._total = self._context.accumulator(BatchResult(), _Sum())
        self.cores: int = self._context.defaultParallelism

    @property
    def done(self) -> BatchResult:
        """Return the sum over the tasks that have finished; a task is some batches."""
        return self._total.value

    def warm_up(self) -> None:
        """Start the workers, so that no file's time holds what they do once."""
        job = self._job
        self._context.parallelize(range(self.cores), self.cores).foreach(lambda _: warm_up(job))

    def run(self, batches: Sequence[Sequence[Track]]) -> None:
        """Process batches: each worker takes the next ones when it has finished its own."""
        job, total = self._job, self._total
        tasks = self._context.parallelize(batches, min(len(batches), _MOST_TASKS))
        tasks.foreach(lambda batch: total.add(process(job, batch)))


def in_batches(tracks: Sequence[Track], most: int, cores: int) -> list[list[Track]]:
    """Return batches of at most ``most`` files, larger files first, fewer in a batch towards the end.

    So no core has long work left when the others have none.
    """
    rest = sorted(tracks, key=lambda track: track.size or 0, reverse=True)
    batches = []
    start = 0
    while start < len(rest):
        size = max(1, min(most, (len(rest) - start) // (2 * cores)))
        batches.append(rest[start : start + size])
        start += size
    return batches


def sample(tracks: list[Track], count: int) -> tuple[list[Track], list[Track]]:
    """Return ``count`` tracks from all over the list, and the others."""
    chosen = {i * len(tracks) // count for i in range(count)} if tracks else set()
    return [tracks[i] for i in sorted(chosen)], [t for i, t in enumerate(tracks) if i not in chosen]
