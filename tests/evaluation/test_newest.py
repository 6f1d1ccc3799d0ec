"""A new model against the serving one on the newest plays: what is asked, and what is refused."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from segue.dataset.listening import interactions
from segue.errors import SegueError
from segue.evaluation.newest import MARGIN, Newest, compare_on_newest, judge, newest_plays
from segue.models import Recommender, TrainingData, create
from segue.models.popularity import Popularity
from support.listening import EVENTS, LISTENERS, NOON, OLD, SIZE, events
from support.planted import taste

CATALOGUE = taste(SIZE)
"""Its plays are replaced."""


def fitted(name: str, heard: pd.DataFrame) -> Recommender:
    data = TrainingData(CATALOGUE.track_ids, CATALOGUE.features, interactions=interactions(heard))
    return create(name, **({"rank": 8} if name == "wals" else {})).fit(data)


def compared(serving: str, candidate: str, least: int = 20):
    newest = newest_plays(EVENTS, set(OLD["event_id"]), least)
    new = create(candidate, **({"rank": 8} if candidate == "wals" else {}))
    return compare_on_newest(fitted(serving, OLD), lambda: new, CATALOGUE, newest, least=least)


def test_the_newest_of_the_new_plays_are_asked_whenever_the_others_were():
    asked = events([
        ("a1", "a", 100, "complete", 0), ("late", "a", 101, "complete", 90), ("b1", "b", 100, "like", 1),
        ("a2", "a", 102, "complete", 10), ("b2", "b", 103, "complete", 20), ("x", "b", 105, "impression", 99),
        ("b3", "b", 100, "complete", 30), ("b4", "b", 104, "complete", 40), ("c1", "c", 104, "complete", 50),
    ])  # fmt: skip
    found = newest_plays(asked, {"a1", "b1", "late"}, least=1)
    # Of a2, b2, b3, b4, c1 a fifth is the last, c's, who has no history: a third and a half reach b4.
    assert found.moment == pd.Timestamp(NOON + timedelta(minutes=30))
    assert found.listeners == 1
    pair = ["listener_id", "track_id"]
    assert found.test[pair].to_numpy().tolist() == [["b", 104], ["c", 104]]
    # A play of the serving model's, though later than the moment, is the new one's too.
    assert found.before[pair].to_numpy().tolist() == [
        ["a", 100], ["a", 101], ["a", 102], ["b", 100], ["b", 103],
    ]  # fmt: skip
    with pytest.raises(SegueError, match="no play is new"):
        newest_plays(asked, set(asked["event_id"]))


def test_a_worse_model_is_refused_and_a_better_one_is_not():
    worse = compared("wals", "random")
    assert worse.told
    assert worse.worse
    assert worse.high < 0
    assert worse.listeners == LISTENERS
    better = compared("popularity", "wals")
    assert better.why.startswith("better")
    assert not better.worse
    assert better.low > 0
    assert better.candidate - better.serving == pytest.approx(better.difference)
    again = compared("wals", "wals")
    assert not again.worse
    assert again.low <= again.difference <= again.high


def test_neither_model_has_learned_from_what_is_asked():
    seen: list[TrainingData] = []

    class Watched(Popularity):
        def _fit(self, data: TrainingData) -> None:
            seen.append(data)
            super()._fit(data)

    newest = newest_plays(EVENTS, set(OLD["event_id"]))
    compare_on_newest(fitted("popularity", OLD), Watched, CATALOGUE, newest)
    pair = ["listener_id", "track_id"]
    learned = set(seen[0].interactions[pair].itertuples(index=False, name=None))
    asked = set(newest.test[pair].itertuples(index=False, name=None))
    assert not learned & asked
    assert not set(OLD[pair].itertuples(index=False, name=None)) & asked
    # The plays between the serving model's and the test are what a refit is for.
    assert len(learned) > len(OLD)


def test_too_few_listeners_tell_nothing():
    verdict = compared("wals", "random", least=LISTENERS + 1)
    assert (verdict.worse, verdict.told, verdict.difference) == (False, False, None)
    assert f"{LISTENERS} listeners with a history" in verdict.why


def test_a_track_that_the_serving_model_lacks_is_one_that_it_does_not_find():
    smaller = TrainingData(CATALOGUE.track_ids[:-1], interactions=CATALOGUE.interactions)
    serving = create("popularity").fit(smaller)
    last = int(CATALOGUE.track_ids[-1])
    many = pd.DataFrame({"listener_id": [f"z{i}" for i in range(30)], "track_id": last, "weight": 1.0})
    before = pd.concat([CATALOGUE.interactions, many])
    who = CATALOGUE.interactions.groupby("listener_id")["track_id"].agg(set)
    asked = [name for name, tracks in who.items() if last not in tracks]
    test = pd.DataFrame({"listener_id": asked, "track_id": last, "weight": 1.0})
    newest = Newest(before, test, len(asked), NOON)
    verdict = compare_on_newest(serving, lambda: create("popularity"), CATALOGUE, newest, least=5)
    assert verdict.serving == 0
    assert verdict.candidate > 0


@pytest.mark.parametrize(
    ("losses", "worse"),
    [
        ([0.0] * 50, False),
        ([0.2] * 50, True),
        # Sure to be a loss, and sure to be less than the margin.
        ([MARGIN * 0.5 * 0.9] * 50, False),
        # A few lose all and the others win a little: large, and may be chance.
        ([0.5] * 2 + [-0.005] * 48, False),
    ],
)
def test_a_loss_counts_when_it_is_sure_and_large(losses, worse):
    serving = np.full(50, 0.5)
    assert judge(serving, serving - losses, plays=50, since="").worse == worse
