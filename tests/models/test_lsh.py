import numpy as np
import pytest
from pyspark.ml.linalg import Vectors

from segue.errors import SegueError
from segue.models.content import unit_rows
from segue.models.lsh import LSHConfig, fit_spark_lsh, near_pairs, share_a_bucket
from segue.models.spark_frames import vectors
from support.planted import taste

DATA = taste(n=120)
CONFIG = {"bucket_length": 0.1, "tables": 3}


def test_a_bucket_in_one_table_is_enough():
    hashes = np.array([[1, 2], [1, 9], [8, 2], [2, 1]])
    assert share_a_bucket(hashes[:2], hashes).tolist() == [
        [True, True, True, False],
        [True, True, False, False],
    ]


@pytest.mark.slow
def test_neighbours_are_those_of_spark(fit, spark):
    model = fit("lsh", DATA, **CONFIG)
    rows = unit_rows(DATA.features)
    frame = vectors(spark, rows)
    lsh = fit_spark_lsh(frame, LSHConfig(**CONFIG))
    compared = 0
    for query in range(0, 120, 17):
        key = Vectors.dense(rows[query].astype(float))
        found = lsh.approxNearestNeighbors(frame, key, 120).select("position").toPandas()["position"]
        candidates = np.flatnonzero(share_a_bucket(model.hashes[[query]], model.hashes)[0])
        assert sorted(found) == candidates.tolist()
        ours = [
            int(DATA.positions([item.track_id])[0]) for item in model.similar([DATA.track_ids[query]], 119)
        ]
        assert ours[: len(found) - 1] == [place for place in found if place != query]
        compared += len(found)
    assert compared < 7 * 120 / 2


@pytest.mark.slow
def test_tracks_outside_the_buckets_follow_with_lower_scores(fit):
    model = fit("lsh", DATA, **CONFIG)
    shared = share_a_bucket(model.hashes[:1], model.hashes)[0].sum() - 1
    scores = [item.score for item in model.similar([DATA.track_ids[0]], 119)]
    assert 0 < shared < 60
    assert min(scores[:shared]) >= -1 - 1e-6
    assert max(scores[shared:]) <= -1 + 1e-6


@pytest.mark.slow
def test_near_pairs_are_those_within_the_distance_that_share_a_bucket(fit, spark):
    model = fit("lsh", DATA, **CONFIG)
    found = near_pairs(model.rows, 0.15, LSHConfig(**CONFIG), spark=spark)
    distance = np.linalg.norm(model.rows[:, None] - model.rows[None], axis=2)
    first, second = np.nonzero(np.triu((distance < 0.15) & share_a_bucket(model.hashes, model.hashes), 1))
    assert 20 < first.size < 1000
    pairs = found.pairs
    assert {*zip(pairs["first"], pairs["second"], strict=True)} == {*zip(first, second, strict=True)}
    np.testing.assert_allclose(pairs["distance"], distance[pairs["first"], pairs["second"]], atol=1e-5)
    assert pairs["distance"].is_monotonic_increasing
    alike = (model.hashes[:, None] == model.hashes[None]).sum(axis=2)
    assert found.compared == np.triu(alike, 1).sum()
    with pytest.raises(SegueError, match="choose a bucket_length below 100"):
        near_pairs(model.rows, 0.15, LSHConfig(bucket_length=100), spark=spark, most_compared=500)
