"""A run's catalogue as simulated listeners see it, and the listeners whose history was simulated on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from segue.dataset.base import OK, Track
from segue.dataset.listening import SIMULATED, listener_name, session_id
from segue.dataset.tastes import Habits, World
from segue.errors import SegueError
from segue.live import listener
from segue.live.events import PlayEvent
from segue.live.listener import ListenerState
from segue.simulate.study import Listener
from segue.simulate.taste import Tastes

if TYPE_CHECKING:
    import pandas as pd

    from segue.pipeline.run import Run

_SAMPLE = 3


def world_of(run: Run, seed: int) -> World:
    """Return the world in which notebook 01 has simulated listeners with ``seed``: a run's usable tracks.

    Raises
    ------
    SegueError
        If notebook 01 has not run, or no track is usable.
    """
    table = run.table("tracks")
    usable = table[table["status"] == OK].sort_values("track_id")
    if usable.empty:
        raise SegueError("no track is usable: see in notebook 01 why the files were rejected")
    columns = ["track_id", "artist", "artist_id", "genre_top", "duration_s"]
    tracks = [
        Track(
            int(track_id), artist=artist if isinstance(artist, str) else "",
            artist_id=None if _lacks(artist_id) else int(artist_id),
            genre_top=genre if isinstance(genre, str) else None,
            duration_s=None if _lacks(duration_s) else float(duration_s), status=OK,
        )
        for track_id, artist, artist_id, genre, duration_s in usable[columns].itertuples(index=False)
    ]  # fmt: skip
    return World(tracks, seed, Habits())


def _lacks(value: Any) -> bool:
    return value is None or bool(np.isnan(value))


def listeners_with_history(
    world: World, plays: pd.DataFrame, count: int, seed: int, database: str
) -> list[Listener]:
    """Return simulated listeners with the state that their plays have left, by name.

    Parameters
    ----------
    world, seed
        As in `world_of`: they tell the tastes, so that seed must be that of the plays.
    plays
        Events as `segue.store.plays.PlayStore.frame` gives them, of anybody.
    count
        How many, drawn at random; all where there are fewer.
    database
        The data set's.

    Raises
    ------
    SegueError
        If none of the plays is of a simulated listener, or they were simulated with another seed.
    """
    names = plays["listener_id"].unique().tolist() if len(plays) else []
    found = {name: int(match[1]) - 1 for name in names if (match := SIMULATED.fullmatch(str(name)))}
    numbers = sorted(number for name, number in found.items() if listener_name(number) == name)
    if not numbers:
        raise SegueError("nobody here is simulated, and a hidden taste is known of simulated listeners only")
    drawn = np.random.default_rng([seed, _SAMPLE]).permutation(numbers)[:count]
    chosen = {listener_name(number): int(number) for number in sorted(drawn)}
    states = {}
    for name, events in plays[plays["listener_id"].isin(chosen.keys())].groupby("listener_id"):
        if session_id(seed, str(name), 0) not in set(events["session_id"]):
            raise SegueError(
                f"the plays of {name} were not simulated with seed {seed}: give notebooks 01 and 04 one seed"
            )
        states[str(name)] = _state(events, database)
    tastes = Tastes(world, seed)
    return [Listener(name, number, tastes.of(number), states[name]) for name, number in chosen.items()]


def _state(events: pd.DataFrame, database: str) -> ListenerState:
    import pandas as pd

    state = ListenerState()
    columns = ["event_id", "listener_id", "session_id", "track_id", "kind", "position_s", "value", "at"]
    # The store gives times in UTC without saying so.
    rows = events[columns].assign(at=pd.to_datetime(events["at"], utc=True))
    for row in rows.to_dict("records"):
        value = None if _lacks(row["value"]) else int(row["value"])
        fields = {str(name): each for name, each in row.items()} | {"value": value, "dataset": database}
        state = listener.apply(state, PlayEvent(**fields))
    return state
