import numpy as np
import pytest

from segue.errors import UsageError
from segue.models.base import Scored
from segue.models.rerank import RerankConfig, Reranker

IDS = np.arange(1, 21)


def ranked(*track_ids):
    return [Scored(track, 1.0 - place / 100) for place, track in enumerate(track_ids)]


def taken(reranker, *track_ids, k=20, drop=()):
    return [item.track_id for item in reranker.rerank(ranked(*track_ids), k, drop)]


def test_no_artist_more_than_twice_in_any_ten():
    artists = np.where(IDS <= 5, 7, 100 + IDS)
    reranker = Reranker(IDS, artists, IDS)
    assert taken(reranker, *range(1, 21)) == [1, 2, *range(6, 21)]
    # Ten apart is allowed again: the third track of the artist stands where the first has left the window.
    order = [1, 2, *range(6, 14), 3, 4, 5, *range(14, 21)]
    found = taken(reranker, *order)
    places = [found.index(track) for track in (1, 2, 3, 4)]
    assert found[:12] == [1, 2, *range(6, 14), 3, 4]
    assert 5 not in found
    assert places == [0, 1, 10, 11]


def test_unknown_artists_are_not_capped():
    assert taken(Reranker(IDS, np.full(20, -1), IDS), *range(1, 21)) == list(range(1, 21))


def test_copies_and_dropped_tracks_are_left_out():
    recordings = IDS.copy()
    recordings[[4, 9]] = 1
    recordings[[14]] = 12
    reranker = Reranker(IDS, IDS, recordings)
    assert taken(reranker, 5, 10, 1, 2) == [5, 2]
    assert taken(reranker, 5, 12, 15, 3, drop=[1]) == [12, 3]
    assert taken(reranker, 99, 3) == [3]
    assert taken(reranker, 3, 3, 4, k=2) == [3, 4]
    assert taken(reranker, 3, 2, k=1) == [3]


def test_the_cap_is_a_parameter():
    artists = np.ones(20, dtype=int)
    assert taken(Reranker(IDS, artists, IDS, RerankConfig(per_artist=3)), *range(1, 9)) == [1, 2, 3]
    assert taken(Reranker(IDS, artists, IDS, RerankConfig(per_artist=1, window=1)), 1, 2, 3) == [1, 2, 3]
    with pytest.raises(UsageError, match="per_artist = 0"):
        RerankConfig(per_artist=0)
