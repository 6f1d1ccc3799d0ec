"""Listeners for a collection that has none: simulated, stored, and called so."""

from __future__ import annotations

from collections.abc import Sequence

from IPython.display import Markdown

from segue.dataset.base import OK, Track
from segue.dataset.listening import SIMULATED, simulate
from segue.store import Store


def simulate_plays(store: Store, tracks: Sequence[Track], listeners: int, seed: int) -> Markdown:
    """Store simulated plays in place of those stored here before, unless real people have played.

    What simulated listeners did live, on the lists they were given, stays.

    Parameters
    ----------
    tracks
        The catalogue; only usable tracks are played.
    listeners
        How many to simulate; 0 for none.
    seed
        The same tracks and seed give the same plays.
    """
    # Who has only looked at the lists of simulated listeners is no reason to keep them.
    if real := store.plays.count_real(passive=False):
        simulated = store.plays.count() - store.plays.count_real()
        beside = f", beside {simulated:,} of **simulated** ones from before" if simulated else ""
        return Markdown(f"{real:,} events of real listeners are stored{beside}: nobody new is simulated.")
    store.plays.delete_simulated(SIMULATED)
    events = simulate([track for track in tracks if track.status == OK], listeners, seed)
    if not events:
        return Markdown("Nobody is simulated: no track is usable, or no listeners are wanted.")
    store.plays.upsert(events)
    return Markdown(
        f"{len(events):,} events of {listeners:,} **simulated** listeners are stored. They follow a rule "
        "that we wrote: they test the machinery and say nothing about people."
    )
