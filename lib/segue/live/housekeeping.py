"""What a worker does beside its batches: take up other models and new tracks, write down what it counts."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from pymongo.errors import PyMongoError

from segue.live.activity import Activity
from segue.live.loading import Models

LOOK_S = 0.5
"""Seconds between two looks at ``runs/current``."""

FLUSH_S = 3.0
"""Seconds between two times that what was counted is written."""

_log = logging.getLogger(__name__)


class Housekeeping:
    """Runs in a thread of its own, so that no batch waits while models are loaded.

    Parameters
    ----------
    models
        Refreshed every `LOOK_S`.
    activity
        Flushed every `FLUSH_S`.
    """

    def __init__(self, models: Models, activity: Activity) -> None:
        self._models, self._activity = models, activity
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
        until_flush = FLUSH_S
        try:
            while not self._stop.is_set():
                if self._answered(self._models.refresh):
                    self._ready.set()
                    self._activity.run = self._models.run.path.name
                until_flush -= LOOK_S
                if until_flush <= 0:
                    self._activity.flush()
                    until_flush = FLUSH_S
                self._stop.wait(LOOK_S)
        except Exception as error:
            self._error = error
            self._ready.set()

    def _answered(self, look: Callable[[], object]) -> bool:
        """Tell whether the store answered; one that is away is waited for, and the batches say so."""
        try:
            look()
        except PyMongoError as error:
            _log.debug("the store is away: %s", error)
            return False
        return True
