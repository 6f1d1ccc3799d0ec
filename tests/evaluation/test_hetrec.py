"""The protocol against figures that others measured on the same split."""

import numpy as np
import pandas as pd
import pytest

from segue.evaluation.compare import compare_on, listener_values
from segue.models import TrainingData, create


@pytest.fixture(scope="module")
def hetrec(shared_data):
    folder = shared_data / "listening" / "hetrec2011-lastfm-2k"
    names = ["listener_id", "track_id", "weight"]
    plays = pd.read_csv(folder / "user_artists.dat", sep="\t", names=names, header=0)
    test = pd.read_csv(folder / "test_pairs.csv.gz", names=names[:2], header=0)
    catalogue = pd.read_csv(folder / "artists.dat", sep="\t", usecols=["id"], quoting=3)["id"]
    held_out = plays.merge(test, how="left", indicator=True)["_merge"] == "both"
    train = plays[~held_out.to_numpy()].astype({"listener_id": str, "weight": "float32"})
    return TrainingData(np.sort(catalogue), interactions=train), test.astype({"listener_id": str})


def test_popularity_on_the_fixed_split(hetrec):
    """Published 0.0801 and 0.1028; equally popular artists, ordered otherwise, move both by up to 0.0002."""
    data, test = hetrec
    assert (data.size, len(data.interactions), len(test)) == (17_632, 74_256, 18_578)
    row = compare_on({}, data, test)[0].set_index("model").loc["popularity"]
    assert row["listeners"] == 1_877
    assert row["ndcg_at_10"] == pytest.approx(0.0801, abs=2e-4)
    assert row["recall_at_20"] == pytest.approx(0.1028, abs=2e-4)


@pytest.mark.parametrize(
    ("name", "ndcg", "recall"),
    [("item_knn", 0.231, 0.261), ("ease", 0.240, 0.280), ("ridge", 0.248, 0.288)],
)
def test_closed_forms_and_neighbours_on_the_fixed_split(hetrec, name, ndcg, recall):
    """Defaults, chosen on validation parts: 0.2325/0.2626, 0.2418/0.2812 and 0.2494/0.2892 measured."""
    data, test = hetrec
    row = listener_values(create(name).fit(data), data, test)[0][["ndcg_at_10", "recall_at_20"]].mean()
    assert row["ndcg_at_10"] > ndcg
    assert row["recall_at_20"] > recall


@pytest.mark.slow
def test_als_on_the_fixed_split(hetrec, spark):
    """Defaults, chosen on a validation part: 0.2554 and 0.2918 measured."""
    data, test = hetrec
    row = listener_values(create("als", spark=spark).fit(data), data, test)[0][
        ["ndcg_at_10", "recall_at_20"]
    ].mean()
    assert row["ndcg_at_10"] > 0.252
    assert row["recall_at_20"] > 0.288
