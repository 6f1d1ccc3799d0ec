import sys

import numpy as np
import pytest

from segue.errors import SegueError
from segue.models import TrainingData, create
from segue.models.content import unit_rows
from segue.models.directions import principal_directions
from support.planted import blobs

FEATURES, _ = blobs(600, 20, 30, seed=3, spread=2.0)
DATA = TrainingData(np.arange(600) * 3 + 1, FEATURES)
WIDE = {"view": 100, "candidates": 50}


def ids(found):
    return [item.track_id for item in found]


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_nearly_all_exact_neighbours_are_found_with_the_exact_scores(fit, metric):
    asked = DATA.track_ids[::7]
    true = fit("exact", DATA, metric=metric).similar_to_each(asked, 10)
    found = fit("hnsw", DATA, metric=metric, **WIDE).similar_to_each(asked, 10)
    score = [dict(own) for own in true]
    hits = [item.score == score[i].get(item.track_id) for i, own in enumerate(found) for item in own]
    assert np.mean(hits) > 0.99


def test_a_narrower_view_finds_less(fit):
    asked = DATA.track_ids[::7]
    true = [set(ids(own)) for own in fit("exact", DATA).similar_to_each(asked, 10)]
    recall = []
    for view in (11, 100):
        model = fit("hnsw", DATA, links=2, build=4, view=view, candidates=11)
        found = model.similar_to_each(asked, 10)
        recall.append(np.mean([len(a & set(ids(b))) / 10 for a, b in zip(true, found, strict=True)]))
    assert recall[0] < recall[1] - 0.05


def test_short_lists_are_made_without_scoring_the_catalogue(fit, monkeypatch):
    model = fit("hnsw", DATA, **WIDE)
    whole = model.similar([1], 599)
    monkeypatch.setattr(model, "similarities", None)
    assert model.similar([1], 49) == whole[:49]
    assert model.similar([1], 5, exclude=ids(whole[:30])) == whole[30:35]
    with pytest.raises(TypeError):
        model.similar([1], 50)


def test_candidates_come_first_and_then_the_rest(fit):
    model = fit("hnsw", DATA, **WIDE)
    scores = np.array([item.score for item in model.similar([1], 599)])
    assert scores.size == 599
    assert scores[48] > scores[49] + 1
    exact = {item.track_id: item.score for item in fit("exact", DATA).similar([1], 599)}
    for item in model.similar([1], 599)[49:]:
        assert item.score == pytest.approx(exact[item.track_id] - 2, abs=1e-5)


def test_the_graph_is_the_same_whenever_it_is_built(fit):
    assert np.array_equal(fit("hnsw", DATA).index, create("hnsw").fit(DATA).index)


def test_directions_are_the_principal_ones():
    rows = unit_rows(FEATURES)
    directions = principal_directions(rows, 5)
    assert directions.shape == (20, 5)
    np.testing.assert_allclose(directions.T @ directions, np.eye(5), atol=1e-6)
    singular = np.linalg.svd(rows, compute_uv=False)[:5]
    np.testing.assert_allclose(np.linalg.norm(rows @ directions, axis=0), singular, rtol=1e-5)
    assert principal_directions(rows, 99).shape == (20, 20)


def test_without_its_library_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(SegueError, match="pip install faiss-cpu"):
        create("hnsw").fit(DATA)
