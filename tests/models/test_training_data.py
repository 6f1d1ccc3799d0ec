from dataclasses import replace

import numpy as np
import pytest

from segue.errors import SegueError, UsageError
from segue.models import TrainingData
from segue.models.als import ALSConfig
from segue.models.data import recording_ids_of
from segue.models.ranking import tie_order, top_k
from support.planted import frame

PLAYS = [("b", 5, 2.0), ("a", 3, 1.0), ("b", 5, 3.0), ("a", 99, 1.0), ("c", 99, 1.0)]
DATA = TrainingData(np.array([3, 5, 8]), np.eye(3), interactions=frame(PLAYS))


def test_plays_become_a_matrix():
    assert DATA.listeners.tolist() == ["a", "b"]
    assert DATA.matrix.toarray().tolist() == [[1, 0, 0], [0, 5, 0]]
    assert DATA.popularity.tolist() == [1, 1, 0]
    assert TrainingData(np.array([3])).matrix.shape == (0, 1)


def test_the_fingerprint_is_of_the_content():
    shuffled = TrainingData([3, 5, 8], np.eye(3), interactions=frame(reversed(PLAYS)))
    assert shuffled.fingerprint == DATA.fingerprint
    others = [
        replace(DATA, interactions=frame(PLAYS[:2])),
        replace(DATA, features=np.eye(3) * 2),
        replace(DATA, artist_ids=[1, 1, 2]),
        replace(DATA, recording_ids=[1, 1, 2]),
        replace(DATA, interactions=None),
    ]
    assert len({data.fingerprint for data in (DATA, *others)}) == 6


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"track_ids": [5, 3, 8]}, "ascending"),
        ({"track_ids": [3, 3, 8]}, "ascending"),
        ({"features": np.eye(2)}, r"features have shape \(2, 2\)"),
        ({"features": np.full((3, 2), np.nan)}, "3 tracks are not finite, the first is 3"),
        ({"artist_ids": [1]}, "artist_ids has shape"),
        ({"interactions": frame(PLAYS).drop(columns="weight")}, r"lack the column\(s\) weight"),
        ({"interactions": frame([("a", 3, np.inf)])}, "not finite, the first is row 0"),
    ],
)
def test_what_does_not_fit_is_refused(change, said):
    with pytest.raises(SegueError, match=said):
        replace(DATA, **change)


def test_given_arrays_are_neither_changed_nor_shared():
    features = np.eye(3, dtype=np.float32)
    data = TrainingData([3, 5, 8], features)
    features[0, 0] = 9
    assert data.features[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        data.features[0, 0] = 2


def test_recordings_by_fingerprint():
    assert recording_ids_of(["a", "b", "", "a", None, "b"]).tolist() == [0, 1, 2, 0, 4, 1]


def test_top_k_is_exact_whatever_the_ties():
    generator = np.random.default_rng(1)
    tie = tie_order(np.arange(200))
    assert np.unique(tie).size == 200
    for _ in range(20):
        scores = generator.integers(0, 6, 200).astype(float)
        scores[generator.integers(0, 200, 30)] = -np.inf
        whole = sorted(np.flatnonzero(scores > -np.inf), key=lambda i: (-scores[i], tie[i]))
        for k in (1, 10, 199, 200, 500):
            assert top_k(scores, k, tie).tolist() == whole[:k]


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"rnak": 3}, "ALSConfig has no parameter 'rnak'; did you mean 'rank'"),
        ({"rank": 0}, "ALSConfig.rank = 0: input should be greater than or equal to 1"),
        ({"rank": "many"}, "ALSConfig.rank = 'many'"),
        ({"reg": float("nan")}, "ALSConfig.reg = nan"),
        ({"weighting": "loud"}, "ALSConfig.weighting = 'loud'"),
    ],
)
def test_wrong_parameters_are_usage_errors(parameters, said):
    with pytest.raises(UsageError, match=said):
        ALSConfig(**parameters)


def test_parameters_are_typed_and_frozen():
    config = ALSConfig(rank="16", reg=1)
    assert (config.rank, config.reg) == (16, 1.0)
    with pytest.raises(ValueError, match="frozen"):
        config.rank = 3
