"""What an executor does with a batch of files: hash, ask the store, decode, extract, write."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from segue.audio.analyse import Analysed, Analyser
from segue.audio.decode import Rejected
from segue.dataset.base import OK, Dataset, Track
from segue.dataset.inventory import join, open_root, sha256
from segue.settings import Settings
from segue.store import Store, open_store
from segue.store.features import Analysis

_JUDGED_BY_LIMITS = frozenset({OK, "too_short", "silent", "crashed"})


@dataclass(frozen=True)
class Job:
    """What every batch needs to know; pickled to the executors."""

    dataset: Dataset
    settings: Settings
    mongo_uri: str
    recipe: str


@dataclass
class BatchResult:
    """Files by outcome, and seconds by stage."""

    files: int = 0
    analysed: int = 0
    reused: int = 0
    failed: int = 0
    seconds: dict[str, float] = field(default_factory=dict)


def limits(settings: Settings) -> str:
    """Return the thresholds that a status depends on, as text that is compared for equality."""
    memory = settings.decode_memory_mib
    return f"min {settings.min_duration_s} s, peak {settings.silence_peak}, memory {memory} MiB"


def is_reusable(analysis: Analysis | None, settings: Settings) -> bool:
    """Tell whether an earlier analysis of the same content still holds.

    A file that ran out of time is tried again, and a status that thresholds decide holds only for them.
    """
    if analysis is None or analysis.status == "timeout":
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


def process(job: Job, tracks: Sequence[Track]) -> BatchResult:
    """Analyse the files of ``tracks`` whose content is new and write all of them to the store.

    Features are written before the tracks that point to them, each in one bulk write, so that a batch
    that is cut off leaves nothing half done and a repeated one finds what is there.
    """
    store, analyser = _resources(job)
    fs, base = open_root(job.dataset.root)
    clock = _Stopwatch()
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
        path = join(base, track.path)
        analysis = known.get(track.sha256)
        tags: dict[str, str] = {}
        if analysis is not None and is_reusable(analysis, job.settings):
            result.reused += 1
            if job.dataset.reads_tags:
                tags = analyser.tags(fs, path, track.size or 0)
            clock.lap("tags")
        else:
            outcome, tags = analyser.analyse(fs, path, track.size or 0, want_tags=job.dataset.reads_tags)
            clock.split("analyse", outcome.seconds if isinstance(outcome, Analysed) else {})
            analysis = analyse(track.sha256, outcome, job)
            known[track.sha256] = analysis
            new.append(analysis)
            result.analysed += 1
        finished = apply(track, analysis)
        job.dataset.describe(finished, tags)
        done.append(finished)
    store.features.upsert(new)
    store.tracks.upsert(done)
    clock.lap("store")
    result.failed = sum(track.status != OK for track in done)
    result.seconds = clock.seconds
    return result


def analyse(digest: str, outcome: Analysed | Rejected, job: Job) -> Analysis:
    """Return the analysis of one content from what its file gave."""
    held = limits(job.settings)
    if isinstance(outcome, Rejected):
        return Analysis(digest, job.recipe, outcome.status, held, outcome.detail)
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
    )


@lru_cache(maxsize=1)
def _connect(uri: str, database: str, settings: Settings) -> tuple[Store, Analyser]:
    return open_store(uri, database), Analyser(settings)


def _resources(job: Job) -> tuple[Store, Analyser]:
    """Return this process's own connection and analysing child, made once and kept between batches."""
    return _connect(job.mongo_uri, job.dataset.database, job.settings)


class _Stopwatch:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._last
        self._last = now

    def split(self, stage: str, parts: dict[str, float]) -> None:
        """Charge what passed since the last lap to its known parts, and the rest to ``stage``."""
        now = time.perf_counter()
        for part, seconds in {**parts, stage: now - self._last - sum(parts.values())}.items():
            self.seconds[part] = self.seconds.get(part, 0.0) + seconds
        self._last = now
