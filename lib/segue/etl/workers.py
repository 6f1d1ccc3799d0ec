"""Spark's side of the job: files go to the executors in tasks, what they did is added up."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.accumulators import AccumulatorParam
from pyspark.sql import SparkSession

from segue.dataset.base import Track
from segue.etl.batch import BatchResult, Job, process, warm_up

_MOST_TASKS = 2_000
_A_TASK = 64
"""Files in a task, as a task costs as much as half a file; more where there would be too many tasks."""
_LEAST = 3
"""Files in the last tasks: fewer would cost more than a core may have to wait."""


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
        """Return the sum over the tasks that have finished."""
        return self._total.value

    def warm_up(self) -> None:
        """Start the workers, so that no file's time holds what they do once."""
        job = self._job
        self._context.parallelize(range(self.cores), self.cores).foreach(lambda _: warm_up(job))

    def run(self, tasks: Sequence[Sequence[Track]]) -> None:
        """Process tasks batch by batch: each worker takes the next task when it has finished its own."""
        job, total, size = self._job, self._total, self._job.settings.batch_files

        def work(tracks: Sequence[Track]) -> None:
            for start in range(0, len(tracks), size):
                total.add(process(job, tracks[start : start + size]))

        self._context.parallelize(tasks, len(tasks)).foreach(work)


def in_tasks(tracks: Sequence[Track], cores: int) -> list[list[Track]]:
    """Return the tracks in tasks: larger files first, fewer in a task towards the end.

    So no core has long work left when the others have none.
    """
    rest = sorted(tracks, key=lambda track: track.size or 0, reverse=True)
    most = max(_A_TASK, -(-len(rest) // _MOST_TASKS))
    tasks = []
    start = 0
    while start < len(rest):
        left = len(rest) - start
        size = min(most, max(left // (2 * cores), min(_LEAST, -(-left // cores))))
        tasks.append(rest[start : start + size])
        start += size
    return tasks


def sample(tracks: list[Track], count: int) -> tuple[list[Track], list[Track]]:
    """Return ``count`` tracks from all over the list, and the others."""
    chosen = {i * len(tracks) // count for i in range(count)} if tracks else set()
    return [tracks[i] for i in sorted(chosen)], [t for i, t in enumerate(tracks) if i not in chosen]
