"""Simulated listeners have tastes; events become weights by the rules that are documented."""

import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
import pandas as pd
import pytest

from segue.dataset.base import Track
from segue.dataset.listening import Habits, interactions, simulate
from segue.errors import SegueError, UsageError
from segue.evaluation.splits import per_listener_fifth

GENRES = ("Rock", "Jazz", "Folk", "Electronic", "Classical", "Hip-Hop", "Instrumental", "International")


def catalogue(count: int = 400) -> list[Track]:
    return [
        Track(
            200_000 + i,
            artist=f"artist {i // 5}",
            artist_id=i // 5,
            genre_top=GENRES[i % 40 // 5],
            duration_s=30,
        )
        for i in range(count)
    ]


@pytest.fixture(scope="module")
def plays() -> pd.DataFrame:
    return pd.DataFrame(simulate(catalogue(), 300, seed=0))


def test_equal_arguments_give_equal_events():
    tracks = catalogue(40)
    assert simulate(tracks, 10, seed=4) == simulate(tracks, 10, seed=4)
    assert simulate(tracks, 10, seed=4) != simulate(tracks, 10, seed=5)


def test_events_have_the_fields_of_a_play_event_and_say_that_they_are_simulated():
    events = simulate(catalogue(40), 5, seed=1)
    fields = {
        "event_id", "listener_id", "session_id", "track_id", "kind", "position_s", "value", "source", "at",
        "simulated",
    }  # fmt: skip
    assert all(event.keys() == fields and event["simulated"] is True for event in events)
    assert all(UUID(event["event_id"]).version == 5 for event in events)
    assert len({event["event_id"] for event in events}) == len(events)
    assert all(event["at"].tzinfo is UTC and event["at"].microsecond % 1000 == 0 for event in events)
    assert [event["at"] for event in events] == sorted(event["at"] for event in events)
    assert {event["kind"] for event in events} == {"play", "complete", "skip", "like"}


def test_every_play_ends_complete_or_skipped_within_the_track(plays):
    counts = plays.groupby(["session_id", "track_id", "kind"]).size().unstack(fill_value=0)
    assert (counts["play"] == 1).all()
    assert (counts["complete"] + counts["skip"] == 1).all()
    assert (counts["like"] <= counts["complete"]).all()
    assert plays["position_s"].between(0, 30).all()
    assert (plays.loc[plays["kind"] == "complete", "position_s"] == 30).all()


def test_listening_spreads_over_the_weeks(plays):
    first, last = plays["at"].min(), plays["at"].max()
    assert first >= pd.Timestamp("2026-01-05", tz="UTC")
    assert timedelta(weeks=5) < last - first < timedelta(weeks=6, days=1)
    assert plays.groupby("listener_id")["session_id"].nunique().mean() == pytest.approx(6, rel=0.15)


def test_what_a_listener_chose_is_skipped_less_than_what_the_radio_brought(plays):
    ended = plays[plays["kind"].isin(["complete", "skip"])]
    skipped = ended["kind"].eq("skip").groupby(ended["source"].map(lambda source: source["list"])).mean()
    assert skipped["radio"] > skipped["taste"] + 0.2


def test_radio_plays_of_a_listener_s_own_genre_are_skipped_less_and_liked_more(plays):
    genre = {track.track_id: track.genre_top for track in catalogue()}
    plays = plays.assign(genre=plays["track_id"].map(genre), list=plays["source"].map(lambda s: s["list"]))
    own = plays[(plays["list"] == "taste") & (plays["kind"] == "play")]
    favourite = own.groupby("listener_id")["genre"].agg(lambda genres: genres.value_counts().idxmax())
    radio = plays[plays["list"] == "radio"]
    fits = radio["genre"] == radio["listener_id"].map(favourite)
    share = radio["kind"].groupby(fits).value_counts(normalize=True).unstack()
    assert share.loc[True, "skip"] < 0.6 * share.loc[False, "skip"]
    assert share.loc[True, "like"] > 2 * share.loc[False, "like"]


def test_a_few_tracks_have_many_of_the_plays(plays):
    counts = plays.loc[plays["kind"] == "play", "track_id"].value_counts().to_numpy()
    assert counts[:40].sum() / counts.sum() > 0.25


def test_tastes_can_be_learned_but_not_read_off(plays):
    train, test = per_listener_fifth(interactions(plays), seed=0)
    tracks, listeners = (np.unique(train[name]) for name in ("track_id", "listener_id"))
    played = np.zeros((len(listeners), len(tracks)))
    played[np.searchsorted(listeners, train["listener_id"]), np.searchsorted(tracks, train["track_id"])] = 1
    together = played.T @ played
    norm = np.sqrt(np.diag(together) + 5)
    similar = together / norm[:, None] / norm[None]
    np.fill_diagonal(similar, 0)
    popular = np.tile(played.sum(axis=0), (len(listeners), 1))

    def recall_at_20(scores):
        ranked = np.argsort(-np.where(played > 0, -np.inf, scores), axis=1)[:, :20]
        found = []
        for listener, own in test.groupby("listener_id"):
            row = tracks[ranked[np.searchsorted(listeners, listener)]]
            found.append(own["track_id"].isin(row).sum() / min(20, len(own)))
        return np.mean(found)

    taste, popularity = recall_at_20(played @ similar), recall_at_20(popular)
    assert taste > 1.8 * popularity
    assert taste < 0.7


def test_without_genres_tastes_go_by_artist():
    tracks = [Track(i, artist=f"artist {i // 7}") for i in range(14)]
    plays = pd.DataFrame(simulate(tracks, 60, seed=0))
    chosen = plays[plays["kind"] == "play"]
    by_artist, by_chance = (
        (part == 0).groupby(chosen["listener_id"]).mean().std()
        for part in (chosen["track_id"] // 7, chosen["track_id"] % 2)
    )
    assert by_artist > 1.5 * by_chance


def test_any_catalogue_will_do():
    assert simulate([], 10) == []
    assert simulate(catalogue(5), 0) == []
    alone = simulate([Track(7)], 3, seed=0)
    assert {event["track_id"] for event in alone} == {7}
    assert {event["position_s"] for event in alone if event["kind"] == "complete"} <= {30.0}


def test_what_cannot_be_played_is_not_played():
    tracks = catalogue(20)
    for track in tracks[:10]:
        track.status = "not_audio"
    heard = {event["track_id"] for event in simulate(tracks, 20, seed=0)}
    assert heard == {track.track_id for track in tracks[10:]}


def test_start_weeks_and_habits_are_heeded():
    start = datetime(2025, 3, 3, tzinfo=UTC)
    events = simulate(catalogue(40), 40, weeks=1, start=start, habits=Habits(sessions=2, plays=3))
    assert start <= events[0]["at"]
    assert events[-1]["at"] < start + timedelta(days=8)
    sessions = {(event["listener_id"], event["session_id"]) for event in events}
    assert len(sessions) / 40 == pytest.approx(2, rel=0.3)


def test_wrong_numbers_are_refused():
    for wrong in ({"listeners": -1}, {"seed": -1}, {"weeks": 0}, {"start": datetime(2026, 1, 1)}):
        with pytest.raises(UsageError):
            simulate(catalogue(8), **wrong)


def test_a_demo_s_listening_is_simulated_in_three_seconds_of_cpu():
    tracks = catalogue(430)
    began = time.process_time()
    simulate(tracks, 300, seed=2)
    assert time.process_time() - began < 3


def _plays(*events) -> pd.DataFrame:
    rows = [
        {"listener_id": listener, "track_id": track, "kind": kind, "value": value, "at": i}
        for i, (listener, track, kind, value) in enumerate(events)
    ]
    return pd.DataFrame(rows)


def _weights(*events) -> dict[tuple[str, int], float]:
    found = interactions(_plays(*events))
    pairs = zip(found["listener_id"], found["track_id"], strict=True)
    return dict(zip(pairs, found["weight"].astype(float).round(3), strict=True))


def test_complete_counts_more_than_an_open_play_and_a_skip_counts_against():
    complete = (("a", 1, "play", None), ("a", 1, "complete", None))
    skip = (("a", 1, "play", None), ("a", 1, "skip", None))
    assert _weights(*complete) == {("a", 1): 1.0}
    assert _weights(("a", 1, "play", None)) == {("a", 1): 0.4}
    assert _weights(*skip) == {}
    assert _weights(*complete, *complete, *skip) == {("a", 1): 1.5}
    assert _weights(("a", 1, "progress", None), ("a", 2, "impression", None)) == {}


def test_the_last_opinion_decides():
    heard = (("a", 1, "play", None), ("a", 1, "complete", None))
    assert _weights(*heard, ("a", 1, "like", None)) == {("a", 1): 3.0}
    assert _weights(*heard, ("a", 1, "like", None), ("a", 1, "dislike", None)) == {}
    assert _weights(*heard, ("a", 1, "dislike", None), ("a", 1, "clear", None)) == {("a", 1): 1.0}
    assert _weights(("a", 1, "like", None)) == {("a", 1): 2.0}
    assert _weights(*heard, ("a", 1, "rate", 5), ("b", 1, "rate", 2)) == {("a", 1): 4.0}
    assert _weights(*heard, ("a", 1, "rate", 1)) == {}


def test_interactions_have_the_columns_that_models_take(plays):
    found = interactions(plays)
    assert list(found.columns) == ["listener_id", "track_id", "weight"]
    assert (found["track_id"].dtype, found["weight"].dtype) == ("int64", "float32")
    assert (found["weight"] > 0).all()
    assert not found.duplicated(["listener_id", "track_id"]).any()
    empty = interactions(pd.DataFrame())
    assert list(empty.columns) == list(found.columns)
    assert empty.empty


def test_plays_without_a_column_are_refused():
    with pytest.raises(SegueError, match="kind"):
        interactions(pd.DataFrame({"listener_id": ["a"], "track_id": [1]}))
