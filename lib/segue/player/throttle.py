"""Slow down who guesses: the more failures, the longer the wait, at whichever server they come."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from segue.live.events import now
from segue.store.attempts import Attempts, AttemptStore

_FORGET = timedelta(hours=1)
_KEYS_AT_MOST = 50_000
_TRIES = 10
_BUSY_S = 1.0


@dataclass(frozen=True, slots=True)
class Limit:
    """After ``free`` failures each costs a wait that doubles up to ``longest_s`` seconds."""

    kind: str
    free: int
    longest_s: float = 60.0

    def wait_s(self, failures: int) -> float:
        """Return the seconds between the last of so many failures and the next attempt.

        >>> [Limit("name", free=2, longest_s=10).wait_s(failures) for failures in (0, 2, 3, 4, 5, 6, 7, 99)]
        [0.0, 0.0, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
        """
        beyond = failures - self.free
        return min(self.longest_s, 2.0 ** min(beyond - 1, 30)) if beyond > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Count:
    """What an attempt is counted under: a name, an address, a browser."""

    limit: Limit
    who: str

    @property
    def key(self) -> str:
        """Return what no count of another kind is kept under."""
        return f"{self.limit.kind}/{self.who}"


class Throttle:
    """Counts failures in the store; its methods block, and may be called from several threads and servers.

    Every attempt counts as failed from its beginning, so that many at once gain nothing. After an hour
    without one the failures of a key are forgotten.

    Raises
    ------
    StoreAway
        From every method, when the store does not answer.
    """

    def __init__(self, store: AttemptStore, clock: Callable[[], datetime] = now) -> None:
        self._store = store
        self._clock = clock

    def begin(self, counts: Sequence[Count]) -> float:
        """Count an attempt as failed under each, and return 0; or count none, and return the seconds to wait.

        It reads once, and writes once for each count unless others count at the same moment.
        """
        for _ in range(_TRIES):
            seen, at = self._store.seen([count.key for count in counts]), self._clock()
            wait_s = max(_wait_s(count.limit, seen.get(count.key), at) for count in counts)
            if wait_s or self._noted(counts, seen, at):
                return wait_s
        return _BUSY_S

    def take_back(self, counts: Sequence[Count]) -> None:
        """Uncount one attempt that did not fail."""
        for count in counts:
            self._store.take_back(count.key)

    def forget(self, count: Count) -> None:
        """Forget all failures."""
        self._store.forget(count.key)

    def tidy(self) -> None:
        """Remove what is forgotten, and what is too much."""
        self._store.tidy(self._clock() - _FORGET, _KEYS_AT_MOST)

    def _noted(self, counts: Sequence[Count], seen: dict[str, Attempts], at: datetime) -> bool:
        """Count under each, or under none when another attempt was counted since it was read."""
        for place, count in enumerate(counts):
            before = seen.get(count.key)
            failures = before.failures if before and at - before.last <= _FORGET else 0
            if not self._store.note(count.key, before, Attempts(failures + 1, at)):
                self.take_back(counts[:place])
                return False
        return True


def _wait_s(limit: Limit, seen: Attempts | None, at: datetime) -> float:
    """Return the seconds that are left to wait; never more than the whole, whatever another clock says."""
    if seen is None or at - seen.last > _FORGET:
        return 0.0
    whole = limit.wait_s(seen.failures)
    return min(whole, max(0.0, whole - (at - seen.last).total_seconds()))


def place(address: str) -> str:
    """Return what an address is counted as: of IPv6 the network, as one household has 2^64 addresses or more.

    >>> place("192.0.2.1"), place("2001:db8::1"), place("::ffff:192.0.2.1")
    ('192.0.2.1', '2001:db8::/64', '192.0.2.1')
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if found.version == 4:
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found.packed[:8] + bytes(8), 64)))
