"""Who played what: simulated listeners, and how much each kind of event says that a track was liked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import numpy as np

from segue.dataset.base import Track
from segue.dataset.tastes import Habits, World, born, like_chance, playable, skip_chance
from segue.errors import SegueError, UsageError

if TYPE_CHECKING:
    import pandas as pd

START = datetime(2026, 1, 5, tzinfo=UTC)
"""A Monday: when simulated listening begins unless told otherwise, so that equal seeds give equal events."""

COMPLETE, PLAY, SKIP, LIKE = 1.0, 0.4, -0.5, 2.0
"""What an event adds to a weight: heard to the end, begun without a known end, broken off, liked."""

SIMULATED = re.compile(r"simulated-(\d{4,9})")
"""The ids of listeners whose history is simulated, with their number from 1; live ones have other ids."""

_NAMESPACE = UUID("6f0b8f0e-54c0-5d0a-9d0b-3c7e6a1d2b48")


def simulate(
    tracks: Sequence[Track],
    listeners: int = 300,
    seed: int = 0,
    *,
    weeks: int = 6,
    start: datetime = START,
    habits: Habits | None = None,
) -> list[dict[str, Any]]:
    """Return the play events of simulated listeners, by time; every event says ``"simulated": True``.

    Each listener has a taste: genres by a Dirichlet, artists within them, a place in a style space. A session
    is a draw of different tracks by that taste and the tracks' popularity, mixed with a radio of popular
    ones. What fits the taste is heard to the end and at times liked; what does not is skipped early.
    Without genres tastes go by artist; without artists by track.

    Parameters
    ----------
    tracks
        The catalogue; tracks that cannot be played (status neither ``ok`` nor pending) are left alone.
    listeners
        How many; 0 gives no events.
    seed
        Equal arguments give equal events.
    weeks
        Over how many weeks the sessions spread.
    start
        When the first week begins, with a time zone.
    habits
        What the listeners are like.

    Returns
    -------
    list of dict
        ``event_id``, ``listener_id``, ``session_id``, ``track_id``, ``kind`` (``play``, then ``complete`` or
        ``skip``, at times ``like``), ``position_s``, ``value`` (None), ``source``, ``at`` (UTC, whole
        milliseconds), ``simulated``.

    Raises
    ------
    UsageError
        If a number is negative or ``start`` has no time zone.
    """
    if listeners < 0 or seed < 0 or weeks < 1:
        raise UsageError(f"listeners = {listeners}, seed = {seed}, weeks = {weeks}: give at least 0, 0 and 1")
    if start.tzinfo is None:
        raise UsageError(f"start = {start} has no time zone: give one, such as datetime.UTC")
    usable = playable(tracks)
    if not usable or not listeners:
        return []
    world = World(usable, seed, habits or Habits())
    events: list[dict[str, Any]] = []
    for number in range(listeners):
        events += _life(world, number, seed, weeks, start.astimezone(UTC))
    events.sort(key=lambda event: (event["at"], event["event_id"]))
    return events


def listener_name(number: int) -> str:
    """Return the id of simulated listener ``number``, from 0."""
    return f"simulated-{number + 1:04d}"


def session_id(seed: int, listener: str, session: int) -> str:
    """Return the id of a simulated listener's session, from 0: each seed has its own."""
    return str(uuid5(_NAMESPACE, f"{seed}/{listener}/{session}"))


def _life(world: World, number: int, seed: int, weeks: int, start: datetime) -> list[dict[str, Any]]:
    """Return all events of one listener."""
    rng = born(seed, number)
    habits = world.habits
    affinity = world.affinity(rng)
    fit = affinity - np.log(np.mean(np.exp(affinity)))
    explore = habits.explore * rng.uniform(0.3, 1.7)
    heard = np.zeros(len(world.tracks))
    sessions = 1 + rng.poisson(rng.gamma(2.0, max(habits.sessions - 1, 0) / 2.0))
    evening = rng.normal(19.0, 2.5)
    days = np.sort(rng.choice(7 * weeks, sessions, p=_day_weights(weeks)))
    name = listener_name(number)
    events: list[dict[str, Any]] = []
    for session, day in enumerate(days):
        hour = float(np.clip(rng.normal(evening, 1.5), 0.0, 23.5))
        at = start + timedelta(days=int(day), hours=hour, minutes=2 * session)
        length = min(1 + int(rng.poisson(max(habits.plays - 1, 0))), len(world.tracks))
        wish = affinity + world.log_appeal + heard * np.log(habits.novelty)
        chosen = _playlist(rng, wish, world.log_appeal, length, explore)
        writer = _Writer(seed, name, session, at)
        for track, radio in chosen:
            writer.play(rng, world, track, float(fit[track]), radio=radio)
            heard[track] += 1
        events += writer.events
    return events


def _day_weights(weeks: int) -> np.ndarray:
    week = np.array([1.0, 1.0, 1.0, 1.1, 1.4, 1.6, 1.3])
    return np.tile(week, weeks) / (week.sum() * weeks)


def _playlist(
    rng: np.random.Generator, wish: np.ndarray, appeal: np.ndarray, length: int, explore: float
) -> list[tuple[int, bool]]:
    """Return ``length`` different tracks and whether the radio brought each.

    Drawing without replacement by weight is taking the highest of log weight plus Gumbel noise.
    """
    by_taste = np.argsort(-(wish + rng.gumbel(size=wish.size)))[:length]
    by_radio = np.argsort(-(appeal + rng.gumbel(size=wish.size)))[: 2 * length]
    chosen: dict[int, bool] = {}
    spare = iter(by_radio.tolist())
    for track in by_taste.tolist():
        other = next(spare, track) if rng.random() < explore else track
        if other in chosen:
            other = track
        if other not in chosen:
            chosen[other] = other != track
    return list(chosen.items())


class _Writer:
    """Writes the events of one session, one after the other in time."""

    def __init__(self, seed: int, listener: str, session: int, at: datetime) -> None:
        self._name = f"{seed}/{listener}/{session}"
        self._listener = listener
        self._session = session_id(seed, listener, session)
        self._at = at
        self.events: list[dict[str, Any]] = []

    def play(self, rng: np.random.Generator, world: World, track: int, fit: float, *, radio: bool) -> None:
        """Play a track: to the end, or to where a listener whom it fits by ``fit`` breaks off."""
        length_s = float(world.length_s[track])
        track_id = world.tracks[track].track_id
        source = {"list": "radio" if radio else "taste"}
        self._add("play", track_id, 0.0, source)
        if rng.random() < skip_chance(fit):
            position = length_s * float(rng.beta(1.3, 4.0))
            self._wait(position)
            self._add("skip", track_id, position, source)
        else:
            self._wait(length_s)
            self._add("complete", track_id, length_s, source)
            if rng.random() < like_chance(fit):
                self._add("like", track_id, length_s, source)
        self._wait(1.0 + float(rng.exponential(4.0)))

    def _wait(self, seconds: float) -> None:
        self._at += timedelta(milliseconds=max(1, round(1000 * seconds)))

    def _add(self, kind: str, track_id: int, position_s: float, source: dict[str, str]) -> None:
        self.events.append(
            {
                "event_id": str(uuid5(_NAMESPACE, f"{self._name}/{len(self.events)}/{track_id}")),
                "listener_id": self._listener,
                "session_id": self._session,
                "track_id": track_id,
                "kind": kind,
                "position_s": round(position_s, 3),
                "value": None,
                "source": source,
                "at": self._at.replace(microsecond=self._at.microsecond // 1000 * 1000),
                "simulated": True,
            }
        )


def interactions(plays: pd.DataFrame) -> pd.DataFrame:
    """Return how much each listener liked each track that they liked at all.

    The weight of a listener and a track is the sum over their events:

    - ``complete`` adds `COMPLETE`; a ``play`` that neither ``complete`` nor ``skip`` followed adds `PLAY`;
    - ``skip`` takes 0.5 away (`SKIP`);
    - the last of ``like``, ``dislike``, ``clear`` and ``rate`` decides: ``like`` adds `LIKE`, a rating of 3,
      4 or 5 adds 1, 2 or 3; ``dislike``, or a rating of 1 or 2, takes the pair out; ``clear`` adds nothing;
    - ``progress`` and ``impression`` say nothing.

    Pairs with nothing above zero are left out.

    Parameters
    ----------
    plays
        Events as `segue.store.plays.PlayStore.frame` gives them: ``listener_id``, ``track_id``, ``kind``, and
        ``value`` and ``at`` where there are ratings and changed minds.

    Returns
    -------
    pandas.DataFrame
        ``listener_id`` (str), ``track_id`` (int64), ``weight`` (float32, above 0), by listener and track.

    Raises
    ------
    SegueError
        If a column is missing.
    """
    import pandas as pd

    columns = ["listener_id", "track_id"]
    if plays.empty:
        empty = {"listener_id": "str", "track_id": "int64", "weight": "float32"}
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in empty.items()})
    absent = [name for name in (*columns, "kind") if name not in plays]
    if absent:
        raise SegueError(f"the plays lack the column(s) {', '.join(absent)}; found {list(plays.columns)}")
    counts = plays.groupby([*columns, "kind"]).size().unstack(fill_value=0)
    counts = counts.reindex(columns=["play", "complete", "skip"], fill_value=0)
    open_plays = (counts["play"] - counts["complete"] - counts["skip"]).clip(lower=0)
    weight = COMPLETE * counts["complete"] + PLAY * open_plays + SKIP * counts["skip"]
    weight = weight.add(_opinions(plays).reindex(weight.index, fill_value=0.0))
    kept = weight[weight > 0].astype("float32").rename("weight").reset_index()
    return kept.astype({"listener_id": str, "track_id": "int64"})


def _opinions(plays: pd.DataFrame) -> pd.Series[float]:
    """Return what the last like, dislike, clear or rating of each pair adds; minus infinity for a dislike."""
    columns = ["listener_id", "track_id"]
    spoken = plays[plays["kind"].isin(["like", "dislike", "clear", "rate"])]
    if "at" in spoken:
        spoken = spoken.sort_values("at", kind="stable")
    last = spoken.drop_duplicates(columns, keep="last").set_index(columns)
    adds = last["kind"].map({"like": LIKE, "dislike": -np.inf, "clear": 0.0, "rate": 0.0}).astype("float64")
    rated = last["kind"] == "rate"
    if rated.any():
        stars = last.loc[rated, "value"].astype("float64")
        adds[rated] = np.where(stars >= 3, stars - 2, -np.inf)
    return adds
