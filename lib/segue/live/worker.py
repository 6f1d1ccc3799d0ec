"""The live worker: plays in from Kafka, a listener's state and list into the store, the list out again."""

from __future__ import annotations

import threading
from typing import Literal

from segue.pipeline.run import Run
from segue.settings import Settings
from segue.store import Store


class Worker:
    """Serves the listeners of one data set with the models of one run.

    Parameters
    ----------
    settings
        Where Kafka is (``kafka_bootstrap``) and how long a list is (``list_length``).
    run
        Whose models and cards are used; the cards are read from ``run.dataset["database"]``.
    store
        Where state, plays and lists go, and whose heartbeat collection is used.
    database
        Only events of this ``dataset`` are served; by default ``store.database``.
    group
        Kafka's consumer group; by default ``segue-worker-<database>``.
    start
        Where to begin in a partition that ``store`` has no offset of: with the oldest event that Kafka still
        has, or with those that come after ``ready``.
    follow
        Whether to take up another run of the data set as soon as ``runs/current`` points to it.

    Attributes
    ----------
    ready
        Set once the worker reads from its place in every partition: an event sent after that is served.
    """

    def __init__(
        self,
        settings: Settings,
        run: Run,
        store: Store,
        *,
        database: str | None = None,
        group: str | None = None,
        start: Literal["earliest", "latest"] = "earliest",
        follow: bool = False,
    ) -> None:
        self.settings, self.run, self.store = settings, run, store
        self.database = database or store.database
        self.group = group or f"segue-worker-{self.database}"
        self.start, self.follow = start, follow
        self.ready = threading.Event()

    def serve(self, stop: threading.Event) -> None:
        """Serve until ``stop`` is set, finish the batch in hand, and leave in order.

        Raises
        ------
        SegueError
            If the run has no model to serve, or ``runs/current`` moves on to another data set.
        """
        raise NotImplementedError
