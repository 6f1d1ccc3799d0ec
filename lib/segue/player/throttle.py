"""Slow down who guesses: the more failures, the longer the wait."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_REMEMBERED = 20_000
_FORGET_S = 3_600.0


@dataclass(slots=True)
class _Record:
    failures: int = 0
    free_at: float = 0.0
    last: float = 0.0


class Throttle:
    """Counts failures by key; after ``free`` of them each costs a wait that doubles up to ``longest_s``.

    Every attempt counts as failed from its beginning, so that many at once gain nothing.
    """

    def __init__(
        self, free: int, longest_s: float = 60.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._free = free
        self._longest_s = longest_s
        self._clock = clock
        self._records: OrderedDict[str, _Record] = OrderedDict()

    def wait_s(self, key: str) -> float:
        """Return the seconds until a key may try again, 0 for now."""
        record = self._records.get(key)
        return max(0.0, record.free_at - self._clock()) if record else 0.0

    def begin(self, key: str) -> None:
        """Count an attempt as failed."""
        now = self._clock()
        record = self._records.setdefault(key, _Record())
        if now - record.last > _FORGET_S:
            record.failures = 0
        record.failures += 1
        record.last = now
        beyond = record.failures - self._free
        if beyond > 0:
            record.free_at = now + min(self._longest_s, 2.0 ** min(beyond - 1, 30))
        self._records.move_to_end(key)
        while len(self._records) > _REMEMBERED:
            self._records.popitem(last=False)

    def take_back(self, key: str) -> None:
        """Uncount one attempt that did not fail."""
        record = self._records.get(key)
        if record:
            record.failures = max(0, record.failures - 1)
            if record.failures <= self._free:
                record.free_at = 0.0

    def forget(self, key: str) -> None:
        """Forget a key's failures."""
        self._records.pop(key, None)


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


def longest_wait_s(pairs: Sequence[tuple[Throttle, str]]) -> float:
    """Return the longest of the waits that several counts impose."""
    return max(throttle.wait_s(key) for throttle, key in pairs)
