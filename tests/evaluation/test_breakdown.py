from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from segue.errors import SegueError, UsageError
from segue.evaluation.breakdown import (
    by_activity,
    by_popularity,
    cold_listeners,
    cold_tracks,
    popularity_parts,
)
from segue.evaluation.compare import Comparison
from segue.evaluation.held_out import HeldOut
from segue.models import TrainingData, create
from support.planted import frame, taste

DATA = taste()


def comparison(values=(), places=()):
    return Comparison(pd.DataFrame(), pd.DataFrame(values), pd.DataFrame(places))


def test_thirds_of_the_listeners_by_hand():
    histories = [1, 2, 3, 4, 4, 4, 5, 9, 9]
    found = comparison(
        {"model": label, "listener_id": f"l{i}", "history": h, "ndcg_at_10": h * factor}
        for label, factor in (("a", 0.01), ("b", 0.1))
        for i, h in enumerate(histories)
    )
    table = by_activity(found)
    assert table["model"].tolist() == ["a"] * 3 + ["b"] * 3
    own = table[table["model"] == "b"]
    assert own["listeners"].tolist() == ["light", "middle", "heavy"]
    assert own[["least", "most", "count"]].to_numpy().tolist() == [[1, 3, 3], [4, 4, 3], [5, 9, 3]]
    assert own["ndcg_at_10"].tolist() == pytest.approx([0.2, 0.4, 0.1 * 23 / 3])
    assert (own["ndcg_at_10_low"] <= own["ndcg_at_10"]).all()


def test_equally_long_histories_are_not_torn_apart():
    found = comparison(
        {"model": "a", "listener_id": i, "history": h, "ndcg_at_10": 0.5}
        for i, h in enumerate([2, 2, 2, 2, 3])
    )
    table = by_activity(found)
    assert table["listeners"].tolist() == ["light", "heavy"]
    assert table["count"].tolist() == [4, 1]
    longest = comparison(
        {"model": "a", "listener_id": i, "history": h, "ndcg_at_10": 0.5}
        for i, h in enumerate([1, 9, 9, 9, 9])
    )
    assert by_activity(longest)["count"].tolist() == [1, 4]
    with pytest.raises(SegueError, match="equally long"):
        by_activity(comparison([{"model": "a", "listener_id": 1, "history": 2, "ndcg_at_10": 0.5}]))


def test_parts_of_the_catalogue_by_hand():
    # 30 pairs: 10 for the first, then 6 + 4, then ten times 1, and two that nobody has played.
    catalogue = np.array([10, 6, 4, *[1] * 10, 0, 0])
    assert popularity_parts(catalogue, catalogue).tolist() == [0, 1, 1, *[2] * 10, 3, 3]
    assert popularity_parts(np.zeros(3), np.zeros(2)).tolist() == [3, 3]
    assert popularity_parts(np.array([2, 2, 2]), np.array([2])).tolist() == [0]


def test_recall_by_popularity_by_hand():
    train = TrainingData(
        np.arange(4), interactions=frame([("a", 0, 1), ("b", 0, 1), ("a", 1, 1), ("b", 2, 1)])
    )
    assert train.popularity.tolist() == [2, 1, 1, 0]
    places = [
        {"model": "m", "listener_id": who, "popularity": popularity, "place": place}
        for who, popularity, place in [
            ("a", 2, 1),
            ("b", 2, 0),
            ("a", 1, 20),
            ("a", 0, 0),
            ("b", 0, 7),
            ("c", 0, 0),
        ]
    ]
    table = by_popularity(comparison(places=places), train)
    assert table["tracks"].tolist() == ["head", "middle", "cold"]
    assert table["recall_at_20"].tolist() == pytest.approx([1 / 2, 1, 1 / 3])
    assert table[["least", "most", "count"]].to_numpy().tolist() == [[2, 2, 2], [1, 1, 1], [0, 0, 3]]


def test_the_parts_make_up_the_whole():
    found = HeldOut.fifth(DATA).evaluate({"near": create("exact")})
    train = HeldOut.fifth(DATA).train
    for label, own in by_popularity(found, train).groupby("model"):
        pairs = found.places[found.places["model"] == label]
        assert own["count"].sum() == len(pairs)
        assert (own["recall_at_20"] * own["count"]).sum() == pytest.approx((pairs["place"] > 0).sum())
        # Each listener is asked for 3 tracks: recall over pairs is the mean over listeners.
        whole = found.table.set_index("model").loc[label, "recall_at_20"]
        assert (pairs["place"] > 0).mean() == pytest.approx(whole)


def test_cold_tracks_are_found_by_sound_alone():
    found = cold_tracks({"near": create("exact")}, DATA, test_share=0.2)
    table = found.table.set_index("model")
    assert (found.places["popularity"] == 0).all()
    assert table.loc["popularity", "recall_at_20"] == 0
    assert table.loc["near", "recall_at_20_low"] > table.loc["random", "recall_at_20_high"]
    with pytest.raises(SegueError, match="import or simulate"):
        cold_tracks({}, replace(DATA, interactions=None))


def test_listeners_of_whom_little_is_told():
    held_out = HeldOut.fifth(DATA)
    models = {"near": create("exact")}
    with pytest.raises(SegueError, match="evaluate it first"):
        cold_listeners(held_out, models)
    whole = held_out.evaluate(models).table.set_index("model")
    table = cold_listeners(held_out, models, sizes=(9, 0, 1, 3))
    assert table["model"].unique().tolist() == ["random", "popularity", "near"]
    assert table["told"].tolist() == [0, 1, 3, 9] * 3
    assert (table["count"] == 40).all()
    near, popular = (table[table["model"] == label].set_index("told") for label in ("near", "popularity"))
    # Nine is all that anybody has in training, and without a track everyone gets the most played.
    for metric in ("ndcg_at_10", "recall_at_20"):
        assert near.loc[9, metric] == pytest.approx(whole.loc["near", metric])
        assert near.loc[0, metric] == pytest.approx(whole.loc["popularity", metric])
        assert popular[metric].nunique() == 1
    assert near.loc[0, "ndcg_at_10"] < near.loc[1, "ndcg_at_10"] < near.loc[9, "ndcg_at_10"]
    with pytest.raises(SegueError, match="has 10 tracks in training"):
        cold_listeners(held_out, models, sizes=(10,))
    for sizes in ((), (-1, 3)):
        with pytest.raises(UsageError, match="sizes"):
            cold_listeners(held_out, models, sizes=sizes)


def test_a_test_that_asks_only_for_tracks_outside_the_catalogue():
    found = HeldOut(DATA, frame([("l000", 99_999, 1)])).evaluate({})
    assert found.table["ndcg_at_10"].tolist() == [0, 0]
    table = by_popularity(found, DATA)
    assert table["tracks"].tolist() == ["cold", "cold"]
    assert table["recall_at_20"].tolist() == [0, 0]
