import numpy as np
import pytest
import pytrec_eval
from sklearn.metrics import average_precision_score, ndcg_score

from segue.errors import SegueError, UsageError
from segue.evaluation import metrics

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


def test_hits_are_those_of_a_search_one_by_one():
    generator = np.random.default_rng(3)
    ranked = generator.permuted(np.tile(np.arange(30), (50, 1)), axis=1)[:, :8]
    ranked[generator.random(ranked.shape) < 0.1] = -1
    relevant = [generator.choice(40, size=generator.integers(0, 9), replace=False) for _ in range(50)]
    expected = [[item in own for item in row] for row, own in zip(ranked, relevant, strict=True)]
    assert metrics.hit_matrix(ranked, relevant).tolist() == expected
    assert metrics.hit_matrix(np.zeros((0, 3), dtype=int), []).shape == (0, 3)


def test_against_trec_eval():
    """Lists of all 40 items, a tenth of them relevant; recall and MAP of ours are over min(k, relevant)."""
    generator = np.random.default_rng(1)
    truth = generator.random((50, 40)) < 0.1
    truth[:, 0] = True
    scores = generator.permuted(np.tile(np.arange(40.0), (50, 1)), axis=1)
    asked = {f"q{i}": {f"d{j}": int(hit) for j, hit in enumerate(row)} for i, row in enumerate(truth)}
    answered = {f"q{i}": {f"d{j}": s for j, s in enumerate(row)} for i, row in enumerate(scores)}
    measures = {"ndcg_cut.10", "recall.20", "P.10", "map_cut.10", "recip_rank", "success.10"}
    found = pytrec_eval.RelevanceEvaluator(asked, measures).evaluate(answered)
    theirs = {name: np.array([found[f"q{i}"][name] for i in range(50)]) for name in found["q0"]}
    hits = np.take_along_axis(truth, np.argsort(-scores, axis=1), axis=1)
    relevant = truth.sum(axis=1)
    assert metrics.ndcg_at_k(hits, relevant, 10) == pytest.approx(theirs["ndcg_cut_10"])
    assert metrics.precision_at_k(hits, relevant, 10) == pytest.approx(theirs["P_10"])
    assert metrics.mrr_at_k(hits, relevant, 40) == pytest.approx(theirs["recip_rank"])
    assert metrics.hit_rate_at_k(hits, relevant, 10) == pytest.approx(theirs["success_10"])
    assert relevant.max() <= 20
    assert metrics.recall_at_k(hits, relevant, 20) == pytest.approx(theirs["recall_20"])
    few = relevant <= 10
    assert few.sum() > 40
    assert metrics.map_at_k(hits, relevant, 10)[few] == pytest.approx(theirs["map_cut_10"][few])


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
