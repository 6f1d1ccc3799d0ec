"""Why a track is recommended, for every model that can recommend."""

import numpy as np
import pytest

from segue.errors import SegueError
from segue.models import MODELS, Basis
from support.planted import FIRST_ID, checkerboard

BOARD = checkerboard(20)
SMALL = {"kmeans": {"clusters": 2}, "bisecting": {"clusters": 2}, "als": {"rank": 8, "reg": 0.02}}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_reason_names_the_listeners_own_tracks(fit, name):
    model = fit(name, BOARD, **SMALL.get(name, {}))
    history = {FIRST_ID + 2: 1.0, FIRST_ID + 4: 1.0, FIRST_ID + 5: -1.0, 7: 1.0}
    found = [item.track_id for item in model.recommend(history, 5)]
    reasons = model.explain(history, found, most=2)
    assert len(reasons) == 5
    for reason in reasons:
        assert reason.basis in Basis
        assert len(reason.track_ids) <= 2
        assert set(reason.track_ids) <= {FIRST_ID + 2, FIRST_ID + 4}
    if name not in ("random", "popularity"):
        assert all(reason.track_ids for reason in reasons)
    assert all(reason.track_ids == () for reason in model.explain({}, found))


def test_of_two_tracks_the_nearer_is_the_reason(fit):
    model = fit("exact", BOARD)
    even, odd = model.explain({FIRST_ID + 2: 1.0, FIRST_ID + 5: 1.0}, [FIRST_ID + 8, FIRST_ID + 9], most=1)
    assert (even.track_ids, odd.track_ids) == ((FIRST_ID + 2,), (FIRST_ID + 5,))
    assert even.basis == Basis.SOUND


def test_the_parts_of_a_score_add_up_to_it(fit):
    model = fit("exact", BOARD)
    history, weights = np.array([2, 4, 7]), np.array([1.0, 2.0, 4.0], dtype=np.float32)
    parts = model.contributions(history, weights, np.arange(20))
    scores = model.score_histories(_row(history, weights))
    np.testing.assert_allclose(parts.sum(axis=1) / weights.sum(), scores[0], rtol=1e-5)


def _row(history, weights):
    from scipy.sparse import csr_matrix

    return csr_matrix((weights, (np.zeros(3, dtype=int), history)), shape=(1, 20))


def test_a_track_outside_the_catalogue_is_refused(fit):
    with pytest.raises(SegueError, match="track 7 is not in the catalogue"):
        fit("popularity", BOARD).explain({}, [7])
