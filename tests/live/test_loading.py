"""What makes a worker load its models again."""

import pytest

from segue.live.listener import ListenerState, apply
from segue.live.loading import Models
from segue.pipeline.run import SERVING
from support.live_world import TRACKS, World

pytestmark = pytest.mark.slow


def test_another_serving_model_is_taken_up_and_a_damaged_choice_is_not(world: World, caplog):
    models = Models(world.settings, world.run, world.store, world.store.database, follow=True)
    state = apply(ListenerState(), world.event("l", TRACKS[12]))
    models.refresh()
    first = models.serving
    assert first.recommend(state, 10).model == "exact+als"
    models.refresh()
    assert models.serving is first
    world.run.choose_serving("popularity", {})
    models.refresh()
    chosen = models.serving
    assert chosen.recommend(state, 10).model == "exact"
    assert chosen.fingerprint != first.fingerprint
    (world.run.path / SERVING).write_text("{")
    models.refresh()
    models.refresh()
    assert models.serving is chosen
    assert caplog.text.count("is not taken up") == 1
    (world.run.path / SERVING).unlink()
    models.refresh()
    assert models.serving.recommend(state, 10) == first.recommend(state, 10)
    assert models.serving.fingerprint == first.fingerprint
