"""How many clips a second one process analyses, and several at once."""

import multiprocessing
import os
import resource
import time
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier

from fsspec.implementations.local import LocalFileSystem

from segue.audio.analyse import Analysed, Analyser
from segue.settings import Settings

# A worker that failed before would be waited for in vain.
_TOGETHER_S = 120.0


def clips_per_second(clips: list[str], processes: int, seconds: float) -> tuple[float, float]:
    """Return the clips that workers, each with its decoding child, together analyse in a second.

    And the mean milliseconds of the processors that a clip takes.
    """
    context = multiprocessing.get_context("spawn")
    ready, results = context.Barrier(processes), context.SimpleQueue()
    workers = [context.Process(target=_work, args=(clips, seconds, ready, results)) for _ in range(processes)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        if worker.exitcode:
            raise RuntimeError(f"a worker ended with status {worker.exitcode}")
    rates, processor = zip(*(results.get() for _ in workers), strict=True)
    return sum(rates), sum(processor) / processes


def _work(
    clips: list[str], seconds: float, ready: Barrier, results: "SimpleQueue[tuple[float, float]]"
) -> None:
    analyser, files = Analyser(Settings()), LocalFileSystem()
    analyser.analyse(files, clips[0], os.path.getsize(clips[0]))
    ready.wait(_TOGETHER_S)
    start, own, done = time.perf_counter(), time.process_time(), 0
    while (taken := time.perf_counter() - start) < seconds:
        path = clips[done % len(clips)]
        made, _ = analyser.analyse(files, path, os.path.getsize(path))
        assert isinstance(made, Analysed), f"{path}: {made}"
        done += 1
    own = time.process_time() - own
    analyser.close()
    child = resource.getrusage(resource.RUSAGE_CHILDREN)
    # The child also did the one before the start.
    processor = own / done + (child.ru_utime + child.ru_stime) / (done + 1)
    results.put((done / taken, 1_000 * processor))
