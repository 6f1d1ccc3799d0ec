import numpy as np
import pytest
from scipy.stats import entropy
from sklearn.metrics.pairwise import cosine_similarity

from segue.evaluation import lists

RANKED = np.array([[0, 1], [0, 1], [0, -1]])


def test_coverage_and_gini_by_hand():
    assert lists.coverage(RANKED, 4) == 2 / 4
    # Counts 0, 0, 2, 3: the mean absolute difference over twice the mean.
    counts = np.array([3, 2, 0, 0])
    expected = np.abs(counts[:, None] - counts).mean() / (2 * counts.mean())
    assert lists.gini(RANKED, 4) == pytest.approx(expected)
    assert lists.gini(np.array([[0, 1], [2, 3]]), 4) == pytest.approx(0)
    assert lists.gini(np.full((2, 2), -1), 4) == 0


def test_gini_is_twice_the_area_over_the_lorenz_curve():
    ranked = np.random.default_rng(0).zipf(1.5, size=(40, 10)).clip(max=60) - 1
    shares = np.sort(np.bincount(ranked.ravel(), minlength=60)) / ranked.size
    lorenz = np.concatenate([[0], np.cumsum(shares)])
    area = np.trapezoid(lorenz, dx=1 / 60)
    assert lists.gini(ranked, 60) == pytest.approx(1 - 2 * area)


def test_novelty_by_hand():
    popularity = np.array([8, 4, 1, 0])
    # Of 8 listeners: 0, 1, 3 bits, and 3 for what nobody has played.
    found = lists.novelty(np.array([[0, 1, -1], [2, 3, 0], [-1, -1, -1]]), popularity, 8)
    assert found == pytest.approx([1 / 2, 6 / 3, 0])


def test_novelty_of_the_listening_itself_is_its_entropy():
    """Items listed as often as they are listened to: the mean self-information is Shannon's entropy."""
    counts = np.array([16, 8, 4, 4])
    ranked = np.repeat(np.arange(4), counts)[:, None]
    assert lists.novelty(ranked, counts, 32).mean() == pytest.approx(entropy(counts, base=2))


def test_diversity_by_hand():
    features = np.array([[2, 0], [0, 3], [-1, 0], [0, 0], [5, 0]], dtype=np.float32)
    ranked = np.array([[0, 4, -1], [0, 1, -1], [0, 2, -1], [0, 1, 2], [3, 3, 3], [1, -1, -1], [-1, -1, -1]])
    found = lists.intra_list_diversity(ranked, features)
    assert found == pytest.approx([0, 1, 2, (1 + 2 + 1) / 3, 1, 0, 0])


def test_diversity_against_scikit_learn():
    generator = np.random.default_rng(2)
    features = generator.normal(size=(80, 7)).astype(np.float32)
    ranked = generator.permuted(np.tile(np.arange(80), (300, 1)), axis=1)[:, :10]
    cosine = cosine_similarity(features.astype(np.float64))
    upper = np.triu_indices(10, 1)
    expected = [1 - cosine[np.ix_(row, row)][upper].mean() for row in ranked]
    assert lists.intra_list_diversity(ranked, features) == pytest.approx(expected)
