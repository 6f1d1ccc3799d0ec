"""What a worker does beside its batches: take up other models and new tracks, write down what it counts."""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path

from pymongo.errors import PyMongoError

from segue.live.activity import Activity
from segue.live.deletions import Deletions
from segue.live.loading import Models
from segue.live.newcomers import Newcomers
from segue.live.serving import Serving
from segue.store import Store

LOOK_S = 0.5
"""Seconds between two looks at ``runs/current``."""

FLUSH_S = 3.0
"""Seconds between two times that what was counted is written."""

ARRIVALS_S = 10.0
"""Seconds between two looks for tracks that came after the models were fitted."""


class Housekeeping:
    """Runs in a thread of its own, so that no batch waits while models are loaded.

    Parameters
    ----------
    models
        Refreshed every `LOOK_S`.
    store
        The data set's, where newcomers are looked for every `ARRIVALS_S`.
    activity
        Flushed every `FLUSH_S`.

    Attributes
    ----------
    deletions
        Known before the first models are ready.
    """

    def __init__(self, models: Models, store: Store, activity: Activity) -> None:
        self._models, self._store, self._activity = models, store, activity
        self.deletions = Deletions(store)
        self._newcomers: Newcomers | None = None
        self._run_of_newcomers: Path | None = None
        self._served: Serving | None = None
        self._stop, self._ready = threading.Event(), threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="segue-housekeeping", daemon=True)
        self._thread.start()

    def ready(self, timeout_s: float) -> bool:
        """Wait for the first models and tell whether they are there.

        Raises
        ------
        SegueError
            If there is nothing to serve with, or what there is belongs to another data set.
        """
        self._ready.wait(timeout_s)
        self.check()
        return self._ready.is_set()

    def check(self) -> None:
        """Raise what ended the thread, if anything did."""
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """End the thread; models that are being loaded are finished first."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        next_flush, next_look = time.monotonic() + FLUSH_S, 0.0
        try:
            while not self._stop.is_set():
                now = time.monotonic()
                # A store that is away is waited for; the batches say so.
                with contextlib.suppress(PyMongoError):
                    self.deletions.refresh()
                    self._models.refresh()
                    self._ready.set()
                    self._activity.run = self._models.run.path.name
                    if now >= next_look or self._models.serving is not self._served:
                        self._welcome()
                        next_look = now + ARRIVALS_S
                if now >= next_flush:
                    self._activity.flush()
                    next_flush = now + FLUSH_S
                self._stop.wait(LOOK_S)
        except Exception as error:
            self._error = error
            self._ready.set()

    def _welcome(self) -> None:
        """Let the models that serve have the tracks that came after they were fitted."""
        run, serving = self._models.run, self._models.serving
        if self._newcomers is None or run.path != self._run_of_newcomers:
            self._newcomers, self._run_of_newcomers = Newcomers(self._store, run), run.path
        others = self._newcomers.refresh()
        if others or (serving is not self._served and self._newcomers.found.track_ids.size):
            serving.newcomers(*self._newcomers.found.columns)
        self._served = serving
