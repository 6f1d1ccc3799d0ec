"""The listeners of a worker: read once, kept at hand, and written on condition."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from segue.live.standing import Line, Received, Standing, advance, doubtful
from segue.store import Store

MOST_TRACKS = 600_000
"""Tracks in the states that are kept at hand: some 150 MB."""

_OWN = 16

Waiting = Mapping[str, tuple[Line, Sequence[Received]]]
"""Events of one line by listener, in the order of their offsets."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """How listeners stand after their events, unless another writes first; ``changed`` has who is changed."""

    waiting: Waiting
    before: Mapping[str, Standing]
    changed: Mapping[str, Standing]


class Standings:
    """How the listeners stand whom this worker serves.

    What is kept at hand may be older than the store's if another worker was given a partition meanwhile: each
    write rests on the document that was read, and is done again from the newest when that has changed. One
    thread may write while another proposes for other listeners and asks how they stand.

    Parameters
    ----------
    store
        The data set's.
    settle
        Writes all plays that are waiting to be stored.
    """

    def __init__(self, store: Store, settle: Callable[[], None]) -> None:
        self._store, self._settle = store, settle
        self._lock = threading.Lock()
        self._at_hand: OrderedDict[str, Standing] = OrderedDict()
        self._tracks = 0

    def clear(self) -> None:
        """Forget what is at hand, as after an error or when a partition has come or gone."""
        with self._lock:
            self._at_hand.clear()
            self._tracks = 0

    def propose(self, waiting: Waiting) -> Proposed:
        """Return what becomes of listeners by their events; nothing is written.

        Raises
        ------
        PyMongoError
            If the store does not tell; then `clear`, and read the events again.
        """
        before = self._read(waiting)
        stored = self._stored(before, waiting)
        after = {
            name: advance(before.get(name), name, line, events, stored)
            for name, (line, events) in waiting.items()
        }
        changed = {
            name: new for name, new in after.items() if new is not None and new is not before.get(name)
        }
        return Proposed(waiting, before, changed)

    def take(self, proposed: Proposed) -> frozenset[str]:
        """Write what was proposed, and return those for whom it was refused: for them it is done anew.

        Raises
        ------
        PyMongoError
            As `propose` does.
        """
        refused = waiting = self._write(proposed)
        while waiting:
            waiting = self._write(self.propose({name: proposed.waiting[name] for name in waiting}))
        return refused

    def of(self, listener_ids: Iterable[str]) -> dict[str, Standing]:
        """Return how these listeners stand, without those of whom nothing is known."""
        return self._read(listener_ids)

    def _read(self, names: Iterable[str]) -> dict[str, Standing]:
        found, missing = {}, []
        with self._lock:
            for name in names:
                kept = self._at_hand.get(name)
                if kept is None:
                    missing.append(name)
                else:
                    self._at_hand.move_to_end(name)
                    found[name] = kept
        for document in (self._store.listeners.by_ids(missing) if missing else {}).values():
            found[document.listener_id] = Standing.of(document)
        with self._lock:
            for name in missing:
                # What was kept meanwhile is newer than what was read.
                if name in found and name not in self._at_hand:
                    self._keep(found[name])
        return found

    def _stored(self, before: Mapping[str, Standing], waiting: Waiting) -> frozenset[UUID]:
        asked: set[UUID] = set()
        for name, (line, events) in waiting.items():
            asked |= doubtful(before.get(name), line, events)
        if not asked:
            return frozenset()
        self._settle()
        return frozenset(UUID(each) for each in self._store.plays.there(map(str, asked)))

    def _write(self, proposed: Proposed) -> frozenset[str]:
        """Write what has changed, keep it at hand, and return whose base had changed in the store."""
        before, changed = proposed.before, proposed.changed
        if not changed:
            return frozenset()
        bases = {name: before[name].place if name in before else None for name in changed}
        refused = self._store.listeners.advance(
            [(new.to_document(), bases[name]) for name, new in changed.items()]
        )
        with self._lock:
            for name, new in changed.items():
                self._drop(name)
                if name not in refused:
                    self._keep(new)
        return refused

    def _keep(self, standing: Standing) -> None:
        self._drop(standing.listener_id)
        self._at_hand[standing.listener_id] = standing
        self._tracks += _OWN + len(standing.state.tracks)
        while self._tracks > MOST_TRACKS and len(self._at_hand) > 1:
            self._drop(next(iter(self._at_hand)))

    def _drop(self, name: str) -> None:
        kept = self._at_hand.pop(name, None)
        if kept is not None:
            self._tracks -= _OWN + len(kept.state.tracks)
