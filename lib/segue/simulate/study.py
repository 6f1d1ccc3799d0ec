"""Sessions of simulated listeners with lists of four kinds: live, frozen at the start, popular, random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from segue.dataset.listening import START
from segue.errors import SegueError, UsageError
from segue.live import listener
from segue.live.events import Kind, PlayEvent
from segue.live.listener import ListenerState
from segue.live.serving import Made
from segue.models.data import positions_in
from segue.simulate.reaction import PLACES, Draws, Manner, Play, draw, react
from segue.simulate.taste import Taste

LIVE, FROZEN, POPULARITY, RANDOM = "live", "frozen", "popularity", "random"
ARMS = (LIVE, FROZEN, POPULARITY, RANDOM)
"""Lists from what the listener has done so far; from what they had done before the first session, all the
while; what most listeners play; and by chance, anew each session."""

_BEGIN, _PACE_S = START + timedelta(weeks=6), 15
_ANEW = (LIVE, RANDOM)
_ASKED = PLACES + 2
_DRAWS, _CHANCE = 2, 4


class Lists(Protocol):
    """What makes lists: `segue.live.serving.Serving`."""

    track_ids: np.ndarray

    def recommend(self, state: ListenerState, k: int) -> Made:
        """Return up to k tracks for a listener."""
        ...


@dataclass(frozen=True)
class Listener:
    """A simulated listener: id, hidden taste, and the state that their history has left."""

    name: str
    number: int
    taste: Taste
    state: ListenerState = field(default_factory=ListenerState)


def simulate_sessions(
    lists: Lists,
    popular: Lists,
    listeners: Sequence[Listener],
    sessions: int,
    seed: int,
    manner: Manner | None = None,
) -> pd.DataFrame:
    """Let listeners live through the same sessions four times, each time with lists of another kind.

    A session, one a day: the listener gets a list of `PLACES` tracks, plays some of it and some of their own,
    and what they do is folded into their state by `segue.live.listener.apply`. In all arms a listener's
    random numbers are the same, and no list holds what the listener has begun before, in history or study: a
    frozen taste is not a frozen memory, so the arms differ by what is known of the taste only.

    A hit is a track of the list that fits the hidden taste: `segue.simulate.taste.Taste.fits`, before anyone
    has heard it. Hits are used up as they are played, in every arm; ``left`` tells how many there were.

    Parameters
    ----------
    lists
        Serve the arms live and frozen.
    popular
        The same for popularity, with a model that knows nobody.
    listeners
        Of one world; at least one.
    sessions
        How many each listener has, at least 1.
    seed
        Equal arguments give equal results.
    manner
        How they take lists.

    Returns
    -------
    pandas.DataFrame
        One row an arm, listener and session: ``arm``, ``listener_id``, ``session`` (from 1), ``hit_rate``
        (hits / `PLACES`), ``left`` (share of the places that could have been hits), ``found`` (share of all
        tracks new and fitting at the start that were on a list by now), ``repeated`` (share of the places
        with a track of an earlier list), ``taken`` (plays from the list), ``completed`` (of these, heard to
        the end), ``offered`` (the list's track ids).

    Raises
    ------
    UsageError
        If there are no sessions.
    SegueError
        If there are no listeners, or a list names a track that their world has not.
    """
    if sessions < 1 or seed < 0:
        raise UsageError(f"sessions = {sessions}, seed = {seed}: give at least 1 and 0")
    if not listeners:
        raise SegueError("there is no simulated listener whose sessions could be simulated")
    world, chosen = listeners[0].taste.world, manner or Manner()
    rows = []
    # Products for one listener are small: sharing them among threads takes several times as long.
    with threadpool_limits(1):
        for one in listeners:
            lives = [_Life(one, arm, popular if arm == POPULARITY else lists, seed) for arm in ARMS]
            for session in range(1, sessions + 1):
                rng = np.random.default_rng([seed, _DRAWS, one.number, session])
                draws = draw(rng, len(world.tracks), chosen)
                rows += [life.session(session, draws) for life in lives]
    return pd.DataFrame(rows)


class _Life:
    """One listener in one arm."""

    def __init__(self, one: Listener, arm: str, lists: Lists, seed: int) -> None:
        self._one, self._arm, self._lists = one, arm, lists
        self._ids = np.array([track.track_id for track in one.taste.world.tracks])
        self._fits = one.taste.fits()
        self._heard = np.zeros(self._ids.size)
        known = positions_in(self._ids, list(one.state.tracks))
        self._heard[known[known >= 0]] = 1
        self._fresh = self._fits & (self._heard == 0)
        self._state = ListenerState() if arm == POPULARITY else one.state
        self._listed = np.zeros(self._ids.size, dtype=bool)
        self._ranked: list[int] = []
        self._acts = 0
        self._chance = np.random.default_rng([seed, _CHANCE, one.number])

    def session(self, number: int, draws: Draws) -> dict[str, Any]:
        """Live through a session and return its row."""
        offered = self._offered()
        left = self._fits & (self._heard == 0)
        hits, repeated = int(left[offered].sum()), int(self._listed[offered].sum())
        self._listed[offered] = True
        plays = react(self._one.taste, offered, self._heard, draws)
        taken = [play for play in plays if play.place >= 0]
        for play in plays:
            self._heard[play.track] += 1
        if self._arm == LIVE:
            self._fold(plays, number)
        goal = int(self._fresh.sum())
        return {
            "arm": self._arm,
            "listener_id": self._one.name,
            "session": number,
            "hit_rate": hits / PLACES,
            "left": min(PLACES, int(left.sum())) / PLACES,
            "found": int((self._listed & self._fresh).sum()) / goal if goal else 0.0,
            "repeated": repeated / PLACES,
            "taken": len(taken),
            "completed": sum(play.completed for play in taken),
            "offered": self._ids[offered].tolist(),
        }

    def _offered(self) -> list[int]:
        """Return the first `PLACES` positions of the list that the listener has not begun before."""
        depth = _ASKED
        while True:
            if self._arm in _ANEW or len(self._ranked) < depth:
                self._ranked = self._ask(depth)
            new = [track for track in self._ranked if not self._heard[track]][:PLACES]
            if len(new) == PLACES or len(self._ranked) < depth or self._arm == RANDOM:
                return new
            depth *= 2

    def _ask(self, depth: int) -> list[int]:
        if self._arm == RANDOM:
            return self._chance.permutation(self._ids.size).tolist()
        made = self._lists.recommend(self._state, depth)
        place = positions_in(self._ids, [item.track_id for item in made.items])
        if (place < 0).any():
            raise SegueError("a list names a track that is not among the run's usable ones: run it again")
        return place.tolist()

    def _fold(self, plays: Sequence[Play], session: int) -> None:
        for play in plays:
            kinds: list[Kind] = ["play", "complete" if play.completed else "skip"]
            if play.opinion:
                kinds.append(play.opinion)
            for kind in kinds:
                self._acts += 1
                event = PlayEvent(
                    event_id=UUID(int=self._acts),
                    dataset="study",
                    listener_id=self._one.name,
                    session_id=f"study-{session}",
                    track_id=int(self._ids[play.track]),
                    kind=kind,
                    at=_BEGIN + timedelta(days=session, seconds=_PACE_S * self._acts),
                    simulated=True,
                )
                self._state = listener.apply(self._state, event)
