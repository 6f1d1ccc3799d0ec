"""What becomes of a batch of records: first the states, then the lists, then what nobody waits for."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from uuid import UUID, uuid5

from segue.live import intake
from segue.live.activity import Activity
from segue.live.broker import Record
from segue.live.deletions import Deletions
from segue.live.events import Recommendation, now
from segue.live.ledger import Entry, Ledger, Written
from segue.live.loading import Models
from segue.live.outbox import Outbox, Sent
from segue.live.owed import Due, Owed
from segue.live.serving import Made, Serving
from segue.live.standing import Line, Received, Standing
from segue.live.standings import Standings
from segue.models.data import positions_in
from segue.services.topics import RECOMMENDATIONS, REJECTED
from segue.store import Store

LISTS_S = 0.05
"""Seconds that lists may take before the next records are read: states come first."""

HERE_MS = 30_000
"""Milliseconds since a message was sent in which its listener counts as being here."""

_AT_ONCE, _ON_THEIR_WAY = 16, 4
_LOOKED_THROUGH = 256
_TRACKS_KNOWN = 100_000
_NAMESPACE = UUID("d1f9a3a2-6a0e-5c0c-8f0a-1f6f3d0b7c55")


class Processing:
    """Gives records their effect.

    Events of a listener are applied in the order of their offsets; one conditional update of the listener's
    document holds the state, the offset and the event ids. The offset from which a partition goes on is
    written later, when the plays are stored, the lists published and none is owed for an earlier event.
    Whatever dies in between, the same events come again and change nothing twice.

    Parameters
    ----------
    store
        Where states, plays and lists go.
    database
        Only events of this ``dataset`` have an effect.
    log
        Name of the topic of plays as it was made.
    outbox
        For lists and for what is refused.
    models
        What lists are made with; asked anew for each few lists.
    activity
        Is told what was done.
    length
        Tracks in a list.
    deletions
        Whose events have no effect any more.
    """

    def __init__(
        self,
        store: Store,
        database: str,
        log: str,
        outbox: Outbox,
        models: Models,
        activity: Activity,
        length: int,
        deletions: Deletions,
    ) -> None:
        self._store, self._database, self._log = store, database, log
        self._deletions = deletions
        self._outbox, self._models, self._activity, self._length = outbox, models, activity, length
        self._owed, self._read = Owed(), dict[int, int]()
        self._written: deque[Written] = deque()
        self._ledger = Ledger(store, log, self._written.append)
        self._standings = Standings(store, self._settle)
        self._tracks: set[int] = set()
        self._publisher = ThreadPoolExecutor(1, "segue-publisher")
        self._publishing: list[Future[list[Sent]]] = []
        self._writer = ThreadPoolExecutor(1, "segue-states")

    @property
    def owes(self) -> bool:
        """Tell whether lists are owed."""
        return len(self._owed) > 0

    def turn(self, records: Mapping[int, Sequence[Record]]) -> None:
        """Give every record of some partitions its effect on a state, and make lists for a while.

        Raises
        ------
        KafkaError, PyMongoError
            If one of the two is away: then `restart`, and read the records again.
        """
        began = time.monotonic()
        found = intake.sort(
            (record for batch in records.values() for record in batch),
            self._database,
            self._unknown,
            self._deletions.ids,
        )
        sent = [self._refuse(record, reason) for record, reason in found.refused]
        published: list[Future[list[Sent]]] = []
        for wave in _waves(self._log, found.active):
            proposed = self._standings.propose(wave)
            writing = self._writer.submit(self._standings.take, proposed)
            # Lists are made while the store writes: what was owed before, else ahead for those of the wave.
            published += self._make_lists(until=writing.done)
            first = [] if self.owes else itertools.islice(proposed.changed.items(), _AT_ONCE)
            ahead = self._made(dict(first))
            refused = writing.result()
            for name, (line, received) in wave.items():
                due = Due(line.partition, received[0].offset, found.sent_ms[name])
                self._owed.add(name, due, here=due.sent_ms > time.time() * 1000 - HERE_MS)
            if ready := {name: one for name, one in ahead.items() if name not in refused}:
                published.append(self._publish(self._paid(ready)))
        self._read |= {partition: batch[-1].offset + 1 for partition, batch in records.items()}
        deadline = time.monotonic() + LISTS_S
        published += self._make_lists(until=lambda: time.monotonic() > deadline)
        self._ledger.put(Entry(found.events, sent, published, self._owed.resume(self._read)))
        if records:
            self._activity.batch(sum(map(len, records.values())), time.monotonic() - began)

    def written(self) -> dict[int, int]:
        """Return the offsets that were written since the last call, by partition.

        Raises
        ------
        KafkaError, PyMongoError
            As `turn` does, for what was left to be written.
        """
        self._ledger.check()
        offsets: dict[int, int] = {}
        while self._written:
            new, events = self._written.popleft()
            offsets |= new
            self._activity.events(events)
        return offsets

    def restart(self) -> None:
        """Forget everything that is not in the store: records are read again from the offsets there."""
        self.settle_lists()
        self._ledger.close()
        self._ledger = Ledger(self._store, self._log, self._written.append)
        self.keep_to(set())

    def remove_deleted(self) -> None:
        """Remove all of listeners who have deleted their accounts; raises PyMongoError as `turn` does.

        What is not in the store yet is forgotten, as by `restart`, and read again without their events.
        """
        self.restart()
        self._deletions.remove()

    def keep_to(self, partitions: Collection[int]) -> None:
        """Forget where we are in all other partitions, as some have come or gone."""
        self._owed.keep_to(partitions)
        self._read = {part: offset for part, offset in self._read.items() if part in partitions}
        self._standings.clear()

    def settle_lists(self) -> None:
        """Wait until no list is on its way: what comes after is newer. Errors are the ledger's to tell."""
        wait(self._publishing)
        self._publishing = []

    def finish(self) -> None:
        """Write what is left to be written; raises as `written` does."""
        self._ledger.settle()
        self.written()

    def close(self) -> None:
        """End the threads that write."""
        self._writer.shutdown()
        self._publisher.shutdown()
        self._ledger.close()

    def _settle(self) -> None:
        self._ledger.settle()

    # Lists ---------------------------------------------------------------------------------------------

    def _make_lists(self, until: Callable[[], bool]) -> list[Future[list[Sent]]]:
        """Make lists that are owed, a few at a time, until told; return what is being published."""
        published: list[Future[list[Sent]]] = []
        names = self._owed.next(_LOOKED_THROUGH)
        for start in range(0, len(names), _AT_ONCE):
            asked = names[start : start + _AT_ONCE]
            standings = self._standings.of(asked)
            for name in set(asked).difference(standings):
                self._owed.pay(name)
            published.append(self._publish(self._paid(self._made(standings))))
            if until():
                break
        return published

    def _made(self, standings: Mapping[str, Standing]) -> dict[str, tuple[str, bytes]]:
        """Return for each listener the list's model and its message."""
        if not standings:
            return {}
        serving = self._models.serving
        made = serving.recommend_each([standing.state for standing in standings.values()], self._length)
        return {
            name: (one.model, self._message(standing, serving, one))
            for (name, standing), one in zip(standings.items(), made, strict=True)
        }

    def _paid(self, made: Mapping[str, tuple[str, bytes]]) -> dict[str, tuple[str, bytes, Due]]:
        """Return lists with what was due, and owe them no more."""
        return {name: (*one, self._owed.pay(name)) for name, one in made.items()}

    def _publish(self, lists: Mapping[str, tuple[str, bytes, Due]]) -> Future[list[Sent]]:
        """Publish lists behind those before them; wait while many are on their way."""
        self._publishing = [each for each in self._publishing if not each.done()]
        if len(self._publishing) >= _ON_THEIR_WAY:
            self._publishing[0].result()
        self._publishing.append(self._publisher.submit(self._write_lists, lists))
        return self._publishing[-1]

    def _write_lists(self, lists: Mapping[str, tuple[str, bytes, Due]]) -> list[Sent]:
        """Write lists where the player reads, then send them to the players that listen."""
        if not lists:
            return []
        self._store.recommendations.put({name: content for name, (_, content, _) in lists.items()})
        sent = [
            self._outbox.send(RECOMMENDATIONS, name.encode(), content)
            for name, (_, content, _) in lists.items()
        ]
        published_ms = time.time() * 1000
        for model, _, due in lists.values():
            self._activity.listed(model, (published_ms - due.sent_ms) / 1000)
        return sent

    def _message(self, standing: Standing, serving: Serving, made: Made) -> bytes:
        """Return the message of a list; equal standings and models give an equal list of the same id."""
        name = "/".join((self._database, standing.listener_id, *map(str, standing.place)))
        return Recommendation(
            items=[],
            recommendation_id=uuid5(_NAMESPACE, f"{name}/{serving.fingerprint}"),
            dataset=self._database,
            listener_id=standing.listener_id,
            made_at=now(),
            model=made.model,
            caused_by=None if standing.caused_by is None else UUID(standing.caused_by),
        ).to_bytes_with(made.told)

    # Records that are no event -------------------------------------------------------------------------

    def _refuse(self, record: Record, reason: str) -> Sent:
        self._activity.rejected(reason)
        place = f"{record.partition}:{record.offset}".encode()
        return self._outbox.send(REJECTED, place, intake.rejection(record, reason))

    def _unknown(self, track_ids: Iterable[int]) -> set[int]:
        """Return those that neither the models nor the store know: a track may be newer than the models."""
        asked = sorted(track_ids)
        places = positions_in(self._models.serving.track_ids, asked)
        rest = {track for track, place in zip(asked, places, strict=True) if place < 0} - self._tracks
        if rest:
            there = self._store.tracks.there(rest)
            if len(self._tracks) + len(there) > _TRACKS_KNOWN:
                self._tracks.clear()
            self._tracks |= there
            rest -= there
        return rest


def _waves(
    log: str, active: Mapping[int, Mapping[str, Sequence[Received]]]
) -> list[dict[str, tuple[Line, Sequence[Received]]]]:
    """Return the lines of each listener so that none is twice in a wave; more than one is a rare thing."""
    waves: list[dict[str, tuple[Line, Sequence[Received]]]] = []
    for partition, listeners in active.items():
        for name, received in listeners.items():
            wave = next((wave for wave in waves if name not in wave), None)
            if wave is None:
                waves.append(wave := {})
            wave[name] = (Line(log, partition), received)
    return waves
