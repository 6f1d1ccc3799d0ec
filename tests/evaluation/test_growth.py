from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from segue.errors import SegueError
from segue.evaluation.growth import growth, resample
from segue.evaluation.neighbours import recall_against_latency
from segue.models import TrainingData
from segue.plots import retrieval
from support.planted import taste

DATA = replace(taste(), genres=[f"g{i % 4}" for i in range(60)])


def test_a_resampled_catalogue_is_like_the_first():
    larger = resample(DATA, 600, seed=1)
    assert larger.size == 600
    assert np.unique(larger.features, axis=0).shape[0] == 600
    np.testing.assert_allclose(larger.features.mean(axis=0), DATA.features.mean(axis=0), atol=0.6)
    assert set(larger.genre_names) == set(DATA.genre_names)
    assert larger.matrix.nnz == pytest.approx(10 * DATA.matrix.nnz, rel=0.05)
    assert resample(DATA, 600, seed=1).fingerprint == larger.fingerprint
    assert resample(DATA, 600, seed=2).fingerprint != larger.fingerprint
    assert resample(DATA, 30).size == 30
    few = resample(DATA, 600, plays=1200)
    assert few.matrix.nnz == pytest.approx(1200, rel=0.05)


def test_listeners_keep_their_taste():
    larger = resample(DATA, 600)
    genre = larger.genre_codes
    own = [np.bincount(genre[row.indices], minlength=4).max() / row.nnz for row in larger.matrix]
    before = [np.bincount(DATA.genre_codes[row.indices], minlength=4).max() / row.nnz for row in DATA.matrix]
    assert np.mean(own) == pytest.approx(np.mean(before), abs=0.05)


def test_costs_are_measured_at_each_size_for_models_that_can_be_fitted():
    table = growth(DATA, {"exact": {}, "hnsw": {}, "ease": {}}, [100, 400], queries=3)
    assert table[["model", "tracks"]].to_numpy().tolist() == [
        [name, size] for name in ("ease", "exact", "hnsw") for size in (100, 400)
    ]
    assert (table[["plays", "fit_s", "query_ms", "model_mib"]] > 0).all(axis=None)
    exact = table[table["model"] == "exact"]
    assert exact["model_mib"].tolist() == pytest.approx([100 * 12 * 4 / 2**20, 400 * 12 * 4 / 2**20])
    assert retrieval.growth(table).get_suptitle().startswith("4 times the tracks")
    assert set(growth(replace(DATA, interactions=None), {"exact": {}, "ease": {}}, [80])["model"]) == {
        "exact"
    }


def test_a_bare_catalogue_says_what_it_lacks():
    with pytest.raises(SegueError, match="features or plays"):
        growth(TrainingData(np.arange(3)), {"exact": {}}, [10])
    with pytest.raises(SegueError, match="ease learn from"):
        growth(replace(DATA, interactions=None), {"ease": {}}, [80])


def test_a_wider_view_finds_no_less_and_exact_search_finds_all():
    table = recall_against_latency(resample(DATA, 500), views=(5, 11, 200))
    assert table["parameter"].tolist() == ["", "11 in view", "200 in view"]
    assert table["recall_at_10"].iloc[0] == 1.0
    assert table["recall_at_10"].iloc[1] <= table["recall_at_10"].iloc[2]
    assert table["recall_at_10"].iloc[2] > 0.99
    assert "as exact search" in retrieval.recall_latency(table).get_suptitle().replace("\n", " ")
    times = {"exact": 1.0, "hnsw": 1.02}
    alike = pd.DataFrame(
        {"model": name, "parameter": "", "recall_at_10": 1.0, "ms": ms} for name, ms in times.items()
    )
    assert retrieval.recall_latency(alike).get_suptitle() == (
        "HNSW finds 100 % of the true nearest, as fast as exact search"
    )
    with pytest.raises(SegueError, match="two tracks"):
        recall_against_latency(TrainingData(np.arange(1), np.ones((1, 2))))
