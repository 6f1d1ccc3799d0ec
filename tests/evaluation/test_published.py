"""FMA's published accuracies: shipped unchanged, and never mixed up with ours."""

import numpy as np
import pandas as pd
import pytest

from segue.audio.columns import SIZES
from segue.errors import SegueError, UsageError
from segue.evaluation.published import (
    FEATURE_SETS,
    HERE,
    NOT_HERE,
    PUBLISHED,
    SAME_KIND,
    beside,
    best_published,
    claims,
    published,
)


@pytest.mark.parametrize("task", ["single_genre", "multi_genre"])
def test_what_is_shipped_is_what_was_published(shared_data, task):
    file = shared_data / "fma_metadata" / f"published_accuracy_{task}_medium.csv"
    pd.testing.assert_frame_equal(published(task), pd.read_csv(file))


def test_the_feature_sets_have_the_published_sizes():
    table = published().set_index("feature_set")
    assert list(table.index) == list(FEATURE_SETS)
    for name, families in FEATURE_SETS.items():
        assert table.loc[name, "dim"] == sum(7 * SIZES[family] for family in families)
    assert set(SAME_KIND.values()) <= set(table.columns)
    with pytest.raises(UsageError, match="single_genre or multi_genre"):
        published("three")


def test_the_best_is_the_svm_everyone_quotes():
    assert best_published() == ("mfcc/contrast/centroid", "SVCrbf", 63.39)
    assert claims()["figure"].iloc[0] == "63.4 %"


def test_without_the_tables_ours_stand_as_not_run():
    both = beside()
    assert len(both) == 18 * 13 + 18 * 3
    assert (both["where"] == PUBLISHED).sum() == 18 * 13
    absent = both[both["where"] == NOT_HERE]
    assert absent["accuracy"].isna().all()
    assert set(absent["classifier"]) == {"mlp", "forest", "svm"}


def test_ours_stand_beside_them_in_percent():
    ours = pd.DataFrame(
        [("mfcc", "svm", 0.5, 0.4, 0.6)], columns=["feature_set", "classifier", "accuracy", "low", "high"]
    )
    both = beside(ours)
    (row,) = both[both["where"] == HERE].to_dict("records")
    assert (row["feature_set"], row["dim"], row["classifier"]) == ("mfcc", 140, "svm")
    np.testing.assert_allclose([row["accuracy"], row["low"], row["high"]], [50, 40, 60])
    assert NOT_HERE not in set(both["where"])
    with pytest.raises(SegueError, match="lack the column"):
        beside(ours.drop(columns="low"))
