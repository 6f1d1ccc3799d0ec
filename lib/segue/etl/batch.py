"""What an executor does with a batch of files: hash, ask the store, decode, extract, write."""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from fsspec import AbstractFileSystem

from segue.audio import ffmpeg
from segue.audio.analyse import Analysed, Analyser
from segue.audio.reading import Rejected
from segue.dataset.base import OK, Dataset, Track
from segue.dataset.inventory import join, open_root, sha256
from segue.etl.measure import Stopwatch, peak_mib
from segue.settings import Settings
from segue.store import Store, open_store
from segue.store.features import Analysis

_JUDGED_BY_LIMITS = frozenset({OK, "too_short", "silent", "crashed"})
_MAY_BE_MORE = frozenset({"unsupported", "too_short"})


@dataclass(frozen=True)
class Job:
    """What every batch needs to know; pickled to the executors."""

    dataset: Dataset
    settings: Settings
    mongo_uri: str
    recipe: str


@dataclass
class BatchResult:
    """Files by outcome, what was analysed, seconds by stage, and the processes' largest sizes.

    ``bytes`` and ``audio_s`` (seconds of sound that features were computed from) are of analysed files.
    ``worker_mib`` and ``child_mib`` are peaks of resident memory.
    """

    files: int = 0
    analysed: int = 0
    reused: int = 0
    failed: int = 0
    bytes: int = 0
    audio_s: float = 0.0
    worker_mib: float = 0.0
    child_mib: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)

    def __add__(self, other: BatchResult) -> BatchResult:
        """Return the sums, and the larger of two peaks."""
        return BatchResult(
            self.files + other.files,
            self.analysed + other.analysed,
            self.reused + other.reused,
            self.failed + other.failed,
            self.bytes + other.bytes,
            self.audio_s + other.audio_s,
            max(self.worker_mib, other.worker_mib),
            max(self.child_mib, other.child_mib),
            {
                stage: self.seconds.get(stage, 0.0) + other.seconds.get(stage, 0.0)
                for stage in {**self.seconds, **other.seconds}
            },
        )


def limits(settings: Settings) -> str:
    """Return the thresholds that a status depends on, as text that is compared for equality."""
    memory = settings.decode_memory_mib
    return f"min {settings.min_duration_s} s, peak {settings.silence_peak}, memory {memory} MiB"


def is_reusable(analysis: Analysis | None, settings: Settings) -> bool:
    """Tell whether an earlier analysis of the same content still holds.

    A file that ran out of time is tried again, a status that thresholds decide holds only for them, and what
    libsndfile could not read to its end is tried again where FFmpeg has come since.
    """
    if analysis is None or analysis.status == "timeout":
        return False
    stopped = analysis.status in _MAY_BE_MORE or "truncated" in analysis.warnings
    if stopped and not analysis.had_ffmpeg and ffmpeg.find():
        return False
    return analysis.status not in _JUDGED_BY_LIMITS or analysis.limits == limits(settings)


def apply(track: Track, analysis: Analysis) -> Track:
    """Return the track with what analysing its content gave."""
    return replace(
        track,
        sha256=analysis.sha256,
        status=analysis.status,
        detail=analysis.detail,
        duration_s=track.duration_s if analysis.duration_s is None else analysis.duration_s,
        warnings=list(analysis.warnings),
    )


def warm_up(job: Job) -> None:
    """Do what a worker does once: import and compile, connect to the store."""
    _resources(job)


def process(job: Job, tracks: Sequence[Track]) -> BatchResult:
    """Analyse the files of ``tracks`` whose content is new and write all of them to the store.

    Features are written before the tracks that point to them, each in one bulk write, so that a batch
    that is cut off leaves nothing half done and a repeated one finds what is there.
    """
    store, analyser = _resources(job)
    fs, base = open_root(job.dataset.root)
    clock = Stopwatch()
    hashed: list[Track] = []
    done: list[Track] = []
    for track in tracks:
        assert track.path is not None
        try:
            hashed.append(replace(track, sha256=sha256(fs, join(base, track.path))))
        except OSError as error:
            detail = f"cannot be read ({error.strerror or error}): check that it is there and allowed"
            done.append(replace(track, status="missing", detail=detail))
    clock.lap("hash")
    known = store.features.known((track.sha256 or "" for track in hashed), job.recipe)
    clock.lap("store")
    result = BatchResult(files=len(tracks))
    new: list[Analysis] = []
    for track in hashed:
        assert track.path is not None
        assert track.sha256 is not None
        path, size = join(base, track.path), track.size or 0
        analysis = known.get(track.sha256)
        tags: dict[str, str] = {}
        if analysis is not None and is_reusable(analysis, job.settings):
            result.reused += 1
            if job.dataset.reads_tags:
                tags = analyser.tags(fs, path, size)
            clock.lap("tags")
        else:
            outcome, tags = _analysed_twice_if_crashed(analyser, fs, path, size, job.dataset.reads_tags)
            analysis = analyse(track.sha256, outcome, job)
            if isinstance(outcome, Analysed):
                clock.split("other", outcome.seconds)
                result.audio_s += min(outcome.duration_s, job.settings.analysed_s or outcome.duration_s)
            else:
                clock.lap("decode")
            known[track.sha256] = analysis
            new.append(analysis)
            result.analysed += 1
            result.bytes += size
        finished = apply(track, analysis)
        job.dataset.describe(finished, tags)
        done.append(finished)
    clock.lap("other")
    store.features.upsert(new)
    store.tracks.upsert(done)
    clock.lap("store")
    result.failed = sum(track.status != OK for track in done)
    result.worker_mib, result.child_mib = peak_mib(os.getpid()), peak_mib(analyser.pid)
    result.seconds = clock.seconds
    return result


def _analysed_twice_if_crashed(
    analyser: Analyser, fs: AbstractFileSystem, path: str, size: int, want_tags: bool
) -> tuple[Analysed | Rejected, dict[str, str]]:
    """Analyse a file, and once more if the child died: somebody else may have ended it, or it may be full."""
    outcome, tags = analyser.analyse(fs, path, size, want_tags=want_tags)
    if isinstance(outcome, Rejected) and outcome.status == "crashed":
        return analyser.analyse(fs, path, size, want_tags=want_tags)
    return outcome, tags


def analyse(digest: str, outcome: Analysed | Rejected, job: Job) -> Analysis:
    """Return the analysis of one content from what its file gave."""
    held, had_ffmpeg = limits(job.settings), ffmpeg.find() is not None
    if isinstance(outcome, Rejected):
        return Analysis(digest, job.recipe, outcome.status, held, outcome.detail, had_ffmpeg=had_ffmpeg)
    return Analysis(
        digest,
        job.recipe,
        OK,
        held,
        duration_s=outcome.duration_s,
        sample_rate=outcome.sample_rate,
        channels=outcome.channels,
        warnings=list(outcome.warnings),
        vector=outcome.vector,
        fingerprint=outcome.fingerprint,
        had_ffmpeg=had_ffmpeg,
    )


@lru_cache(maxsize=1)
def _connect(uri: str, database: str, settings: Settings) -> tuple[Store, Analyser]:
    held = open_store(uri, database), Analyser(settings)
    # Spark collects garbage after every task: what was imported need not be looked through each time.
    gc.collect()
    gc.freeze()
    return held


def _resources(job: Job) -> tuple[Store, Analyser]:
    """Return this process's own connection and analysing child, made once and kept between batches."""
    return _connect(job.mongo_uri, job.dataset.database, job.settings)
