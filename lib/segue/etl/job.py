"""The Spark job: what is new is distributed in batches, what is known is left alone."""

from __future__ import annotations

import shutil
import time

from pyspark.sql import SparkSession

from segue.audio.features import recipe
from segue.dataset.base import Dataset
from segue.dataset.inventory import is_below, scan
from segue.errors import SegueError
from segue.etl.batch import BatchResult, Job
from segue.etl.copies import find_copies
from segue.etl.measure import Stopwatch
from segue.etl.plan import plan
from segue.etl.progress import Progress
from segue.etl.report import Estimate, EtlReport, moved_files
from segue.etl.workers import Workers, in_tasks, sample
from segue.settings import Settings
from segue.store import Store

_BYTES_A_ROW = 9_216
_SAMPLE_A_CORE = 3


def run_etl(
    dataset: Dataset,
    settings: Settings,
    store: Store,
    spark: SparkSession,
    *,
    progress: bool = True,
) -> EtlReport:
    """Bring the store up to date with the data set's files and tables.

    Only files that are new, changed or unfinished are opened. Killed at any moment and run again, it does
    the rest, and ends with the same tracks and features as a run that nothing disturbed.

    Raises
    ------
    SegueError
        If the files cannot be listed, the database is another data set's, the disk is full, or the store
        or Spark stops answering.
    """
    try:
        return _run(dataset, settings, store, spark, progress)
    except SegueError:
        raise
    except Exception as error:
        if not store.answers():
            what = "the document store stopped answering: start it (`segue services up`) and run again"
        elif _is_gone(spark):
            what = f"Spark's Java process ended (see {settings.var / 'spark' / 'driver.log'}): run again"
        else:
            raise
        raise SegueError(f"{what}; what the store has confirmed is kept and not computed again") from error


def _run(dataset: Dataset, settings: Settings, store: Store, spark: SparkSession, show: bool) -> EtlReport:
    started = time.monotonic()
    clock = Stopwatch()
    store.claim(kind=dataset.kind, root=dataset.root, title=dataset.title)
    unreadable: list[str] = []
    files = scan(dataset.root, unreadable)
    clock.lap("list")
    todo = plan(dataset.catalogue(files), store, dataset, settings)
    # Where nobody could look, a track's file may still be there.
    todo.gone = [track for track in todo.gone if not is_below(track.path, unreadable)]
    store.tracks.upsert(todo.write)
    clock.lap("plan")

    workers = Workers(spark, Job(dataset, settings, settings.mongo_uri, recipe(settings)))
    first, rest = sample(todo.analyse, _SAMPLE_A_CORE * workers.cores)
    estimate = Estimate(0, 0.0, 0, 0)
    with Progress(
        len(todo.analyse), lambda: (workers.done.files, workers.done.failed), started, show
    ) as line:
        if first:
            workers.warm_up()
            clock.lap("start workers")
            # Some files of everywhere in the collection tell how long the others will take.
            workers.run([first[core :: workers.cores] for core in range(min(workers.cores, len(first)))])
            estimate = _estimate(len(rest), workers.done, workers.cores, settings)
            _check_disk(estimate)
        if show:
            print(estimate)
        if rest:
            workers.run(in_tasks(rest, workers.cores))
    clock.lap("analyse")
    store.tracks.delete(track.track_id for track in todo.gone)
    copies = find_copies(store, recipe(settings))
    clock.lap("find copies")
    tracks = list(store.tracks.all())
    clock.lap("read back")
    done = workers.done
    return EtlReport(
        database=store.database,
        files=len(files),
        tracks=tracks,
        estimate=estimate,
        analysed=done.analysed,
        reused=done.reused,
        unchanged=len(todo.unchanged),
        seconds=time.monotonic() - started,
        stage_seconds=done.seconds,
        phases=clock.seconds,
        timeline=line.timeline,
        cores=workers.cores,
        bytes_analysed=done.bytes,
        audio_s=done.audio_s,
        worker_mib=done.worker_mib,
        child_mib=done.child_mib,
        gone=[track.path for track in todo.gone if track.path],
        changed=todo.changed,
        moved=moved_files(todo.gone, tracks),
        unreadable=unreadable,
        copies=copies,
    )


def _is_gone(spark: SparkSession) -> bool:
    """Tell whether the Java process no longer answers, or has stopped its context."""
    try:
        return bool(spark.sparkContext._jsc.sc().isStopped())
    except Exception:
        return True  # Nobody is there to be asked.


def _estimate(files: int, done: BatchResult, cores: int, settings: Settings) -> Estimate:
    seconds_a_file = sum(done.seconds.values()) / max(1, done.files)
    settings.var.mkdir(parents=True, exist_ok=True)
    return Estimate(
        files, files * seconds_a_file / cores, files * _BYTES_A_ROW, shutil.disk_usage(settings.var).free
    )


def _check_disk(estimate: Estimate) -> None:
    if estimate.disk_bytes > estimate.free_bytes:
        raise SegueError(
            f"the features need about {estimate.disk_bytes / 2**20:.0f} MiB and only "
            f"{estimate.free_bytes / 2**20:.0f} MiB of disk are free: make room and run again"
        )
