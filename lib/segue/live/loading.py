"""Take a run's models and the names of its tracks into a worker's hands."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import Any

from segue.errors import SegueError
from segue.live.reasons import Label
from segue.live.serving import SERVED, Serving
from segue.models import Recommender
from segue.models.persist import MANIFEST
from segue.pipeline.run import Run
from segue.store import Store

_LABELS = 20_000


class CardLabels:
    """Titles and prints of tracks, read from the cards when first asked for, at most 20,000 kept."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[int, Label] = {}

    def __call__(self, track_ids: Collection[int]) -> Mapping[int, Label]:
        """Return the labels of those among ``track_ids`` that have a card."""
        missing = [track for track in track_ids if track not in self._known]
        if missing:
            if len(self._known) + len(missing) > _LABELS:
                self._known.clear()
            found = self._store.cards.by_ids(missing)
            self._known |= {track: Label(card.title, card.print) for track, card in found.items()}
        return self._known


def load(run: Run, store: Store) -> Serving:
    """Return a run's models ready to serve.

    Parameters
    ----------
    run
        A run in which at least one model of `segue.live.serving.SERVED` was fitted.
    store
        The data set's: its cards name the tracks, its plays tell whether listeners are simulated.

    Raises
    ------
    SegueError
        If there is no such model, or the files of one are damaged.
    """
    models: dict[str, Recommender[Any]] = {}
    digest = hashlib.sha256()
    for name in _served(run):
        models[name] = run.load_model(name)
        digest.update((run.model(name) / MANIFEST).read_bytes())
    simulated = store.plays.count() > store.plays.count_real()
    return Serving(models, CardLabels(store), simulated=simulated, fingerprint=digest.hexdigest())


def version(run: Run) -> tuple[object, ...]:
    """Return something that changes when the run, or a model that is served of it, is another."""
    manifests = [run.model(name) / MANIFEST for name in _served(run)]
    return (run.path, *((path, path.stat().st_mtime_ns) for path in manifests if path.exists()))


def _served(run: Run) -> list[str]:
    try:
        saved = run.models()
    except SegueError:
        return []
    return [name for name in SERVED if name in saved]
