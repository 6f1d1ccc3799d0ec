"""Take a run's models and the names of its tracks into a worker's hands."""

from __future__ import annotations

import gc
import hashlib
import logging
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from segue.errors import SegueError
from segue.live.kept_labels import KeptLabels
from segue.live.kept_neighbours import kept_neighbours
from segue.live.reasons import Label, Labels
from segue.live.serving import GRAPH, OTHERS, POPULARITY, SOUND, Serving
from segue.models import Recommender, persist
from segue.models.persist import MANIFEST
from segue.pipeline.run import CURRENT, SERVING, Run, current_run
from segue.settings import Settings
from segue.store import Store

LARGE = 20_000
"""Tracks from which on neighbours are searched in a graph, where the run has one, rather than exactly."""

_LABELS = 1_000_000
_log = logging.getLogger(__name__)


class CardLabels:
    """Titles and prints of tracks: the run's own, else read from the cards; some 250 bytes each are kept."""

    def __init__(self, store: Store, run: Run) -> None:
        self._store, self._kept = store, KeptLabels(run)
        self._known: dict[int, Label] = {}

    def __call__(self, track_ids: Collection[int]) -> Mapping[int, Label]:
        """Return the labels of those among ``track_ids`` that have a card, and perhaps of others."""
        known = self._known
        missing = [track for track in track_ids if track not in known]
        if missing:
            if len(known) + len(missing) > _LABELS:
                # Whoever holds the old ones keeps them.
                self._known = known = {track: known[track] for track in track_ids if track in known}
            known |= self._kept.among(missing)
            if rest := [track for track in missing if track not in known]:
                cards = self._store.cards.by_ids(rest)
                known |= {track: Label(card.title, card.print) for track, card in cards.items()}
        return known


def load(run: Run, store: Store) -> Serving:
    """Return a run's models ready to serve.

    Parameters
    ----------
    run
        A run in which its serving model, or one of those in `segue.live.serving`, was fitted.
    store
        The data set's: its cards name the tracks, its plays tell whether listeners are simulated.

    Raises
    ------
    SegueError
        If there is no such model, or the files of one are damaged.
    """
    # What notebook 03 noted; to count millions of plays would delay the first list.
    noted = (store.meta.find_one({"_id": "shelves"}) or {}).get("simulated")
    simulated = store.plays.count() > store.plays.count_real() if noted is None else bool(noted)
    return make(run, CardLabels(store, run), simulated=simulated)


def make(run: Run, labels: Labels, *, simulated: bool) -> Serving:
    """Return a run's models ready to serve with labels from elsewhere; as `load` otherwise."""
    models: dict[str, Recommender[Any]] = {}
    others, chosen = _others(run), run.serving()
    if chosen not in (None, others):
        _log.warning("the run %s lacks its serving model %s: serving with %s", run.path.name, chosen, others)
    digest = hashlib.sha256(others.encode())
    names = _served(run)
    with ThreadPoolExecutor(len(names) + 1, "segue-loading") as executor:
        near = executor.submit(kept_neighbours, run, GRAPH) if GRAPH in names else None
        loaded = {name: executor.submit(run.load_model, name) for name in names}
        # While files are read and compared with their digests the compiled parts come.
        import segue.live.kernels  # noqa: F401
    for name in names:
        models[name] = loaded[name].result()
        digest.update((run.model(name) / MANIFEST).read_bytes())
    serving = Serving(
        models,
        labels,
        others=others,
        simulated=simulated,
        fingerprint=digest.hexdigest(),
        near=None if near is None else near.result(),
    )
    serving.warm()
    return serving


class Models:
    """The models that a worker serves with now.

    Parameters
    ----------
    settings
        Say where ``runs/current`` is.
    run
        The first to be served.
    store
        Of the server on which the run's data set is.
    database
        The only data set whose runs are taken up.
    follow
        Whether to go over to another run when ``runs/current`` does.
    """

    def __init__(self, settings: Settings, run: Run, store: Store, database: str, *, follow: bool) -> None:
        self.run = run
        self._current = settings.runs / CURRENT
        self._settings, self._store, self._database, self._follow = settings, store, database, follow
        self._serving: Serving | None = None
        self._version: object = None

    @property
    def serving(self) -> Serving:
        """Return what `refresh` loaded last."""
        assert self._serving is not None, "refresh comes first"
        return self._serving

    def refresh(self) -> None:
        """Load the models if they are not loaded, or if others should be; keep the old ones if that fails.

        Raises
        ------
        SegueError
            If there is nothing to serve with yet, or ``runs/current`` is of another data set.
        """
        if self._serving is not None and not self._follow:
            return
        run = self._newest()
        version = _version(run)
        if version == self._version:
            return
        try:
            serving = load(run, Store(self._store.client, run.dataset["database"]))
        except SegueError as error:
            if self._serving is None:
                raise
            _log.error("the run %s is not taken up: %s", run.path.name, error)
        else:
            if self._serving is not None:
                _log.info("the run %s is taken up", run.path.name)
            self.run, self._serving = run, serving
            _set_aside()
        self._version = version

    def _newest(self) -> Run:
        if not self._follow or self._current.resolve() == self.run.path:
            return self.run
        if not (self._current / "dataset.json").is_file():
            return self.run
        run = current_run(self._settings)
        if (other := run.dataset["database"]) != self._database:
            raise SegueError(
                f"runs/current now holds {other} and this worker serves {self._database}: "
                "start `segue worker` again to serve that"
            )
        return run


def _set_aside() -> None:
    """Leave what is loaded out of the garbage collector's rounds: they would go through every label."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _version(run: Run) -> tuple[object, ...]:
    """Return something that changes when the run, its choice, or a model that is served is another."""
    try:
        served = _served(run)
    except SegueError:
        served = []
    files = [run.path / SERVING, *(run.model(name) / MANIFEST for name in served)]
    return (run.path, *((path, path.stat().st_mtime_ns) for path in files if path.exists()))


def _others(run: Run) -> str:
    """Return the name of the model that ranks by what others play."""
    chosen = run.serving()
    return chosen if chosen in _saved(run) and chosen is not None else OTHERS


def _served(run: Run) -> list[str]:
    saved = _saved(run)
    sound = SOUND
    if GRAPH in saved and persist.read_manifest(run.model(GRAPH)).get("data", {}).get("tracks", 0) >= LARGE:
        sound = GRAPH
    return [name for name in dict.fromkeys((sound, _others(run), POPULARITY)) if name in saved]


def _saved(run: Run) -> list[str]:
    try:
        return run.models()
    except SegueError:
        return []
