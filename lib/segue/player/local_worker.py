"""A worker inside the notebook's kernel, for those who have not started one."""

from __future__ import annotations

import logging
import threading
import time

from segue.live.worker import Worker
from segue.pipeline.run import Run
from segue.settings import Settings
from segue.store import Store, open_store

log = logging.getLogger(__name__)

_AGAIN_S = 15.0


class LocalWorker:
    """Sees to it that somebody serves a data set: another worker, or one on this run's models in a thread."""

    def __init__(self, settings: Settings, run: Run) -> None:
        self._settings, self._run = settings, run
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._tried = -_AGAIN_S

    def look_after(self, store: Store) -> None:
        """Start the worker if none has given a sign of life lately."""
        running = self._thread is not None and self._thread.is_alive()
        if running or self._stop.is_set() or store.workers.serving():
            return
        if time.monotonic() - self._tried < _AGAIN_S:
            return
        self._tried = time.monotonic()
        self._thread = threading.Thread(target=self._serve, name="segue-worker", daemon=True)
        self._thread.start()

    def close(self, timeout_s: float = 5.0) -> None:
        """Let the worker finish what it has in hand and end."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _serve(self) -> None:
        try:
            with open_store(self._settings.mongo_uri, self._run.dataset["database"]) as store:
                # A notebook is watched by its reader.
                settings = self._settings.model_copy(update={"metrics_port": 0})
                Worker(settings, self._run, store).serve(self._stop)
        except Exception as error:
            log.warning("the worker in this kernel ended: %s", error, exc_info=True)
