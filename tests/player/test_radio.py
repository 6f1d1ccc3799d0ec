"""The radio by numbers: how far masses reach, what a minus takes away, and that promises hold for long."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import pytest

from segue.player.radio import LATELY, Candidate, Station, choose, rank

Lists = Mapping[int, Mapping[str, Sequence[int]]]


def near(lists: Lists, asked: list[set[int]] | None = None) -> Callable[[Iterable[int]], Lists]:
    def look_up(track_ids: Iterable[int]) -> Lists:
        wanted = set(track_ids)
        if asked is not None:
            asked.append(wanted)
        return {track: lists[track] for track in wanted if track in lists}

    return look_up


def scores(found: Sequence[Candidate]) -> dict[int, float]:
    return {each.track_id: each.score for each in found}


def ranked(*track_ids: int) -> list[Candidate]:
    return [Candidate(track, 1 / place, 0) for place, track in enumerate(track_ids, 1)]


def test_mass_is_shared_by_place_and_fades_by_half_a_step():
    lists = {1: {"exact": [2, 3]}, 2: {"exact": [4, 1]}, 3: {"exact": [4]}}
    found = rank(Station((1,)), near(lists), wanted=1)
    assert scores(found) == pytest.approx({2: 2 / 3, 3: 1 / 3, 4: (2 / 3 * 2 / 3 + 1 / 3) / 2})
    assert {each.because_of for each in found} == {1}


def test_two_models_share_equally_and_one_alone_gets_all():
    both = {1: {"exact": [2], "als": [3]}, 5: {"als": [6]}}
    assert scores(rank(Station((1, 5)), near(both), 1)) == pytest.approx({2: 0.5, 3: 0.5, 6: 1.0})
    other = {1: {"lsh": [2], "exact": [], "als": [3]}}
    assert scores(rank(Station((1,)), near(other), 1)) == pytest.approx({3: 1.0})


def test_what_is_as_near_to_a_minus_as_to_a_plus_is_left_out():
    lists = {1: {"exact": [2, 3, 4]}, 9: {"exact": [2, 5]}}
    alone = scores(rank(Station((1,)), near(lists), 1))
    away = scores(rank(Station((1,), minus=(9,)), near(lists), 1))
    assert 2 in alone
    assert 2 not in away, "2 is the nearest of both, and of the minus with the larger share"
    assert away == pytest.approx({3: alone[3], 4: alone[4]})
    assert 5 not in away


def test_a_like_draws_and_a_skip_pushes_half_as_much_as_what_was_chosen():
    lists = {1: {"exact": [2, 3]}, 2: {"exact": [7]}, 3: {"exact": [8]}}
    plain = scores(rank(Station((1,)), near(lists), 1))
    liked = scores(rank(Station((1,), likes=(3,)), near(lists), 1))
    skipped = scores(rank(Station((1,), skips=(2,)), near(lists), 1))
    assert plain[7] > plain[8]
    assert liked[8] == pytest.approx(plain[8] + 0.5)
    assert liked[8] > liked[7]
    assert skipped[7] == pytest.approx(plain[7] - 0.5)
    assert skipped[7] < 0 < skipped[8]
    assert skipped[8] == pytest.approx(plain[8])
    both = scores(rank(Station((1,), likes=(3,), skips=(3,)), near(lists), 1))
    assert both[8] == pytest.approx(plain[8] - 0.5), "the skip of one that was liked counts"
    chosen = scores(rank(Station((1, 2), skips=(2,)), near(lists), 1))
    assert chosen[7] > 0, "what was chosen wins over what was said of it"


def test_it_goes_further_until_there_is_enough_and_asks_for_no_more_than_it_may():
    ring = {i: {"exact": [(i + step) % 3_000 for step in (1, -1, 7, 50)]} for i in range(3_000)}
    asked: list[set[int]] = []
    rank(Station((0,)), near(ring, asked), wanted=5)
    assert len(asked) == 2
    asked.clear()
    barred = set(range(1, 40))
    found = rank(Station((0,)), near(ring, asked), 100, barred)
    assert len(found) >= 100
    assert not barred & scores(found).keys()
    asked.clear()
    many = Station(tuple(range(0, 1_000, 100)), skips=tuple(range(1_000, 3_000, 100)))
    rank(many, near(ring, asked), 10_000)
    assert 2 < len(asked) <= 8
    assert max(map(len, asked)) <= 240


def test_nothing_barred_heard_lately_or_a_copy_of_it_is_chosen():
    copies = {2: "a", 3: "a", 5: "b", 6: "b", 7: 70, 8: 70}
    found = choose(ranked(2, 4, 6, 7, 8, 9), 10, heard=[5], barred=[3, 4], artists={}, recordings=copies)
    assert [each.track_id for each in found] == [7, 9]


def test_two_of_an_artist_in_ten_at_most_those_heard_counted():
    artists = {1: "Ada", 2: "ADA", 3: "ada", 4: "", 5: "", 6: ""}
    found = choose(ranked(3, 4, 5, 6), 3, heard=[1, 2], barred=[], artists=artists, recordings={})
    assert [each.track_id for each in found] == [4, 5, 6], "nobody knows whether no artist is one artist"
    others = list(range(20, 27))
    found = choose(ranked(3, 4), 1, heard=[1, 2, *others], barred=[], artists=artists, recordings={})
    assert [each.track_id for each in found] == [4]
    found = choose(ranked(3, 4), 1, heard=[1, 2, *others, 27], barred=[], artists=artists, recordings={})
    assert [each.track_id for each in found] == [3]


def test_where_there_is_nobody_else_it_goes_on_with_whom_it_played_least():
    artists = {1: "Ada", 2: "Ada", 3: "Ada", 4: "Ada", 5: "Bob", 6: "Bob", 7: "Bob", 8: "Cy"}
    found = choose(ranked(1, 2, 3, 4, 5, 6, 7, 8), 8, heard=[], barred=[], artists=artists, recordings={})
    assert [each.track_id for each in found] == [1, 2, 5, 6, 8, 3, 7, 4]


def test_of_a_small_collection_less_is_lately():
    found = choose(ranked(1, 2, 3, 4), 4, heard=[1, 2, 3], barred=[], artists={}, recordings={}, lately=1)
    assert [each.track_id for each in found] == [4, 1, 2]
    found = choose(ranked(1), 4, heard=[1], barred=[], artists={}, recordings={}, lately=0)
    assert [each.track_id for each in found] == [1]


def test_what_was_played_long_ago_comes_after_all_that_was_not():
    heard = list(range(100, 100 + LATELY + 2))
    found = choose(ranked(100, 101, 102, 1), 9, heard=heard, barred=[], artists={}, recordings={})
    assert [each.track_id for each in found] == [1, 100, 101]


def test_for_hours_it_goes_on_and_keeps_its_promises():
    # 60 tracks by 20 artists; i and i + 30 are copies for i below 5.
    lists = {
        i: {"exact": [(i + s) % 60 for s in (1, 2, 3, 5, 8, 13)], "als": [(i * 7) % 60]} for i in range(60)
    }
    artists = {i: f"artist {i % 20}" for i in range(60)}
    recordings = {i: i % 30 if i % 30 < 5 else i for i in range(60)}
    barred = {7, 8, 11}
    heard: list[int] = []
    while len(heard) < 300:
        station = Station((11,), minus=(8,), skips=tuple(heard[-40::20]), heard=tuple(heard[-200:]))
        out = {*barred, *station.weights}
        found = choose(
            rank(station, near(lists), 100, out),
            10,
            heard=station.heard,
            barred=out,
            artists=artists,
            recordings=recordings,
        )
        assert found, f"dry after {len(heard)}"
        heard.extend(each.track_id for each in found)
    assert not barred.intersection(heard)
    for place, track in enumerate(heard):
        lately = [recordings[each] for each in heard[max(0, place - LATELY) : place]]
        assert recordings[track] not in lately
        row = [artists[each] for each in heard[place : place + 10]]
        assert max(map(row.count, row)) <= 2
    assert len(set(heard)) > 40
