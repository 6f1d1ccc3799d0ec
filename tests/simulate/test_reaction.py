"""What a simulated listener does, worked out by hand: no random number but those that are given."""

import numpy as np
import pytest

from segue.dataset.base import Track
from segue.dataset.listening import simulate
from segue.dataset.tastes import Habits, World, born
from segue.simulate.reaction import PLACES, Draws, Manner, Play, choose, draw, hear, own_mind, react
from segue.simulate.taste import SURE, Taste, Tastes

TRACKS = [Track(100 + i, artist=f"artist {i}", genre_top="liked" if i < 4 else "not") for i in range(12)]
WORLD = World(TRACKS, 0, Habits(skew=0.0))
PRECIOUS = np.array([np.log(3), np.log(0.01)], dtype=np.float32)


def taste(by_genre: np.ndarray = PRECIOUS) -> Taste:
    return Taste(WORLD, by_genre, np.zeros(12, dtype=np.float32), 0.0)


def draws(plays: int = 1, **given) -> Draws:
    """Return numbers that ignore nothing, look at everything, hear everything out and say nothing."""
    values = {
        "ignores": np.zeros(plays, dtype=bool), "goes_on": np.zeros(plays, dtype=bool),
        "end": np.ones(plays), "opinion": np.ones(plays), "looked": np.full(plays, 99),
        "begin": np.full(PLACES, 0.5), "broken": np.full(plays, 0.25),
        "mind": np.arange(12), "whim": -np.arange(12.0),
    }  # fmt: skip
    return Draws(**values | given)


def test_a_track_fits_if_it_is_heard_out_four_times_in_five():
    # 1 / (1 + exp(0.9 fit + 1.2)) = 0.2 where 0.9 fit + 1.2 = ln 4.
    edge = (np.log(4) - 1.2) / 0.9
    near = taste(np.array([edge + 0.001, edge - 0.001], dtype=np.float32))
    assert near.fits().tolist() == [True] * 4 + [False] * 8
    assert near.fits(np.array([5, 3])).tolist() == [False, True]
    assert SURE == 0.8


def test_the_taste_is_that_of_the_listener_whose_history_was_simulated():
    tracks = [
        Track(i, artist=f"artist {i % 30}", artist_id=i % 30, genre_top="abcde"[i % 5]) for i in range(150)
    ]
    world = World(tracks, 7, Habits())
    tastes = Tastes(world, 7)
    found = tastes.of(3)
    affinity = world.affinity(born(7, 3))
    assert found.affinity() == pytest.approx(affinity, abs=1e-5)
    assert found.level == pytest.approx(np.log(np.exp(affinity).mean()), abs=1e-5)
    assert tastes.share(3) == pytest.approx(found.fits().mean())
    # Of what they played, what they chose themselves fits their own taste better than another's.
    own = [e["track_id"] for e in simulate(tracks, 4, 7) if e["listener_id"] == "simulated-0004"]
    others = [tastes.of(number).fit(np.array(own)).mean() for number in (0, 1, 2)]
    assert found.fit(np.array(own)).mean() > max(others) + 1


def test_a_listener_goes_down_the_list_to_the_first_that_draws_them():
    # With fit ln 3 a track draws with 1 - 1/(1 + e^(0.9 ln 3 + 1.2)) = 0.90, with fit ln 0.01 with 0.05.
    offered, fit = [8, 9, 2, 3], np.log([0.01, 0.01, 3, 3])
    assert choose(fit, offered, [11], set(), draws(), 0) == (2, 2)
    assert choose(fit, offered, [11], {2}, draws(), 0) == (3, 3)
    assert choose(fit, offered, [11], set(), draws(begin=np.full(PLACES, 0.97)), 0) == (8, 0)
    assert choose(fit, offered, [11], set(), draws(looked=np.array([2])), 0) == (11, -1)
    assert choose(fit, offered, [11], set(), draws(looked=np.array([3])), 0) == (2, 2)


def test_a_list_that_goes_on_plays_whatever_comes_next_and_one_that_is_ignored_nothing():
    offered, fit = [8, 2], np.log([0.01, 3])
    assert choose(fit, offered, [11], set(), draws(goes_on=np.array([True])), 0) == (8, 0)
    assert choose(fit, offered, [11], {8}, draws(goes_on=np.array([True])), 0) == (2, 1)
    ignoring = draws(goes_on=np.array([True]), ignores=np.array([True]))
    assert choose(fit, offered, [11, 5], {11}, ignoring, 0) == (5, -1)
    assert choose(fit[:0], [], [11], {11}, draws(), 0) == (11, -1)


def test_what_fits_is_heard_to_the_end_and_liked_and_what_does_not_is_broken_off_and_disliked():
    # Skipped with 1/(1 + e^1.2) = 0.231 at fit 0; liked then with 0.3/(1 + e^1.5) = 0.0547.
    at = {"opinion": np.array([0.054]), "end": np.array([0.24])}
    assert hear(2, 1, 0.0, draws(**at), 0) == Play(2, 1, True, "like", 1.0)
    assert hear(2, 1, 0.0, draws(**at | {"opinion": np.array([0.055])}), 0).opinion == ""
    assert hear(2, 1, 0.0, draws(**at | {"end": np.array([0.23])}), 0) == Play(2, 1, False, "dislike", 0.25)
    assert hear(2, 1, 0.0, draws(end=np.array([0.23]), opinion=np.array([0.1])), 0).opinion == ""
    assert hear(2, 1, -3.0, draws(end=np.array([0.5])), 0).completed is False


def test_what_comes_to_mind_goes_by_taste_whim_and_novelty():
    # Each whim is 1 below the one before: 0 to 3 are liked, ln 300 = 5.7 above the others.
    heard = np.zeros(12)
    assert own_mind(taste(), draws(3), heard).tolist() == [0, 1, 2, 3, 4, 5]
    heard[0] = 5  # 5 ln 0.6 = -2.6: behind tracks 1 and 2.
    assert own_mind(taste(), draws(2), heard).tolist() == [1, 2, 0, 3]


def test_a_session_plays_nothing_twice_and_tells_where_each_came_from():
    plays = react(taste(), [8, 1, 2], np.zeros(12), draws(4))
    assert [(play.track, play.place) for play in plays] == [(1, 1), (2, 2), (0, -1), (3, -1)]


def test_the_first_places_of_a_list_are_played_most():
    rng = np.random.default_rng(5)
    flat = taste(np.zeros(2, dtype=np.float32))
    places = [
        play.place
        for _ in range(400)
        for play in react(flat, range(12), np.zeros(12), draw(rng, 12, Manner(plays=1, idle=0)))
    ]
    counts = np.bincount([place for place in places if place >= 0], minlength=PLACES)
    # At fit 0 a track draws with 0.77: half of the 70 % that take the list at all take its first.
    assert counts[0] / 400 == pytest.approx(0.7 * 0.769, abs=0.07)
    assert counts[0] > 3 * counts[1] > 3 * counts[3]
    assert places.count(-1) / 400 == pytest.approx(0.3 + 0.7 * 0.05, abs=0.07)
