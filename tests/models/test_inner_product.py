import numpy as np
import pytest

from segue.models import inner_product
from segue.models.inner_product import LargestProducts
from segue.models.ranking import tie_order, top_k


@pytest.fixture(autouse=True)
def _few_rows_are_many(monkeypatch):
    monkeypatch.setattr(inner_product, "_LEAST_ROWS", 20_000)


def lengths_like_those_of_factors(n: int, r: int) -> np.ndarray:
    rng = np.random.default_rng(5)
    length = (1 + np.arange(n)) ** -0.3
    return (rng.standard_normal((n, r)) * rng.permutation(length)[:, None]).astype(np.float32)


@pytest.mark.parametrize("r", [30, 64])
def test_nearly_all_of_the_largest_products_are_found_in_their_order(r):
    rows = lengths_like_those_of_factors(24_000, r)
    tie = tie_order(np.arange(len(rows)))
    search = LargestProducts(rows, tie)
    shared = []
    for vector in np.random.default_rng(6).standard_normal((20, r)).astype(np.float32):
        found = search.top(vector, 200)
        products = rows @ vector
        shared.append(len(np.intersect1d(found, top_k(products, 200, tie))) / 200)
        assert np.unique(found).size == 200
        assert (np.diff(products[found]) <= 1e-5).all()
        assert search.top(vector, 200).tolist() == found.tolist()
    assert np.mean(shared) >= 0.99


def test_what_many_play_ends_the_search_exactly(monkeypatch):
    rows = lengths_like_those_of_factors(24_000, 16)
    heavy = np.random.default_rng(7).permutation(24_000)[:1_000]
    rows[heavy] *= 50
    search = LargestProducts(rows, tie_order(np.arange(len(rows))))
    monkeypatch.setattr(inner_product._Stratum, "search", None)
    vector = np.ones(16, dtype=np.float32)
    assert search.top(vector, 50).tolist() == np.argsort(-(rows @ vector))[:50].tolist()


def test_few_rows_are_all_multiplied_and_equal_products_keep_the_tie_order():
    rows = np.repeat(np.eye(3, dtype=np.float32), 4, axis=0)
    tie = tie_order(np.arange(12))
    found = LargestProducts(rows, tie).top(np.array([0, 1, 2], dtype=np.float32), 10)
    assert found.tolist() == [
        *sorted(range(8, 12), key=tie.__getitem__), *sorted(range(4, 8), key=tie.__getitem__),
        *sorted(range(4), key=tie.__getitem__)[:2],
    ]  # fmt: skip
