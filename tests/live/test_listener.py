import random

import bson
import numpy as np
import pandas as pd
import pytest

from segue.dataset.listening import interactions
from segue.errors import SegueError
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


DAY = 86_400


def test_a_taste_halves_with_every_month_that_a_track_is_left_alone():
    state = after(event(1, "like"), event(2, "complete", 15 * DAY), event(3, "play", 30 * DAY))
    assert listener.taste(state) == {1: 1.0, 2: pytest.approx(2**-0.5), 3: pytest.approx(0.4)}
    assert list(listener.taste(apply(state, event(1, "play", 60 * DAY)))) == [2, 3, 1]
    assert listener.taste(apply(state, event(1, "play", 60 * DAY)))[1] == pytest.approx(2.4)


def test_the_newest_event_is_the_clock_whatever_the_order_of_arrival():
    told = [event(1, "like"), event(2, "like", 30 * DAY), event(3, "like", 60 * DAY)]
    expected = {1: 0.5, 2: 1.0, 3: 2.0}
    for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0)):
        assert listener.taste(after(*(told[i] for i in order))) == expected
    # A late event does not make a track older, nor an equal one newer.
    assert listener.taste(after(*told, event(3, "play", 1), event(2, "clear", 30 * DAY))) == {
        1: 0.5, 3: pytest.approx(2.4),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kinds", "weight"),
    [
        (["play", "skip"], -0.25),
        (["play", "skip", "play", "skip"], -0.5),
        (["skip"] * 9, -0.5),
        (["complete", "skip"], 0.5),
        (["like", "play", "skip"], 1.5),
        (["play", "skip", "dislike"], -1.0),
        (["skip", "skip", "complete"], None),
    ],
)
def test_a_skip_is_a_weak_dislike_and_never_a_whole_one(kinds, weight):
    state = after(*(event(7, kind, second) for second, kind in enumerate(kinds)))
    assert listener.taste(state).get(7) == weight
    month = apply(state, event(8, "play", 30 * DAY + len(kinds) - 1))
    faded = None if weight is None else weight if weight == -1 else pytest.approx(weight / 2)
    assert listener.taste(month).get(7) == faded


def in_session(name: str, track: int, kind: str, second: float) -> PlayEvent:
    return event(track, kind, second).model_copy(update={"session_id": name})


def test_a_session_is_that_of_the_newest_event_and_late_ones_do_not_bring_back_another():
    state = after(
        in_session("a", 1, "like", 0), in_session("b", 2, "complete", 10), in_session("b", 3, "skip", 11),
        in_session("a", 4, "like", 5), in_session("b", 2, "like", 10),
    )  # fmt: skip
    assert (state.session_id, state.session) == ("b", (3, 2))
    assert set(listener.taste(state)) == {1, 2, 3, 4}
    # At one and the same time the session applied last is the newest.
    assert apply(state, in_session("c", 9, "play", 11)).session == (9,)


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
    assert list(listener.from_document(document).tracks) == list(state.tracks)
    assert len(bson.encode(document)) < 40_000
    assert listener.from_document(listener.to_document(ListenerState())) == ListenerState()


FIRST_FORM = {
    "tracks": [
        {"id": 5, "plays": 2, "completes": 1},
        {"id": 6, "skips": 1, "said": "dislike", "at_ms": 1_000},
        {"id": 7, "said": "rate", "at_ms": 2_000, "value": 4},
    ],
    "recent": [6, 5],
}


def test_a_state_that_an_older_segue_stored_goes_on_working():
    state = listener.from_document(FIRST_FORM)
    assert listener.history(state) == {5: pytest.approx(1.4), 6: -1.0, 7: 2.0}
    assert (listener.heard_lately(state), listener.liked(state)) == ((6, 5), {7})
    later = apply(state, event(5, "like", 1))
    # What has no time counts in full until it is touched.
    assert listener.taste(later) == {6: -1.0, 7: 2.0, 5: pytest.approx(3.4)}
    assert listener.from_document(listener.to_document(later)) == later


@pytest.mark.parametrize(
    "change", [{"ids": b"1"}, {"at": b""}, {"said": b"\x09"}, {"form": 3}, {"recent": None}]
)
def test_a_damaged_state_is_called_so(change):
    document = listener.to_document(after(event(1, "like"))) | change
    with pytest.raises(SegueError, match="listener's state"):
        listener.from_document(document)


def test_a_state_does_not_change_under_one_who_holds_it():
    state = after(event(1, "like"))
    kept = listener.history(state)
    apply(state, event(1, "dislike", 5))
    assert listener.history(state) == kept
    assert apply(state, event(1, "progress")) is state
    with pytest.raises(TypeError):
        state.tracks[2] = state.tracks[1]
