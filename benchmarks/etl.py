"""The ETL by Spark against one process's plain loop over the same files, and its memory over many files.

`python -m benchmarks.etl [FOLDER] [--quick] [--files N] [--memory-files N] [--plot FILE.png]` takes the
MP3 clips of FOLDER (those that Segue ships by default) as often as it needs, each time with another tag so
that no two contents are the same. Loop, Spark on one core and Spark on two cores take turns, in a temporary
folder with services of its own. Throughput is of the phase in which files are worked on; ``overhead_s`` is
everything else of a first run: Spark's start, listing, planning, starting the workers, reading back.
``ratio`` is two cores' throughput over the loop's in the same round (median over the rounds); ``cpu_ratio``
is what the seconds of the processors allow when nothing else runs on the machine. The last line is one JSON
object.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from benchmarks.calibration import matrix_product_ms
from segue.dataset.compose.real import CLIPS
from segue.dataset.folder import FolderDataset
from segue.etl import EtlReport, run_etl
from segue.services import down, status, up
from segue.settings import Settings
from segue.spark import session
from segue.store import open_store

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
_MIB = 1 << 20


def numbered_copies(clips: list[Path], folder: Path, count: int) -> Path:
    """Write ``count`` files: the clips in turn, each ended by an ID3v1 tag that holds its number."""
    folder.mkdir(parents=True)
    contents = [clip.read_bytes() for clip in clips]
    for number in range(count):
        tag = b"TAG" + f"Copy {number}".encode().ljust(124, b"\0") + b"\xff"
        (folder / f"{number:05d}.mp3").write_bytes(contents[number % len(contents)] + tag)
    return folder


def plain_loop(folder: Path, count: int) -> dict[str, float]:
    """Run the yardstick in a process of its own."""
    environment = {**os.environ, **dict.fromkeys(_ONE_THREAD, "1")}
    command = [sys.executable, "-m", "benchmarks.plain_loop", str(folder), str(count)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def processor_s(pids: Sequence[int | None]) -> dict[int, float]:
    """Return the processor seconds of processes and of their descendants, by process id."""
    found = {}
    for process in map(psutil.Process, pids):
        for each in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                found[each.pid] = sum(each.cpu_times()[:2])
    return found


@dataclass
class Sizes:
    """Resident MiB of Python workers and of their analysing children, twice a second: the largest of each."""

    at: list[float] = field(default_factory=list)
    worker: list[float] = field(default_factory=list)
    child: list[float] = field(default_factory=list)


@contextlib.contextmanager
def watch() -> Iterator[Sizes]:
    """Measure this process's Spark workers meanwhile; times are seconds since the start."""
    sizes, stop, started = Sizes(), threading.Event(), time.monotonic()

    def largest(processes: list[psutil.Process]) -> float:
        found = [0.0]
        for process in processes:
            with contextlib.suppress(psutil.Error):
                found.append(process.memory_info().rss / _MIB)
        return max(found)

    def run() -> None:
        while not stop.wait(0.5):
            workers, children = spark_workers()
            if children:
                sizes.at.append(time.monotonic() - started)
                sizes.worker.append(largest(workers))
                sizes.child.append(largest(children))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield sizes
    finally:
        stop.set()
        thread.join()


def spark_workers() -> tuple[list[psutil.Process], list[psutil.Process]]:
    """Return the Python workers below this process, and the children in which they analyse."""
    workers: list[psutil.Process] = []
    children: list[psutil.Process] = []
    for daemon in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            above = daemon.parent()
            if "pyspark.daemon" in daemon.cmdline() and above is not None and above.name() == "java":
                workers += daemon.children()
    for worker in workers:
        with contextlib.suppress(psutil.Error):
            children += worker.children()
    return workers, children


@dataclass
class Run:
    """A run of the ETL: its report, the processor seconds of all its processes, sizes of its workers."""

    report: EtlReport
    processor_s: float
    sizes: Sizes

    @property
    def files_per_s(self) -> float:
        """Return the throughput of the phase in which files were worked on."""
        return self.report.analysed / self.report.phases["analyse"]


class Bench:
    """A home with services, and the ETL over one folder or another."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home, kafka=None, mongo=None, kafka_port=0, mongo_port=0)
        up(self.settings, lambda line: None)
        down(self.settings, lambda line: None, names=("kafka",))
        self._databases = 0

    def etl(self, folder: Path, cores: int, *, again: bool = False, watched: bool = False) -> Run:
        """Run the ETL into an empty database, or into the last one again; watching it takes time itself."""
        self._databases += not again
        settings = self.settings.model_copy(update={"spark_master": f"local[{cores}]"})
        mongo = next(service.pid for service in status(settings) if service.name == "mongo")
        with open_store(settings.mongo_uri, f"bench_{self._databases}") as store:
            spark = session(settings)
            dataset = FolderDataset(folder, database=store.database)
            before = processor_s([os.getpid(), mongo])
            with watch() if watched else contextlib.nullcontext(Sizes()) as sizes:
                report = run_etl(dataset, settings, store, spark, progress=False)
            after = processor_s([os.getpid(), mongo])
        spent = sum(seconds - before.get(pid, 0.0) for pid, seconds in after.items())
        return Run(report, spent, sizes)

    def close(self) -> None:
        down(self.settings, lambda line: None)


def rounds(bench: Bench, folder: Path, count: int, repeats: int) -> dict[str, float]:
    """Let loop, one core and two cores take turns; return the figures."""
    loops, ones, twos, cpu = [], [], [], []
    started = time.perf_counter()
    spark = session(bench.settings.model_copy(update={"spark_master": "local[2]"}))
    start_s = time.perf_counter() - started
    first = bench.etl(folder, 2)
    again = bench.etl(folder, 2, again=True)
    for _ in range(repeats):
        loop = plain_loop(folder, count)
        two = bench.etl(folder, 2)
        loops.append(count / loop["seconds"])
        twos.append(two.files_per_s)
        cpu.append(2 * loop["processor_s"] / two.processor_s)
    spark.stop()
    for _ in range(repeats):
        loop = plain_loop(folder, count)
        ones.append(bench.etl(folder, 1).files_per_s * loop["seconds"] / count)
    session(bench.settings).stop()
    return {
        "loop_files_per_s": statistics.median(loops),
        "spark_files_per_s": statistics.median(twos),
        "ratio": statistics.median(two / loop for two, loop in zip(twos, loops, strict=True)),
        "ratio_one_core": statistics.median(ones),
        "cpu_ratio": statistics.median(cpu),
        "spark_start_s": start_s,
        "overhead_s": start_s + first.report.overhead_s,
        "rerun_s": again.report.seconds,
    }


def memory(bench: Bench, folder: Path, plot: Path | None) -> dict[str, float]:
    """Analyse a folder on two cores; return the processes' sizes after a twentieth of it and at its end."""
    run = bench.etl(folder, 2, watched=True)
    report, sizes = run.report, run.sizes
    timeline = np.array(report.timeline)
    done = np.interp(sizes.at, timeline[:, 0], timeline[:, 1])
    begun = int(np.searchsorted(done, report.analysed / 20))
    if plot is not None:
        _draw(plot, done, sizes)
    return {
        "files": report.analysed,
        "files_per_s": run.files_per_s,
        "times_real_time": report.times_real_time,
        "worker_mib_first": sizes.worker[begun],
        "worker_mib_last": sizes.worker[-1],
        "child_mib_first": sizes.child[begun],
        "child_mib_last": sizes.child[-1],
    }


def _draw(path: Path, done: np.ndarray, sizes: Sizes) -> None:
    import matplotlib.pyplot as plt

    from segue.plots.style import style

    style()
    figure, axes = plt.subplots(figsize=(8, 4))
    axes.plot(done, sizes.worker, label="Python worker")
    axes.plot(done, sizes.child, label="the child that analyses")
    axes.set(
        title="The memory of a worker is flat", xlabel="files analysed", ylabel="resident MiB", ylim=(0, None)
    )
    axes.legend()
    figure.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=CLIPS, help="MP3 clips, at any depth")
    parser.add_argument("--quick", action="store_true", help="64 files once, memory over 200")
    parser.add_argument("--files", type=int, help="files in a turn")
    parser.add_argument("--memory-files", type=int, help="files over which memory is watched")
    parser.add_argument("--plot", type=Path, help="a PNG of memory over files")
    chosen = parser.parse_args()
    count = chosen.files or (64 if chosen.quick else 400)
    many = chosen.memory_files or (200 if chosen.quick else 2_000)
    clips = sorted(chosen.folder.rglob("*.mp3"))
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        bench = Bench(home)
        try:
            folder = numbered_copies(clips, home / "turns", count)
            figures = rounds(bench, folder, count, 1 if chosen.quick else 3)
            figures |= memory(bench, numbered_copies(clips, home / "many", many), chosen.plot)
        finally:
            bench.close()
    figures["matrix_product_ms"] = matrix_product_ms()
    print(json.dumps({name: round(value, 3) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
