from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from segue.errors import SegueError
from segue.evaluation.compare import LISTENER_METRICS, compare_on, listener_values
from segue.evaluation.significance import differences
from segue.models import TrainingData, create
from support.planted import FIRST_ID, frame, taste

DATA = taste()


def test_listeners_by_hand():
    """Counts 3, 2, 2, 1 of tracks 1 to 4: the lists of popularity are known."""
    train = frame([("a", 1, 1), ("b", 1, 1), ("c", 1, 1), ("a", 2, 1), ("b", 2, 1), ("c", 4, 1), ("d", 3, 1)])
    data = TrainingData(np.array([1, 2, 3, 4]), interactions=train)
    test = frame([("a", 4, 1), ("c", 2, 1), ("c", 77, 1), ("stranger", 1, 1)])
    table, values = compare_on({}, data, test)
    assert table["model"].tolist() == ["random", "popularity"]
    own = values[values["model"] == "popularity"].set_index("listener_id")
    # a has 1 and 2 left out: 3 and 4 follow in either order; c has 2 first, and 77 nobody can find.
    assert own.index.tolist() == ["a", "c"]
    assert own.loc["a", "ndcg_at_10"] in (pytest.approx(1), pytest.approx(1 / np.log2(3)))
    assert own.loc["a", ["recall_at_20", "hit_rate_at_10"]].tolist() == [1, 1]
    assert own.loc["c", "ndcg_at_10"] == pytest.approx(1 / (1 + 1 / np.log2(3)))
    assert own.loc["c", "recall_at_20"] == 1 / 2
    assert own.loc["c", "precision_at_10"] == 1 / 10
    row = table.set_index("model").loc["popularity"]
    assert row["ndcg_at_10"] == pytest.approx(own["ndcg_at_10"].mean())
    assert row["coverage_at_10"] == 3 / 4
    assert row["listeners"] == 2


def test_taste_is_found_beyond_popularity_and_chance():
    table, values = compare_on({"exact": create("exact")}, *_split())
    scores = table.set_index("model")
    assert table["model"].tolist() == ["random", "popularity", "exact"]
    for metric in LISTENER_METRICS:
        assert (table[f"{metric}_low"] <= table[metric]).all()
        assert (table[metric] <= table[f"{metric}_high"]).all()
    assert scores.loc["exact", "ndcg_at_10_low"] > scores.loc["popularity", "ndcg_at_10_high"]
    found = differences(values, "ndcg_at_10", [("exact", "popularity")])
    assert found["difference"].item() == pytest.approx(
        scores.loc["exact", "ndcg_at_10"] - scores.loc["popularity", "ndcg_at_10"]
    )
    assert found["low"].item() > 0


def _split():
    from segue.evaluation.splits import per_listener_fifth

    train, test = per_listener_fifth(DATA.interactions, 0)
    return replace(DATA, interactions=train), test


def test_random_finds_what_chance_finds():
    train, test = _split()
    values = pd.concat(
        listener_values(create("random", seed=s).fit(train), train, test)[0] for s in range(40)
    )
    # 12 tracks a listener: 3 are asked for, 9 left out, so each of the 51 others has the same chance.
    assert values["precision_at_10"].mean() == pytest.approx(10 * (3 / 51) / 10, rel=0.1)
    assert values["recall_at_20"].mean() == pytest.approx(20 / 51, rel=0.1)


def test_training_tracks_are_never_ranked():
    train, test = _split()
    _, ranked = listener_values(create("exact").fit(train), train, test)
    for row, places in enumerate(ranked):
        assert not set(train.matrix[row].indices) & set(places.tolist())
        assert len(set(places.tolist())) == 20


def test_a_test_of_strangers_is_refused():
    with pytest.raises(SegueError, match="nobody to ask"):
        compare_on({}, DATA, frame([("stranger", FIRST_ID, 1)]))


def test_lists_are_described_where_there_is_something_to_describe():
    table, values = compare_on({"exact": create("exact")}, *_split())
    scores = table.set_index("model")
    assert scores.loc["popularity", "novelty_at_10"] < scores.loc["random", "novelty_at_10_low"]
    assert scores.loc["exact", "diversity_at_10_high"] < scores.loc["random", "diversity_at_10_low"]
    assert values["history"].tolist() == [9] * 120
    train, test = _split()
    bare = compare_on({}, replace(train, features=None), test)[0]
    assert "novelty_at_10_low" in bare
    assert not [name for name in bare if name.startswith("diversity")]
    assert not bare.isna().any(axis=None)
