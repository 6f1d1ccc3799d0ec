import numpy as np
import pytest

from segue.live.choosing import Chooser
from segue.models.rerank import RerankConfig, Reranker


@pytest.mark.parametrize("seed", range(40))
def test_a_list_read_in_parts_is_that_of_the_whole_ranking(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 120))
    artists = rng.integers(-1, rng.integers(1, 12), size=n)
    recordings = rng.integers(0, n, size=n)
    config = RerankConfig(per_artist=int(rng.integers(1, 4)), window=int(rng.integers(1, 12)), pool=10)
    order = rng.permutation(n)
    first, second = np.split(order, [int(rng.integers(0, n + 1))])
    dropped = rng.permutation(n)[: rng.integers(0, 4)]
    k = int(rng.integers(1, n + 2))
    tiers = [np.array_split(first, rng.integers(1, 5)), np.array_split(second, rng.integers(1, 5))]
    chosen = Chooser(artists, recordings, config).choose(tiers, k, dropped)
    expected = Reranker(np.arange(n), artists, recordings, config).choose([first, second], k, dropped)
    assert chosen.tolist() == expected.tolist()


def test_no_more_is_read_than_the_list_needs():
    def parts():
        yield np.arange(8)
        raise AssertionError("read on")

    chosen = Chooser(np.arange(20), np.arange(20), RerankConfig()).choose([parts()], 6, np.array([2]))
    assert chosen.tolist() == [0, 1, 3, 4, 5, 6]
