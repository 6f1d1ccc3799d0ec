import numpy as np
import pytest
from sklearn.metrics import average_precision_score, ndcg_score

from segue.errors import SegueError, UsageError
from segue.evaluation import lists, metrics

HITS = np.array([[1, 0, 1, 0], [0, 0, 0, 0], [0, 1, 1, 1]], dtype=bool)
RELEVANT = np.array([2, 5, 3])


def test_by_hand():
    gain = 1 / np.log2(np.arange(2, 6))
    expected = [(gain[0] + gain[2]) / gain[:2].sum(), 0, gain[1:4].sum() / gain[:3].sum()]
    assert metrics.ndcg_at_k(HITS, RELEVANT, 4) == pytest.approx(expected)
    assert metrics.recall_at_k(HITS, RELEVANT, 4) == pytest.approx([1, 0, 1])
    assert metrics.precision_at_k(HITS, RELEVANT, 4) == pytest.approx([1 / 2, 0, 3 / 4])
    assert metrics.hit_rate_at_k(HITS, RELEVANT, 4) == pytest.approx([1, 0, 1])
    assert metrics.mrr_at_k(HITS, RELEVANT, 4) == pytest.approx([1, 0, 1 / 2])
    assert metrics.map_at_k(HITS, RELEVANT, 4) == pytest.approx(
        [(1 + 2 / 3) / 2, 0, (1 / 2 + 2 / 3 + 3 / 4) / 3]
    )


def test_at_another_cutoff_by_hand():
    gain = 1 / np.log2(np.arange(2, 4))
    assert metrics.ndcg_at_k(HITS, RELEVANT, 2) == pytest.approx(
        [gain[0] / gain.sum(), 0, gain[1] / gain.sum()]
    )
    assert metrics.recall_at_k(HITS, RELEVANT, 2) == pytest.approx([1 / 2, 0, 1 / 2])
    assert metrics.recall_at_k(HITS, RELEVANT, 10) == pytest.approx([1, 0, 1])
    assert metrics.precision_at_k(HITS, RELEVANT, 10) == pytest.approx([2 / 10, 0, 3 / 10])
    assert metrics.hit_rate_at_k(HITS, RELEVANT, 1) == pytest.approx([1, 0, 0])
    assert metrics.mrr_at_k(HITS, RELEVANT, 1) == pytest.approx([1, 0, 0])
    assert metrics.map_at_k(HITS, RELEVANT, 2) == pytest.approx([1 / 2, 0, 1 / 4])


def test_against_scikit_learn():
    generator = np.random.default_rng(0)
    truth = generator.random((60, 40)) < 0.15
    truth[:, 0] = True
    scores = generator.permuted(np.tile(np.arange(40.0), (60, 1)), axis=1)
    hits = np.take_along_axis(truth, np.argsort(-scores, axis=1), axis=1)
    relevant = truth.sum(axis=1)
    for k in (1, 5, 10, 40):
        assert metrics.ndcg_at_k(hits, relevant, k).mean() == pytest.approx(ndcg_score(truth, scores, k=k))
    expected = [average_precision_score(t, s) for t, s in zip(truth, scores, strict=True)]
    assert metrics.map_at_k(hits, relevant, 40) == pytest.approx(expected)


def test_hits_of_lists():
    ranked = np.array([[4, 2, 9], [1, -1, -1]])
    hits = metrics.hit_matrix(ranked, [np.array([9, 4]), np.array([-1, 3])])
    assert hits.tolist() == [[True, False, True], [False, False, False]]


def test_coverage_and_gini_by_hand():
    ranked = np.array([[0, 1], [0, 1], [0, -1]])
    assert lists.coverage(ranked, 4) == 2 / 4
    # Counts 0, 0, 2, 3: the mean absolute difference over twice the mean.
    counts = np.array([3, 2, 0, 0])
    expected = np.abs(counts[:, None] - counts).mean() / (2 * counts.mean())
    assert lists.gini(ranked, 4) == pytest.approx(expected)
    assert lists.gini(np.array([[0, 1], [2, 3]]), 4) == pytest.approx(0)
    assert lists.gini(np.full((2, 2), -1), 4) == 0


@pytest.mark.parametrize(
    ("hits", "relevant", "k", "error"),
    [
        (HITS, RELEVANT, 0, UsageError),
        (HITS, [2, 0, 3], 4, SegueError),
        (HITS, [1, 5, 3], 4, SegueError),
        (HITS, [2, 5], 4, SegueError),
        (HITS[0], [2], 4, SegueError),
    ],
)
def test_what_has_no_answer_is_refused(hits, relevant, k, error):
    with pytest.raises(error):
        metrics.ndcg_at_k(hits, np.array(relevant), k)
