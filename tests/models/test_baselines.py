import numpy as np
import pytest

from segue.models import TrainingData, create
from support.planted import frame


def test_popularity_counts_listeners_not_plays():
    plays = frame(
        [
            ("a", 1, 1),
            ("b", 1, 1),
            ("c", 1, 1),
            ("a", 2, 900),
            ("a", 2, 50),
            ("b", 3, 5),
            ("c", 3, 5),
            ("a", 9, 1),
        ]
    )
    model = create("popularity").fit(TrainingData(np.array([1, 2, 3, 4]), interactions=plays))
    assert model.recommend({}, 4) == [(1, 3.0), (3, 2.0), (2, 1.0), (4, 0.0)]
    assert model.recommend({1: 1.0}, 2) == [(3, 2.0), (2, 1.0)]
    assert model.similar([3], 2) == [(1, 3.0), (2, 1.0)]


def test_random_depends_on_seed_and_query_only():
    data = TrainingData(np.arange(50))
    model = create("random").fit(data)
    first = [item.track_id for item in model.similar([1], 49)]
    assert first == [item.track_id for item in model.similar([1], 49)]
    assert first != [item.track_id for item in model.similar([2], 49)]
    assert first != [item.track_id for item in create("random", seed=1).fit(data).similar([1], 49)]
    assert model.similar([3, 1], 9) == model.similar([1, 3], 9)


def test_random_favours_no_track():
    model = create("random").fit(TrainingData(np.arange(400)))
    counts = np.bincount(
        [item.track_id for i in range(400) for item in model.similar([i], 10)], minlength=400
    )
    # 10 a track on average; a binomial's deviation is 3.1, so six of them are 19.
    assert counts.mean() == pytest.approx(10)
    assert counts.max() < 29
