"""What the reasons say of each track of a run, kept with it, so that no list waits for the store's cards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from segue.errors import SegueError
from segue.live.reasons import Label
from segue.models import persist
from segue.models.data import positions_in
from segue.pipeline.run import Run
from segue.store.cards import Card

LABELS = "labels"
"""Folder of a run."""


def keep_labels(run: Run, cards: Sequence[Card]) -> None:
    """Write the titles and prints of a run's cards, which are by ascending track id."""
    labels = [Label(card.title, card.print) for card in cards]
    titles = [label.title.encode() for label in labels]
    told = b"".join(label.told or bytes(Label.TOLD) for label in labels)
    arrays: dict[str, np.ndarray] = {
        "track_ids": np.array([card.track_id for card in cards], dtype=np.int64),
        "titles": np.frombuffer(b"".join(titles), dtype=np.uint8),
        "ends": np.cumsum([len(title) for title in titles], dtype=np.int64),
        "told": np.frombuffer(told, dtype=np.uint8).reshape(-1, Label.TOLD),
        "has_print": np.array([bool(label.told) for label in labels]),
    }
    persist.write(run.path / LABELS, {"model": LABELS, "parameters": {}}, arrays)


class KeptLabels:
    """The labels of a run, mapped into memory; without any where the run kept none.

    Raises
    ------
    SegueError
        If they are damaged.
    """

    def __init__(self, run: Run) -> None:
        folder = run.path / LABELS
        try:
            manifest = persist.read_manifest(folder)
        except SegueError:
            self._track_ids: np.ndarray = np.empty(0, dtype=np.int64)
            return
        arrays = persist.read_arrays(folder, manifest)
        self._track_ids, self._ends = arrays["track_ids"], arrays["ends"]
        self._titles, self._told, self._has = arrays["titles"], arrays["told"], arrays["has_print"]

    def among(self, track_ids: Iterable[int]) -> dict[int, Label]:
        """Return the labels of those among ``track_ids`` that were kept."""
        asked = list(track_ids)
        places = positions_in(self._track_ids, asked).tolist()
        return {track: self._label(place) for track, place in zip(asked, places, strict=True) if place >= 0}

    def _label(self, place: int) -> Label:
        start = int(self._ends[place - 1]) if place else 0
        title = self._titles[start : int(self._ends[place])].tobytes().decode()
        return Label.of(title, self._told[place].tobytes() if self._has[place] else b"")
