import numpy as np
import pytest

from segue.errors import UsageError
from segue.models.base import Scored
from segue.models.content import unit_rows
from segue.models.rerank import RerankConfig, Reranker, alike_by_labels, alike_by_sound
from support.planted import blobs

IDS = np.arange(1, 21)


def ranked(*track_ids):
    return [Scored(track, 1.0 - place / 100) for place, track in enumerate(track_ids)]


def taken(reranker, *track_ids, k=20, drop=()):
    return [item.track_id for item in reranker.rerank(ranked(*track_ids), k, drop)]


def test_no_artist_more_than_twice_in_any_ten():
    artists = np.where(IDS <= 5, 7, 100 + IDS)
    reranker = Reranker(IDS, artists, IDS)
    # The artist's third and fourth tracks stand where its first and second have left the window.
    assert taken(reranker, *range(1, 21)) == [1, 2, *range(6, 14), 3, 4, *range(14, 21)]
    assert taken(reranker, *range(1, 21), k=9) == [1, 2, *range(6, 13)]
    assert taken(reranker, *range(6, 21), 1, 2, 3) == [*range(6, 21), 1, 2]


def test_an_artist_that_fills_the_pool_does_not_end_the_list():
    artists = np.where(IDS <= 11, 7, 100 + IDS)
    reranker = Reranker(IDS, artists, IDS, RerankConfig(pool=3))
    assert taken(reranker, *range(1, 21)) == [1, 2, *range(12, 20), 3, 4, 20]
    diverse = Reranker(IDS, artists, IDS, RerankConfig(pool=3, diversity=0.5))
    assert sorted(taken(diverse, *range(1, 21), k=10)) == [1, 2, *range(12, 20)]


def test_where_there_are_too_few_artists_for_ten_they_may_stand_more_often():
    one = np.full(20, 7)
    assert taken(Reranker(IDS, one, IDS), *range(1, 21)) == list(range(1, 21))
    # Of four artists with five tracks each three must stand in ten: 4 * 3 = 12.
    four = IDS % 4
    found = taken(Reranker(IDS, four, IDS), *sorted(range(1, 21), key=lambda track: track % 4))
    assert len(found) == 18
    assert found[:3] == [4, 8, 12]
    played = [track % 4 for track in found]
    assert max(played[i : i + 10].count(artist) for i in range(11) for artist in range(4)) == 3
    # With nine others there is no need: two and nine are more than ten.
    assert RerankConfig().cap(np.where(IDS <= 11, 7, 100 + IDS)) == 2
    assert RerankConfig().cap(np.where(IDS <= 13, 7, 100 + IDS)) == 3
    assert RerankConfig().cap(np.where(IDS <= 13, 7, -1)) == 3, "tracks of unknown artist fill a list as well"
    assert RerankConfig(window=1).cap(one) == 2, "in a window of one there is nothing to fill"
    assert RerankConfig().cap(np.array([7, 7, 7])) == 3
    assert RerankConfig().cap(np.empty(0, dtype=int)) == 2


def test_unknown_artists_are_not_capped():
    assert taken(Reranker(IDS, np.full(20, -1), IDS), *range(1, 21)) == list(range(1, 21))


def test_copies_and_dropped_tracks_are_left_out():
    recordings = IDS.copy()
    recordings[[4, 9]] = 1
    recordings[[14]] = 12
    for diversity in (0, 0.01):
        reranker = Reranker(IDS, IDS, recordings, RerankConfig(diversity=diversity))
        assert taken(reranker, 5, 10, 1, 2) == [5, 2]
        assert taken(reranker, 5, 12, 15, 3, drop=[1]) == [12, 3]
        assert taken(reranker, 99, 3) == [3]
        assert taken(reranker, 3, 3, 4, k=2) == [3, 4]
        assert taken(reranker, 3, 2, k=1) == [3]
        assert taken(reranker, k=3) == []


def test_items_keep_their_scores():
    found = Reranker(IDS, IDS, IDS).rerank([Scored(7, 0.9), Scored(99, 0.8), Scored(3, 0.7)], 5)
    assert found == [Scored(7, 0.9), Scored(3, 0.7)]


def test_the_rules_are_parameters():
    artists = np.where(IDS <= 8, 1, 100 + IDS)
    assert taken(Reranker(IDS, artists, IDS, RerankConfig(per_artist=3)), *range(1, 9)) == [1, 2, 3]
    assert taken(Reranker(IDS, artists, IDS, RerankConfig(per_artist=1, window=1)), 1, 2, 3) == [1, 2, 3]
    with pytest.raises(UsageError, match="per_artist = 0"):
        RerankConfig(per_artist=0)
    with pytest.raises(UsageError, match=r"diversity = 1\.5"):
        RerankConfig(diversity=1.5)


ROWS = np.array([[1, 0], [1, 0], [0.6, 0.8], [0, 1], [-1, 0]], dtype=np.float32)
"""The cosine of the first to each: 1, 1, 0.6, 0, -1."""


@pytest.mark.parametrize(
    ("diversity", "expected"),
    [
        (0.0, [1, 2, 3, 4, 5]),
        # Relevance 1, .8, .6, .4, .2. After 1: .85 * .8 - .15 = .53 of 2 is the most; then .42 of 3; then
        # .85 * .2 + .15 * .6 = .26 of 5 beats .85 * .4 - .15 * .8 = .22 of 4.
        (0.15, [1, 2, 3, 5, 4]),
        # After 1: .26, .24, .28, .44: track 5. Of the others 4 (.28); 2 (.26) before 3 (.42 - .24 = .18).
        (0.3, [1, 5, 4, 2, 3]),
        # After 1: -.28, -.12, .16, .68: track 5, then 4; 3 (.24 - .48 = -.24) before 2 (-.28).
        (0.6, [1, 5, 4, 3, 2]),
        # Only difference: 5 (-1 like the first); then 4 (0), 3 (.8) before 2 (1).
        (1.0, [1, 5, 4, 3, 2]),
    ],
)
def test_marginal_relevance_by_hand(diversity, expected):
    ids = np.arange(1, 6)
    config = RerankConfig(diversity=diversity, pool=5)
    assert taken(Reranker(ids, ids, ids, config, alike_by_sound(3 * ROWS)), *ids) == expected


def test_without_features_artists_and_genres_tell_how_alike_tracks_are():
    artists, genres = np.array([1, 1, 2, 3, -1, -1]), np.array([0, 0, 0, 1, -1, -1])
    alike = alike_by_labels(artists, genres)(np.arange(6))
    assert alike(0).tolist() == [1, 1, 0.5, 0, 0, 0]
    assert alike(4).tolist() == [0] * 6
    ids = np.arange(1, 7)
    config = RerankConfig(diversity=0.5, pool=12)
    # After 1, times 24: 11 - 12 of track 2, 10 - 6, 9, 8, 7.
    assert taken(Reranker(ids, artists, ids, config, alike_by_labels(artists, genres)), *ids) == [
        1, 4, 5, 6, 3, 2,
    ]  # fmt: skip
    # By the artists alone track 3 is like none before it.
    assert taken(Reranker(ids, artists, ids, config), *ids) == [1, 3, 4, 5, 6, 2]


def test_only_the_pool_is_chosen_from_while_it_lasts():
    ids = np.arange(1, 6)
    config = RerankConfig(diversity=1, pool=3)
    found = taken(Reranker(ids, ids, ids, config, alike_by_sound(ROWS)), *ids)
    assert found == [1, 3, 2, 5, 4]


def test_a_later_tier_comes_after_an_earlier_one():
    ids = np.arange(1, 6)
    reranker = Reranker(ids, ids, ids, RerankConfig(diversity=1), alike_by_sound(ROWS))
    assert reranker.choose([np.array([0, 1, 2]), np.array([3, 4])], 5).tolist() == [0, 2, 1, 4, 3]
    assert reranker.choose([np.array([0]), np.array([1, 0, 4])], 2).tolist() == [0, 4]


def test_a_list_gets_more_different_and_less_relevant_with_the_knob():
    rows, kinds = blobs(300, 12, 6, seed=2, spread=2.0)
    ids, unit = np.arange(300), unit_rows(rows)
    differences, relevances = [], []
    for diversity in (0, 0.2, 0.4, 0.6, 0.8, 1):
        config = RerankConfig(diversity=diversity)
        reranker = Reranker(ids, np.full(300, -1), ids, config, alike_by_sound(rows))
        of_each = []
        for kind in range(6):
            # The ranking of somebody who likes one kind.
            relevance = unit @ unit[kinds == kind].mean(axis=0)
            chosen = reranker.choose([np.argsort(-relevance)], 20)
            alike = (unit[chosen] @ unit[chosen].T)[np.triu_indices(20, 1)].mean()
            of_each.append((1 - alike, relevance[chosen].mean()))
        difference, relevance = np.mean(of_each, axis=0)
        differences.append(difference)
        relevances.append(relevance)
    assert differences == sorted(differences)
    assert relevances == sorted(relevances, reverse=True)
    assert differences[-1] > 2 * differences[0]
    assert relevances[-1] < 0.8 * relevances[0]
