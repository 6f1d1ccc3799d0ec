from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

from segue.errors import SegueError, UsageError
from segue.evaluation.significance import differences, marks
from segue.evaluation.unseen_artists import evaluate_unseen_artists, factories
from segue.models import TrainingData
from segue.models.exact import Exact
from segue.models.random_ import Random
from support.planted import FIRST_ID, taste

DATA = replace(taste(), genres=[f"genre {i % 4}" for i in range(60)])
NEAR = factories({"exact": {}})


class Watching(Exact):
    """Exact search that keeps what it was fitted on."""

    seen: ClassVar[list[TrainingData]] = []

    def _fit(self, data):
        self.seen.append(data)
        super()._fit(data)


class Cheating(Random):
    """Knows the genre of every track that it was told of, and puts it first."""

    def _fit(self, data):
        self.told = data.genre_codes

    def _similar_scores(self, seeds):
        same = (self.told == self.told[seeds[0]]) & (self.told >= 0)
        return same.astype(np.float32)


def test_models_are_told_nothing_of_the_artists_that_are_asked():
    Watching.seen.clear()
    found = evaluate_unseen_artists({"watching": Watching}, DATA, folds=5)
    assert len(Watching.seen) == 5
    asked = found.values[found.values["model"] == "watching"]
    for fold, told in enumerate(Watching.seen):
        places = DATA.positions(asked[asked["fold"] == fold]["track_id"].to_numpy())
        assert places.size
        assert (told.genres[places] == "").all()
        assert (told.artist_ids[places] == -1).all()
        assert not np.isin(told.interactions["track_id"], DATA.track_ids[places]).any()
        assert not set(DATA.artist_ids[places]) & set(told.artist_ids)
        assert np.array_equal(told.features, DATA.features)
    assert sorted(asked["track_id"]) == DATA.track_ids.tolist()


def test_sound_tells_the_planted_genres_and_chance_does_not():
    found = evaluate_unseen_artists(NEAR, DATA, folds=5)
    table = found.table.set_index("model")
    assert table.index.tolist() == ["random", "popularity", "exact"]
    assert table.loc["exact", ["genre_precision_at_10", "unseen_precision_at_10"]].tolist()[0] == 1
    # 12 of the 57 tracks of other artists are of the genre.
    for name in ("random", "popularity"):
        row = table.loc[name]
        assert row["genre_precision_at_10_low"] < 12 / 57 < row["genre_precision_at_10_high"]
    assert (table["queries"] == 60).all()
    assert (table["asked_artists"] == 20).all()
    assert found.artists == "never shared"
    pair = differences(
        found.values, "genre_precision_at_10", [("exact", "random")], by="track_id", groups="artist"
    )
    assert pair["low"][0] > 0.6
    assert marks(found.values, "genre_precision_at_10", by="track_id", groups="artist")["model"][0] == "exact"


def test_who_knows_genres_by_heart_gains_nothing():
    table = evaluate_unseen_artists({"cheating": Cheating}, DATA, folds=5).table.set_index("model")
    assert table.loc["cheating", "genre_precision_at_10_low"] < 12 / 57
    assert table.loc["cheating", "genre_precision_at_10_high"] < 0.35


def test_precision_by_hand():
    """Two parts: artists 1 and 2 on one side, 3 and 4 on the other, whichever way they were dealt."""
    rows = np.array([[1, 0], [1, 0.1], [1, 0.2], [0, 1], [0.1, 1], [0.2, 1]], dtype=np.float32)
    data = TrainingData(
        np.arange(6), rows, artist_ids=[1, 1, 2, 3, 4, 4], genres=["x", "x", "y", "y", "x", ""]
    )
    found = evaluate_unseen_artists(NEAR, data, k=2, parts=2, folds=2)
    own = found.values[found.values["model"] == "exact"].set_index("track_id")
    # Track 5 has no genre. 0 and 1 get 2 and 4 (y, x); 2 gets 1 and 0; 3 gets 4 and 2; 4 gets 3 and 2.
    expected = {0: 0.5, 1: 0.5, 2: 0.0, 3: 0.5, 4: 0.0}
    assert {track: own["genre_precision_at_2"][track] for track in own.index} == {
        track: expected[track] for track in own.index
    }
    assert len(own) >= 4
    # The other tracks of a genre that are not the query's artist's: 4 for 0, 1 and 2; 2 for 3; 0 and 1 for 4.
    most = {0: 0.5, 1: 0.5, 2: 0.5, 3: 0.5, 4: 1.0}
    assert own["genre_most_at_2"].to_dict() == {track: most[track] for track in own.index}


def test_an_artist_is_never_the_answer_to_itself():
    rows = np.repeat(np.eye(10, dtype=np.float32), 3, axis=0)
    genres = np.repeat([f"g{i}" for i in range(10)], 3)
    named = TrainingData(np.arange(30), rows, artist_ids=np.repeat(np.arange(10), 3), genres=genres)
    table = evaluate_unseen_artists(NEAR, named, k=2, folds=5).table.set_index("model")
    assert table.loc["exact", "genre_precision_at_2"] == 0
    unnamed = TrainingData(np.arange(30), rows, genres=genres)
    found = evaluate_unseen_artists(NEAR, unnamed, k=2, folds=5)
    assert found.table.set_index("model").loc["exact", "genre_precision_at_2"] == 1
    assert found.artists.startswith("not known")


def test_a_sample_of_the_queries():
    table = evaluate_unseen_artists(NEAR, DATA, folds=2, queries=5).table
    assert (table["queries"] == 10).all()


def test_what_cannot_be_asked_says_why():
    with pytest.raises(SegueError, match="two genres"):
        evaluate_unseen_artists(NEAR, replace(DATA, genres=None))
    with pytest.raises(SegueError, match="as many artists and there are 1"):
        evaluate_unseen_artists(NEAR, replace(DATA, artist_ids=np.zeros(60)))
    with pytest.raises(UsageError, match="folds = 6"):
        evaluate_unseen_artists(NEAR, DATA, folds=6)
    lonely = TrainingData(FIRST_ID + np.arange(5), np.eye(5), np.arange(5), genres=["a", "b", "a", "b", "a"])
    with pytest.raises(SegueError, match="no unseen artist's track has a candidate"):
        evaluate_unseen_artists(NEAR, lonely)
