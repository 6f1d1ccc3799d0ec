import numpy as np
import pandas as pd
import pytest

from segue.errors import SegueError, UsageError
from segue.evaluation.splits import (
    artist_folds,
    by_artist,
    by_track,
    official,
    per_listener_fifth,
    shared_artists,
)
from support.planted import frame

SIZES = {"a": 4, "b": 5, "c": 6, "d": 10, "e": 11, "f": 50}
PLAYS = frame((name, 10 + i, i + 1) for name, size in SIZES.items() for i in range(size))


def test_a_fifth_rounded_up_of_those_with_five():
    train, test = per_listener_fifth(PLAYS, seed=3)
    assert test["listener_id"].value_counts().to_dict() == {"b": 1, "c": 2, "d": 2, "e": 3, "f": 10}
    both = pd.concat([train, test]).sort_values(["listener_id", "track_id"], ignore_index=True)
    pd.testing.assert_frame_equal(both, PLAYS.sort_values(["listener_id", "track_id"], ignore_index=True))


def test_the_split_is_of_pairs_and_seed_only():
    train, test = per_listener_fifth(PLAYS, seed=3)
    again = per_listener_fifth(PLAYS.sample(frac=1, random_state=0), seed=3)
    pd.testing.assert_frame_equal(again[0], train)
    pd.testing.assert_frame_equal(again[1], test)
    assert not per_listener_fifth(PLAYS, seed=4)[1].equals(test)
    twice = pd.concat([PLAYS, PLAYS])
    again = per_listener_fifth(twice, seed=3)[1]
    assert again["track_id"].tolist() == test["track_id"].tolist()
    assert again["weight"].tolist() == (2 * test["weight"]).tolist()


def test_every_track_of_a_listener_is_drawn_alike():
    drawn = [
        per_listener_fifth(PLAYS[PLAYS["listener_id"] == "d"], seed=s)[1]["track_id"] for s in range(300)
    ]
    counts = np.bincount(pd.concat(drawn) - 10, minlength=10)
    # 60 each on average, with a binomial deviation of 6.9.
    assert counts.sum() == 600
    assert counts.min() > 32
    assert counts.max() < 88


def test_nobody_with_enough():
    train, test = per_listener_fifth(PLAYS[PLAYS["listener_id"] == "a"])
    assert (len(train), len(test)) == (4, 0)


def test_no_artist_is_on_both_sides():
    artists = np.random.default_rng(0).integers(0, 30, 400)
    artists[:40] = -1
    split = by_artist(artists, seed=1)
    assert not set(artists[split.train]) & set(artists[split.test])
    assert (split.train ^ split.test)[40:].all()
    assert split.left_out[:40].all()
    assert not (split.left_out & (split.train | split.test)).any()
    assert 0.2 * 360 <= split.test.sum() < 0.2 * 360 + np.bincount(artists[40:]).max()
    assert split.artists_known == 0.9
    assert np.array_equal(by_artist(artists, seed=1).test, split.test)
    assert not np.array_equal(by_artist(artists, seed=2).test, split.test)


def test_without_artists_the_split_says_so():
    split = by_artist(np.full(50, -1), seed=0)
    assert (split.train.sum(), split.test.sum(), split.artists_known) == (40, 10, 0)


def test_two_artists_are_the_least():
    split = by_artist(np.array([1, 1, 1, 2]), test_share=0.9)
    assert split.train.any()
    assert split.test.any()
    with pytest.raises(SegueError, match="two artists"):
        by_artist(np.array([1, 1]))
    with pytest.raises(UsageError, match="test_share"):
        by_artist(np.array([1, 2]), test_share=1.0)


def test_official_split():
    masks = official(["training", "test", None, "validation", "training", ""])
    assert {name: np.flatnonzero(mask).tolist() for name, mask in masks.items()} == {
        "training": [0, 4],
        "validation": [3],
        "test": [1],
    }
    with pytest.raises(SegueError, match="'train'"):
        official(["train"])


def test_tracks_of_the_test_have_no_listener_in_training():
    train, test = by_track(PLAYS, seed=2)
    tracks = set(PLAYS["track_id"])
    assert set(train["track_id"]) | set(test["track_id"]) == tracks
    assert not set(train["track_id"]) & set(test["track_id"])
    assert test["track_id"].nunique() == round(0.1 * len(tracks))
    assert len(train) + len(test) == len(PLAYS)
    assert not by_track(PLAYS, seed=3)[1].equals(test)
    with pytest.raises(SegueError, match="two tracks"):
        by_track(PLAYS[PLAYS["track_id"] == 10])
    with pytest.raises(UsageError, match="test_share"):
        by_track(PLAYS, test_share=0.0)


def test_folds_ask_each_artist_once():
    generator = np.random.default_rng(0)
    genre_of = generator.integers(0, 3, 40)
    artists = generator.integers(0, 40, 500)
    artists[:50] = -1
    genres = genre_of[artists]
    folds = artist_folds(artists, 5, seed=1, genres=genres)
    assert np.array_equal(np.sum([fold.test for fold in folds], axis=0), artists != -1)
    for fold in folds:
        assert not set(artists[fold.train]) & set(artists[fold.test])
        assert np.array_equal(fold.left_out, artists == -1)
        assert not (fold.train & fold.test).any()
        assert fold.artists == "never shared (10% of unknown artist left out)"
        # An artist has some 11 tracks: no fold is further than two of them from its share of a genre.
        share = np.bincount(genres[artists != -1]) / 5
        assert (np.abs(np.bincount(genres[fold.test], minlength=3) - share) < 22).all()
    assert np.array_equal(artist_folds(artists, 5, seed=1, genres=genres)[0].test, folds[0].test)
    assert not np.array_equal(artist_folds(artists, 5, seed=2, genres=genres)[0].test, folds[0].test)


def test_folds_without_artists_or_with_too_few():
    folds = artist_folds(np.full(10, -1), 5)
    assert [fold.test.sum() for fold in folds] == [2] * 5
    assert folds[0].artists == "not known: tracks were split one by one"
    with pytest.raises(SegueError, match="5 folds by artist need as many artists and there are 3"):
        artist_folds(np.array([1, 2, 3, 3, 3, 3]))
    with pytest.raises(UsageError, match="at least 2"):
        artist_folds(np.arange(9), 1)


def test_what_is_said_of_artists_is_true():
    artists = np.array([1, 1, 2, 3, -1, 3])
    first, last = np.arange(6) < 3, np.arange(6) >= 3
    assert shared_artists(first, last, artists) == "never shared (not known for 17% of tracks)"
    assert shared_artists(first, ~last & ~first, artists) == "never shared"
    odd = np.arange(6) % 2 == 1
    assert shared_artists(odd, ~odd, artists) == "1 artist on both sides (not known for 17% of tracks)"
    assert shared_artists(odd, ~odd, np.full(6, -1)) == "not known"
