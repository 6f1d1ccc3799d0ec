"""Listeners of planted tastes who play one track after the other, as events with times."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from support.planted import FIRST_ID

NOON = datetime(2026, 3, 1, 12)
SIZE, LISTENERS = 80, 60


def events(rows) -> pd.DataFrame:
    """Return events of (event_id, listener_id, track_id, kind, minute after `NOON`) rows."""
    columns = ["event_id", "listener_id", "track_id", "kind", "minute"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(at=[NOON + timedelta(minutes=m) for m in frame.pop("minute")], simulated=False)


def habits(plays: int = 18) -> pd.DataFrame:
    """Sixty listeners play 18 tracks each, nearly all of one of four kinds, one after the other."""
    draw = np.random.default_rng(5)
    rows = []
    for u in range(LISTENERS):
        odds = np.where(np.arange(SIZE) % 4 == u % 4, 30.0, 1.0)
        for place, i in enumerate(draw.choice(SIZE, size=plays, replace=False, p=odds / odds.sum())):
            rows.append((f"{u}-{place}", f"l{u:02d}", FIRST_ID + int(i), "complete", 100 * place + u))
    return events(sorted(rows, key=lambda row: row[-1]))


EVENTS = habits()
OLD = EVENTS[EVENTS["at"] < NOON + timedelta(minutes=900)]
"""The first half of each listener's plays."""
