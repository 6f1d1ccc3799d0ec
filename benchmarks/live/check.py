"""Whether every event had its effect exactly once."""

from __future__ import annotations

from collections import Counter

from benchmarks.live.load import Load
from benchmarks.live.world import Crowd
from segue.live import listener
from segue.store import Store

_COUNTED = {"play": "plays", "complete": "completes", "skip": "skips"}


def effects(store: Store, crowd: Crowd, load: Load) -> dict[str, int]:
    """Return how many events are missing in the listeners' states, and how many were counted twice.

    Plays, completes and skips are counted by track; of likes and dislikes the last one of a track must stand.
    """
    lost = doubled = 0
    numbers = {name: number for number, name in enumerate(crowd.names)}
    for start in range(0, len(crowd.names), 1_000):
        for name, document in store.listeners.by_ids(crowd.names[start : start + 1_000]).items():
            state = listener.from_document(document.state)
            before = crowd.state(numbers[name])
            there = Counter({(track, kind): getattr(heard, field) for track, heard in state.tracks.items()
                             for kind, field in _COUNTED.items()})  # fmt: skip
            there.subtract({(track, "complete"): heard.completes for track, heard in before.tracks.items()})
            there.subtract(load.counted[name])
            lost -= sum(min(0, count) for count in there.values())
            doubled += sum(max(0, count) for count in there.values())
            for track, kind in load.said[name].items():
                opinion = state.tracks[track].opinion if track in state.tracks else None
                lost += opinion is None or opinion.kind != kind
    count = sum(each.total() for each in load.counted.values())
    print(f"{count:,} counted events: {lost} lost, {doubled} doubled")
    return {"lost": lost, "doubled": doubled}
