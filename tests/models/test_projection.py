import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

from segue.errors import UsageError
from segue.models.projection import TSNE_TRACKS, map_2d, principal_components
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


def test_equal_tracks_and_large_catalogues_are_projected():
    assert not map_2d(np.ones((20, 4))).any()
    x, _ = blobs(TSNE_TRACKS + 1, 3, 2)
    assert map_2d(x) == pytest.approx(principal_components(x, 2).scores, abs=1e-4)
