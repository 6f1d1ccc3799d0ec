import numpy as np
import pytest
from pyspark.ml.linalg import Vectors

from segue.models.content import unit_rows
from segue.models.lsh import LSHConfig, fit_spark_lsh, share_a_bucket
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
