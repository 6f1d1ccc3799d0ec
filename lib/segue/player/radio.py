"""Radio: what goes on from some tracks and away from others, over the neighbours that the cards name."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

LATELY = 20
"""Tracks that are not played again while so many others were played since."""

_MODELS = ("exact", "als")
_LEAST_STEPS, _MOST_STEPS = 2, 8
_FADES = 0.5
_WIDTH, _LEAST_WIDTH = 240, 8
_SAID, _DONE = 1.0, 0.5
_PER_ARTIST, _WINDOW = 2, 10

Near = Callable[[Iterable[int]], Mapping[int, Mapping[str, Sequence[int]]]]
"""Returns for each track that there is its neighbours by model, the nearest first."""


@dataclass(frozen=True)
class Station:
    """What a radio is tuned to.

    ``plus`` and ``minus`` were chosen; ``likes`` and ``skips`` were said of what it played, and count half.
    ``heard`` is what it has played, the newest at the end.
    """

    plus: tuple[int, ...]
    minus: tuple[int, ...] = ()
    likes: tuple[int, ...] = ()
    skips: tuple[int, ...] = ()
    heard: tuple[int, ...] = ()

    @property
    def weights(self) -> dict[int, float]:
        """Return by track how far it goes toward it, or away from it (below 0); what was chosen wins."""
        done = dict.fromkeys(self.likes, _DONE) | dict.fromkeys(self.skips, -_DONE)
        return done | dict.fromkeys(self.plus, _SAID) | dict.fromkeys(self.minus, -_SAID)


@dataclass(frozen=True)
class Candidate:
    """A track that may play: how much nearer to the plus side it is, and near which track of it most."""

    track_id: int
    score: float
    because_of: int


def rank(station: Station, near: Near, wanted: int, barred: Iterable[int] = ()) -> list[Candidate]:
    """Return the tracks that the plus side reaches, best first.

    Each seed sends out a mass of 1, which goes from a track to its neighbours, half as much in each further
    step: a truncated personalised PageRank (Page, Brin, Motwani and Winograd 1998). A track's score is what
    reaches it from the plus side, less what reaches it from the minus side, each seed by its weight. Among a
    track's n neighbours by a model the one at place p = 1, 2, ... gets the share
    (1 / p) / (1 + 1 / 2 + ... + 1 / n); models share equally.

    The neighbours of a minus are left out unless they are nearer to a plus: its first step brings them no
    less than that of the plus side does. What lies further off is never barred, so that a radio goes on.

    Parameters
    ----------
    station
        Its seeds are left out, what it has ``heard`` is not.
    near
        Asked once a step for all tracks that are to be left.
    wanted
        It goes as many steps as it needs, two at least and eight at most, to find so many that are nearer to
        the plus side, and neither heard nor barred.
    barred
        Tracks that do not count for that; they are left out.
    """
    weights = station.weights
    out = set(weights).union(barred)
    width = max(_LEAST_WIDTH, _WIDTH // max(1, len(weights)))
    at: dict[int, dict[int, float]] = {seed: {seed: 1.0} for seed in weights}
    reached: dict[int, dict[int, float]] = {seed: defaultdict(float) for seed in weights}
    known: dict[int, Mapping[str, Sequence[int]]] = {}
    found: list[Candidate] = []
    heard = frozenset(station.heard)
    for step in range(_MOST_STEPS):
        leaving = {seed: _strongest(masses, width) for seed, masses in at.items()}
        asked = set(chain.from_iterable(leaving.values())) - known.keys()
        known.update(near(asked) if asked else {})
        at = {seed: _spread(masses, known) for seed, masses in leaving.items()}
        for seed, masses in at.items():
            for track, mass in masses.items():
                reached[seed][track] += mass * _FADES**step
        if step == 0:
            out |= _near_minus(station, reached)
        found = [each for each in _weighed(weights, reached) if each.track_id not in out]
        fresh = sum(each.score > 0 and each.track_id not in heard for each in found)
        if step + 1 >= _LEAST_STEPS and fresh >= wanted:
            break
    return found


def choose(
    ranked: Sequence[Candidate],
    k: int,
    *,
    heard: Sequence[int],
    barred: Iterable[int],
    artists: Mapping[int, str],
    recordings: Mapping[int, int | str],
    lately: int = LATELY,
) -> list[Candidate]:
    """Return up to k of ``ranked``, none of them barred or a copy of what is barred, heard lately or chosen.

    What the station has not played comes before what it played longer ago than ``lately`` tracks. Of one
    artist there are two at most among any ten in a row, those counted that were heard last; tracks without an
    artist are not counted. Where nothing but tracks of such artists is left, those follow that had the least
    of the ten: a radio over the albums of one artist goes on.

    Parameters
    ----------
    lately
        How many of the tracks heard last are not chosen.
    artists, recordings
        By track id; equal recordings are copies of one, a track that is not named is a recording of its own.
    """
    taken = {_recording(track, recordings) for track in chain(barred, heard[-lately:] if lately else ())}
    before = {_recording(track, recordings) for track in heard}
    line = [_name(track, artists) for track in heard[-_WINDOW + 1 :]]
    rest = sorted(ranked, key=lambda each: _recording(each.track_id, recordings) in before)
    chosen: list[Candidate] = []
    while len(chosen) < k:
        free = [each for each in rest if _recording(each.track_id, recordings) not in taken]
        if not free:
            break
        often = Counter(name for name in line[-_WINDOW + 1 :] if name)
        each = min(free, key=lambda one: max(_PER_ARTIST - 1, often[_name(one.track_id, artists)]))
        chosen.append(each)
        taken.add(_recording(each.track_id, recordings))
        line.append(_name(each.track_id, artists))
    return chosen


def _name(track_id: int, artists: Mapping[int, str]) -> str:
    """Return an artist's name however it is cased; of a track without an artist an empty one."""
    return artists.get(track_id, "").casefold()


def _strongest(masses: Mapping[int, float], width: int) -> dict[int, float]:
    best = sorted(masses, key=lambda track: (-masses[track], track))[:width]
    return {track: masses[track] for track in best}


def _spread(
    masses: Mapping[int, float], known: Mapping[int, Mapping[str, Sequence[int]]]
) -> dict[int, float]:
    """Return what stands where after each track has given its mass to its neighbours."""
    given: dict[int, float] = defaultdict(float)
    for track, mass in masses.items():
        lists = [near for model in _MODELS if (near := known.get(track, {}).get(model))]
        for near in lists:
            whole = sum(1 / place for place in range(1, len(near) + 1))
            for place, other in enumerate(near, 1):
                given[other] += mass / len(lists) / place / whole
    return given


def _near_minus(station: Station, reached: Mapping[int, Mapping[int, float]]) -> set[int]:
    """Return the tracks that stand no nearer to the plus side than to the minus side, one step from it."""
    plus, minus = (defaultdict[int, float](float) for _ in range(2))
    for seed, masses in reached.items():
        side = minus if seed in station.minus else plus if seed in station.plus else {}
        for track, mass in masses.items():
            side[track] = side.get(track, 0.0) + mass
    return {track for track, mass in minus.items() if mass >= plus[track]}


def _weighed(weights: Mapping[int, float], reached: Mapping[int, Mapping[int, float]]) -> list[Candidate]:
    scores: dict[int, float] = defaultdict(float)
    best: dict[int, tuple[float, int]] = {}
    for seed, weight in weights.items():
        for track, mass in reached[seed].items():
            scores[track] += weight * mass
            if weight > 0:
                best[track] = max(best.get(track, (0.0, seed)), (weight * mass, seed))
    found = [Candidate(track, scores[track], because) for track, (_, because) in best.items()]
    return sorted(found, key=lambda each: (-each.score, each.track_id))


def _recording(track_id: int, recordings: Mapping[int, int | str]) -> tuple[bool, int | str]:
    """Return what a track and its copies have in common."""
    own = recordings.get(track_id)
    return (False, track_id) if own is None else (True, own)
