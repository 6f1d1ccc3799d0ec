import numpy as np
import pandas as pd
import pytest

from segue.errors import SegueError, UsageError
from segue.evaluation.by_time import at_one_moment, last_of_each_listener


def plays(rows):
    frame = pd.DataFrame(rows, columns=["listener_id", "track_id", "at"])
    return frame.assign(weight=1.0)


def pairs(frame):
    return list(frame[["listener_id", "track_id"]].itertuples(index=False, name=None))


EVENTS = plays([
    ("a", 1, 10), ("a", 2, 20), ("a", 3, 30), ("a", 1, 40), ("a", 4, 50),
    ("b", 1, 5), ("b", 2, 45), ("c", 9, 48), ("b", 3, 30), ("b", 3, 12),
])  # fmt: skip


def test_one_moment_by_hand():
    split = at_one_moment(EVENTS, test_share=0.3)
    # Ten plays, three after 40: at 45, 48 and 50.
    assert split.moment == 40
    assert pairs(split.train) == [("a", 1), ("a", 2), ("a", 3), ("b", 1), ("b", 3)]
    assert split.train["weight"].tolist() == [2, 1, 1, 1, 2]
    assert pairs(split.test) == [("a", 4), ("b", 2), ("c", 9)]
    assert split.strangers.tolist() == ["c"]
    assert split.played_again == 0
    again = at_one_moment(EVENTS, moment=30)
    assert pairs(again.test) == [("a", 4), ("b", 2), ("c", 9)]
    assert again.played_again == 1


def test_plays_at_the_same_time_stay_together():
    split = at_one_moment(plays([("a", i, 7 if i > 3 else 1) for i in range(10)]), test_share=0.5)
    assert (split.moment, len(split.train), len(split.test)) == (1, 4, 6)


def test_the_last_of_each_by_hand():
    split = last_of_each_listener(EVENTS, test_share=0.4, minimum=3)
    # a: two of five are after 30, one of them again; b: one of four is after 30; c has too few.
    assert pairs(split.test) == [("a", 4), ("b", 2)]
    assert ("c", 9) in pairs(split.train)
    assert (split.strangers.size, split.played_again, split.moment) == (0, 1, None)
    shuffled = EVENTS.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(last_of_each_listener(shuffled, test_share=0.4, minimum=3).test, split.test)


def test_dates_and_weights_of_ones_own():
    dated = EVENTS.assign(at=pd.to_datetime(EVENTS["at"], unit="D")).drop(columns="weight")

    def counted(rows):
        return (
            rows.groupby(["listener_id", "track_id"], as_index=False)
            .size()
            .rename(columns={"size": "weight"})
        )

    split = at_one_moment(dated, test_share=0.3, weigh=counted)
    assert split.moment == pd.Timestamp(40, unit="D")
    assert split.train["weight"].tolist() == [2, 1, 1, 1, 2]
    with pytest.raises(SegueError, match="no column weight"):
        at_one_moment(dated)


@pytest.mark.parametrize("split", [at_one_moment, last_of_each_listener])
def test_what_cannot_be_split(split):
    with pytest.raises(SegueError, match=r"column\(s\) at"):
        split(EVENTS.drop(columns="at"))
    with pytest.raises(SegueError, match="1 of 10 plays have no time"):
        split(EVENTS.assign(at=[np.nan, *range(9)]))
    with pytest.raises(SegueError, match=r"no play is after 3|different times"):
        split(EVENTS.assign(at=3))
    with pytest.raises(SegueError, match="needs plays"):
        split(EVENTS[:0])
    with pytest.raises(UsageError, match="test_share"):
        split(EVENTS, test_share=1.0)
