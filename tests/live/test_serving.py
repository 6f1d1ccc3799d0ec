import random
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from segue.errors import SegueError
from segue.live import listener, loading
from segue.live.listener import ListenerState, apply
from segue.live.loading import _version, make
from segue.live.reasons import Label
from segue.live.serving import Serving
from segue.models import Capability, TrainingData, create
from segue.models.als import ALS
from segue.models.exact import Exact
from segue.models.rerank import RerankConfig
from segue.pipeline.run import Run
from support.live_world import SIZE, TRACKS, cards, catalogue, event, fitted
from support.planted import FIRST_ID, blobs

DATA = catalogue()
MODELS = fitted(DATA)
LABELS = {card.track_id: Label(card.title, card.print) for card in cards(DATA)}
ARTIST = dict(zip(DATA.track_ids.tolist(), DATA.artist_ids.tolist(), strict=True))
RECORDING = dict(zip(DATA.track_ids.tolist(), DATA.recording_ids.tolist(), strict=True))
SETS = [
    ("exact", "als", "popularity"),
    ("exact", "popularity"),
    ("exact",),
    ("als", "popularity"),
    ("popularity",),
]


def serving(*names: str, simulated: bool = False) -> Serving:
    chosen = {name: MODELS[name] for name in names or MODELS}
    return Serving(chosen, lambda ids: LABELS, simulated=simulated)


def state_of(*kinds: tuple[int, str]) -> ListenerState:
    state = ListenerState()
    for second, (track, kind) in enumerate(kinds):
        state = apply(state, event(FIRST_ID + track, kind, second))
    return state


def random_state(seed: int) -> ListenerState:
    choice = random.Random(seed)
    kinds = choice.choices(
        ["play", "complete", "skip", "like", "dislike", "clear"], k=choice.randrange(1, 60)
    )
    tracks = [*TRACKS, 3, 10**9]
    state = ListenerState()
    for second, kind in enumerate(kinds):
        state = apply(state, event(choice.choice(tracks), kind, second))
    return state


@pytest.mark.parametrize("names", SETS)
def test_the_promises_hold_for_any_state_and_any_models(names):
    serve = serving(*names)
    for seed in range(60):
        state = random_state(seed)
        items = serve.recommend(state, 20).items
        tracks = [item.track_id for item in items]
        assert set(tracks) <= set(TRACKS)
        barred = (
            listener.disliked(state) | listener.liked(state) | set(listener.heard_lately(state, SIZE // 3))
        )
        assert not barred & set(tracks)
        assert not {RECORDING.get(track) for track in barred} & {RECORDING[track] for track in tracks}
        assert len({RECORDING[track] for track in tracks}) == len(tracks)
        for start in range(len(tracks) - 9):
            assert max(Counter(ARTIST[track] for track in tracks[start : start + 10]).values()) <= 2
        assert all(
            item.why.text and set(item.why.because_of) <= set(listener.history(state)) for item in items
        )
        assert serve.recommend(state, 20).items == items


@pytest.mark.parametrize("names", SETS[:4])
def test_each_like_changes_the_list_and_is_named_by_it(names):
    """The four kinds of sound are far apart, and a like of each in turn brings its own kind up."""
    serve = serving(*names)
    state = ListenerState()
    before = serve.recommend(state, 10).items
    for second, track in enumerate((12, 13, 14, 15, 16, 17)):
        liked = FIRST_ID + track
        state = apply(state, event(liked, "like", second))
        items = serve.recommend(state, 10).items
        assert [item.track_id for item in items] != [item.track_id for item in before]
        named = [item for item in items if liked in item.why.because_of]
        assert named
        assert any(f"“Track {liked}”" in item.why.text for item in named)
        if "exact" in names:
            alike = [item for item in items if (item.track_id - liked) % 4 == 0]
            assert len(alike) >= len([item for item in before if (item.track_id - liked) % 4 == 0])
            first = next(item for item in items if item.why.kind == "sound")
            assert (first.why.because_of, first.track_id % 4) == ([liked], liked % 4)
        before = items


def test_a_play_changes_the_list_too():
    serve = serving()
    before = state_of((12, "like"), (16, "complete"))
    after = apply(before, event(FIRST_ID + 30, "play", 99))
    items = serve.recommend(after, 10).items
    assert items != serve.recommend(before, 10).items
    assert any(FIRST_ID + 30 in item.why.because_of for item in items)


def test_a_dislike_takes_the_track_away_at_once():
    serve = serving()
    state = state_of((12, "like"))
    first = serve.recommend(state, 10).items[0].track_id
    disliked = apply(state, event(first, "dislike", 9))
    assert first not in [item.track_id for item in serve.recommend(disliked, SIZE).items]


def test_which_models_made_a_list_is_said():
    liked = state_of((12, "like"))
    assert serving().recommend(liked, 5).model == "exact+als"
    assert serving("exact", "popularity").recommend(liked, 5).model == "exact"
    assert serving("popularity").recommend(liked, 5).model == "popularity"
    assert serving().recommend(ListenerState(), 5).model == "popularity"
    assert serving().recommend(state_of((12, "dislike")), 5).model == "popularity"


def test_a_new_listener_gets_popular_tracks_of_every_kind():
    items = serving(simulated=True).recommend(ListenerState(), 8).items
    listeners = np.bincount(DATA.matrix.indices, minlength=SIZE)
    assert {item.why.kind for item in items} == {"popular"}
    assert {item.track_id % 4 for item in items} == {0, 1, 2, 3}
    for item in items:
        count = listeners[item.track_id - FIRST_ID]
        assert item.why.text == f"played by {count} simulated listeners here"
        assert count >= np.median(listeners)


@pytest.mark.parametrize("track", [12, 13, 14, 15])
def test_after_one_play_a_list_is_theirs(track):
    items = serving().recommend(state_of((track, "play")), 10).items
    assert sum(item.why.because_of == [FIRST_ID + track] for item in items) >= 9
    assert sum(item.track_id % 4 == (FIRST_ID + track) % 4 for item in items) >= 7


def test_without_any_plays_lists_come_from_the_sound_alone():
    features, _ = blobs(40, 12, 4, seed=1)
    data = TrainingData(FIRST_ID + np.arange(40), features)
    serve = Serving({"exact": create("exact").fit(data)}, lambda ids: {})
    made = serve.recommend(ListenerState(), 8)
    assert (made.model, {item.why.kind for item in made.items}) == ("exact", {"new"})
    assert {item.track_id % 4 for item in made.items[:4]} == {0, 1, 2, 3}
    liked = serve.recommend(state_of((5, "like")), 5)
    assert liked.model == "exact"
    assert all(item.track_id % 4 == (FIRST_ID + 5) % 4 for item in liked.items)
    assert all(item.why.text == "near a track without a title" for item in liked.items)


def test_tracks_that_no_model_knows_do_no_harm():
    serve = serving()
    strange = state_of((-99, "like"), (10**6, "play"), (10**7, "dislike"))
    assert serve.recommend(strange, 10).items == serve.recommend(ListenerState(), 10).items
    mixed = apply(strange, event(FIRST_ID + 12, "like", 50))
    assert serve.recommend(mixed, 10).items == serve.recommend(state_of((12, "like")), 10).items


def test_who_has_heard_everything_still_gets_a_list():
    plays = [(track, kind) for track in range(SIZE) for kind in ("play", "complete")]
    state = state_of(*plays)
    items = serving().recommend(state, 10).items
    assert len(items) == 10
    assert not {item.track_id for item in items} & set(listener.heard_lately(state, SIZE // 3))


@pytest.mark.parametrize("names", SETS)
def test_lists_made_together_are_those_made_one_by_one_and_labels_are_asked_once(names):
    asked = []
    serve = Serving(
        {name: MODELS[name] for name in names}, lambda ids: asked.append(set(ids)) or LABELS, simulated=True
    )
    states = [random_state(seed) for seed in range(100, 130)]
    together = serve.recommend_each(states, 20)
    assert len(asked) == 1
    assert together == [serve.recommend(state, 20) for state in states]
    assert serve.recommend_each([], 20) == []


def test_what_sounds_like_a_skipped_track_loses_but_less_than_by_a_dislike():
    serve = serving("exact", "popularity")
    start = ((12, "like"), (13, "like"))
    summed = {}
    for kind in ("clear", "skip", "dislike"):
        items = serve.recommend(state_of((16, kind), *start), 40).items
        # 16 sounds like 12, which was liked.
        summed[kind] = sum(item.score for item in items if item.track_id % 4 == FIRST_ID % 4)
    assert summed["dislike"] < summed["skip"] < summed["clear"]


def test_a_skip_does_not_bar_a_track_for_ever():
    state = state_of((12, "like"), (16, "play"), (16, "skip"))
    serve = serving()
    assert FIRST_ID + 16 not in {item.track_id for item in serve.recommend(state, SIZE).items}
    for second in range(SIZE):
        state = apply(state, event(FIRST_ID + 20 + second % 30, "play", 10 + second))
    assert FIRST_ID + 16 in {item.track_id for item in serve.recommend(state, SIZE).items}


def test_a_new_session_is_about_itself_from_its_first_track():
    """The newest session's kind of sound comes first, however much another was liked before."""
    serve = serving("exact", "popularity")
    before = state_of(*[(track, "like") for track in (12, 16, 20, 24, 28)])
    new = event(FIRST_ID + 13, "play", 99).model_copy(update={"session_id": "next"})
    skip = event(FIRST_ID + 14, "skip", 100).model_copy(update={"session_id": "next"})
    for state in (apply(before, new), apply(apply(before, new), skip)):
        items = serve.recommend(state, 5).items
        assert items[0].why.because_of == [FIRST_ID + 13]
    # A session that has only been skipped through tells nothing yet.
    assert serve.recommend(apply(before, skip), 5).items[0].track_id % 4 == FIRST_ID % 4


def test_what_was_heard_before_comes_after_what_was_not():
    state = state_of(*[(track, "complete") for track in range(40)])
    items = serving().recommend(state, SIZE).items
    heard = [item.track_id < FIRST_ID + 40 for item in items]
    assert heard == sorted(heard)
    assert any(heard)


def test_the_listeners_behind_a_reason_are_those_of_the_als_score():
    serve = serving("als", "popularity")
    state = state_of((12, "like"), (13, "like"))
    als = MODELS["als"]
    for item in serve.recommend(state, 10).items:
        if item.why.kind != "listeners":
            continue
        added = als.contributions(
            np.array([12, 13]), np.array([2.0, 2.0]), np.array([item.track_id - FIRST_ID])
        )[0]
        assert item.why.because_of[0] == FIRST_ID + (12, 13)[int(added.argmax())]


class Best(ALS):
    name = "best"


def renamed() -> Best:
    """Return the ALS of this world as a model of another name."""
    als = MODELS["als"]
    model = Best(als.config)
    model._catalogue(als.track_ids, als.artist_ids, als.recording_ids, als.popularity)
    model._restore(als._state())
    model._fingerprint = als.fingerprint
    return model


def test_whichever_model_is_chosen_ranks_by_what_others_play():
    chosen = {"exact": MODELS["exact"], "best": renamed(), "popularity": MODELS["popularity"]}
    serve = Serving(chosen, lambda ids: LABELS, others="best")
    for seed in range(20):
        state = random_state(seed)
        made, by_als = serve.recommend(state, 20), serving().recommend(state, 20)
        assert made.items == by_als.items
        assert made.model == by_als.model.replace("als", "best")
    alone = Serving({"best": renamed()}, lambda ids: LABELS, others="best")
    assert alone.recommend(state_of((12, "like")), 5).model == "best"


def test_a_content_model_may_be_chosen_and_gives_its_own_reasons():
    serve = Serving(MODELS, lambda ids: LABELS, others="exact")
    made = serve.recommend(state_of((12, "like"), (16, "like")), 10)
    assert made.model == "exact"
    assert {item.why.kind for item in made.items} == {"sound"}
    assert all(item.why.because_of[0] in (FIRST_ID + 12, FIRST_ID + 16) for item in made.items)


@pytest.mark.parametrize("name", ["popularity", "random"])
def test_a_model_without_taste_leaves_the_ranking_to_the_sound(name):
    models = MODELS | {"random": create("random").fit(DATA)}
    serve = Serving(models, lambda ids: LABELS, others=name)
    state = state_of((12, "like"), (17, "complete"))
    assert serve.recommend(state, 20) == serving("exact", "popularity").recommend(state, 20)


def test_a_model_that_makes_no_lists_is_refused():
    class Finds(Exact):
        name = "finds"
        can = frozenset({Capability.SIMILAR})

    with pytest.raises(SegueError, match="finds makes no lists for listeners"):
        Serving({"finds": Finds().fit(DATA)}, lambda ids: {}, others="finds")


def test_the_knob_makes_lists_more_different():
    rows = MODELS["exact"].rows

    def difference(diversity: float) -> float:
        serve = Serving(MODELS, lambda ids: LABELS, rules=RerankConfig(diversity=diversity))
        state = state_of((12, "like"), (16, "like"), (20, "complete"))
        places = [item.track_id - FIRST_ID for item in serve.recommend(state, 10).items]
        return 1 - float((rows[places] @ rows[places].T)[np.triu_indices(10, 1)].mean())

    assert difference(0) < difference(0.4) < difference(0.9)


def run_of(folder: Path) -> Run:
    for name, model in (MODELS | {"random": create("random").fit(DATA)}).items():
        model.save(folder / "models" / name)
    return Run(folder, "04_eval")


def test_a_run_serves_with_what_it_has_chosen(tmp_path, caplog):
    run = run_of(tmp_path)
    state = state_of((12, "like"))
    made, before = make(run, lambda ids: LABELS, simulated=False), _version(run)
    assert made.recommend(state, 10) == serving().recommend(state, 10)
    run.choose_serving("exact", {})
    chosen = make(run, lambda ids: LABELS, simulated=False)
    assert chosen.recommend(state, 10).model == "exact"
    assert chosen.fingerprint != made.fingerprint
    assert _version(run) != before
    run.choose_serving("random", {})
    shutil.rmtree(tmp_path / "models" / "random")
    fallen_back = make(run, lambda ids: LABELS, simulated=False)
    assert fallen_back.recommend(state, 10).model == "exact+als"
    assert "lacks its serving model random: serving with als" in caplog.text


def test_a_large_catalogue_is_searched_in_the_graph_of_its_run(tmp_path, monkeypatch):
    run = run_of(tmp_path)
    create("hnsw").fit(DATA).save(tmp_path / "models" / "hnsw")
    state = state_of((12, "like"), (17, "complete"))
    exact = make(run, lambda ids: LABELS, simulated=False)
    assert exact.recommend(state, 10).model == "exact+als"
    monkeypatch.setattr(loading, "LARGE", SIZE)
    graph = make(run, lambda ids: LABELS, simulated=False)
    made = graph.recommend(state, 20)
    assert made.model == "hnsw+als"
    # On so few tracks the graph misses nothing.
    assert made.items == exact.recommend(state, 20).items
    assert graph.fingerprint != exact.fingerprint


def test_models_that_do_not_belong_together_are_refused():
    other = TrainingData(FIRST_ID + np.arange(40), blobs(40, 12, 4)[0])
    with pytest.raises(SegueError, match="different tracks"):
        Serving({"exact": create("exact").fit(other), "als": MODELS["als"]}, lambda ids: {})
    with pytest.raises(SegueError, match="no model to serve with"):
        Serving({}, lambda ids: {})


def test_the_worker_starts_without_the_heavy_libraries():
    code = "import sys, segue.live.worker; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"pandas", "pyspark", "sklearn", "scipy", "librosa", "numba", "matplotlib", "IPython", "pyarrow"}
    assert not heavy & set(done.stdout.split())
