"""`segue worker`: turn what listeners do into new lists, until told to stop."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator

import click

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_SWITCH_S = 0.0005
_POLL_S = _COLLECT_S = 1.0
_NEVER = 1_000_000


@click.command()
@click.option(
    "--refit-every",
    "minutes",
    type=click.FloatRange(min=1),
    metavar="MINUTES",
    help="Fit the models again on the stored plays so often (see `segue refit`).",
)
def worker(*, minutes: float | None) -> None:
    """Serve listeners: turn what they play into new lists, until Ctrl-C.

    Start as many as you like, up to the partitions of segue.plays: they share the listeners.
    """
    # Before numpy is imported: for products as small as those of a list, threads wait longer than they work.
    os.environ |= {name: os.environ.get(name, "1") for name in _THREADS}
    from segue.live.worker import Worker
    from segue.pipeline.run import current_run
    from segue.settings import Settings
    from segue.store import open_store

    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    # The client says many times what the worker says once: that Kafka is away.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    logging.getLogger("faiss").setLevel(logging.WARNING)
    # The threads that talk to Kafka shall not wait five milliseconds for one that makes lists.
    sys.setswitchinterval(_SWITCH_S)
    settings = Settings()
    run = current_run(settings)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    opened = open_store(settings.mongo_uri, run.dataset["database"])
    with opened as store, _refits(minutes, stop), _short_collections(stop):
        Worker(settings, run, store, follow=True, report=click.echo).serve(stop)


@contextlib.contextmanager
def _short_collections(stop: threading.Event) -> Iterator[None]:
    """Look for garbage among the objects of the last second only, until ``stop`` is set.

    A round through the labels and all listeners at hand would stop the lists for a fifth of a second.
    """

    def collect() -> None:
        while not stop.wait(_COLLECT_S):
            gc.collect()
            gc.freeze()

    gc.set_threshold(*gc.get_threshold()[:2], _NEVER)
    with _beside(threading.Thread(target=collect, name="segue-collector", daemon=True), stop):
        yield


@contextlib.contextmanager
def _refits(minutes: float | None, stop: threading.Event) -> Iterator[None]:
    """Refit every so many minutes until ``stop`` is set; never without minutes."""
    if minutes is None:
        yield
        return
    from segue.pipeline.schedule import RefitSchedule
    from segue.settings import Settings

    schedule = RefitSchedule(Settings(), 60 * minutes, report=click.echo)

    def watch() -> None:
        while not stop.wait(_POLL_S):
            schedule.poll()
        schedule.stop()

    with _beside(threading.Thread(target=watch, name="segue-refits"), stop):
        yield


@contextlib.contextmanager
def _beside(thread: threading.Thread, stop: threading.Event) -> Iterator[None]:
    """Let a thread run until the block ends, and then tell it to."""
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
