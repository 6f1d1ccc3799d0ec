import numpy as np
import pytest

from segue.live.nearby import SHALLOW, Nearby
from segue.models import TrainingData, create
from support.planted import blobs

ROWS = blobs(400, 12, 8, seed=2)[0]
DATA = TrainingData(np.arange(400), ROWS)


@pytest.mark.parametrize("parameters", [{}, {"metric": "euclidean"}])
def test_neighbours_are_those_of_exact_search_however_many_are_asked_for(parameters):
    model = create("exact", **parameters).fit(DATA)
    near = Nearby(model)
    seeds, counts = np.array([7, 300, 7, 12]), np.array([3, 120, SHALLOW + 1, 0])
    for _ in range(2):
        found = np.split(near.first(seeds, counts), np.cumsum(counts)[:-1])
        for seed, count, own in zip(seeds, counts, found, strict=True):
            assert (
                own.tolist()
                == [item.track_id for item in model.similar([int(seed)], int(count or 1))][:count]
            )


def test_what_was_asked_before_changes_nothing():
    fresh, used = (Nearby(create("hnsw", links=2, build=2, view=4, candidates=4).fit(DATA)) for _ in range(2))
    used.first(np.arange(400), np.full(400, 9))
    used.first(np.arange(400), np.full(400, 99))
    seeds = np.arange(0, 400, 7)
    counts = np.where(np.arange(seeds.size) % 2, 10, 150)
    assert used.first(seeds, counts).tolist() == fresh.first(seeds, counts).tolist()


def test_a_catalogue_of_one_track_has_no_neighbours():
    near = Nearby(create("exact").fit(TrainingData(np.array([5]), ROWS[:1])))
    assert near.depth == 0
    assert near.first(np.array([0]), np.array([0])).size == 0
