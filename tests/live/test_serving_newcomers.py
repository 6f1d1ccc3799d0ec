"""Tracks that came after the models were fitted, served by their sound."""

import numpy as np
import pytest

from segue.errors import SegueError
from segue.live.listener import ListenerState, apply
from segue.live.reasons import Label
from segue.live.serving import Serving
from segue.models import create
from segue.models.rerank import RerankConfig
from support.live_world import TRACKS, catalogue, event, fitted
from support.planted import FIRST_ID

DATA = catalogue()
MODELS = fitted(DATA)
NEW = np.array([7, 1_000, 900])
"""Ids below, above and between: newcomers need no order."""
ROWS = DATA.features[[12, 13, 30]] * np.float32(1.01)
ARTISTS, RECORDINGS = np.array([70, 71, 72]), np.array([500, 501, 30])
"""The last is a copy of the track at position 30."""


def serving(rules: RerankConfig | None = None, models=MODELS) -> Serving:
    return Serving(models, lambda ids: {i: Label(f"Track {i}") for i in ids}, rules=rules or RerankConfig())


def with_newcomers(**options) -> Serving:
    serve = serving(**options)
    serve.newcomers(NEW, ROWS, ARTISTS, RECORDINGS)
    return serve


def state_of(*acts: tuple[int, str]) -> ListenerState:
    state = ListenerState()
    for second, (track, kind) in enumerate(acts):
        state = apply(state, event(track, kind, second))
    return state


def listed(serve: Serving, state: ListenerState, k: int = 10) -> list[int]:
    return [item.track_id for item in serve.recommend(state, k).items]


@pytest.mark.parametrize("diversity", [0.0, 0.3])
def test_a_newcomer_is_recommended_by_its_sound_at_once(diversity):
    serve = with_newcomers(rules=RerankConfig(diversity=diversity))
    items = serve.recommend(state_of((FIRST_ID + 12, "like")), 20).items
    first = next(item for item in items if item.track_id == 7)
    assert (first.why.kind, first.why.because_of) == ("sound", [FIRST_ID + 12])
    assert first.why.text == f"near “Track {FIRST_ID + 12}”"
    assert items.index(first) < (5 if diversity else 2)
    # Of another kind of sound.
    assert 1_000 not in [item.track_id for item in items[:5]]


def test_a_newcomer_that_is_played_has_neighbours_among_all_tracks():
    serve = with_newcomers()
    items = serve.recommend(state_of((1_000, "complete")), 5).items
    assert items[0].track_id == FIRST_ID + 13
    assert all(item.why.because_of == [1_000] for item in items)
    assert serve.recommend(state_of((1_000, "complete")), 5).model == "exact"
    # Newcomers are near each other too.
    twin = serving()
    twin.newcomers(NEW[:2], ROWS[[0, 0]], ARTISTS[:2], RECORDINGS[:2])
    assert set(listed(twin, state_of((7, "like")), 2)) == {FIRST_ID + 12, 1_000}


def test_the_rules_hold_for_newcomers():
    serve = with_newcomers()
    assert FIRST_ID + 30 not in listed(serve, state_of((900, "like")), 60)
    assert 900 not in listed(serve, state_of((FIRST_ID + 30, "like")), 60)
    assert 7 not in listed(serve, state_of((7, "dislike"), (FIRST_ID + 12, "like")), 60)
    assert 7 not in listed(serve, state_of((7, "play"), (FIRST_ID + 12, "like")), 60)
    one_artist = serving()
    one_artist.newcomers(np.arange(5), ROWS[[0] * 5], np.full(5, 70), 600 + np.arange(5))
    found = listed(one_artist, state_of((FIRST_ID + 12, "like")), 10)
    assert sum(track < 5 for track in found) == 2


def test_the_set_is_replaced_and_lists_are_again_those_without_it():
    serve, plain = with_newcomers(), serving()
    state = state_of((FIRST_ID + 12, "like"), (FIRST_ID + 31, "complete"))
    assert serve.fingerprint != plain.fingerprint
    assert serve.fingerprint == with_newcomers().fingerprint
    assert serve.recommend(state, 20) != plain.recommend(state, 20)
    told = serve.fingerprint
    serve.newcomers(NEW, ROWS[::-1], ARTISTS, RECORDINGS)
    assert serve.fingerprint != told
    serve.newcomers(NEW[:0], np.empty((0, 518)), ARTISTS[:0], RECORDINGS[:0])
    assert serve.recommend(state, 20) == plain.recommend(state, 20)
    assert serve.fingerprint == plain.fingerprint


def test_tracks_that_the_models_know_are_no_newcomers():
    serve, plain = serving(), serving()
    known = np.array(TRACKS[5:8])
    serve.newcomers(known, DATA.features[:3], np.arange(3), np.arange(3))
    assert serve.fingerprint == plain.fingerprint
    alone = serving(models={"popularity": MODELS["popularity"]})
    alone.newcomers(NEW, ROWS, ARTISTS, RECORDINGS)
    assert not set(NEW.tolist()) & set(listed(alone, ListenerState(), 63))


def test_euclidean_models_take_newcomers_as_they_are():
    model = create("exact", metric="euclidean").fit(DATA)
    serve = with_newcomers(models={"exact": model})
    assert 7 in listed(serve, state_of((FIRST_ID + 12, "like")), 2)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rows": ROWS[:, :5]}, "the features of the newcomers have shape"),
        ({"rows": ROWS * np.nan}, "not finite"),
        ({"track_ids": np.array([7, 7, 8])}, "there twice"),
        ({"artist_ids": ARTISTS[:2]}, "one artist id"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(change, said):
    serve = serving()
    given = {"track_ids": NEW, "rows": ROWS, "artist_ids": ARTISTS, "recording_ids": RECORDINGS} | change
    with pytest.raises(SegueError, match=said):
        serve.newcomers(**given)
    assert serve.fingerprint == serving().fingerprint
