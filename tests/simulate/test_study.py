"""Sessions of simulated listeners: arms that share all luck, and a planted taste that live lists find."""

import numpy as np
import pandas as pd
import pytest

from segue.dataset.base import Track
from segue.dataset.listening import simulate
from segue.dataset.tastes import Habits, World
from segue.errors import SegueError, UsageError
from segue.live.serving import Serving
from segue.notebook import findings
from segue.notebook.attempt import NotShown
from segue.notebook.reactions import Reactions
from segue.plots import sessions as picture
from segue.simulate.reaction import PLACES
from segue.simulate.study import ARMS, FROZEN, LIVE, POPULARITY, Listener, simulate_sessions
from segue.simulate.summary import by_arm, by_session, live_against_others
from segue.simulate.taste import Taste, Tastes
from segue.simulate.world import listeners_with_history, world_of
from support.live_world import SIZE, TRACKS, catalogue, fitted

DATA = catalogue()
MODELS = fitted(DATA)
SERVING = Serving(MODELS, lambda ids: {}, simulated=True)
POPULAR = Serving({"popularity": MODELS["popularity"]}, lambda ids: {}, simulated=True)
WORLD = World(
    [Track(track, artist=f"artist {i % 20}", genre_top=f"kind {i % 4}") for i, track in enumerate(TRACKS)],
    0,
    Habits(),
)


def planted(number: int) -> Listener:
    """Return a new listener who likes one of the four kinds of sound, and no other."""
    by_genre = np.full(4, -4, dtype=np.float32)
    by_genre[number % 4] = 2.0
    likes = Taste(WORLD, by_genre, np.zeros(WORLD.artists, dtype=np.float32), 0.0)
    return Listener(f"simulated-{number:04d}", number, likes)


LISTENERS = [planted(number) for number in range(12)]


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return simulate_sessions(SERVING, POPULAR, LISTENERS, 5, seed=0)


def test_live_lists_find_a_planted_taste_and_frozen_ones_do_not(table):
    apart = live_against_others(table)
    assert list(apart["figure"]) == ["hit_rate"] * 3 + ["found"] * 3
    assert (apart["a"] == LIVE).all()
    assert (apart["low"] > 0.05).all()
    assert (apart["p_holm"] < 0.01).all()
    first = table[table["session"] == 1].pivot(index="listener_id", columns="arm", values="hit_rate")
    assert (first[LIVE] == first[FROZEN]).all()


def test_all_arms_share_listeners_and_luck():
    # Lists that do not listen: whatever is folded in, live and frozen must be one and the same life.
    table = simulate_sessions(POPULAR, POPULAR, LISTENERS, 4, seed=3)
    arms = {
        arm: own.drop(columns="arm").reset_index(drop=True) for arm, own in table.groupby("arm", sort=False)
    }
    pd.testing.assert_frame_equal(arms[LIVE], arms[FROZEN])
    pd.testing.assert_frame_equal(arms[LIVE], arms[POPULARITY])
    apart = live_against_others(table).set_index(["b", "figure"])
    assert (apart.loc[FROZEN, "p"] == 1).all()


def test_equal_seeds_give_equal_sessions(table):
    again = simulate_sessions(SERVING, POPULAR, LISTENERS[:3], 5, seed=0)
    same = table[table["listener_id"].isin(again["listener_id"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(again, same)
    other = simulate_sessions(SERVING, POPULAR, LISTENERS[:3], 5, seed=1)
    assert not again["taken"].equals(other["taken"])


def test_a_list_holds_nothing_twice_and_hits_are_counted_by_the_hidden_taste(table):
    kind = dict(zip(DATA.track_ids.tolist(), np.arange(SIZE) % 4, strict=True))
    for row in table[table["session"] == 1].to_dict("records"):
        fitting = sum(kind[track] == int(row["listener_id"][-4:]) % 4 for track in row["offered"])
        assert len(set(row["offered"])) == PLACES
        assert row["hit_rate"] == fitting / PLACES
        assert row["left"] == 1
        assert row["found"] == fitting / 15


def test_used_up_tracks_leave_every_arm():
    table = simulate_sessions(SERVING, POPULAR, LISTENERS[:2], 40, seed=0)
    ends = table[table["session"] == 40]
    assert (ends["hit_rate"] <= ends["left"]).all()
    assert (table.groupby(["arm", "listener_id"])["left"].diff().fillna(0) <= 0).all()
    assert (table.groupby(["arm", "listener_id"])["found"].diff().fillna(0) >= 0).all()
    assert ends["offered"].map(len).min() < PLACES


def test_summaries_have_a_row_an_arm_with_its_interval(table):
    arms = by_arm(table, SIZE).set_index("model")
    assert tuple(arms.index) == ARMS
    own = table[table["arm"] == LIVE]
    assert arms.loc[LIVE, "hit_rate"] == pytest.approx(own["hit_rate"].mean())
    assert arms.loc[LIVE, "hit_rate_low"] < arms.loc[LIVE, "hit_rate"] < arms.loc[LIVE, "hit_rate_high"]
    assert arms.loc[LIVE, "completed"] == own["completed"].sum() / own["taken"].sum()
    assert arms.loc[LIVE, "coverage"] == len({t for offered in own["offered"] for t in offered}) / SIZE
    curves = by_session(table)
    assert len(curves) == len(ARMS) * 5
    drawn = picture(curves, "simulated listeners")
    assert drawn.get_supxlabel() == "simulated listeners"
    assert drawn.get_suptitle().startswith("After 5 sessions live lists have brought simulated listeners")
    assert {line.get_label() for line in drawn.axes[1].lines} == {
        "live",
        "frozen at the start",
        "popularity",
        "random",
    }


def test_the_findings_say_what_was_simulated(table):
    none = NotShown("x")
    reactions = Reactions(by_session(table), by_arm(table, SIZE), live_against_others(table))
    said = findings.of_evaluation(none, none, none, none, none, none, reactions).data.splitlines()[-2]
    live = table.loc[table["arm"] == LIVE, "hit_rate"].mean()
    assert said.startswith(f"- Over 5 sessions of simulated listeners, {live:.3f} of the places of **live**")
    assert "tests the machinery, not people" in said
    lacking = findings.of_evaluation(none, none, none, none, none, none, NotShown("nobody is simulated")).data
    assert "not measured, as nobody is simulated" in lacking


class RunOf:
    """A run of which only the table of tracks is there."""

    def __init__(self, tracks: list[Track]) -> None:
        self.frame = pd.DataFrame([track.to_document() for track in tracks]).rename(
            columns={"_id": "track_id"}
        )

    def table(self, name: str) -> pd.DataFrame:
        assert name == "tracks"
        return self.frame


def test_listeners_have_the_taste_and_the_state_of_their_simulated_history():
    tracks = [
        Track(i, artist=f"a {i % 9}", artist_id=i % 9 or None, genre_top="xyz"[i % 3]) for i in range(40)
    ]
    for track in tracks:
        track.status = "ok"
    plays = pd.DataFrame(simulate(tracks, 6, seed=5))
    # The store gives times in UTC without saying so.
    plays["at"] = plays["at"].dt.tz_localize(None)
    world = world_of(RunOf([*tracks, Track(99, artist="nobody", status="missing")]), 5)
    chosen = listeners_with_history(world, plays, 4, 5, "d")
    assert len(chosen) == 4
    # Of two sessions on one day the later may have begun first.
    assert len(listeners_with_history(world, plays[::-1], 99, 5, "d")) == 6
    assert [one.name for one in chosen] == sorted(one.name for one in chosen)
    tastes = Tastes(World(tracks, 5, Habits()), 5)
    for one in chosen:
        own = plays[plays["listener_id"] == one.name]
        assert set(one.state.tracks) == set(own["track_id"])
        assert (
            sum(heard.completes for heard in one.state.tracks.values()) == (own["kind"] == "complete").sum()
        )
        assert one.taste.affinity() == pytest.approx(tastes.of(one.number).affinity())
    with pytest.raises(SegueError, match="not simulated with seed 6"):
        listeners_with_history(world, plays, 4, 6, "d")
    with pytest.raises(SegueError, match="nobody here is simulated"):
        listeners_with_history(world, plays.assign(listener_id="somebody"), 4, 5, "d")


def test_wrong_numbers_are_refused():
    with pytest.raises(UsageError, match="sessions = 0"):
        simulate_sessions(SERVING, POPULAR, LISTENERS, 0, seed=0)
    with pytest.raises(SegueError, match="no simulated listener"):
        simulate_sessions(SERVING, POPULAR, [], 1, seed=0)
    small = World(WORLD.tracks[:5], 0, Habits())
    with pytest.raises(SegueError, match="names a track"):
        simulate_sessions(SERVING, POPULAR, [Listener("a", 0, Tastes(small, 0).of(0))], 1, seed=0)
