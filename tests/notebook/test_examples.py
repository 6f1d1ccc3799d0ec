import pandas as pd
import pytest

from segue.errors import SegueError, UsageError
from segue.evaluation.held_out import HeldOut
from segue.models import create
from segue.notebook.examples import example_listeners


@pytest.fixture
def held_out(catalogue):
    return HeldOut.fifth(catalogue.training_data())


@pytest.fixture
def exact(held_out):
    model = create("exact")
    held_out.evaluate({"by sound": model})
    return model


def test_five_listeners_get_lists_with_reasons_and_their_hidden_plays_marked(catalogue, held_out, exact):
    found = example_listeners(held_out, "by sound", exact, catalogue, k=6)
    assert len(found.listeners) == 5
    assert set(found.listeners["who"]) == {"simulated listener"}
    train = held_out.train
    own = {name: set(train.track_ids[train.matrix[i].indices]) for i, name in enumerate(train.listeners)}
    whole = catalogue.training_data()
    played = {name: set(whole.track_ids[whole.matrix[i].indices]) for i, name in enumerate(whole.listeners)}
    for row in found.listeners.itertuples():
        items = found.lists[found.lists["listener_id"] == row.listener_id]
        assert items["place"].tolist() == list(range(1, len(items) + 1))
        assert not own[row.listener_id] & set(items["track_id"])
        # What was hidden is what they played and training does not hold.
        hits = [track in played[row.listener_id] - own[row.listener_id] for track in items["track_id"]]
        assert items["hit"].tolist() == hits
        assert row.found == sum(hits)
        assert row.hidden >= max(row.found, row.by_popularity)
        assert items["why"].iloc[0].startswith("near “Song ")
        assert items["why"].str.match("near “Song |a change: ").all()
        history = found.history[found.history["listener_id"] == row.listener_id]
        assert len(history) == len(own[row.listener_id])
        assert history["weight"].is_monotonic_decreasing
    sizes = [len(own[name]) for name in found.listeners["listener_id"]]
    assert sizes == sorted(sizes)
    assert found.lists["hit"].any()


def test_the_page_says_who_was_simulated_and_takes_titles_as_text(catalogue, held_out, exact):
    catalogue.tracks["title"] = "<b>" + catalogue.tracks["title"] + "</b>"
    page = example_listeners(held_out, "by sound", exact, catalogue, count=2)._repr_html_()
    assert page.count("<h4>Simulated listener ") == 2
    assert "&lt;b&gt;Song" in page
    assert "<b>" not in page
    assert "✓: a hidden play of this listener" in page
    assert "a list of the most played tracks" in page
    assert "simulated listeners" in page


def test_equal_seeds_draw_equal_listeners(catalogue, held_out, exact):
    one, two = (example_listeners(held_out, "by sound", exact, catalogue, count=3, seed=1) for _ in range(2))
    pd.testing.assert_frame_equal(one.lists, two.lists)
    many = example_listeners(held_out, "by sound", exact, catalogue, count=50)
    assert many.listeners["listener_id"].is_unique
    assert len(many.listeners) == held_out.listeners


def test_only_a_model_that_was_read_is_shown(catalogue, held_out, exact):
    with pytest.raises(SegueError, match="has not been read"):
        example_listeners(held_out, "other", exact, catalogue)
    with pytest.raises(UsageError, match="count = 0"):
        example_listeners(held_out, "by sound", exact, catalogue, count=0)
