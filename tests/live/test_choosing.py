import numpy as np
import pytest

from segue.live.catalogue import Catalogue
from segue.live.choosing import Chooser, Varied
from segue.live.fusion import Fused
from segue.models.rerank import RerankConfig, Reranker


def fused(places: np.ndarray, scores: np.ndarray) -> Fused:
    nothing = np.zeros(places.size)
    return Fused(places, scores, nothing, np.full(places.size, -1), nothing)


@pytest.mark.parametrize("seed", range(60))
def test_the_compiled_pass_chooses_what_the_reranker_does(seed):
    """One chooser makes three lists, as its scratch must be as before after each."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 120))
    artists = rng.integers(-1, rng.integers(1, 12), size=n)
    recordings = 7 * rng.integers(0, n, size=n)
    catalogue = Catalogue(np.arange(n) * 3, artists, recordings, n)
    rules = RerankConfig(per_artist=int(rng.integers(1, 4)), window=int(rng.integers(1, 12)), pool=10)
    anyone = rng.permutation(n)[: n - rng.integers(0, 2)]
    chooser = Chooser(catalogue, anyone, rules)
    reference = Varied(catalogue, anyone, Reranker(catalogue.track_ids, artists, recordings, rules))
    for _ in range(3):
        named = rng.permutation(n)[: rng.integers(0, n + 1)]
        ranking = fused(named, rng.integers(1, 5, size=named.size) / 7)
        held = rng.permutation(n)[: rng.integers(0, n + 1)]
        dropped = rng.permutation(n)[: rng.integers(0, 4)]
        k = int(rng.integers(1, n + 2))
        chosen, expected = (each.choose(ranking, held, dropped, k) for each in (chooser, reference))
        assert chosen[0].tolist() == expected[0].tolist()
        assert chosen[1].tolist() == expected[1].tolist()


def test_what_was_heard_comes_after_everything_else():
    catalogue = Catalogue(np.arange(6), np.arange(6), np.arange(6), 6)
    chooser = Chooser(catalogue, np.array([5, 4, 3, 2, 1, 0]), RerankConfig())
    ranking = fused(np.array([1, 3]), np.array([0.5, 0.9]))
    places, slots = chooser.choose(ranking, np.array([3, 4]), np.array([0]), 6)
    assert places.tolist() == [1, 5, 2, 3, 4]
    assert slots.tolist() == [0, -1, -1, 1, -1]
