"""What may pass from a page to its kernel: small, well-formed messages, not too many."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from segue.live.events import Malformed
from segue.player.messages import MAX_BYTES, Message, read

RATE, BURST = 20.0, 100
"""Messages a second that a page may send for long, and how many at once."""


class TokenBucket:
    """Lets ``burst`` pass at once and ``rate`` a second for long.

    Parameters
    ----------
    clock
        Gives seconds that never go back.
    """

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._tokens, self._at = float(burst), clock()

    def take(self) -> bool:
        """Tell whether one more may pass now."""
        at = self._clock()
        self._tokens = min(self._burst, self._tokens + (at - self._at) * self._rate)
        self._at = at
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Gate:
    """Admits one page's messages.

    Attributes
    ----------
    dropped
        How many messages were not admitted, by reason.
    """

    def __init__(self) -> None:
        self.dropped: Counter[str] = Counter()
        self._bucket = TokenBucket(RATE, BURST)

    def admit(self, content: Any, buffers: Any = None) -> Message | None:
        """Return the message, or None for what is none of ours; it is counted and nothing else."""
        message, why = self._check(content, buffers)
        if message is None:
            self.dropped[why] += 1
        return message

    def _check(self, content: Any, buffers: Any) -> tuple[Message | None, str]:
        if not self._bucket.take():
            return None, "too many"
        if buffers or _size(content) > MAX_BYTES:
            return None, "too large"
        try:
            return read(content), ""
        except Malformed:
            return None, "malformed"


def _size(content: Any) -> int:
    """Return the bytes of a message as JSON; more than any limit for what is none."""
    try:
        return len(json.dumps(content))
    except (TypeError, ValueError, RecursionError):
        return MAX_BYTES + 1
