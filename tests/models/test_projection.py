import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

from segue.errors import UsageError
from segue.models import projection
from segue.models.projection import map_2d, neighbours_kept, principal_components
from support.planted import blobs


def test_components_are_those_of_scikit_learn():
    x, _ = blobs(40, 9, 3, spread=1.0)
    found, reference = principal_components(x, 4), PCA(4).fit(x.astype(np.float64))
    assert found.explained == pytest.approx(reference.explained_variance_ratio_, rel=1e-6)
    assert np.abs(found.directions) == pytest.approx(np.abs(reference.components_), abs=1e-5)
    assert found.scores == pytest.approx((x - x.mean(axis=0)) @ found.directions.T, abs=1e-4)
    assert (found.directions[np.arange(4), np.abs(found.directions).argmax(axis=1)] > 0).all()


def test_no_more_components_than_there_are():
    x, _ = blobs(3, 9, 3)
    assert principal_components(x, 50).scores.shape == (3, 3)
    assert principal_components(np.ones((4, 2)), 2).explained.tolist() == [0, 0]
    with pytest.raises(UsageError, match="at least one"):
        principal_components(x, 0)


def test_the_map_keeps_groups_together_and_is_repeatable():
    x, labels = blobs(120, 60, 4)
    plane = map_2d(x, seed=3)
    assert plane.shape == (120, 2)
    assert plane.dtype == np.float32
    assert KNeighborsClassifier(5).fit(plane, labels).score(plane, labels) == 1.0
    assert np.array_equal(plane, map_2d(x, seed=3))


@pytest.mark.parametrize("n", [1, 2, 3, 5, 6, 7, 14])
@pytest.mark.parametrize("d", [1, 2, 60])
def test_small_catalogues_have_a_map(n, d):
    plane = map_2d(blobs(n, d, 2)[0])
    assert plane.shape == (n, 2)
    assert np.isfinite(plane).all()


def test_equal_tracks_have_one_place():
    assert not map_2d(np.ones((20, 4))).any()


def test_of_many_tracks_some_are_laid_out_and_the_others_stand_beside_them(monkeypatch):
    x, labels = blobs(150, 60, 4)
    monkeypatch.setattr(projection, "TSNE_TRACKS", 100)
    monkeypatch.setattr(projection, "LANDMARKS", 60)
    plane = map_2d(x, seed=3)
    landmarks = np.sort(np.random.default_rng(3).permutation(150)[:60])
    reduced = principal_components(x, 50).scores[landmarks]
    assert plane.shape == (150, 2)
    assert np.isfinite(plane).all()
    assert np.array_equal(plane[landmarks], projection._tsne(reduced, 3))
    assert KNeighborsClassifier(5).fit(plane, labels).score(plane, labels) == 1.0


def test_neighbours_kept_are_counted():
    line = np.arange(12.0)[:, None] ** 1.5
    assert neighbours_kept(line, np.hstack([line, line]), k=2) == 1.0
    order = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    shuffled = np.random.default_rng(0).permutation(order)
    found = neighbours_kept(line, line[shuffled], k=2)
    nearest = [sorted(order, key=lambda j: abs(line[i] - line[j])[0])[1:3] for i in order]
    moved = line[shuffled]
    places = [sorted(order, key=lambda j: abs(moved[i] - moved[j])[0])[1:3] for i in order]
    assert found == np.mean([len(set(a) & set(b)) / 2 for a, b in zip(nearest, places, strict=True)])
    assert neighbours_kept(np.ones((12, 3)), line, k=2) <= 1.0
