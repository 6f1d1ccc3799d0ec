"""A data set's store that may be away for a while, and come back elsewhere."""

from __future__ import annotations

import threading
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from segue.errors import SegueError
from segue.settings import Settings
from segue.store import Store

AWAY = (PyMongoError, SegueError)
"""What a call of the store raises while it is away."""

_ANSWER_MS = 1_500
_SLOWEST_MS = 5_000
_LOOK_MS = 60_000


class StoreLink:
    """Opens a data set's store at the address where it is now.

    Nothing is connected before the first question, and no question waits longer than a moment for a store
    that is not there.
    """

    def __init__(self, settings: Settings, database: str) -> None:
        self._settings, self._database = settings, database
        self._lock = threading.Lock()
        self._store: Store | None = None
        self._uri = ""

    def open(self) -> Store:
        """Return the store.

        Raises
        ------
        SegueError
            If none is running here.
        """
        uri = self._settings.mongo_uri
        with self._lock:
            if self._store is None or uri != self._uri:
                if self._store is not None:
                    self._store.close()
                self._store, self._uri = Store(_client(uri), self._database), uri
            return self._store

    def close(self) -> None:
        """Give the connection and its threads back; another question opens another."""
        with self._lock:
            if self._store is not None:
                self._store.close()
                self._store = None


def _client(uri: str) -> MongoClient[dict[str, Any]]:
    return MongoClient(
        uri,
        appname="segue-player",
        # A failed question asks at once how the server is; between questions nobody needs to know.
        serverMonitoringMode="poll",
        heartbeatFrequencyMS=_LOOK_MS,
        serverSelectionTimeoutMS=_ANSWER_MS,
        connectTimeoutMS=_ANSWER_MS,
        socketTimeoutMS=_SLOWEST_MS,
    )
