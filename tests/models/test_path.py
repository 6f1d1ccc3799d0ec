from itertools import permutations

import numpy as np
import pytest

from segue.errors import UsageError
from segue.models.content import unit_rows
from segue.models.path import smooth_path
from support.planted import blobs

LINE = np.array([[0.0, 0], [1, 0], [2, 0], [3, 0], [4, 0], [5, 0], [6, 0]], dtype=np.float32)


def walk(rows, start, end, length, artists=None, recordings=None, **options):
    n = len(rows)
    artists = np.full(n, -1) if artists is None else np.asarray(artists)
    recordings = np.arange(n) if recordings is None else np.asarray(recordings)
    return smooth_path(
        rows, start, end, length, artist_ids=artists, recording_ids=recordings, **options
    )  # fmt: skip


def places(*given, **named):
    return walk(*given, **named).places.tolist()


def test_the_steps_are_even():
    assert places(LINE, 0, 6, 4) == [0, 2, 4, 6]
    assert places(LINE, 6, 0, 3) == [6, 3, 0]
    assert places(LINE, 0, 6, 7) == list(range(7))
    found = walk(LINE, 0, 6, 3)
    assert (found.steps.tolist(), found.straight) == ([3.0, 3.0], 6.0)


def test_two_tracks_are_a_path():
    assert places(LINE, 2, 5, 2) == [2, 5]
    with pytest.raises(UsageError, match="length = 1"):
        walk(LINE, 2, 5, 1)


def test_one_recording_is_no_path():
    with pytest.raises(UsageError, match="one recording, choose two"):
        walk(LINE, 2, 2, 5)
    with pytest.raises(UsageError, match="one recording, choose two"):
        walk(LINE, 2, 3, 5, recordings=[0, 1, 2, 2, 4, 5, 6])


def test_where_few_lie_between_others_are_put_in_where_they_add_least():
    # Between 2 and 4 lies only 3. Track 1 after 2 adds 1 + 4 - 1, as much as 5 before 4: the first is taken.
    assert places(LINE, 2, 4, 4) == [2, 1, 3, 4]
    assert sorted(places(LINE, 2, 3, 7)) == list(range(7))


def test_a_path_is_shorter_where_there_are_no_more_tracks():
    assert places(LINE[:3], 0, 2, 10) == [0, 1, 2]
    assert places(LINE[:2], 0, 1, 10) == [0, 1]


def test_of_copies_one_is_taken():
    rows = np.repeat(LINE, 2, axis=0)
    found = places(rows, 0, 13, 14, recordings=np.arange(14) // 2)
    assert sorted(i // 2 for i in found) == list(range(7))


def test_no_more_than_two_in_a_row_of_one_artist():
    rows = np.vstack([LINE, [[1.5, 1]], [[4.5, 1]]]).astype(np.float32)
    artists = [1] * 7 + [2, 3]
    found = places(rows, 0, 6, 6, artists)
    played = [artists[i] for i in found]
    assert len(found) == 6
    assert all(len(set(played[i : i + 3])) > 1 for i in range(4))
    assert {7, 8} <= set(found)
    assert places(LINE, 0, 6, 7, [1] * 6 + [2]) == [0, 3, 6]
    assert len(places(LINE, 0, 6, 7, [-1] * 7)) == 7


def test_a_path_through_the_tracks_of_one_artist_is_as_long_as_any():
    assert places(LINE, 0, 6, 5, [1] * 7) == places(LINE, 0, 6, 5)
    assert len(places(LINE, 0, 6, 5, [1] * 7)) == 5


def test_an_artist_with_most_of_a_large_catalogue_does_not_end_the_path():
    generator = np.random.default_rng(1)
    near = np.column_stack([np.linspace(0, 6, 300), generator.normal(scale=0.1, size=300)])
    far = np.column_stack([np.linspace(0, 6, 20), np.full(20, 5.0)])
    rows = np.vstack([near, far]).astype(np.float32)
    artists = np.where(np.arange(320) < 300, 1, np.arange(320))
    found = places(rows, 0, 299, 8, artists, candidates=50)
    assert len(found) == 8
    assert all(len(set(artists[found[i : i + 3]])) > 1 for i in range(6))


def cost(rows, path):
    return (np.diff(rows[list(path)].astype(float), axis=0) ** 2).sum()


def test_it_is_the_best_of_all_paths_that_never_turn_back():
    generator = np.random.default_rng(5)
    compared = 0
    for _ in range(20):
        rows = generator.normal(size=(8, 3)).astype(np.float32)
        artists = generator.integers(0, 3, size=8)
        ahead = rows @ (rows[1] - rows[0])
        possible = [
            cost(rows, path)
            for inner in permutations(range(2, 8), 3)
            if all(np.diff(ahead[list(path := (0, *inner, 1))]) > 0)
            and all(len(set(artists[list(path[i : i + 3])])) > 1 for i in range(3))
        ]
        found = places(rows, 0, 1, 5, artists)
        if possible and all(np.diff(ahead[found]) > 0):
            np.testing.assert_allclose(cost(rows, found), min(possible), rtol=1e-5)
            compared += 1
        elif possible:
            assert cost(rows, found) < 0.8 * min(possible)
    assert compared >= 5


@pytest.mark.parametrize("candidates", [1_000, 60])
def test_it_walks_through_groups_that_are_far_apart(candidates):
    rows, _ = blobs(400, 12, 4, seed=3)
    rows = unit_rows(rows)
    found = walk(rows, 0, 1, 10, candidates=candidates)
    assert (found.places[0], found.places[-1]) == (0, 1)
    assert np.unique(found.places).size == 10
    assert found.steps.max() <= found.straight
    again = walk(rows, 0, 1, 10, candidates=candidates)
    assert again.places.tolist() == found.places.tolist()


def test_more_steps_are_smaller_steps():
    generator = np.random.default_rng(2)
    rows = unit_rows(generator.normal(size=(2_000, 4)))
    largest = [walk(rows, 0, 1, length).steps.max() for length in (2, 4, 8, 16)]
    assert largest == sorted(largest, reverse=True)
    assert largest[-1] < 0.25 * largest[0]
