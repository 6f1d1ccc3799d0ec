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
        found = search.top_each([vector], [200])[0]
        products = rows @ vector
        shared.append(len(np.intersect1d(found, top_k(products, 200, tie))) / 200)
        assert np.unique(found).size == 200
        assert (np.diff(products[found]) <= 1e-5).all()
        assert search.top_each([vector], [200])[0].tolist() == found.tolist()
    assert np.mean(shared) >= 0.99


def test_lists_do_not_depend_on_what_is_asked_for_together():
    rows = lengths_like_those_of_factors(24_000, 32)
    search = LargestProducts(rows, tie_order(np.arange(len(rows))))
    vectors = list(np.random.default_rng(8).standard_normal((9, 32)).astype(np.float32))
    counts = [200, 30, 110, 111, 130, 129, 7, 1, 9_000]
    together = search.top_each(vectors, counts)
    for vector, count, found in zip(vectors, counts, together, strict=True):
        assert search.top_each([vector], [count])[0].tolist() == found.tolist()
        assert found.size == count


def test_a_kept_index_finds_what_the_first_one_does():
    rows = lengths_like_those_of_factors(24_000, 30)
    tie = tie_order(np.arange(len(rows)))
    first = LargestProducts(rows, tie)
    kept = LargestProducts(rows, tie, first.index())
    vectors = list(np.random.default_rng(9).standard_normal((5, 30)).astype(np.float32))
    found, expected = (each.top_each(vectors, [150] * 5) for each in (kept, first))
    assert [each.tolist() for each in found] == [each.tolist() for each in expected]
    assert LargestProducts(rows[:90], tie[:90]).index() == {}


def test_what_many_play_ends_the_search_exactly(monkeypatch):
    rows = lengths_like_those_of_factors(24_000, 16)
    heavy = np.random.default_rng(7).permutation(24_000)[:1_000]
    rows[heavy] *= 50
    search = LargestProducts(rows, tie_order(np.arange(len(rows))))
    monkeypatch.setattr(inner_product._Stratum, "search_each", None)
    vector = np.ones(16, dtype=np.float32)
    assert search.top_each([vector], [50])[0].tolist() == np.argsort(-(rows @ vector))[:50].tolist()


def test_few_rows_are_all_multiplied_and_equal_products_keep_the_tie_order():
    rows = np.repeat(np.eye(3, dtype=np.float32), 4, axis=0)
    tie = tie_order(np.arange(12))
    found = LargestProducts(rows, tie).top_each([np.array([0, 1, 2], dtype=np.float32)], [10])[0]
    assert found.tolist() == [
        *sorted(range(8, 12), key=tie.__getitem__), *sorted(range(4, 8), key=tie.__getitem__),
        *sorted(range(4), key=tie.__getitem__)[:2],
    ]  # fmt: skip
