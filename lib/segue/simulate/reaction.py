"""What a simulated listener does with a list: pure functions of a taste, the list and random numbers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from segue.dataset.tastes import like_chance, skip_chance
from segue.simulate.taste import Taste

PLACES = 10
"""Places of a list that are looked at, at most."""

_DISLIKES = 0.1
_KNOWN = 1_000


@dataclass(frozen=True)
class Manner:
    """How simulated listeners take lists.

    Attributes
    ----------
    plays
        Mean number of plays a session, at least 1.
    wilful
        Share of plays for which the list is ignored, 0 to 1.
    idle
        Share of the other plays for which the list just goes on, whatever comes next, 0 to 1.
    patience
        Chance that a listener who has looked at a place looks at the next, below 1: the position bias.
    """

    plays: float = 5.0
    wilful: float = 0.3
    idle: float = 0.5
    patience: float = 0.85


@dataclass(frozen=True, slots=True)
class Draws:
    """All that is random in a session of p plays: whatever is offered, equal draws are equal luck.

    Attributes
    ----------
    ignores
        bool[p]: whether the list is ignored for a play.
    goes_on
        bool[p]: whether the list, when it is not ignored, plays on by itself.
    end, opinion
        float[p], 0 to 1: whether a play is heard to the end, whether the listener then says what they think.
    looked
        int64[p]: how many places of the list are looked at for each play, from 1.
    begin
        float[`PLACES`], 0 to 1: whether what stands at a place is begun once it is looked at.
    broken
        float[p], 0 to 1: where in the track it would be broken off.
    mind
        int64[m]: the tracks that may come to the listener's own mind.
    whim
        float[m]: Gumbel noise on the liking for each of them.
    """

    ignores: np.ndarray
    goes_on: np.ndarray
    end: np.ndarray
    opinion: np.ndarray
    looked: np.ndarray
    begin: np.ndarray
    broken: np.ndarray
    mind: np.ndarray
    whim: np.ndarray

    @property
    def plays(self) -> int:
        """Return the number of plays."""
        return self.end.size


def draw(rng: np.random.Generator, tracks: int, manner: Manner) -> Draws:
    """Return the random numbers of one session on a catalogue of so many tracks, the same for equal ``rng``.

    Of a catalogue beyond 1,000 tracks as many come to mind, others each time.
    """
    plays = 1 + int(rng.poisson(max(manner.plays - 1, 0)))
    mind = np.arange(tracks) if tracks <= _KNOWN else np.unique(rng.integers(tracks, size=_KNOWN))
    return Draws(
        ignores=rng.random(plays) < manner.wilful,
        goes_on=rng.random(plays) < manner.idle,
        end=rng.random(plays),
        opinion=rng.random(plays),
        looked=rng.geometric(1 - manner.patience, plays),
        begin=rng.random(PLACES),
        broken=rng.beta(1.3, 4.0, plays),
        mind=mind,
        whim=rng.gumbel(size=mind.size),
    )


@dataclass(frozen=True, slots=True)
class Play:
    """A track that was begun.

    ``place`` is where in the list it stood, from 0, -1 for one from the listener's own mind; ``completed``
    whether it was heard to the end; ``opinion`` what was said of it; ``share`` how much of it was heard.
    """

    track: int
    place: int
    completed: bool
    opinion: Literal["", "like", "dislike"]
    share: float


def own_mind(taste: Taste, draws: Draws, heard: np.ndarray) -> np.ndarray:
    """Return int64[at most 2 p]: what the listener would play unasked, the dearest first.

    Drawn as in `segue.dataset.listening.simulate`: by taste, popularity, and how often it was heard.

    Parameters
    ----------
    heard
        float[n]: how often each track was begun before.
    """
    world, mind = taste.world, draws.mind
    wish = taste.affinity(mind) + world.log_appeal[mind] + heard[mind] * np.log(world.habits.novelty)
    wish += draws.whim
    count = min(2 * draws.plays, wish.size)
    first = np.argpartition(-wish, count - 1)[:count]
    return mind[first[np.argsort(-wish[first], kind="stable")]]


def choose(
    fit: np.ndarray, offered: Sequence[int], own: Sequence[int], played: Collection[int], draws: Draws, i: int
) -> tuple[int, int]:
    """Return the track of play i and its place in the list, -1 for one from the listener's own mind.

    The list goes on with its next track by itself, or the listener goes down it, `Draws.looked` places, and
    begins the first track that draws them: with the chance that they would hear it to the end. Whoever finds
    none, or ignores the list, plays what comes to mind. A track is begun once a session, unless there is no
    other.

    Parameters
    ----------
    fit
        float[o]: how the offered tracks fit.
    offered, own
        Positions of tracks, the foremost first; of ``offered`` only `PLACES` are looked at.
    played
        What was begun in this session.
    """
    if not draws.ignores[i]:
        looked = PLACES if draws.goes_on[i] else min(PLACES, int(draws.looked[i]))
        for place, track in enumerate(offered[:looked]):
            drawn = draws.goes_on[i] or draws.begin[place] >= skip_chance(float(fit[place]))
            if drawn and track not in played:
                return track, place
    return next((track for track in own if track not in played), own[0]), -1


def hear(track: int, place: int, fit: float, draws: Draws, i: int) -> Play:
    """Return what becomes of play i: the more a track fits, the likelier it is heard out, and liked."""
    completed = bool(draws.end[i] >= skip_chance(fit))
    opinion: Literal["", "like", "dislike"] = ""
    if completed and draws.opinion[i] < like_chance(fit):
        opinion = "like"
    elif not completed and draws.opinion[i] < _DISLIKES:
        opinion = "dislike"
    return Play(track, place, completed, opinion, 1.0 if completed else float(draws.broken[i]))


def react(taste: Taste, offered: Sequence[int], heard: np.ndarray, draws: Draws) -> list[Play]:
    """Return what a listener does in a session with one list.

    Parameters
    ----------
    offered
        Positions of the tracks of the list, the foremost first; it may be empty.
    heard
        float[n]: how often each track was begun before the session.
    """
    seen = offered[:PLACES]
    fit = taste.fit(np.array(seen, dtype=np.int64))
    own = own_mind(taste, draws, heard).tolist()
    plays: list[Play] = []
    played: set[int] = set()
    for i in range(draws.plays):
        track, place = choose(fit, seen, own, played, draws, i)
        fits = float(fit[place]) if place >= 0 else float(taste.fit(np.array([track]))[0])
        plays.append(hear(track, place, fits, draws, i))
        played.add(track)
    return plays
