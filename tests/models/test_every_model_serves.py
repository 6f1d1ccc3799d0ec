"""What a listener does shows at once, whichever model ranks by what others play."""

import pytest

from segue.live.listener import ListenerState, apply
from segue.live.serving import POPULARITY, SOUND, Serving
from segue.models import MODELS, Basis, Capability
from support.live_world import event
from support.planted import FIRST_ID, taste

DATA = taste()
OFFERED = 15


def served(names):
    slow = {name for name in names if "pyspark" in MODELS[name].libraries}
    return [pytest.param(n, marks=pytest.mark.slow) if n in slow else n for n in sorted(names)]


CAN = {name for name, model in MODELS.items() if Capability.RECOMMEND in model.can}
WITH_TASTE = {name for name in CAN if MODELS[name].basis not in (Basis.POPULARITY, Basis.CHANCE)}
every_model = pytest.mark.parametrize("name", served(CAN))
every_model_with_taste = pytest.mark.parametrize("name", served(WITH_TASTE))


def after(*acts: tuple[int, str]) -> ListenerState:
    state = ListenerState()
    for second, (track, kind) in enumerate(acts):
        state = apply(state, event(FIRST_ID + track, kind, second))
    return state


def listed(serving: Serving, state: ListenerState) -> list[int]:
    return [item.track_id - FIRST_ID for item in serving.recommend(state, OFFERED).items]


def of_kind(places: list[int], kind: int) -> int:
    """Count the tracks of a kind of sound (position modulo 4), which is also what is played together."""
    return sum(place % 4 == kind for place in places)


PLAYED = [(0, "complete"), (4, "complete"), (8, "complete")]
LIKED = [(2, "like"), (6, "like"), (10, "like")]


@every_model
def test_a_like_of_three_tracks_of_a_kind_brings_that_kind_and_a_dislike_takes_the_track_away(fit, name):
    """Measured: how many of the first 15 are of the kind, before three likes of it and after them."""
    models = {SOUND: fit(SOUND, DATA), POPULARITY: fit(POPULARITY, DATA), name: fit(name, DATA)}
    serving = Serving(models, lambda ids: {}, others=name)
    before = listed(serving, after(*PLAYED))
    liked = listed(serving, after(*PLAYED, *LIKED))
    assert of_kind(liked, 2) >= of_kind(before, 2) + 3
    gone = liked[0]
    later = [*PLAYED, *LIKED, (gone, "dislike")]
    for act in [(2, "play"), (14, "like"), (gone, "play"), (18, "complete")]:
        assert gone not in listed(serving, after(*later))
        later.append(act)
    everything = serving.recommend(after(*later), DATA.size).items
    assert FIRST_ID + gone not in {item.track_id for item in everything}


@every_model_with_taste
def test_the_model_alone_moves_towards_what_was_liked(fit, name):
    serving = Serving({name: fit(name, DATA)}, lambda ids: {}, others=name)
    before, liked = (listed(serving, after(*acts)) for acts in (PLAYED, [*PLAYED, *LIKED]))
    assert of_kind(liked, 2) > of_kind(before, 2)
