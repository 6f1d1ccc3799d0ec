import numpy as np
import pytest

from segue.models import MODELS, TrainingData, create, pruned
from segue.models.brute_force import BruteForce
from segue.models.pruned import PrunedSearch, outline_that_pays, outlines
from segue.models.ranking import tie_order
from support.planted import blobs

N, D = 3000, 64
TIE = tie_order(np.arange(N))
ASKED = np.arange(0, N, 97)


def whole_numbers(spread: int) -> np.ndarray:
    """Return float32[N, D] in 60 clusters, of whole numbers, so that scalar products are free of rounding.

    A few rows are zero, a few copies of others.
    """
    generator = np.random.default_rng(4)
    centres = generator.integers(-40, 41, size=(60, D))
    rows = centres[np.arange(N) % 60] + generator.integers(-spread, spread + 1, size=(N, D))
    rows[:20] = 0
    rows[1000:1040] = rows[970:1010]
    return rows.astype(np.float32)


def reference(rows, seed, k, euclidean):
    """Return the k nearest in double precision, equal ones in the fixed order."""
    exact = rows.astype(np.float64)
    scores = -((exact - exact[seed]) ** 2).sum(axis=1) if euclidean else exact @ exact[seed]
    return np.lexsort((TIE, -scores))[:k].tolist()


@pytest.fixture
def together(monkeypatch):
    """Prune batches of small catalogues too."""
    monkeypatch.setattr(pruned, "_LEAST_TOGETHER", 0)
    monkeypatch.setattr(pruned, "_TOO_MANY_TOGETHER", 16)
    monkeypatch.setattr(pruned, "_BOUNDS", 5 * N)


@pytest.mark.parametrize("euclidean", [False, True])
@pytest.mark.parametrize("spread", [2, 60], ids=["clustered", "structureless"])
@pytest.mark.parametrize("width", [4, 16])
def test_nothing_near_is_ruled_out(together, euclidean, spread, width):
    rows = whole_numbers(spread)
    search = PrunedSearch(rows, TIE, outlines(rows, (width,))[0], euclidean=euclidean)
    for k in (1, 10, 40, N + 5):
        for seed, (places, _) in zip(ASKED, search.nearest(ASKED, k), strict=True):
            assert places.tolist() == reference(rows, seed, k, euclidean)
            assert search.nearest(np.array([seed]), k)[0][0].tolist() == places.tolist()


@pytest.mark.parametrize("euclidean", [False, True])
@pytest.mark.parametrize("rank", [3, 15, 40])
def test_bounds_that_are_nearly_the_products_lose_nothing_to_rounding(together, euclidean, rank):
    generator = np.random.default_rng(rank)
    rows = generator.normal(size=(N, rank)) @ generator.normal(size=(rank, D)) / 8
    # Rows that differ by about as much as rounding does.
    rows = (rows[np.arange(N) % 100] * (1 + 1e-7 * generator.normal(size=(N, 1)))).astype(np.float32)
    plain = BruteForce(rows, TIE, euclidean=euclidean)
    search = PrunedSearch(rows, TIE, outlines(rows, (16,))[0], euclidean=euclidean)
    for (places, scores), (own, own_scores) in zip(
        plain.nearest(ASKED, 9), search.nearest(ASKED, 9), strict=True
    ):
        assert own.tolist() == places.tolist()
        assert own_scores.tolist() == scores.tolist()


def test_an_outline_bounds_every_product_however_short_the_remainder():
    generator = np.random.default_rng(6)
    # Remainders along one line, where Cauchy's and Schwarz's bound is the product itself.
    reach = np.column_stack([3 * generator.normal(size=(900, 3)), generator.choice([0, 1e-3, 1], size=900)])
    rows = (reach @ generator.normal(size=(4, D))).astype(np.float32)
    products = rows.astype(np.float64) @ rows.astype(np.float64).T
    length = np.sqrt(products.diagonal())
    for outline in outlines(rows, (4, 16)):
        bounds = outline.T.astype(np.float64) @ outline
        assert (bounds >= products - 1e-6 * np.outer(length, length)).all()
        np.testing.assert_allclose(np.linalg.norm(outline, axis=0), length, rtol=1e-6)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_a_clustered_catalogue_is_searched_by_outline(together, metric, monkeypatch, tmp_path):
    features, _ = blobs(6000, D, 150, seed=1, spread=1.0)
    data = TrainingData(np.arange(6000) * 3 + 1, features)
    model = create("exact", metric=metric).fit(data)
    assert 0 < len(model.outline) <= D // 4
    seeds = np.arange(0, 6000, 300)
    plain = BruteForce(model.rows, tie_order(data.track_ids), euclidean=metric == "euclidean")
    expected = [
        data.track_ids[places[places != seed][:10]].tolist()
        for seed, (places, _) in zip(seeds, plain.nearest(seeds, 11), strict=True)
    ]
    model.save(tmp_path)
    # Whoever compares all rows now fails.
    monkeypatch.setattr(BruteForce, "_one", None)
    monkeypatch.setattr(BruteForce, "_several", None)
    for own in (model, MODELS["exact"].load(tmp_path)):
        assert own.neighbours(data.track_ids[seeds], 10)[0].tolist() == expected
        assert [item.track_id for item in own.similar([data.track_ids[900]], 10)] == expected[3]


def test_no_outline_where_it_does_not_pay():
    noise = np.random.default_rng(0).normal(size=(5000, D)).astype(np.float32)
    assert outline_that_pays(noise).shape == (0, 5000)
    assert len(outline_that_pays(np.zeros((5000, D), dtype=np.float32))) == 0
    clustered, _ = blobs(5000, D, 100, seed=1, spread=1.0)
    assert len(outline_that_pays(clustered)) > 0
    assert outline_that_pays(clustered[:4999]).shape == (0, 4999)
    assert len(outline_that_pays(clustered[:, :63])) == 0
