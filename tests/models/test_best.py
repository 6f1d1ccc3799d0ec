from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from segue.models import TrainingData, create
from segue.models.best import Best, BestConfig
from segue.models.mix_families import feasible
from segue.models.mix_search import climb, mix, moved
from segue.models.mix_validation import Board, hold_out, lifts
from segue.models.popularity import Popularity
from segue.plots.mix import mix as picture
from support.planted import FIRST_ID, frame, taste

DATA = taste()


@pytest.fixture
def executor():
    with ThreadPoolExecutor(2) as pool:
        yield pool


def folds_of(data: TrainingData, seed: int = 0, folds: int = 2, plays: int = 10**6, listeners: int = 10**6):
    return hold_out(data, seed, folds=folds, most_plays=plays, most_listeners=listeners)


def test_the_folds_share_a_fifth_of_what_each_listener_likes():
    first, second = folds_of(DATA)
    sizes = [np.diff(fold.wanted.indptr) for fold in (first, second)]
    assert first.histories.shape == second.wanted.shape == (40, 60)
    assert (sizes[0] + sizes[1] == 3).all()
    assert not first.wanted.multiply(second.wanted).nnz
    for fold in (first, second):
        np.testing.assert_array_equal((fold.histories + fold.wanted).toarray(), DATA.matrix.toarray())
        assert not fold.histories.multiply(fold.wanted).nnz
        assert fold.train.matrix.sum() == fold.histories.sum()


def test_the_same_seed_holds_out_the_same_and_another_does_not():
    first, again, other = (folds_of(DATA, seed)[0].wanted.toarray() for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_dislikes_are_never_what_is_looked_for():
    pairs = [("a", i, 1.0 if i % 2 else -1.0) for i in range(20)] + [("b", 0, 0.0), ("b", 1, 1.0)]
    (found,) = folds_of(TrainingData(np.arange(20), interactions=frame(pairs)), folds=1)
    assert found.histories.shape[0] == 1
    assert (found.wanted.indices % 2 == 1).all()
    assert found.wanted.nnz == 2
    assert found.train.matrix.nnz == 20
    assert found.histories.nnz == 18


def test_who_plays_little_is_asked_only_where_nobody_plays_more():
    two = [(f"l{u}", i, 1.0) for u in range(3) for i in (u, u + 1)]
    many = [("x", i, 1.0) for i in range(5)]
    tracks = np.arange(6)
    assert folds_of(TrainingData(tracks, interactions=frame(two)), folds=1)[0].wanted.nnz == 3
    assert folds_of(TrainingData(tracks, interactions=frame(two + many)), folds=1)[0].wanted.nnz == 1
    assert len(folds_of(TrainingData(tracks, interactions=frame(many)), folds=3)) == 1
    assert folds_of(TrainingData(tracks, interactions=frame([("a", 1, 1.0)]))) == []


def test_much_data_is_cut_to_whole_listeners():
    (found,) = folds_of(DATA, folds=1, plays=120, listeners=4)
    assert found.histories.shape == (4, 60)
    assert found.train.matrix.nnz == 120 - 4 * 3
    assert sorted(np.diff(found.train.matrix.indptr)) == [9] * 4 + [12] * 6


def test_a_lift_is_of_the_highest_over_the_mean_of_what_was_not_played():
    scores = np.array([[100, 1, 2, 9], [5, 5, 5, 9]], dtype=np.float32)
    assert lifts(scores, np.array([0, 1, 2]), np.array([0, 3])).tolist() == [5, 1]
    many = np.arange(101, dtype=np.float32)[None, :]
    assert lifts(many, np.array([0, 1]), np.array([100])).tolist() == [94.5 - 49.5]


class Given(Popularity):
    """Random scores, the same for all that are made."""

    def _batch_scores(self, histories):
        return np.random.default_rng(histories.nnz).normal(size=histories.shape).astype(np.float32)


def test_the_board_gives_the_metric_of_the_whole_catalogue():
    """Compared with sorting all 60 scores of each listener."""
    folds = folds_of(DATA)
    board = Board(folds, [Given], most=12)
    expected = []
    gain = 1 / np.log2(np.arange(2, 12))
    for fold in folds:
        scores = Given().fit(fold.train).score_histories(fold.histories)
        scores[fold.histories.toarray() > 0] = -np.inf
        best = np.argsort(-scores, axis=1)[:, :10]
        hits = np.take_along_axis(fold.wanted.toarray() > 0, best, axis=1)
        expected.append(hits @ gain / np.cumsum(gain)[np.diff(fold.wanted.indptr) - 1])
    np.testing.assert_allclose(board.values(board.scores(Given)), np.concatenate(expected), rtol=1e-12)
    assert np.concatenate(expected).max() > 0


def test_climbing_reaches_the_top_and_tries_nothing_twice(executor):
    ladders = {"a": (1, 2, 3, 4, 5, 6), "b": (0.0, 0.5, 1.0), "c": ("x", "y", "z")}
    asked = []

    def judge(point):
        asked.append(tuple(point.values()))
        return -abs(point["a"] - 5) - abs(point["b"] - 1) + (point["c"] == "z")

    tried = climb(ladders, {"a": 2, "b": 0.5, "c": "x"}, judge, 50, executor)
    assert max(tried, key=lambda one: one[1]) == ({"a": 5, "b": 1.0, "c": "z"}, 1.0)
    assert len(asked) == len(set(asked)) == len(tried) <= 14
    asked.clear()
    assert climb(ladders, {"a": 2, "b": 0.5, "c": "x"}, judge, 4, executor) == tried[:4]


def right_first(scores):
    return (scores.argmax(axis=1) == 0) * 1.0


def test_a_mix_takes_what_helps_and_leaves_what_does_not(executor):
    """Two models, each right for one half of the listeners and undecided for the other, and noise."""
    generator = np.random.default_rng(8)
    right = np.zeros((100, 20), dtype=np.float32)
    right[:, 0] = 1
    half = np.arange(100)[:, None] < 50
    noise = [generator.normal(scale=0.05, size=(100, 20)).astype(np.float32) for _ in range(3)]
    scores = [right * half + noise[0], right * ~half + noise[1], 20 * noise[2]]
    weights = mix(scores, right_first, most=3, executor=executor)
    assert weights[2] == 0
    assert weights.sum() == pytest.approx(1)
    assert (weights[:2] > 0.1).all()
    assert mix([right, *scores[1:]], right_first, most=3, executor=executor).tolist() == [1, 0, 0]
    assert np.count_nonzero(mix(scores, right_first, most=1, executor=executor)) == 1


def test_weights_are_moved_to_where_they_are_better():
    right = np.column_stack([np.linspace(0.5, 3, 10), np.zeros(10)]).astype(np.float32)
    wrong = np.column_stack([np.zeros(10), np.ones(10)]).astype(np.float32)
    found = moved(np.array([0.2, 0.8]), [right, wrong], right_first)
    assert right_first(found[0] * right + found[1] * wrong).all()
    assert found.sum() == pytest.approx(1)
    assert moved(np.array([1.0]), [right], right_first).tolist() == [1]


def test_closed_forms_are_left_out_where_they_would_not_fit():
    names = [family.model.name for family in feasible(DATA, most_equations=39)]
    assert names == ["wals", "item_knn"]
    assert [f.model.name for f in feasible(DATA, most_equations=40)] == ["wals", "ridge", "ease", "item_knn"]


def test_no_more_factors_than_equations():
    wals = feasible(DATA, most_equations=100)[0]
    assert wals.ladders["rank"] == (16, 32)
    assert wals.start["rank"] == 32


def test_weightings_are_tried_only_where_they_differ():
    plays = DATA.interactions.assign(weight=np.float32(2))
    same = TrainingData(DATA.track_ids, interactions=plays)
    assert "weighting" in feasible(DATA, 100)[0].ladders
    assert all("weighting" not in family.ladders for family in feasible(same, 100))


@pytest.fixture(scope="module")
def mixed():
    return Best(BestConfig(trials=8, starts=2)).fit(DATA)


def test_it_says_what_it_tried_and_what_it_took(mixed):
    table = mixed.trials
    taken = table[table["weight"] > 0]
    assert list(table.columns) == ["model", "parameters", "ndcg_at_10", "weight"]
    assert set(table["model"]) == {"popularity", "wals", "ridge", "ease", "item_knn"}
    assert taken["model"].tolist() == [part.name for part in mixed.parts]
    assert taken.index.tolist() == table.index[-len(taken) :].tolist()
    assert taken["weight"].sum() == pytest.approx(1)
    assert table["ndcg_at_10"].between(0, 1).all()
    assert all('"starts": 2' in own for own in taken.loc[taken["model"] == "wals", "parameters"])


def test_it_says_which_models_were_left_out():
    table = Best(BestConfig(trials=2, starts=1, most_equations=10)).fit(DATA).trials
    assert table.loc[table["ndcg_at_10"].isna(), "model"].tolist() == ["ridge", "ease"]


def test_the_parts_of_its_score_add_up_to_it(mixed):
    history, weights = np.array([2, 6, 11]), np.array([1.0, 2.0, 3.0], dtype=np.float32)
    row = csr_matrix((weights, history, [0, 3]), shape=(1, 60))
    added = mixed.contributions(history, weights, np.arange(60)).sum(axis=1)
    np.testing.assert_allclose(added, mixed.score_histories(row)[0], atol=1e-5)


def test_a_listener_of_whom_nothing_is_known_gets_the_most_played_among_others(mixed):
    rows = csr_matrix(DATA.matrix[:2])
    rows.data[:12] = -1
    scores = mixed.score_histories(rows)
    np.testing.assert_array_equal(scores[0], DATA.popularity)
    assert (scores[1] != DATA.popularity).any()


def test_without_enough_plays_to_hold_any_out_it_still_answers():
    data = TrainingData(np.arange(3), interactions=frame([("a", 0, 1.0), ("b", 1, 1.0)]))
    model = create("wals", starts=4).fit(data)
    best = Best().fit(data)
    assert best.trials["model"].tolist() == ["wals"]
    assert [i.track_id for i in best.recommend({0: 1.0}, 3)] == [
        i.track_id for i in model.recommend({0: 1.0}, 3)
    ]


def test_it_is_served_with_what_it_chose(mixed, tmp_path):
    mixed.save(tmp_path)
    again = Best.load(tmp_path)
    assert again.trials.equals(mixed.trials)
    assert again.weights.tolist() == mixed.weights.tolist()
    history = {FIRST_ID + 2: 1.0, FIRST_ID + 6: 3.0}
    assert again.recommend(history, 20) == mixed.recommend(history, 20)
    assert again.explain(history, [FIRST_ID + 10]) == mixed.explain(history, [FIRST_ID + 10])


def test_the_picture_says_what_was_taken(mixed):
    drawn = picture(mixed.trials)
    told = " ".join(text.get_text() for text in drawn.findobj(match=lambda own: hasattr(own, "get_text")))
    assert f"{len(mixed.trials) - len(mixed.parts)} settings were tried" in told
    alone = mixed.trials.head(1).assign(ndcg_at_10=np.nan, weight=1.0)
    told = picture(alone).findobj(match=lambda own: hasattr(own, "get_text"))
    assert any("too few plays" in text.get_text() for text in told)
