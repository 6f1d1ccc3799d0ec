import numpy as np
import pytest
from scipy.sparse import csr_matrix

from segue.evaluation.rankings import rank, top_k_tied
from segue.models import create
from segue.models.ranking import tie_order, top_k
from support.planted import taste

DATA = taste()


def scores(kind, n):
    generator = np.random.default_rng(n)
    values = generator.normal(size=(20, n)).astype(np.float32)
    if kind == "coarse":
        return np.round(values)
    if kind == "equal":
        return np.zeros_like(values)
    if kind == "mostly equal":
        return np.where(generator.random(values.shape) < 0.99, 0, values)
    if kind == "mostly barred":
        return np.where(generator.random(values.shape) < 0.99, -np.inf, values)
    return values


@pytest.mark.parametrize("kind", ["distinct", "coarse", "equal", "mostly equal", "mostly barred"])
@pytest.mark.parametrize("n", [1, 19, 20, 21, 2_000])
def test_many_equals_change_the_time_and_not_the_list(kind, n):
    tie = tie_order(np.arange(n))
    for salt, row in enumerate(scores(kind, n)):
        own = tie ^ np.uint64(salt)
        assert top_k_tied(row, 20, own).tolist() == top_k(row, 20, own).tolist()


def test_lists_are_what_a_listener_is_recommended():
    model = create("exact").fit(DATA)
    ranked = rank(model, DATA.matrix, 10)
    for row, own in enumerate(ranked):
        history = dict(zip(DATA.track_ids[DATA.matrix[row].indices], DATA.matrix[row].data, strict=True))
        found = [item.track_id for item in model.recommend(history, 10)]
        assert DATA.track_ids[own].tolist() == found


def test_batches_make_no_difference(monkeypatch):
    model = create("popularity").fit(DATA)
    whole = rank(model, DATA.matrix, 20)
    monkeypatch.setattr("segue.evaluation.rankings._SCORES_AT_ONCE", 1)
    assert np.array_equal(rank(model, DATA.matrix, 20), whole)


def test_equal_scores_are_in_another_order_for_each_listener():
    model = create("popularity").fit(DATA)
    nothing = csr_matrix((200, 60), dtype=np.float32)
    everything_equal = rank(_Flat(model), nothing, 20)
    firsts = np.bincount(everything_equal[:, 0], minlength=60)
    # 200 first places among 60 tracks: 3.3 each.
    assert firsts.max() < 13
    assert (firsts > 0).sum() > 45


def test_what_is_barred_may_differ_from_what_is_told():
    model = create("exact").fit(DATA)
    told = DATA.matrix.copy()
    told.data[:] = 1
    first = csr_matrix(
        (told.data[told.indptr[:-1]], (np.arange(40), told.indices[told.indptr[:-1]])), shape=told.shape
    )
    ranked = rank(model, first, 60, barred=DATA.matrix)
    for row, own in enumerate(ranked):
        assert set(own[own >= 0]) == set(range(60)) - set(DATA.matrix[row].indices)
        assert (own[48:] == -1).all()


class _Flat:
    """Scores everything 0, and gives back an array that cannot be written."""

    def __init__(self, model):
        self.track_ids = model.track_ids

    def score_histories(self, histories):
        return np.broadcast_to(np.float32(0), histories.shape)
