import numpy as np
import pytest

from segue.errors import SegueError
from segue.live.lists import for_history, like_tracks
from segue.live.reasons import Label, Teller
from segue.models import TrainingData, create
from segue.models.rerank import RerankConfig, Reranker
from support.live_world import catalogue, fitted
from support.planted import FIRST_ID

DATA = catalogue()
MODELS = fitted(DATA) | {"random": create("random").fit(DATA)}
TELLER = Teller(
    DATA.track_ids, DATA.popularity, lambda ids: {i: Label(f"Track {i}") for i in ids}, simulated=True
)


def rules(**config: float) -> Reranker:
    return Reranker(DATA.track_ids, DATA.artist_ids, DATA.recording_ids, RerankConfig(**config))


@pytest.mark.parametrize("name", sorted(MODELS))
def test_any_model_makes_a_list_with_reasons(name):
    history = {FIRST_ID: 2.0, FIRST_ID + 8: 1.0, FIRST_ID + 3: -1.0}
    items = for_history(MODELS[name], history, 10, rules=rules(), teller=TELLER, drop=[FIRST_ID + 20])
    tracks = [item.track_id for item in items]
    assert len(set(tracks)) == 10
    # The fifth track is another copy of the first.
    assert not {*history, FIRST_ID + 20, FIRST_ID + 4} & set(tracks)
    expected = {
        "exact": "near “Track 10",
        "als": "simulated listeners of “Track 10",
        "popularity": "played by ",
        "random": "drawn by chance",
    }
    assert all(item.why.text.startswith(expected[name]) for item in items)


def test_a_list_is_full_when_one_artist_fills_the_front_of_the_ranking():
    n = 400
    rows = np.column_stack([np.linspace(1, 0, n), np.linspace(0, 1, n)]).astype(np.float32)
    artists = np.where(np.arange(n) < 300, 1, np.arange(n))
    data = TrainingData(np.arange(n), rows, artists)
    reranker = Reranker(data.track_ids, data.artist_ids, data.recording_ids, RerankConfig(pool=5))
    teller = Teller(data.track_ids, data.popularity, lambda ids: {}, simulated=False)
    items = for_history(create("exact").fit(data), {0: 1.0}, 10, rules=reranker, teller=teller)
    assert [item.track_id for item in items] == [1, 2, *range(300, 308)]


def test_tracks_like_others_say_which_they_are_near():
    items = like_tracks(MODELS["exact"], [FIRST_ID, FIRST_ID + 1], 8, rules=rules(), teller=TELLER)
    assert len(items) == 8
    for item in items:
        near = FIRST_ID + (item.track_id - FIRST_ID) % 4
        assert item.why.because_of == [near]
        assert item.why.text == f"near “Track {near}”"
    with pytest.raises(SegueError, match="none of the tracks"):
        like_tracks(MODELS["exact"], [7], 8, rules=rules(), teller=TELLER)
