"""Clusters in words, from prints made so that the words are known."""

import numpy as np
import pytest

from segue.models.kmeans import KMeans
from segue.notebook.clusters import clusters_of, in_words
from segue.store.cards import PRINT, Card


def print_of(**numbers: float) -> np.ndarray:
    return np.array([numbers.get(name, 0.5) for name in PRINT])


def test_two_words_say_what_stands_out_most():
    found = in_words(
        [print_of(loudness=0.1, brightness=0.3, movement=0.55), print_of(loudness=0.9, contrast=0.7)]
    )
    assert found == ["quiet and dark", "loud and clear"]


def test_what_goes_together_is_said_once_unless_it_tells_two_apart():
    dark = print_of(brightness=0.1, roughness=0.15, bandwidth=0.12, loudness=0.4)
    assert in_words([dark]) == ["dark and quiet"]
    other = print_of(brightness=0.1, roughness=0.15, bandwidth=0.8, loudness=0.4)
    assert in_words([dark, other]) == ["dark, quiet and narrow", "dark, quiet and smooth"]


def test_no_two_have_the_same_words():
    even = print_of()
    same = print_of(loudness=0.9)
    found = in_words([even, same, even, same, even])
    assert len(set(found)) == 5
    assert found[0] == "in the middle of everything"
    assert found[3] == "loud (2)"
    swapped = [print_of(loudness=0.1, movement=0.2), print_of(loudness=0.2, movement=0.1)]
    assert in_words(swapped) == ["quiet and steady", "steady and quiet (2)"]


def test_numbers_beyond_what_words_tell_still_name_each():
    rng = np.random.default_rng(1)
    many = [rng.uniform(0.3, 0.7, len(PRINT)) for _ in range(500)]
    assert len(set(in_words(many))) == 500


@pytest.fixture
def model() -> KMeans:
    """Three clusters of one dimension, without Spark."""
    made = KMeans()
    made._catalogue(np.arange(10, 17), np.arange(7), np.arange(7), np.zeros(7))
    made.rows = np.array([[0.0], [0.2], [0.1], [5.0], [5.5], [9.0], [5.2]], dtype=np.float32)
    made.labels = np.array([2, 2, 2, 0, 0, 1, 0], dtype=np.int32)
    made.centres = np.array([[5.05], [9.0], [0.0]], dtype=np.float32)
    made._fingerprint = "made"
    return made


def test_a_cluster_has_its_tracks_by_how_typical_they_are_its_genre_and_the_mean_print(model: KMeans):
    genres = dict(zip(range(10, 17), ["Folk", "", "Folk", "", "", "", ""], strict=True))
    cards = [
        Card(track, "", "", "", genres[track], 1.0, "", "", composed=False,
             print=print_of(loudness=0.1 if track < 13 else 0.9).tolist())
        for track in genres
    ]  # fmt: skip
    first, second, third = clusters_of(model, cards[::-1])
    assert [each.number for each in (first, second, third)] == [0, 2, 1]
    assert (first.tracks, second.tracks, third.tracks) == ([13, 16, 14], [10, 12, 11], [15])
    assert (second.size, second.words, second.genre, second.share) == (3, "quiet", "Folk", 1.0)
    assert (first.genre, first.share) == ("", None)
    assert second.print[PRINT.index("loudness")] == 0.1
    assert {first.words, third.words} == {"loud", "loud (2)"}
