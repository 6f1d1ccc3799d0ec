"""Whether a data set's store answers and a worker serves it, asked once for all who want to know."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from segue.player.store_link import AWAY, StoreLink
from segue.store import Store

log = logging.getLogger(__name__)

_EVERY_S = 2.0


class Noted(Protocol):
    """Takes what a watch has found."""

    def __call__(self, *, worker: bool, store: bool) -> None:
        """Take it."""


class Watch:
    """Asks every two seconds, from a thread of its own.

    Parameters
    ----------
    stores
        Opens the store; closed with the watch.
    noted
        Called with what was found, each time.
    look_after
        Called with the store each time it answers, for what else must be seen to.
    """

    def __init__(
        self, stores: StoreLink, noted: Noted, look_after: Callable[[Store], object] = lambda store: None
    ) -> None:
        self._stores, self._noted, self._look_after = stores, noted, look_after
        self._stop = threading.Event()
        self._away = False
        self.thread = threading.Thread(target=self._run, name="segue-watch", daemon=True)
        self.thread.start()

    def close(self) -> None:
        """End the thread as soon as the store has answered, or has not in time."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._ask()
            except Exception:
                log.exception("the store could not be watched")
            self._stop.wait(_EVERY_S)
        self._stores.close()

    def _ask(self) -> None:
        try:
            store = self._stores.open()
            serving = store.workers.serving()
        except AWAY as error:
            if not self._away:
                log.warning("the document store does not answer: %s", error)
            self._away = True
            self._noted(worker=False, store=False)
            return
        self._away = False
        self._noted(worker=serving, store=True)
        self._look_after(store)
