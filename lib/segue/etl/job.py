"""The Spark job: what is new is distributed in batches, what is known is left alone."""

from __future__ import annotations

import itertools
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

from pyspark.accumulators import AccumulatorParam
from pyspark.sql import SparkSession

from segue.audio.features import recipe
from segue.dataset.base import PENDING, Dataset, Track
from segue.dataset.inventory import is_below, scan
from segue.errors import SegueError
from segue.etl.batch import BatchResult, Job, apply, is_reusable, process
from segue.etl.progress import Progress
from segue.etl.report import Estimate, EtlReport, moved_files
from segue.settings import Settings
from segue.store import Store

_BYTES_A_ROW = 4_096
_MOST_TASKS = 2_000
_SAMPLE_A_CORE = 3


class _Sum(AccumulatorParam[BatchResult]):
    """Adds up batch results; Spark counts each finished task once, however often it was tried."""

    def zero(self, value: BatchResult) -> BatchResult:
        return BatchResult()

    def addInPlace(self, value1: BatchResult, value2: BatchResult) -> BatchResult:
        stages = value1.seconds.keys() | value2.seconds.keys()
        return BatchResult(
            value1.files + value2.files,
            value1.analysed + value2.analysed,
            value1.reused + value2.reused,
            value1.failed + value2.failed,
            {stage: value1.seconds.get(stage, 0) + value2.seconds.get(stage, 0) for stage in stages},
        )


@dataclass
class Plan:
    """The catalogue held against the store: what to analyse, what to write as it is, what is gone."""

    analyse: list[Track] = field(default_factory=list)
    write: list[Track] = field(default_factory=list)
    unchanged: list[Track] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    gone: list[Track] = field(default_factory=list)


def plan(catalogue: Iterable[Track], store: Store, dataset: Dataset, settings: Settings) -> Plan:
    """Compare the catalogue with the store.

    Raises
    ------
    SegueError
        If two rows have one track id.
    """
    stored = {track.track_id: track for track in store.tracks.all()}
    known = store.features.known_all(recipe(settings))
    made = Plan()
    seen: set[int] = set()
    for track in catalogue:
        if track.track_id in seen:
            raise SegueError(f"track id {track.track_id} stands twice in {dataset.title}: remove a row")
        seen.add(track.track_id)
        old = stored.get(track.track_id)
        if track.status != PENDING:
            (made.unchanged if track == old else made.write).append(track)
            continue
        same_file = old is not None and _file(old) == _file(track)
        analysis = known.get(old.sha256 or "") if old is not None and same_file else None
        if old is not None and analysis is not None and is_reusable(analysis, settings):
            now = old if dataset.reads_tags else apply(track, analysis)
            (made.unchanged if now == old else made.write).append(now)
            continue
        if old is not None and old.path is not None and not same_file and track.path:
            made.changed.append(track.path)
        made.analyse.append(track)
    made.gone = [track for track_id, track in stored.items() if track_id not in seen]
    return made


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
        stops answering.
    """
    try:
        return _run(dataset, settings, store, spark, progress)
    except SegueError:
        raise
    except Exception as error:
        if store.answers():
            raise
        raise SegueError(
            "the document store stopped answering: start it (`segue services up`) and run again; "
            "what it has confirmed is kept and not computed again"
        ) from error


def _run(
    dataset: Dataset, settings: Settings, store: Store, spark: SparkSession, progress: bool
) -> EtlReport:
    started = time.monotonic()
    store.claim(kind=dataset.kind, root=dataset.root, title=dataset.title)
    unreadable: list[str] = []
    files = scan(dataset.root, unreadable)
    todo = plan(dataset.catalogue(files), store, dataset, settings)
    # Where nobody could look, a track's file may still be there.
    todo.gone = [track for track in todo.gone if not is_below(track.path, unreadable)]
    job = Job(dataset, settings, settings.mongo_uri, recipe(settings))
    total = spark.sparkContext.accumulator(BatchResult(), _Sum())

    def run(batches: list[list[Track]]) -> None:
        slices = min(len(batches), _MOST_TASKS)
        spark.sparkContext.parallelize(batches, slices).foreach(lambda batch: total.add(process(job, batch)))

    def counts() -> tuple[int, int]:
        return total.value.files, total.value.failed

    store.tracks.upsert(todo.write)
    cores = spark.sparkContext.defaultParallelism
    first, rest = _sample(todo.analyse, _SAMPLE_A_CORE * cores)
    estimate = Estimate(0, 0.0, 0, 0)
    if first:
        # Some files of everywhere in the collection tell how long the others will take.
        run([first[core::cores] for core in range(min(cores, len(first)))])
        estimate = _estimate(len(rest), total.value, cores, settings)
        _check_disk(estimate)
    if progress:
        print(estimate)
    if rest:
        with Progress(len(todo.analyse), counts) if progress else nullcontext():
            run(_batches(rest, settings.batch_files, cores))
    store.tracks.delete(track.track_id for track in todo.gone)
    tracks = list(store.tracks.all())
    return EtlReport(
        database=store.database,
        files=len(files),
        tracks=tracks,
        estimate=estimate,
        analysed=total.value.analysed,
        reused=total.value.reused,
        unchanged=len(todo.unchanged),
        seconds=time.monotonic() - started,
        stage_seconds=total.value.seconds,
        gone=[track.path for track in todo.gone if track.path],
        changed=todo.changed,
        moved=moved_files(todo.gone, tracks),
        unreadable=unreadable,
    )


def _file(track: Track) -> tuple[str | None, int | None, int | None]:
    return track.path, track.size, track.mtime_ns


def _sample(tracks: list[Track], count: int) -> tuple[list[Track], list[Track]]:
    """Return ``count`` tracks from all over the list, and the others."""
    chosen = {i * len(tracks) // count for i in range(count)} if tracks else set()
    return [tracks[i] for i in sorted(chosen)], [t for i, t in enumerate(tracks) if i not in chosen]


def _batches(tracks: Sequence[Track], most: int, cores: int) -> list[list[Track]]:
    """Return batches of at most ``most`` files, smaller ones where every core would not get several."""
    size = max(1, min(most, len(tracks) // (4 * cores)))
    ordered: Iterator[Track] = iter(tracks)
    return list(iter(lambda: list(itertools.islice(ordered, size)), []))


def _estimate(files: int, sample: BatchResult, cores: int, settings: Settings) -> Estimate:
    seconds_a_file = sum(sample.seconds.values()) / max(1, sample.files)
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
