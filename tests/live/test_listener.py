import random

import bson
import numpy as np
import pandas as pd
import pytest

from segue.dataset.listening import interactions
from segue.live import listener
from segue.live.events import PlayEvent
from segue.live.listener import ListenerState, apply
from support.live_world import event

KINDS = ("play", "progress", "complete", "skip", "like", "dislike", "clear", "rate", "impression")


def after(*events: PlayEvent) -> ListenerState:
    state = ListenerState()
    for each in events:
        state = apply(state, each)
    return state


@pytest.mark.parametrize(
    ("kinds", "weight"),
    [
        (["play"], 0.4),
        (["play", "complete"], 1.0),
        (["play", "complete", "like"], 3.0),
        (["play", "complete", "play"], 1.4),
        (["play", "complete", "play", "skip"], 0.5),
        (["like"], 2.0),
        (["like", "clear", "play"], 0.4),
        (["play", "complete", "dislike"], -1.0),
        (["dislike", "like"], 2.0),
        (["like", "dislike"], -1.0),
    ],
)
def test_the_weight_of_a_track(kinds, weight):
    state = after(*(event(7, kind, second) for second, kind in enumerate(kinds)))
    assert listener.history(state) == {7: pytest.approx(weight)}


@pytest.mark.parametrize("kinds", [["skip"], ["play", "skip"], ["clear"], ["progress"], ["impression"], []])
def test_what_says_nothing_good_and_no_dislike_is_not_in_the_history(kinds):
    assert listener.history(after(*(event(7, kind, n) for n, kind in enumerate(kinds)))) == {}


@pytest.mark.parametrize(("stars", "weight"), [(1, -1.0), (2, -1.0), (3, 1.0), (4, 2.0), (5, 3.0)])
def test_the_weight_of_a_rating(stars, weight):
    state = after(event(7, "rate", value=stars))
    assert listener.history(state) == {7: weight}
    assert listener.liked(state) == (frozenset({7}) if stars >= 3 else frozenset())
    assert listener.disliked(state) == (frozenset() if stars >= 3 else frozenset({7}))


def test_an_opinion_that_arrives_late_does_not_undo_a_newer_one():
    state = after(event(7, "dislike", 20), event(7, "like", 10))
    assert listener.disliked(state) == {7}
    assert listener.liked(after(event(7, "dislike", 20), event(7, "like", 20))) == {7}


@pytest.mark.parametrize("seed", range(4))
def test_the_weights_are_those_that_the_models_learn_from(seed):
    """Half of the times coincide, so that the order of equal ones is tested too."""
    choice = random.Random(seed)
    events = [
        event(
            choice.randrange(40), kind, choice.randrange(200) / 1000,
            choice.randint(1, 5) if kind == "rate" else None, number,
        )
        for number, kind in enumerate(choice.choices(KINDS, k=600))
    ]  # fmt: skip
    learned = interactions(pd.DataFrame([each.to_document() for each in events]))
    expected = dict(zip(learned["track_id"], learned["weight"], strict=True))
    state = after(*events)
    weights = listener.history(state)
    assert {track: np.float32(w) for track, w in weights.items() if w > 0} == expected
    assert {track for track, w in weights.items() if w <= 0} == listener.disliked(state)
    assert len(expected) > 5
    assert listener.disliked(state)


def test_the_tracks_heard_last_are_kept_once_each_in_their_order():
    state = after(
        *(event(track, "play", track) for track in (1, 2, 3)), event(1, "skip", 9), event(4, "like")
    )
    assert listener.heard_lately(state) == (2, 3, 1)
    assert listener.heard_lately(state, 2) == (3, 1)
    assert listener.heard_lately(state, 0) == ()
    many = after(*(event(track, "play", track) for track in range(80)))
    assert listener.heard_lately(many) == tuple(range(30, 80))


def test_seeds_are_the_newest_tracks_that_are_not_disliked():
    state = after(
        event(1, "like"), event(2, "play"), event(3, "dislike"), event(4, "like"), event(1, "play", 9)
    )
    assert listener.seeds(state, 2) == {4: 2.0, 1: pytest.approx(2.4)}


def test_beyond_the_cap_dislikes_are_kept_longest_and_plain_plays_go_first():
    state = after(event(0, "dislike"), event(1, "like"), event(2, "play"), event(3, "play"))
    for track in range(10, 10 + listener.MAX_TRACKS - 2):
        state = apply(state, event(track, "like"))
    assert len(state.tracks) == listener.MAX_TRACKS
    assert {0, 1} <= set(state.tracks)
    assert not {2, 3} & set(state.tracks)
    state = apply(state, event(5_000, "like"))
    assert 0 in state.tracks
    assert 1 not in state.tracks


def test_a_full_state_comes_back_from_its_document_and_stays_small():
    state = after(
        *(event(2**53 - 1 - n, KINDS[n % 9], n, 5 if KINDS[n % 9] == "rate" else None) for n in range(900)),
        *(event(2**53 - 2_000 - n, "rate", n, 4) for n in range(listener.MAX_TRACKS)),
    )
    document = bson.decode(bson.encode(listener.to_document(state)))
    assert listener.from_document(document) == state
    assert len(bson.encode(document)) < 120_000


def test_a_state_does_not_change_under_one_who_holds_it():
    state = after(event(1, "like"))
    kept = listener.history(state)
    apply(state, event(1, "dislike", 5))
    assert listener.history(state) == kept
    assert apply(state, event(1, "progress")) is state
    with pytest.raises(TypeError):
        state.tracks[2] = state.tracks[1]
