"""What a live simulation came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """What became of all acts.

    ``sent`` were handed to Kafka; ``acknowledged`` it has; ``failed`` it has not taken; ``missed`` were not
    begun, as this process or Kafka was too slow. ``answered`` have a list that knows of them, impressions
    apart, which cause none; ``list_ms`` from when an act was due until that list was read; ``ack_ms`` until
    Kafka had the event, the share that is not the worker's; ``late_ms`` until the act began, the driver's.
    ``hits`` are shares of the first ten places: see `segue.simulate.crowd.Hits`.
    """

    dataset: str
    listeners: int
    acted: int
    rate: float
    seconds: float
    sent: int
    acknowledged: int
    failed: int
    missed: int
    lists: int
    answered: int
    unanswered: int
    list_ms: dict[str, float | None]
    ack_ms: dict[str, float | None]
    late_ms: dict[str, float | None]
    looked_at: int
    hits: dict[str, float | None]

    def to_json(self) -> dict[str, Any]:
        """Return everything, and that it was simulated."""
        achieved = round(self.sent / max(self.seconds, 1e-3), 2)
        return {"simulated": True, **vars(self), "events_per_s": achieved}
