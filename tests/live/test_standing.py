import random
from dataclasses import replace
from uuid import UUID

import pytest

from segue.live import listener
from segue.live.standing import Line, Received, Standing, advance, doubtful, milliseconds
from segue.store.listeners import NEVER_MS, RECENT_EVENTS, pack, unpack
from support.live_world import event

LINE = Line("log", 3)


def random_events(seed: int, count: int) -> list[Received]:
    choice = random.Random(seed)
    kinds = ["play", "complete", "skip", "like", "dislike", "progress"]
    return [
        Received(event(choice.randrange(30), choice.choice(kinds), number, number=number + 1), 3 * number)
        for number in range(count)
    ]


def run(batches: list[list[Received]], standing: Standing | None = None) -> Standing | None:
    for batch in batches:
        standing = advance(standing, "l", LINE, batch)
    return standing


def known(standing: Standing) -> list[int]:
    return [UUID(bytes=event_id).int for event_id, _ in unpack(standing.recent)]


@pytest.mark.parametrize("seed", range(5))
def test_batches_cut_anywhere_and_read_again_give_the_same_standing(seed):
    events = random_events(seed, 120)
    whole = run([events])
    choice = random.Random(seed)
    batches, place = [], 0
    while place < len(events):
        end = place + choice.randrange(1, 15)
        batches.append(events[place:end])
        place = max(0, min(end, len(events)) - choice.choice([0, 0, 3, 8])) if end < len(events) else end
    assert sum(map(len, batches)) > len(events)
    assert run(batches) == whole
    assert whole is not None
    assert run([events], whole) is whole


def test_a_standing_comes_back_from_its_document():
    standing = run([random_events(2, 150)])
    assert standing is not None
    assert Standing.of(standing.to_document()) == standing


def test_an_event_sent_again_counts_once():
    first, again = Received(event(7, "play", number=1), 0), Received(event(7, "play", number=1), 5)
    standing = run([[first], [again]])
    assert standing is not None
    assert standing.state.tracks[7].plays == 1
    assert (standing.place.offset, known(standing)) == (0, [1])
    assert run([[first, again]]) == standing


def test_the_ids_kept_are_bounded_and_the_newest():
    standing = run([random_events(1, 3 * RECENT_EVENTS)])
    assert standing is not None
    assert len(known(standing)) == RECENT_EVENTS
    assert str(UUID(int=known(standing)[-1])) == standing.caused_by


def test_an_event_is_doubtful_only_if_as_old_as_one_that_was_forgotten():
    """Of 110 likes, a second apart, the first ten are forgotten: their times are 0 to 9 s."""
    likes = [Received(event(n, "like", n, number=n + 1), n) for n in range(RECENT_EVENTS + 10)]
    standing = run([likes])
    assert standing is not None
    assert standing.forgotten_ms == milliseconds(likes[9].event.at)
    again = [replace(like, offset=1_000 + like.offset) for like in likes]
    assert doubtful(standing, LINE, again) == {like.event.event_id for like in likes[:10]}
    assert doubtful(standing, LINE, likes) == set()
    fresh = Received(event(7, "play", 5, number=999), 2_000)
    assert doubtful(standing, LINE, [fresh]) == {fresh.event.event_id}
    counted = {like.event.event_id for like in likes[:10]}
    after = advance(standing, "l", LINE, [*again, fresh], stored=counted)
    assert after is not None
    assert after.state.tracks[7].plays == 1
    assert known(after)[-1] == 999


def test_nothing_is_doubtful_before_anything_is_forgotten():
    assert doubtful(None, LINE, random_events(1, 3)) == set()
    standing = run([random_events(1, RECENT_EVENTS)])
    assert standing is not None
    assert standing.forgotten_ms == NEVER_MS
    assert doubtful(standing, LINE, [Received(event(1, "like", -9, number=7_777), 9_999)]) == set()


def test_ids_and_times_come_back_as_packed():
    events = [(UUID(int=n).bytes, n * 10**12 - 5) for n in range(3)]
    assert unpack(pack(events)) == events


def test_events_of_a_topic_made_anew_count_although_their_offsets_are_low():
    old = run([random_events(1, 50)])
    assert old is not None
    fresh = Received(event(99, "like", 500, number=900), 0)
    new = advance(old, "l", Line("another log", 3), [fresh])
    assert new is not None
    assert new.place == ("another log", 3, 0)
    assert 99 in listener.liked(new.state)
    assert advance(old, "l", LINE, [fresh]) is old
    assert advance(old, "l", Line("log", 4), [fresh]) is not old


def test_passive_events_change_nothing():
    assert run([[Received(event(7, "progress", number=1), 0)]]) is None
